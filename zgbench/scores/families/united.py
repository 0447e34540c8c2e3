"""What a family of scores of a row is made from: segments of one class united, image by image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from zgbench.pixels.counts import Counts
from zgbench.protocol import Pixels
from zgbench.scores.families.definition import ScoreDefinition
from zgbench.scores.metrics import ClassCounts, class_counts

Int = NDArray[np.int64]
Float = NDArray[np.float64]
Column: TypeAlias = Float | sparse.csr_matrix
"""Per-image numbers: float64 [images], or one a class, sparse [images, classes]."""


@dataclass(frozen=True)
class Classes:
    """What a family may need of the class list.

    Attributes:
        n: number of classes.
        kinds: ``thing``, ``stuff`` or an empty text for each class; () where the data set tells none.
        similarity: float64 [classes, classes] of predicted (first) and true class, 0 to 1, 1 on the diagonal; None where
            no score needs it.
    """

    n: int
    kinds: tuple[str, ...] = ()
    similarity: Float | None = field(default=None, compare=False)

    def of_kind(self, kind: str) -> NDArray[np.bool_]:
        """Which classes are things, or stuff, bool [classes]."""
        return np.array([k == kind for k in self.kinds or ("",) * self.n], dtype=bool)


@dataclass(frozen=True)
class United:
    """The reassigned segments of some images.

    Attributes:
        counts: N[s, c].
        assigned: int64 [segments], the class of each, 0 where it was dropped.
        classes: int64 [classes], ids of the vocabulary.
        background: what unlabelled and void pixels under a kept prediction do.
    """

    counts: Counts
    assigned: Int
    classes: Int
    background: Pixels

    @cached_property
    def found(self) -> ClassCounts:
        """Intersections and unions."""
        return class_counts(self.counts, self.assigned, self.classes, self.background)

    @property
    def n_images(self) -> int:
        """Number of images."""
        return len(self.counts.ids)

    @cached_property
    def left_out(self) -> Int:
        """Pixels under each entry's prediction that count nowhere, int64 [entries]: void, and what the rule leaves out."""
        found, counts = self.found, self.counts
        covered = self._covered(counts.pixels, counts.segment >= 0, counts.segment, counts.image)
        if counts.void is not None:
            segments = np.arange(len(counts.void))
            covered += self._covered(counts.void, np.ones(len(segments), dtype=bool), segments, counts.owner)
        return covered - found.predicted

    def _covered(self, pixels: NDArray[Any], own: NDArray[np.bool_], segment: NDArray[Any], image: NDArray[Any]) -> Int:
        """Sum of pixels that lie in kept segments, for each entry."""
        found, n = self.found, len(self.classes)
        at = np.flatnonzero(own)
        cls = self.assigned[segment[at]] if len(self.assigned) else np.zeros(len(at), dtype=np.int64)
        kept = cls > 0
        at, cls = at[kept], cls[kept]
        key = image[at].astype(np.int64) * n + np.searchsorted(self.classes, cls)
        place = np.searchsorted(found.image * n + found.cls, key)
        return np.bincount(place, weights=pixels[at], minlength=len(found.image)).astype(np.int64)

    def per_image(self, values: NDArray[Any], chosen: NDArray[np.bool_] | None = None) -> Float:
        """Sum of one number an entry over each image, float64 [images]."""
        image = self.found.image if chosen is None else self.found.image[chosen]
        weights = values if chosen is None else values[chosen]
        return np.bincount(image, weights=weights, minlength=self.n_images).astype(np.float64)

    def by_class(self, values: NDArray[Any]) -> sparse.csr_matrix:
        """One number an entry as a table, sparse float64 [images, classes]."""
        at = np.flatnonzero(values)
        where = (self.found.image[at], self.found.cls[at])
        return sparse.csr_matrix((values[at].astype(np.float64), where), shape=(self.n_images, len(self.classes)))


class Family(Protocol):
    """Scores that are made from the same per-image numbers.

    Attributes:
        definitions: of its scores.
    """

    @property
    def definitions(self) -> tuple[ScoreDefinition, ...]: ...

    def columns(self, united: United, classes: Classes) -> dict[str, Column]:
        """Per-image numbers, whose sums over images are all that the scores need."""
        ...

    def values(self, sums: Mapping[str, Float], classes: Classes) -> dict[str, Float]:
        """Score name → float64 [...] of sums, float64 [...], or [..., classes]; NaN where undefined."""
        ...

    def by_class(self, sums: Mapping[str, Float], classes: Classes) -> dict[str, Float]:
        """Score name → float64 [..., classes], for the scores that a single class has; NaN where undefined."""
        ...


def ratio(above: Float, below: Float) -> Float:
    """Quotient, NaN where there is nothing below."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below > 0, np.divide(above, below), np.nan)


def mean_of_defined(values: Float, defined: NDArray[np.bool_]) -> Float:
    """Mean over the last axis of what is defined; NaN where nothing is."""
    return ratio(np.where(defined, values, 0.0).sum(axis=-1), defined.sum(axis=-1).astype(np.float64))
