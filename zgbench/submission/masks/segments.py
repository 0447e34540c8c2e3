"""The segments of one image before they are written: sizes, overlaps, run lengths."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from zgbench.errors import UsageError

Overlap = Literal["error", "score", "order", "smallest"]
OVERLAPS: tuple[Overlap, ...] = ("error", "score", "order", "smallest")
_SAY = 'say who keeps it: the one with the higher score, the one that comes first, or the smallest (overlap="score", "order" or "smallest"; zgbench convert --overlap)'


@dataclass(frozen=True)
class Segments:
    """Segments with a label each.

    Attributes:
        labels: one text a segment.
        label_map: int32 [h, w], segment k (from 0) has the value k + 1, 0 is in none; or None.
        masks: bool [n, h, w], which may overlap; or None. With neither there is no segment and the size is not known.
        scores: float64 [n], or None.
    """

    labels: list[str]
    label_map: NDArray[np.int32] | None = None
    masks: NDArray[np.bool_] | None = None
    scores: NDArray[np.float64] | None = None

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width."""
        shape = (
            self.label_map.shape
            if self.label_map is not None
            else self.masks.shape[1:]
            if self.masks is not None
            else None
        )
        return None if shape is None else (int(shape[0]), int(shape[1]))

    def resized(self, size: tuple[int, int]) -> Segments:
        """At another size, nearest neighbour: a pixel gets what lies under its centre."""
        assert self.size is not None
        rows, columns = (
            np.minimum(((np.arange(to) + 0.5) * of / to).astype(np.int64), of - 1)
            for of, to in zip(self.size, size, strict=True)
        )
        if self.label_map is not None:
            return replace(self, label_map=self.label_map[rows[:, None], columns])
        assert self.masks is not None
        return replace(self, masks=self.masks[:, rows[:, None], columns])

    def flattened(self, overlap: Overlap, where: str) -> NDArray[np.int32]:
        """Each pixel in one segment: int32 [h, w] as ``label_map``; a segment that lies wholly under others is left with none.

        Raises:
            UsageError: masks overlap, and ``overlap`` is ``error``, or ``score`` without scores.
        """
        if self.label_map is not None:
            return self.label_map
        assert self.masks is not None
        depth = self.masks.sum(axis=0, dtype=np.int32) if len(self.masks) else np.zeros(self.masks.shape[1:], np.int32)
        order = np.arange(len(self.masks))
        if len(self.masks) and depth.max() > 1:
            order = self._order(overlap, where, depth)
        found = np.zeros(self.masks.shape[1:], dtype=np.int32)
        for index in order[::-1].tolist():  # who comes first lies on top
            found[self.masks[index]] = index + 1
        return found

    def _order(self, overlap: Overlap, where: str, depth: NDArray[np.int32]) -> NDArray[np.int64]:
        assert self.masks is not None
        if overlap == "order":
            return np.arange(len(self.masks))
        if overlap == "smallest":
            return np.argsort(self.masks.sum(axis=(1, 2)), kind="stable")
        if overlap == "score":
            if self.scores is None:
                raise UsageError(
                    f"{where}: masks overlap, and overlap=score needs a score for each. Give scores, or take order or smallest."
                )
            return np.argsort(-self.scores, kind="stable")
        shared = self.masks[:, depth > 1].astype(np.float32)
        pairs = np.triu(shared @ shared.T, 1)
        a, b = np.unravel_index(int(pairs.argmax()), pairs.shape)
        n = int((pairs > 0).sum())
        raise UsageError(
            f"{where}: masks overlap: {int((depth > 1).sum())} pixels lie in more than one of the {len(self.masks)} masks "
            f"({n} pair{'s' if n != 1 else ''}; most in masks {a} and {b}: {int(pairs[a, b])}). Give each pixel to one segment, or {_SAY}."
        )


def runs_by_value(label_map: NDArray[np.int32], n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Run lengths of the segments 1…n of a label map, column by column, background first, in one pass.

    Returns:
        counts and offsets, int64; segment k (from 0) owns ``counts[offsets[k]:offsets[k + 1]]``; none where it has no pixel.
    """
    flat = label_map.ravel(order="F")
    edges = np.concatenate(([0], np.flatnonzero(flat[1:] != flat[:-1]) + 1, [flat.size]))
    value, start, length = flat[edges[:-1]], edges[:-1], np.diff(edges)
    order = np.argsort(value, kind="stable")
    order = order[np.searchsorted(value[order], 1) :]
    value, start, end = value[order], start[order], start[order] + length[order]
    first = np.diff(value, prepend=0) != 0
    before = np.where(first, 0, np.concatenate(([0], end[:-1])))  # where the run before of the same segment ended
    pairs = np.stack((start - before, end - start), axis=1).ravel()
    lasts = np.flatnonzero(np.append(first[1:], True)) if len(value) else np.zeros(0, dtype=np.int64)
    tails = flat.size - end[lasts]
    counts = np.insert(pairs, 2 * (lasts + 1), tails)
    kept = np.ones(len(counts), dtype=bool)
    kept[2 * (lasts + 1)[tails == 0] + np.arange(len(lasts))[tails == 0]] = False
    present = value[lasts] - 1
    sizes = np.zeros(n, dtype=np.int64)
    sizes[present] = np.diff(np.concatenate(([0], 2 * (lasts + 1)))) + (tails > 0)
    return counts[kept].astype(np.int64), np.concatenate(([0], np.cumsum(sizes)))
