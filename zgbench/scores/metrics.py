"""From counts to scores in three steps: counts per image, sum, score.

The middle step is a plain sum over images, so one resampler (:mod:`zgbench.statistics.resampling`) gives every score its
interval and every pair of methods its test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from zgbench.pixels.counts import Counts
from zgbench.protocol import Pixels, Scoring
from zgbench.scores.result_types import ClassScores

Int = NDArray[np.int64]
Float = NDArray[np.float64]

THRESHOLDS = {"0.25": (1, 4), "0.5": (1, 2), "0.75": (3, 4)}
"""τ_IoU of Segment Recall as exact fractions."""
RELEASED_TAUS = 0.01 * np.arange(101)
"""τ_IoU of the released code, floats as it makes them: ten lie above k/100 (0.35 is 0.35000000000000003)."""


@dataclass(frozen=True)
class ClassCounts:
    """Intersections and unions of united segments, one entry for each (image, class in truth ∪ kept prediction).

    Attributes:
        n_images: number of images, with or without entries.
        classes: int64 [classes], the ids of the vocabulary.
        image: int64 [entries], ascending.
        cls: int64 [entries], position in ``classes``, ascending within an image.
        intersection, predicted, truth: int64 [entries], pixels. ``predicted`` already follows the background rule.
    """

    n_images: int
    classes: Int
    image: Int
    cls: Int
    intersection: Int
    predicted: Int
    truth: Int

    @property
    def union(self) -> Int:
        """Pixels of prediction ∪ truth, int64 [entries]."""
        return self.predicted + self.truth - self.intersection


def class_counts(counts: Counts, assigned: Int, classes: Int, background: Pixels) -> ClassCounts:
    """Unite the segments that were given the same class, image by image.

    Args:
        counts: N[s, c].
        assigned: int [segments], the class id that each segment was reassigned to, 0 where it was dropped.
        classes: int64 [classes], ids of the vocabulary, ascending.
        background: what unlabelled and void pixels under a kept prediction do.
    """
    position = np.full(int(max(classes.max(initial=0), counts.cls.max(initial=0))) + 1, -1, dtype=np.int64)
    position[classes] = np.arange(len(classes))
    n = len(classes)
    predicted_id = (
        np.where(counts.segment >= 0, assigned[counts.segment], 0) if len(assigned) else np.zeros_like(counts.cls)
    )
    is_truth = counts.cls > 0
    is_kept = predicted_id > 0
    image = counts.image.astype(np.int64)
    truth_key = image * n + position[counts.cls]
    kept_key = image * n + position[predicted_id]
    kept_segments = np.flatnonzero(assigned > 0)
    named_key = (
        counts.owner[kept_segments] * n + position[assigned[kept_segments]]
    )  # also kept segments that are all void

    keys = np.unique(np.concatenate((truth_key[is_truth], named_key)))

    def total(chosen: NDArray[np.bool_], key: Int) -> Int:
        at = np.searchsorted(keys, key[chosen])
        return np.bincount(at, weights=counts.pixels[chosen], minlength=len(keys)).astype(np.int64)

    truth = total(is_truth, truth_key)
    on_background = total(is_kept & ~is_truth, kept_key)
    if background == "ignore":
        on_background[:] = 0
    elif background == "released":
        on_background[truth == 0] = 0
    elif background == "all" and counts.void is not None:
        at = np.searchsorted(keys, named_key)
        on_background += np.bincount(at, weights=counts.void[kept_segments], minlength=len(keys)).astype(np.int64)
    return ClassCounts(
        n_images=len(counts.ids),
        classes=classes,
        image=keys // n,
        cls=keys % n,
        intersection=total(is_kept & (counts.cls == predicted_id), kept_key),
        predicted=total(is_kept & is_truth, kept_key) + on_background,
        truth=truth,
    )


@dataclass(frozen=True)
class Statistics:
    """Per-image numbers whose sums over images are all that the scores need.

    Attributes:
        per_image: sparse float64 [images, 4 + 2·thresholds … + 2·classes]; columns as in ``layout``.
        layout: column name → column; ``I`` and ``U`` name the first of one column a class.
        n_classes: number of classes.
    """

    per_image: sparse.csr_matrix
    layout: dict[str, int]
    n_classes: int

    def scores(self, sums: Float) -> dict[str, Float]:
        """Scores of summed statistics.

        Args:
            sums: float64 [..., columns].

        Returns:
            Score name → float64 [...]; NaN where a score is undefined (nothing to average over).
        """
        at = self.layout

        def ratio(above: str, below: str) -> Float:
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.asarray(sums[..., at[above]] / sums[..., at[below]])

        found = {"iou_image": ratio("iou", "images"), "iou_dataset": mean_class_iou(*self._class_sums(sums))}
        for name in (*THRESHOLDS, "auc"):
            found[f"recall.{name}"] = ratio(f"found.{name}", "recalled")
        return found

    def _class_sums(self, sums: Float) -> tuple[Float, Float]:
        first, n = self.layout["I"], self.n_classes
        return sums[..., first : first + n], sums[..., first + n : first + 2 * n]


def mean_class_iou(intersection: Float, union: Float) -> Float:
    """Mean over classes with a union of ΣI/ΣU."""
    defined = union > 0
    iou = np.divide(intersection, union, out=np.zeros_like(intersection), where=defined)
    with np.errstate(invalid="ignore"):
        return np.asarray(iou.sum(axis=-1) / defined.sum(axis=-1))


def statistics(found: ClassCounts, scoring: Scoring) -> Statistics:
    """Per-image statistics of one row of scores.

    ``v1``: recall counts truth segments over the whole set, IoU > τ; ``iccv2023``: recall is the mean over images of
    the share of an image's classes (truth ∪ kept prediction) with IoU ≥ τ, its area the mean over τ = 0, 0.01, …, 1 as
    the released code's floats have it.
    """
    union = found.union
    defined = union > 0
    iou = np.divide(found.intersection, union, out=np.zeros(len(union)), where=defined)
    n_images, n_classes = found.n_images, len(found.classes)

    def per_image(values: NDArray[Any], chosen: NDArray[np.bool_]) -> Float:
        return np.bincount(found.image[chosen], weights=values[chosen], minlength=n_images).astype(np.float64)

    everywhere = np.ones(len(union), dtype=bool)
    classes_defined = per_image(np.ones(len(union)), defined)
    columns: dict[str, Float] = {
        "iou": np.divide(per_image(iou, defined), classes_defined, out=np.zeros(n_images), where=classes_defined > 0),
        "images": (classes_defined > 0).astype(np.float64),
    }
    if scoring == "v1":
        is_truth = found.truth > 0
        columns["recalled"] = per_image(np.ones(len(union)), is_truth)
        for name, (above, below) in THRESHOLDS.items():
            columns[f"found.{name}"] = per_image(below * found.intersection > above * union, is_truth)
        columns["found.auc"] = per_image(iou, is_truth)
    else:
        present = per_image(np.ones(len(union)), everywhere)
        columns["recalled"] = (present > 0).astype(np.float64)

        def share(values: NDArray[Any]) -> Float:
            return np.divide(per_image(values, everywhere), present, out=np.zeros(n_images), where=present > 0)

        for name, (above, below) in THRESHOLDS.items():
            columns[f"found.{name}"] = share(defined & (below * found.intersection >= above * union))
        steps = np.searchsorted(RELEASED_TAUS, iou, side="right")  # number of τ that IoU reaches
        columns["found.auc"] = share(np.where(defined, steps / 101, 0.0))

    layout = {name: place for place, name in enumerate(columns)}
    layout["I"] = len(columns)
    dense = sparse.csr_matrix(np.stack(list(columns.values()), axis=1))

    def table(values: Int) -> sparse.csr_matrix:
        at = np.flatnonzero(values)
        return sparse.csr_matrix(
            (values[at].astype(np.float64), (found.image[at], found.cls[at])), shape=(n_images, n_classes)
        )

    both = [table(found.intersection), table(union)]
    return Statistics(sparse.hstack([dense, *both], format="csr"), layout, n_classes)


def joined(parts: Sequence[Statistics]) -> Statistics:
    """Statistics of all images from those of some at a time, one or more."""
    if len(parts) == 1:
        return parts[0]
    return replace(parts[0], per_image=sparse.vstack([part.per_image for part in parts], format="csr"))


def class_sums(found: ClassCounts) -> Int:
    """What :func:`per_class` needs, as sums over images, int64 [4, classes].

    Pixels of the intersection and of the union, truth segments, and those found at τ_IoU = 0.5 (IoU > τ).
    """

    def total(values: NDArray[Any]) -> Int:
        return np.bincount(found.cls, weights=values, minlength=len(found.classes)).astype(np.int64)

    union, is_truth = found.union, found.truth > 0
    return np.stack(
        (total(found.intersection), total(union), total(is_truth), total(is_truth & (2 * found.intersection > union)))
    )


def per_class(classes: Int, sums: Int) -> dict[int, ClassScores]:
    """Class id → data-set IoU, recall at τ_IoU = 0.5 and images that show it.

    Args:
        classes: int64 [classes], ids.
        sums: of :func:`class_sums`.
    """
    return {
        class_id: {
            "iou": intersection / union if union else None,
            "recall": hits / segments if segments else None,
            "images": segments,
        }
        for class_id, intersection, union, segments, hits in zip(classes.tolist(), *sums.tolist(), strict=True)
    }
