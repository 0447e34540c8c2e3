"""What each segment covers of the truth, from N[s, c] alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from zgbench.pixels.counts import NOWHERE, Counts

Int = NDArray[np.int64]
Float = NDArray[np.float64]


@dataclass(frozen=True)
class Overlap:
    """Segments against truth.

    Attributes:
        table: sparse int64 [segments, 1 + highest class id], pixels; column 0 is background or unlabelled.
        truth: sparse int64 [images, 1 + highest class id], pixels of the truth.
        owner: int64 [segments], image of each segment.
    """

    table: sparse.csr_matrix
    truth: sparse.csr_matrix
    owner: Int

    @property
    def area(self) -> Int:
        """Pixels of each segment, void left out, int64 [segments]."""
        return np.asarray(self.table.sum(axis=1)).ravel().astype(np.int64)

    def majority(self) -> Int:
        """Class that fills most of each segment (ties: the lowest id), 0 where unlabelled pixels do; int64 [segments]."""
        found = np.zeros(self.table.shape[0], dtype=np.int64)
        for s in range(len(found)):
            span = slice(self.table.indptr[s], self.table.indptr[s + 1])
            if span.start < span.stop:
                pixels, classes = self.table.data[span], self.table.indices[span]
                found[s] = classes[np.lexsort((classes, -pixels))[0]]
        return found

    def iou(self, assigned: Int) -> Float:
        """IoU of each segment with the truth of the class that it is given, float64 [segments]; 0 for class 0."""
        rows = np.arange(len(assigned))
        inside = np.asarray(self.table[rows, assigned]).ravel()
        whole = np.asarray(self.truth[self.owner, assigned]).ravel()
        union = self.area + whole - inside
        return np.where(assigned > 0, inside / np.maximum(union, 1), 0.0)


def overlap(counts: Counts) -> Overlap:
    """The overlaps of all segments of N."""
    width = int(counts.cls.max(initial=0)) + 1
    kept = counts.segment != NOWHERE
    table = sparse.csr_matrix(
        (counts.pixels[kept], (counts.segment[kept], counts.cls[kept])),
        shape=(len(counts.labels), width),
        dtype=np.int64,
    )
    truth = sparse.csr_matrix(
        (counts.pixels, (counts.image, counts.cls)), shape=(len(counts.ids), width), dtype=np.int64
    )
    return Overlap(table, truth, counts.owner)


def widened(found: Overlap, highest: int) -> Overlap:
    """The same with columns up to a class id, for classes that no image shows."""
    width = max(found.table.shape[1], highest + 1)
    table, truth = found.table.copy(), found.truth.copy()
    table.resize(table.shape[0], width)
    truth.resize(truth.shape[0], width)
    return Overlap(table, truth, found.owner)
