"""The last step of an evaluation: from reassigned segments to rows of scores with intervals and signatures."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from scipy import sparse

from zgbench.datasets import Dataset
from zgbench.encoders import TextEncoder
from zgbench.errors import ModelUnavailable
from zgbench.pixels.counts import Counts, select
from zgbench.protocol import Protocol, sign
from zgbench.scores import metrics
from zgbench.scores.human_scores import Ratings, fully_rated
from zgbench.scores.rating_similarity import described
from zgbench.scores.reassignment import true_similarity
from zgbench.scores.result import Evaluation, number
from zgbench.scores.result_types import Result, ScoreRow, Tgq
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
            "data": dataset.key, "split": dataset.split, "n": str(len(counts.ids)),
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
) -> Evaluation:
    """Scores of every row.

    Args:
        counts: of the images that are scored: all of the subject's, or those that the submission has.
        text: Sentence-BERT, for TGQ.
        unavailable: what cannot be scored, and why; more may be added.
        timing: seconds a step; goes into the result.
    """
    protocol, dataset = subject.protocol, subject.dataset.only(counts.ids)
    rule = background_of(protocol, dataset.released_drops_background)
    facts = _Facts(subject, dataset)
    resamples: dict[int, Resamples] = {}

    def drawn(n: int) -> Resamples:
        return resamples.setdefault(n, Resamples(n, protocol.resamples, protocol.seed))

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
                "signature": _signature(protocol, row, facts.of(select(counts, row.images)), people),
                "images": n_images,
                "segments": int(np.diff(counts.offsets)[row.images].sum()),
                "segments_kept": row.kept(counts),
                "iou_image": number(scores["iou_image"]),
                "iou_dataset": number(scores["iou_dataset"]),
                "recall": {key: number(scores[f"recall.{key}"]) for key in (*metrics.THRESHOLDS, "auc")},
                "per_class": {dataset.vocabulary.name(c): values for c, values in per_class.items()},
            }
        )
    tgq = _tgq(facts, counts, text, drawn(len(counts.ids)), unavailable) if counts.truth is not None else None
    header = subject.header
    result: Result = {
        "format": "zgbench-result/1",
        "submission": {"name": header.name, "sha256": subject.sha256, "track": header.track, "method": header.method},
        "dataset": {
            "key": dataset.key, "split": dataset.split, "images": len(dataset.ids), "official": dataset.official,
            "ids_sha256": dataset.ids_sha256(), "truth_sha256": facts.truth_sha256(counts),
        },
        "protocol": asdict(protocol),
        "scores": rows,
        "tgq": tgq,
        "unavailable": unavailable,
    }  # fmt: skip
    made_from = {
        "submission_sha256": subject.sha256,
        "truth_sha256": dataset.source.fingerprint(counts.ids),
        "ids_sha256": subject.dataset.ids_sha256(),
        "partial": len(counts.ids) < len(subject.dataset.ids),
    }
    return Evaluation(result, counts, reassigned, dataset, stem_of(subject.reader.path), made_from, timing)


def _signature(protocol: Protocol, row: Row, facts: dict[str, str], people: Ratings | None) -> str:
    about = facts | {"reassign": row.reassigned.how, "encoder": row.reassigned.encoder, "verify": row.verify}
    if row.verify.startswith("h"):
        about["human"] = ",".join((protocol.human, UNRATED, *(people.excluded if people is not None else ())))
    return sign(protocol, about)


def by_people(protocol: Protocol, counts: Counts, reassigned: list[Reassigned], people: Ratings) -> dict[str, Any]:
    """What the ratings cover, and how they go with the automatic similarity, for each reassignment."""
    about: dict[str, Any] = {
        "sha256": people.sha256, "aggregate": protocol.human, "unrated": UNRATED, "excluded": list(people.excluded),
    }  # fmt: skip
    for row in reassigned:
        if row.rated is not None:
            whole = fully_rated(counts, row.rated)
            about[row.how] = {
                "segments": len(counts.labels),
                "segments_rated": int((~np.isnan(row.rated)).sum()),
                "images": len(counts.ids),
                "images_rated": int(whole.sum()),
                **described(
                    row.decision.similarity, row.rated, counts.owner,
                    resamples=protocol.resamples, seed=protocol.seed,
                ),
            }  # fmt: skip
    return about


def _tgq(
    facts: _Facts, counts: Counts, text: TextEncoder, resamples: Resamples, unavailable: dict[str, str]
) -> Tgq | None:
    """Text Generation Quality: share of truth segments whose label has cosine > τ with the true name."""
    protocol = facts.subject.protocol
    if "TT" in unavailable:
        unavailable["TGQ"] = unavailable["TT"]
        return None
    try:
        similarity = true_similarity(counts, text, protocol.text_prompt, facts.dataset.vocabulary)
    except ModelUnavailable as error:
        unavailable["TGQ"] = str(error)
        return None
    truth = np.bincount(
        counts.image[counts.cls > 0], minlength=len(counts.ids)
    )  # track oracle: one entry a truth segment
    hits = np.bincount(counts.owner[similarity > np.float32(protocol.tau_text)], minlength=len(counts.ids))
    both = sparse.csr_matrix(np.stack((hits, truth), axis=1).astype(np.float64))
    drawn_hits, drawn_truth = resampling.weighted_sums(both, resamples).T
    samples = drawn_hits / np.maximum(drawn_truth, 1)
    value = float(hits.sum() / truth.sum()) if truth.sum() else float("nan")
    about = facts.of(counts) | {
        "score": "TGQ", "encoder": text_name(text, protocol), "verify": f"cos>{protocol.tau_text:g}",
    }  # fmt: skip
    return {
        **number(resampling.Estimate(value, *resampling.interval(samples))),
        "segments": int(truth.sum()),
        "labelled": len(counts.labels),
        "signature": sign(protocol, about),
    }
