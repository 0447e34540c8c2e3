"""Where the score is lost, from 100 % to the method's own, step by step.

Each value is the score that a submission would get whose segments were named as the step says:

    masks       the predicted masks, each named by the class that fills most of it (dropped where unlabelled pixels do)
    names       every label stands for one class: the one that fills most of the pixels of that label's segments in the
                whole set (dropped where unlabelled pixels do). TT only: ST does not look at labels
    mapping     the class T* that the protocol gave each segment, all of them kept
    threshold   the segments that verification keeps: the score itself

Naming by majority is the usual upper bound, not a proven best for every score: a step can, rarely, gain.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from zgbench.board.method import Opened, opened
from zgbench.board.overlap import overlap
from zgbench.board.store import Board
from zgbench.errors import UsageError
from zgbench.pixels.counts import NOWHERE, Counts, select
from zgbench.scores.comparison import vocabulary_of
from zgbench.scores.further import possible
from zgbench.scores.reassignment import distinct_labels
from zgbench.scores.registry import FAMILY_OF, SCORES

Int = NDArray[np.int64]
_TITLES = {
    "masks": ("Masks", "the predicted masks, each with its best name"),
    "names": ("Names", "each label mapped to its best class"),
    "mapping": ("Mapping", "the class that the protocol gave, all segments kept"),
    "threshold": ("Threshold", "only the segments that verification keeps: the score"),
}


def waterfall(board: Board, entry_id: str, group_key: str, score: str = "iou_image") -> list[dict[str, Any]]:
    """The steps from 100 % to a score.

    Returns:
        Records ``step``, ``title``, ``about``, ``value`` (the score after the step), ``start`` (before it) and
        ``change`` = value − start; the first is ``perfect`` with the value 1.

    Raises:
        UsageError: no such entry, row or score.
    """
    row = opened(board, entry_id, group_key)
    _check(row, score)
    records = [
        {"step": "perfect", "title": "Perfect", "about": "the ground truth's masks and names", "value": 1.0, "start": 0.0, "change": 1.0}
    ]  # fmt: skip
    before, images = 1.0, row.row.images
    for step, assigned in steps(row).items():
        value = row.score(
            score, *_selected(row.stored.counts, row.row.assigned if assigned is None else assigned, images)
        )
        value = 0.0 if np.isnan(value) else value
        title, about = _TITLES[step]
        records.append(
            {"step": step, "title": title, "about": about, "value": value, "start": before, "change": value - before}
        )
        before = value
    return records


def beside(board: Board, entry_id: str, group_key: str, score: str = "iou_image") -> dict[str, Any]:
    """The other way round: the truth's masks with the predicted names.

    Every truth segment gets the class of the predicted segment that covers most of it, if verification kept that one.

    Returns:
        ``title``, ``about``, ``value``.
    """
    row = opened(board, entry_id, group_key)
    _check(row, score)
    counts = on_truth(row.stored.counts)
    chosen = names_on_truth(row)
    value = row.score(score, *_selected(counts, chosen, row.row.images))
    return {
        "title": "Ground-truth masks", "about": "the ground truth's masks with the predicted names", "value": 0.0 if np.isnan(value) else value,
    }  # fmt: skip


def steps(row: Opened) -> dict[str, Int | None]:
    """Step → class of every segment, int64 [segments], 0 = dropped; None: the row's own."""
    found: dict[str, Int | None] = {"masks": overlap(row.stored.counts).majority()}
    if row.told.reassign == "TT":
        found["names"] = best_of_labels(row.stored.counts, row.row.images)
    found["mapping"] = row.row.reassigned.decision.class_id
    return found | {"threshold": None}


def best_of_labels(counts: Counts, images: NDArray[np.bool_]) -> Int:
    """For every segment the class that fills most of the pixels of its label in these images (ties: the lowest id)."""
    if not counts.labels:
        return np.zeros(0, dtype=np.int64)
    _, label = distinct_labels(counts.labels)
    kept = (counts.segment != NOWHERE) & images[counts.image]
    width = int(counts.cls.max(initial=0)) + 1
    table = sparse.csr_matrix(
        (counts.pixels[kept], (label[counts.segment[kept]], counts.cls[kept])),
        shape=(int(label.max()) + 1, width),
        dtype=np.int64,
    ).tolil()
    best = np.array(
        [_first_largest(row, data) for row, data in zip(table.rows, table.data, strict=True)], dtype=np.int64
    )
    return np.asarray(best[label])


def _first_largest(classes: list[int], pixels: list[int]) -> int:
    return min(zip(classes, pixels, strict=True), key=lambda pair: (-pair[1], pair[0]))[0] if classes else 0


def on_truth(counts: Counts) -> Counts:
    """The same images with the truth's segments in place of the predicted: one a class, in the order of the ids."""
    stride = int(counts.cls.max(initial=0)) + 1
    keys, inverse = np.unique(counts.keys(stride), return_inverse=True)
    pixels = np.bincount(inverse, weights=counts.pixels, minlength=len(keys)).astype(np.int32)
    image, cls = (keys // stride).astype(np.int32), (keys % stride).astype(np.int32)
    is_class = cls > 0
    offsets = np.concatenate(([0], np.cumsum(np.bincount(image[is_class], minlength=len(counts.ids))))).astype(np.int64)
    segment = np.where(is_class, np.cumsum(is_class, dtype=np.int32) - 1, NOWHERE)
    n = int(is_class.sum())
    return Counts(
        counts.ids, counts.sizes, ("",) * n, cls[is_class], offsets, image, segment, cls, pixels,
        offsets[:-1], n,
    )  # fmt: skip


def names_on_truth(row: Opened) -> Int:
    """For every truth segment of :func:`on_truth` the class of the predicted segment that covers most of it, or 0."""
    counts = row.stored.counts
    kept = (counts.segment != NOWHERE) & (counts.cls > 0)
    segment, pixels = counts.segment[kept], counts.pixels[kept]
    stride = int(counts.cls.max(initial=0)) + 1
    every = counts.keys(stride)
    order = np.lexsort((segment, -pixels, every[kept]))
    keys, first = np.unique(every[kept][order], return_index=True)
    winner = segment[order][first]
    truth = counts.cls > 0
    everything = np.unique(every[truth])
    found = np.zeros(len(everything), dtype=np.int64)
    found[np.searchsorted(everything, keys)] = row.row.assigned[winner] if len(winner) else 0
    return found


def _selected(counts: Counts, assigned: Int, images: NDArray[np.bool_]) -> tuple[Counts, Int]:
    return select(counts, images), assigned[images[counts.owner]]


def _check(row: Opened, score: str) -> None:
    known = (*row.told.scores, *diagnosed(possible(tuple(FAMILY_OF), vocabulary_of(row.stored))))
    if score not in known:
        raise UsageError(f"score {score!r}: expected one of {', '.join(known)}.")


def diagnosed(names: Sequence[str]) -> tuple[str, ...]:
    """Those of the scores that fall from 100 % to 0: what is lost can be told of these."""
    return tuple(name for name in names if SCORES[name].better == "higher" and SCORES[name].low == 0)
