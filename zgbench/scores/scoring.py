"""The last step of an evaluation: from reassigned segments to rows of scores with intervals and signatures."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any

import numpy as np

from zgbench.datasets import Dataset
from zgbench.encoders import TextEncoder
from zgbench.errors import ModelUnavailable
from zgbench.pixels.counts import Counts, select
from zgbench.protocol import Pixels, Protocol, sign
from zgbench.scores import metrics, text_generation
from zgbench.scores.by_label import SCOPES, ByLabel, by_label
from zgbench.scores.by_label import about as told_by
from zgbench.scores.further import definition, further, possible, rows_scores, similarity_for
from zgbench.scores.human_scores import Ratings, fully_rated
from zgbench.scores.rating_similarity import described
from zgbench.scores.reassignment import true_similarity
from zgbench.scores.registry import DEFAULT, of_scope
from zgbench.scores.result import Evaluation, number
from zgbench.scores.result_types import ByLabelScores, Result, ScoreRow, Tgq
from zgbench.scores.similarity import Similarity
from zgbench.scores.subject import Subject
from zgbench.scores.verification import Reassigned, Row, background_of, verified
from zgbench.scores.ways import text_name
from zgbench.statistics import resampling
from zgbench.statistics.resampling import Resamples
from zgbench.submission.reader import stem_of

UNRATED = "whole-images"
"""What becomes of segments without ratings: only images whose segments all have ratings are scored by people."""


@dataclass(frozen=True)
class _Facts:
    """What a signature tells of the truth, worked out once for all rows about the same images."""

    subject: Subject
    dataset: Dataset
    _truth: dict[tuple[str, ...], str] = field(default_factory=dict)

    def truth_sha256(self, counts: Counts) -> str:
        """Fingerprint of the truth of these images."""
        if counts.ids not in self._truth:
            self._truth[counts.ids] = counts.truth_sha256()
        return self._truth[counts.ids]

    def of(self, counts: Counts) -> dict[str, str]:
        """Data set, split, images, truth and track of a row about these images."""
        dataset = self.dataset
        return {
            "data": dataset.signed, "split": dataset.split, "n": str(len(counts.ids)),
            "ids": dataset.only(counts.ids).ids_sha256()[:8], "truth": self.truth_sha256(counts)[:8],
            "track": self.subject.header.track,
        }  # fmt: skip


def scored(
    subject: Subject,
    counts: Counts,
    reassigned: list[Reassigned],
    text: TextEncoder,
    people: Ratings | None,
    unavailable: dict[str, str],
    timing: dict[str, float],
    names: tuple[str, ...] = DEFAULT,
    similarity: Similarity | None = None,
) -> Evaluation:
    """Scores of every row.

    Args:
        counts: of the images that are scored: all of the subject's, or those that the submission has.
        text: Sentence-BERT, for TGQ.
        unavailable: what cannot be scored, and why; more may be added.
        timing: seconds a step; goes into the result.
        names: of the scores that were asked for; the default ones are worked out whether they were or not.
        similarity: of classes, for the scores that need one; by default WordNet's path similarity.

    Raises:
        ModelUnavailable: there is no row at all.
    """
    protocol, dataset = subject.protocol, subject.dataset.only(counts.ids)
    rule = background_of(protocol, dataset.released_drops_background)
    facts = _Facts(subject, dataset)
    resamples: dict[int, Resamples] = {}

    def drawn(n: int) -> Resamples:
        return resamples.setdefault(n, Resamples(n, protocol.resamples, protocol.seed))

    more = possible([name for name in of_scope(names, "row") if name not in DEFAULT], dataset.vocabulary)
    similarity = similarity or similarity_for(more, dataset.vocabulary)
    rows: list[ScoreRow] = []
    for row in (row for r in reassigned for row in verified(counts, r, protocol)):
        n_images = int(row.images.sum())
        if n_images == 0:
            rated = int((~np.isnan(row.reassigned.rated)).sum()) if row.reassigned.rated is not None else 0
            unavailable[f"{row.reassigned.how} {row.verify}"] = (
                f"no image has ratings for all of its segments ({rated} of {len(counts.labels)} segments are rated). Rate whole images: zgbench ratings sample --question 'T*' --per-image 0"
            )
            continue
        statistics, per_class = row.summed(counts, dataset.vocabulary, rule, protocol.scoring)
        scores = resampling.estimates(statistics, drawn(n_images))
        rows.append(
            {
                "reassign": row.reassigned.how,
                "verify": row.verify,
                "signature": _signature(subject, row, facts.of(select(counts, row.images)), people),
                "images": n_images,
                "segments": int(np.diff(counts.offsets)[row.images].sum()),
                "segments_kept": row.kept(counts),
                "iou_image": number(scores["iou_image"]),
                "iou_dataset": number(scores["iou_dataset"]),
                "recall": {key: number(scores[f"recall.{key}"]) for key in (*metrics.THRESHOLDS, "auc")},
                "per_class": {dataset.vocabulary.name(c): values for c, values in per_class.items()},
            }
        )
        if more:
            found = further(row, counts, dataset.vocabulary, rule, more, similarity)
            rows[-1]["more"] = rows_scores(found, drawn(n_images), dataset.vocabulary, similarity)
    of_labels = _by_label(facts, counts, text, rule, names, drawn(len(counts.ids)), unavailable)
    tgq = _tgq(facts, counts, text, drawn(len(counts.ids)), unavailable) if counts.truth is not None else None
    if not rows:
        told = "\n".join(f"{what}: {why}" for what, why in unavailable.items())
        raise ModelUnavailable(f"nothing could be scored, so nothing was written.\n{told}")
    header = subject.header
    result: Result = {
        "format": "zgbench-result/1",
        "submission": {"name": header.name, "sha256": subject.sha256, "track": header.track, "method": header.method},
        "dataset": {
            "key": dataset.key, "split": dataset.split, "images": len(dataset.ids), "official": dataset.official,
            "ids_sha256": dataset.ids_sha256(), "truth_sha256": facts.truth_sha256(counts), **dataset.facts(),
        },
        "protocol": asdict(protocol),
        "scores": rows,
        "tgq": tgq,
        "unavailable": unavailable,
    }  # fmt: skip
    if of_labels is not None:
        result["by_label"] = of_labels[1]
    for one in reassigned:
        if one.labels is not None:
            result["labels"] = {**asdict(one.labels), "vague": one.labels.vague}
        if one.note:
            result["notes"] = [*result.get("notes", []), one.note]
    made_from = {
        "submission_sha256": subject.sha256,
        "truth_sha256": subject.fingerprint(counts.ids),
        "ids_sha256": subject.dataset.ids_sha256(),
        "partial": len(counts.ids) < len(subject.dataset.ids),
    }
    stem = stem_of(subject.reader.path)
    return Evaluation(result, counts, reassigned, dataset, stem, made_from, timing, names, of_labels and of_labels[0])


def _by_label(
    facts: _Facts,
    counts: Counts,
    text: TextEncoder,
    rule: Pixels,
    names: tuple[str, ...],
    drawn: Resamples,
    unavailable: dict[str, str],
) -> tuple[ByLabel, dict[str, ByLabelScores]] | None:
    """Scores of labels without a reassignment, where they were asked for and the track has them."""
    protocol, vocabulary = facts.subject.protocol, facts.dataset.vocabulary
    scopes = [scope for scope in SCOPES if scope == "labels" or counts.truth is not None]
    asked = [name for scope in scopes for name in of_scope(names, scope) if name not in DEFAULT]
    if not asked:
        return None
    found, missing = by_label(counts, asked, vocabulary, text, protocol.text_prompt, rule)
    unavailable |= missing
    scores = resampling.estimates(found, drawn)
    blocks: dict[str, ByLabelScores] = {}
    for scope in scopes:
        if own := of_scope(found.names, scope):
            about = facts.of(counts) | {"score": scope} | told_by(own, text_name(text, protocol))
            blocks[scope] = {
                "signature": sign(protocol, about, unlabelled=facts.dataset.unlabelled), "images": len(counts.ids),
                "segments": int(found.per_image[:, [0]].sum()),
                "scores": {
                    name: {
                        "value": (score := number(scores[name]))["value"], "ci95": score["ci95"],
                        "definition": definition(name, None),
                    }
                    for name in own
                },
            }  # fmt: skip
    return (found, blocks) if blocks else None


def _signature(subject: Subject, row: Row, facts: dict[str, str], people: Ratings | None) -> str:
    protocol = subject.protocol
    about = facts | {"reassign": row.reassigned.how, "encoder": row.encoder, "verify": row.verify}
    if row.verify.startswith("h"):
        about["human"] = ",".join((protocol.human, UNRATED, *(people.excluded if people is not None else ())))
    return sign(protocol, about, unlabelled=subject.dataset.unlabelled)


def by_people(protocol: Protocol, counts: Counts, reassigned: list[Reassigned], people: Ratings) -> dict[str, Any]:
    """What the ratings cover, and how they go with the automatic similarity, for each reassignment."""
    about: dict[str, Any] = {
        "sha256": people.sha256, "aggregate": protocol.human, "unrated": UNRATED, "excluded": list(people.excluded),
    }  # fmt: skip

    @cache
    def drawn(n: int) -> Resamples:
        return Resamples(n, protocol.resamples, protocol.seed)

    for row in reassigned:
        if row.rated is not None:
            whole = fully_rated(counts, row.rated)
            about[row.how] = {
                "segments": len(counts.labels),
                "segments_rated": int((~np.isnan(row.rated)).sum()),
                "images": len(counts.ids),
                "images_rated": int(whole.sum()),
            }
            if row.decision.level is None and row.how != "MAP":
                about[row.how] |= described(row.decision.similarity, row.rated, counts.owner, drawn)
    return about


def _tgq(
    facts: _Facts, counts: Counts, text: TextEncoder, resamples: Resamples, unavailable: dict[str, str]
) -> Tgq | None:
    """Text Generation Quality, see :mod:`zgbench.scores.text_generation`."""
    protocol = facts.subject.protocol
    if "TT" in unavailable:
        unavailable["TGQ"] = unavailable["TT"]
        return None
    try:
        similarity = true_similarity(counts, text, protocol.text_prompt, facts.dataset.vocabulary)
    except ModelUnavailable as error:
        unavailable["TGQ"] = str(error)
        return None
    found = text_generation.hits(counts, similarity, protocol)
    hit, of = resampling.total(found.per_image)
    drawn_hit, drawn_of = resampling.weighted_sums(found.per_image, resamples).T
    samples = drawn_hit / np.maximum(drawn_of, 1)
    value = float(hit / of) if of else float("nan")
    about = facts.of(counts) | {
        "score": "TGQ", "encoder": text_name(text, protocol), "verify": text_generation.verify(protocol),
    }  # fmt: skip
    return {
        **number(resampling.Estimate(value, *resampling.interval(samples))),
        "segments": int(text_generation.truth_segments(counts).sum()),
        "labelled": len(counts.labels),
        "signature": sign(protocol, about, unlabelled=facts.dataset.unlabelled),
    }
