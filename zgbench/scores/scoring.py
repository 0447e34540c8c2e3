"""The last step of an evaluation: from reassigned segments to rows of scores with intervals and signatures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from scipy import sparse

from zgbench.datasets import Dataset
from zgbench.encoders import EmbeddingCache, ImageTextEncoder, TextEncoder
from zgbench.errors import ModelUnavailable
from zgbench.pixels.counts import Counts, select
from zgbench.protocol import Protocol, sign
from zgbench.scores import metrics
from zgbench.scores.human_scores import Ratings, fully_rated
from zgbench.scores.rating_similarity import described
from zgbench.scores.reassignment import true_similarity
from zgbench.scores.result import Evaluation, number
from zgbench.scores.verification import Reassigned, Row, background_of, verified
from zgbench.statistics import resampling
from zgbench.statistics.resampling import Resamples
from zgbench.submission import schema
from zgbench.submission.reader import Reader, stem_of

UNRATED = "whole-images"
"""What becomes of segments without ratings: only images whose segments all have ratings are scored by people."""

ProgressFactory = Callable[[str, int], Callable[[int], None]]


@dataclass
class Run:
    """What the steps of one evaluation share."""

    reader: Reader
    header: schema.Header
    dataset: Dataset
    protocol: Protocol
    text: TextEncoder
    clip: ImageTextEncoder
    clip_text: TextEncoder
    cache: EmbeddingCache
    progress: ProgressFactory
    submission_sha256: str
    timing: dict[str, float] = field(default_factory=dict)
    unavailable: dict[str, str] = field(default_factory=dict)
    excluded: tuple[str, ...] = ()
    _truth: dict[tuple[str, ...], str] = field(default_factory=dict)

    def truth_sha256(self, counts: Counts) -> str:
        """Fingerprint of the truth of these images, worked out once for all rows about them."""
        if counts.ids not in self._truth:
            self._truth[counts.ids] = counts.truth_sha256()
        return self._truth[counts.ids]

    @property
    def text_name(self) -> str:
        return f"{self.text.name},prompt={self.protocol.text_prompt}"

    @property
    def recipe(self) -> str:
        """How a segment is embedded, in the signature."""
        p = self.protocol
        if p.segment_embeddings == "submitted":
            return "submitted"
        if p.segment_mode == "crop":
            return "crop"
        saliency = f",{p.saliency},sigma={p.sigma:.5g}" if p.segment_mode == "globsub" else ""
        return f"{p.segment_mode}{saliency},first={p.first_masked_layer}"


def scored(run: Run, counts: Counts, dataset: Dataset, reassigned: list[Reassigned]) -> Evaluation:
    """Scores of every row; what cannot be scored goes to ``run.unavailable``.

    Args:
        dataset: the counted images.
    """
    protocol = run.protocol
    rule = background_of(protocol, dataset.released_drops_background)
    resamples: dict[int, Resamples] = {}

    def drawn(n: int) -> Resamples:
        return resamples.setdefault(n, Resamples(n, protocol.resamples, protocol.seed))

    rows = []
    for row in (row for r in reassigned for row in verified(counts, r, protocol)):
        name = f"{row.reassigned.how} {row.verify}"
        n_images = int(row.images.sum())
        if n_images == 0:
            rated = int((~np.isnan(row.reassigned.rated)).sum()) if row.reassigned.rated is not None else 0
            run.unavailable[name] = (
                f"no image has ratings for all of its segments ({rated} of {len(counts.labels)} segments are rated). Rate whole images: zgbench ratings sample --question 'T*' --per-image 0"
            )
            continue
        statistics, per_class = row.summed(counts, dataset.vocabulary, rule, protocol.scoring)
        scores = resampling.estimates(statistics, drawn(n_images))
        rows.append(
            {
                "reassign": row.reassigned.how,
                "verify": row.verify,
                "signature": _signature(run, row, counts, dataset, n_images),
                "images": n_images,
                "segments": int(np.diff(counts.offsets)[row.images].sum()),
                "segments_kept": row.kept(counts),
                "iou_image": number(scores["iou_image"]),
                "iou_dataset": number(scores["iou_dataset"]),
                "recall": {key: number(scores[f"recall.{key}"]) for key in (*metrics.THRESHOLDS, "auc")},
                "per_class": {dataset.vocabulary.name(c): values for c, values in per_class.items()},
            }
        )
    tgq = _tgq(run, counts, dataset, drawn(len(counts.ids))) if counts.truth is not None else None
    result = {
        "format": "zgbench-result/1",
        "submission": {"name": run.header.name, "sha256": run.submission_sha256, "track": run.header.track, "method": run.header.method},
        "dataset": {
            "key": dataset.key, "split": dataset.split, "images": len(dataset.ids), "official": dataset.official,
            "ids_sha256": dataset.ids_sha256(), "truth_sha256": run.truth_sha256(counts),
            **(dataset.definition.record() if dataset.definition is not None else {}),
        },
        "protocol": asdict(protocol),
        "scores": rows,
        "tgq": tgq,
        "unavailable": run.unavailable,
    }  # fmt: skip
    made_from = {
        "submission_sha256": run.submission_sha256,
        "truth_sha256": run.dataset.source.fingerprint(counts.ids),
        "ids_sha256": run.dataset.ids_sha256(),
        "partial": len(counts.ids) < len(run.dataset.ids),
    }
    return Evaluation(result, counts, reassigned, dataset, stem_of(run.reader.path), made_from, run.timing)


def _signature(run: Run, row: Row, counts: Counts, dataset: Dataset, n_images: int) -> str:
    facts = _facts(run, dataset, select(counts, row.images), n_images)
    facts |= {"reassign": row.reassigned.how, "encoder": row.reassigned.encoder, "verify": row.verify}
    if row.verify.startswith("h"):
        facts["human"] = ",".join((run.protocol.human, UNRATED, *run.excluded))
    return sign(run.protocol, facts)


def by_people(run: Run, counts: Counts, reassigned: list[Reassigned], table: Ratings) -> dict[str, Any]:
    """What the ratings cover, and how they go with the automatic similarity, for each reassignment."""
    about: dict[str, Any] = {
        "sha256": table.sha256, "aggregate": run.protocol.human, "unrated": UNRATED, "excluded": list(table.excluded),
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
                    resamples=run.protocol.resamples, seed=run.protocol.seed,
                ),
            }  # fmt: skip
    return about


def _facts(run: Run, dataset: Dataset, counts: Counts, n_images: int) -> dict[str, str]:
    rated = dataset.only(counts.ids)
    return {
        "data": dataset.signed, "split": dataset.split, "n": str(n_images), "ids": rated.ids_sha256()[:8],
        "truth": run.truth_sha256(counts)[:8], "track": run.header.track,
    }  # fmt: skip


def _tgq(run: Run, counts: Counts, dataset: Dataset, resamples: Resamples) -> dict[str, Any] | None:
    """Text Generation Quality: share of truth segments whose label has cosine > τ with the true name."""
    if "TT" in run.unavailable:
        run.unavailable["TGQ"] = run.unavailable["TT"]
        return None
    try:
        similarity = true_similarity(counts, run.text, run.protocol.text_prompt, dataset.vocabulary)
    except ModelUnavailable as error:
        run.unavailable["TGQ"] = str(error)
        return None
    truth = np.bincount(
        counts.image[counts.cls > 0], minlength=len(counts.ids)
    )  # track oracle: one entry a truth segment
    hits = np.bincount(counts.owner[similarity > np.float32(run.protocol.tau_text)], minlength=len(counts.ids))
    both = sparse.csr_matrix(np.stack((hits, truth), axis=1).astype(np.float64))
    drawn_hits, drawn_truth = resampling.weighted_sums(both, resamples).T
    samples = drawn_hits / np.maximum(drawn_truth, 1)
    value = float(hits.sum() / truth.sum()) if truth.sum() else float("nan")
    facts = _facts(run, dataset, counts, len(counts.ids)) | {
        "score": "TGQ",
        "encoder": run.text_name,
        "verify": f"cos>{run.protocol.tau_text:g}",
    }
    return {
        **number(resampling.Estimate(value, *resampling.interval(samples))),
        "segments": int(truth.sum()),
        "labelled": len(counts.labels),
        "signature": sign(run.protocol, facts),
    }
