"""One method: its classes, its curves, and what its labels are like."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zgbench.board.entry import WITHOUT_CLASSES, Entry, ScoreRow
from zgbench.board.store import Board
from zgbench.errors import UsageError
from zgbench.pixels.counts import Counts
from zgbench.scores import metrics
from zgbench.scores.comparison import row_of, rule_of, vocabulary_of
from zgbench.scores.families.united import Classes, United
from zgbench.scores.further import similarity_for, statistics
from zgbench.scores.registry import FAMILY_OF
from zgbench.scores.result import Stored
from zgbench.scores.verification import Row
from zgbench.statistics.resampling import total

GENERIC = frozenset(
    """
    a an the object objects thing things stuff item items something anything background foreground image picture photo
    photograph scene scenery view region area segment part piece texture pattern color colour shape unknown other misc
    """.split()
)
"""Words that say nothing of what is seen; a label made of these alone is generic."""
_WARN_GENERIC = 0.2
_WARN_ONE = 0.5
_SHOWN = 20


@dataclass(frozen=True)
class Opened:
    """A row with what its numbers are made from."""

    stored: Stored
    row: Row
    told: ScoreRow

    def class_counts(self, assigned: NDArray[np.int64] | None = None) -> metrics.ClassCounts:
        """Intersections and unions, of the row's own classes or of others, int64 [segments], 0 = dropped."""
        stored, row = self.stored, self.row
        if assigned is not None:
            row = Row(row.reassigned, row.verify, row.images, assigned)
        return row.class_counts(stored.counts, vocabulary_of(stored), rule_of(stored))

    def scores(self, assigned: NDArray[np.int64] | None = None) -> dict[str, float]:
        """Every score of the row's own classes, or of others."""
        statistics = metrics.statistics(self.class_counts(assigned), self.stored.protocol.scoring)
        return {name: float(value) for name, value in statistics.scores(total(statistics.per_image)).items()}

    def score(self, name: str, counts: Counts, assigned: NDArray[np.int64]) -> float:
        """One score, also a further one, of these images' segments in other classes.

        Args:
            counts: of the row's images.
            assigned: int64 [segments], 0 = dropped.
        """
        stored, vocabulary = self.stored, vocabulary_of(self.stored)
        united = United(counts, assigned, np.asarray(vocabulary.ids, dtype=np.int64), rule_of(stored))
        if name in FAMILY_OF:
            similarity = similarity_for([name], vocabulary)
            alike = None if similarity is None else similarity.matrix
            found = statistics([united], [name], Classes(len(vocabulary.ids), vocabulary.kinds, alike))
            return float(found.scores(total(found.per_image))[name])
        own = metrics.statistics(united.found, stored.protocol.scoring)
        return float(own.scores(total(own.per_image))[name])


def opened(board: Board, entry_id: str, group_key: str) -> Opened:
    """A row of an entry.

    Raises:
        UsageError: no such entry or row, or it is Text Generation Quality, which has no classes.
    """
    entry = board.entry(entry_id)
    told = entry.row(group_key)
    if told.reassign in WITHOUT_CLASSES:
        raise UsageError("Text Generation Quality has one number only. Choose the protocol TT or ST to see more.")
    stored = entry.stored()
    return Opened(stored, row_of(stored, (told.reassign, told.verify)), told)


def per_class(board: Board, entry_id: str, group_key: str) -> list[dict[str, Any]]:
    """Records ``class``, ``iou`` (data set), ``recall`` (at τ_IoU = 0.5), ``images`` that show it; in the vocabulary's order."""
    row = opened(board, entry_id, group_key)
    found = next(r for r in row.stored.result["scores"] if r["signature"] == row.told.signature)
    return [{"class": name, **values} for name, values in found["per_class"].items()]


def recall_curve(board: Board, entry_id: str, group_key: str) -> list[dict[str, float]]:
    """Segment Recall over τ_IoU: records ``tau_iou`` (0, 0.01, …, 1) and ``recall``, by the definition of ``v1``."""
    found = opened(board, entry_id, group_key).class_counts()
    is_truth = found.truth > 0
    above, union = found.intersection[is_truth], found.union[is_truth]
    if not len(union):
        return []
    # IoU > k/100, compared as integers
    return [{"tau_iou": k / 100, "recall": float((100 * above > k * union).mean())} for k in range(101)]


