"""Soft, overlap and nearest IoU of CaSED: labels judged by their text embeddings, without a reassignment.

As they are meant. In the published code *nearest* does not bar the classes that an image lacks but others (a bitwise *not*
on class numbers), and the class list has a name for background, which labels may go to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from zgbench.pixels.counts import Counts
from zgbench.protocol import Pixels
from zgbench.scores.families.definition import Need, ScoreDefinition
from zgbench.scores.metrics import class_counts

Int = NDArray[np.int64]
Float = NDArray[np.float64]
_SOURCE = (
    "Conti et al., Vocabulary-free Image Classification and Semantic Segmentation, 2024 (arXiv 2404.10864), section 4"
)
_EMPTY = "an image without a truth segment is left out; undefined where all are"
_NEEDS: tuple[Need, ...] = ("counts", "label vectors")

DEFINITIONS = (
    ScoreDefinition(
        "cased_soft", "CaSED soft", _NEEDS,
        "mean over truth segments (one class c in one image) of I/U: I = Σ_s max(0, cos(label, c))·N[s,c], "
        "U = Σ_s max(0, cos(label, c))·area_s + area_c − I", _SOURCE, _EMPTY, scope="labels",
    ),
    ScoreDefinition(
        "cased_overlap", "CaSED overlap", ("counts",),
        "mean IoU of truth segments, each predicted segment taken for the class of most of its pixels (background where that "
        "has as many or more): what the masks alone are worth", _SOURCE, _EMPTY, scope="labels",
    ),
    ScoreDefinition(
        "cased_nearest", "CaSED nearest", _NEEDS,
        "mean IoU of truth segments, each predicted segment taken for the class of its image whose name is nearest to the label",
        _SOURCE, _EMPTY, scope="labels",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Labelled:
    """Segments of some images with the cosines of their labels.

    Attributes:
        counts: N[s, c].
        classes: int64 [classes], ids of the vocabulary, ascending.
        cosines: float [distinct labels, classes].
        label: int32 [segments], row of each segment in ``cosines``.
        background: what unlabelled and void pixels under a prediction do.
    """

    counts: Counts
    classes: Int
    cosines: NDArray[np.float32]
    label: NDArray[np.int32]
    background: Pixels

    @cached_property
    def truth(self) -> tuple[Int, Int, Int]:
        """Image, place of the class and pixels of each truth segment, int64 [truth segments] each, ascending."""
        own, n = self.counts.cls > 0, len(self.classes)
        keys, inverse = np.unique(
            self.counts.image[own].astype(np.int64) * n + np.searchsorted(self.classes, self.counts.cls[own]),
            return_inverse=True,
        )
        area = np.bincount(inverse, weights=self.counts.pixels[own], minlength=len(keys)).astype(np.int64)
        return keys // n, keys % n, area

    @cached_property
    def pairs(self) -> tuple[Int, Int]:
        """Every segment with every truth segment of its image: places of both, int64 [pairs] each, by truth segment."""
        image, _, _ = self.truth
        each = np.diff(self.counts.offsets)[image]
        truth = np.repeat(np.arange(len(image)), each)
        first = np.repeat(self.counts.offsets[image] - (np.cumsum(each) - each), each)
        return np.arange(len(truth)) + first, truth

    @cached_property
    def area(self) -> Int:
        """Pixels of each segment that count, int64 [segments]."""
        counts, n = self.counts, len(self.counts.labels)
        own = (counts.segment >= 0) & ((counts.cls > 0) | (self.background != "ignore"))
        found = np.bincount(counts.segment[own], weights=counts.pixels[own], minlength=n).astype(np.int64)
        return found + counts.void if self.background == "all" and counts.void is not None else found

    def soft(self) -> Float:
        """I/U of each truth segment, float64 [truth segments]."""
        image, place, area = self.truth
        counts, n = self.counts, len(self.classes)
        segment, truth = self.pairs
        alike = np.maximum(self.cosines[self.label[segment], place[truth]], 0).astype(np.float64)
        reached = np.bincount(truth, weights=alike * self.area[segment], minlength=len(area))
        own = (counts.segment >= 0) & (counts.cls > 0)
        cls = np.searchsorted(self.classes, counts.cls[own])
        hit = np.maximum(self.cosines[self.label[counts.segment[own]], cls], 0).astype(np.float64) * counts.pixels[own]
        at = np.searchsorted(image * n + place, counts.image[own].astype(np.int64) * n + cls)
        intersection = np.bincount(at, weights=hit, minlength=len(area))
        return np.asarray(intersection / (reached + area - intersection))

    def overlap(self) -> Int:
        """The class of most pixels of each segment, int64 [segments]; 0 for background, which has it on a tie."""
        counts = self.counts
        own = np.flatnonzero((counts.segment >= 0) & ((counts.cls > 0) | (self.background != "ignore")))
        order = own[np.lexsort((counts.cls[own], -counts.pixels[own], counts.segment[own]))]
        segments, first = np.unique(counts.segment[order], return_index=True)
        found = np.zeros(len(counts.labels), dtype=np.int64)
        found[segments] = counts.cls[order[first]]
        return found

    def nearest(self) -> Int:
        """The class of its image that each label is nearest to, int64 [segments]; ties: the lowest id; 0 without a class."""
        _, place, _ = self.truth
        segment, truth = self.pairs
        cls = place[truth]
        order = np.lexsort((cls, -self.cosines[self.label[segment], cls], segment))
        segments, first = np.unique(segment[order], return_index=True)
        found = np.zeros(len(self.counts.labels), dtype=np.int64)
        found[segments] = self.classes[cls[order[first]]]
        return found

    def iou(self, assigned: Int) -> Float:
        """IoU of each truth segment under classes, int64 [segments], 0 for none."""
        found = class_counts(self.counts, assigned, self.classes, self.background)
        own = found.truth > 0
        return np.asarray(found.intersection[own] / found.union[own])


def per_image(about: Labelled, names: tuple[str, ...]) -> dict[str, Float]:
    """Score name → sum over the truth segments of each image, float64 [images]."""
    image, _, _ = about.truth
    n = len(about.counts.ids)
    made: dict[str, Callable[[], Float]] = {
        "cased_soft": about.soft,
        "cased_overlap": lambda: about.iou(about.overlap()),
        "cased_nearest": lambda: about.iou(about.nearest()),
    }
    return {name: np.bincount(image, weights=made[name](), minlength=n).astype(np.float64) for name in names}