def threshold_curve(board: Board, entry_id: str, group_key: str, steps: int = 20) -> list[dict[str, Any]]:
    """Scores over the cosine τ from which a segment is kept.

    Returns:
        Records ``tau``, ``iou_image``, ``iou_dataset``, ``recall`` (at τ_IoU = 0.5), ``kept`` (share of the segments) and
        ``chosen`` (whether it is the protocol's τ); empty for a row that people verified.
    """
    row = opened(board, entry_id, group_key)
    if row.told.verify.startswith("h"):
        return []
    decision, chosen = row.row.reassigned.decision, row.stored.protocol.tau(row.row.reassigned.how)
    highest = max(float(decision.similarity.max(initial=0.0)), chosen)
    records = []
    for tau in sorted({*(round(highest * k / steps, 4) for k in range(steps + 1)), chosen}):
        assigned = decision.kept(tau)
        scores = row.scores(assigned)
        records.append(
            {
                "tau": tau, "iou_image": scores["iou_image"], "iou_dataset": scores["iou_dataset"],
                "recall": scores["recall.0.5"], "kept": float((assigned > 0).mean()) if len(assigned) else 0.0,
                "chosen": tau == chosen,
            }
        )  # fmt: skip
    return [{key: None if value != value else value for key, value in record.items()} for record in records]


@dataclass(frozen=True)
class LabelStatistics:
    """What a method's labels are like.

    Attributes:
        segments, vocabulary: number of labels, and of different ones (case ignored).
        words: mean number of words a label.
        frequent: the most frequent labels: records ``label``, ``segments``, ``share``.
        lengths: records ``words``, ``segments``.
        generic: share of labels that say nothing, such as "object".
        warnings: what a reader of the scores should know.
    """

    segments: int
    vocabulary: int
    words: float
    frequent: list[dict[str, Any]]
    lengths: list[dict[str, int]]
    generic: float
    warnings: tuple[str, ...]


def label_statistics(board: Board, entry_id: str) -> LabelStatistics:
    """Statistics over all labels of an entry."""
    labels = [label.casefold().strip() for label in board.entry(entry_id).stored().counts.labels]
    n = len(labels)
    seen = Counter(labels)
    words = [len(label.split()) for label in labels]
    generic = sum(count for label, count in seen.items() if is_generic(label)) / n if n else 0.0
    frequent: list[dict[str, Any]] = [{"label": k, "segments": c, "share": c / n} for k, c in sorted(seen.items(), key=lambda i: (-i[1], i[0]))]  # fmt: skip
    warnings = []
    if generic >= _WARN_GENERIC:
        warnings.append(f"{generic:.0%} of the labels are generic words such as “object”, which name no class.")
    if n and frequent[0]["share"] >= _WARN_ONE:
        warnings.append(f"One label stands on {frequent[0]['share']:.0%} of the segments.")
    lengths = [{"words": k, "segments": c} for k, c in sorted(Counter(words).items())]
    mean = float(np.mean(words)) if words else 0.0
    return LabelStatistics(n, len(seen), mean, frequent[:_SHOWN], lengths, generic, tuple(warnings))


def is_generic(label: str) -> bool:
    """Whether a label is made of words that say nothing of what is seen."""
    words = [word.strip(".,;:!?'\"()").casefold() for word in label.split()]
    return bool(words) and all(word in GENERIC or not word for word in words)


def ratings(board: Board, entry_id: str) -> list[dict[str, Any]]:
    """How people rated T*: records ``reassign``, ``rating`` (0–3), ``segments``, ``share``; empty where nobody did."""
    entry: Entry = board.entry(entry_id)
    if not entry.rated:
        return []
    records = []
    for reassigned in entry.stored().reassigned:
        if reassigned.rated is None:
            continue
        known = reassigned.rated[~np.isnan(reassigned.rated)]
        for value, count in zip(*np.unique(known, return_counts=True), strict=True):
            records.append(
                {"reassign": reassigned.how, "rating": float(value), "segments": int(count), "share": float(count / len(known))}
            )  # fmt: skip
    return records
