"""Scores by their definitions (protocol, section 2): a label map for every image, a loop over its classes, fractions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

TAUS = {"0.25": Fraction(1, 4), "0.5": Fraction(1, 2), "0.75": Fraction(3, 4)}


@dataclass
class Scene:
    """One image: truth, int [h, w] (0 no class, −1 void), masks, bool [h, w] each, and the class of each (0 = dropped)."""

    truth: np.ndarray
    masks: Sequence[np.ndarray]
    classes: Sequence[int]


def nearest(vectors: np.ndarray, class_vectors: np.ndarray, ids: Sequence[int], tau: float) -> list[int]:
    """The class of the highest cosine for every row, the lowest id of several; 0 where the cosine is below τ."""
    chosen = []
    for vector in vectors:
        best, best_cosine = 0, -2.0
        for class_id, name in zip(ids, class_vectors, strict=True):
            cosine = float(np.float32(np.dot(vector.astype(np.float64), name.astype(np.float64))))
            if cosine > best_cosine:
                best, best_cosine = class_id, cosine
        chosen.append(best if best_cosine >= tau else 0)
    return chosen


def overlaps(scene: Scene, background: str) -> dict[int, tuple[int, int]]:
    """Class in truth ∪ kept prediction → (pixels of intersection, pixels of union); ``all``: void pixels count too."""
    prediction = np.zeros(scene.truth.shape, dtype=np.int64)
    for mask, class_id in zip(scene.masks, scene.classes, strict=True):
        prediction[mask] = class_id
    shown = {int(c) for c in np.unique(scene.truth)} - {0, -1}
    found = {}
    for class_id in shown | (set(scene.classes) - {0}):
        is_truth = scene.truth == class_id
        predicted = prediction == class_id
        if background != "all":
            predicted &= scene.truth != -1
        if background == "ignore" or (background == "released" and class_id not in shown):
            predicted &= scene.truth != 0
        found[class_id] = (int((is_truth & predicted).sum()), int((is_truth | predicted).sum()))
    return found


def v1(scenes: Sequence[Scene], background: str) -> dict[str, float]:
    """zgbench's own definitions."""
    per_image, sums = [], {}
    truth_ious = []
    for scene in scenes:
        found = overlaps(scene, background)
        ious = [Fraction(i, u) for i, u in found.values() if u]
        if ious:
            per_image.append(sum(ious) / len(ious))
        for class_id, (i, u) in found.items():
            before = sums.get(class_id, (0, 0))
            sums[class_id] = (before[0] + i, before[1] + u)
            if (scene.truth == class_id).any():
                truth_ious.append(Fraction(i, u))
    scores = {
        "iou_image": _mean([float(x) for x in per_image]),
        "iou_dataset": _mean([i / u for i, u in sums.values() if u]),
        "recall.auc": _mean([float(x) for x in truth_ious]),
    }
    return scores | {f"recall.{key}": _mean([float(x > tau) for x in truth_ious]) for key, tau in TAUS.items()}


def iccv2023(scenes: Sequence[Scene], background: str) -> dict[str, float]:
    """The released code's, in exact steps; its τ are floats, which exceed k/100 for ten values of k."""
    taus = [k * 0.01 for k in range(101)]
    per_image = []
    recalls: dict[str, list[float]] = {key: [] for key in (*TAUS, "auc")}
    sums: dict[int, tuple[int, int]] = {}
    for scene in scenes:
        found = overlaps(scene, background)
        for class_id, (i, u) in found.items():
            before = sums.get(class_id, (0, 0))
            sums[class_id] = (before[0] + i, before[1] + u)
        ious = [Fraction(i, u) if u else None for i, u in found.values()]
        defined = [x for x in ious if x is not None]
        if defined:
            per_image.append(float(sum(defined) / len(defined)))
        if ious:

            def share(tau: Fraction | float, ious: list[Fraction | None] = ious) -> float:
                return sum(x is not None and float(x) >= tau for x in ious) / len(ious)

            for key, tau in TAUS.items():
                recalls[key].append(share(tau))
            recalls["auc"].append(_mean([share(tau) for tau in taus]))
    scores = {"iou_image": _mean(per_image), "iou_dataset": _mean([i / u for i, u in sums.values() if u])}
    return scores | {f"recall.{key}": _mean(values) for key, values in recalls.items()}


def tgq_released(
    labels: Sequence[dict[int, np.ndarray]], truths: Sequence[np.ndarray], names: dict[int, np.ndarray], tau: float
) -> float:
    """As ``tgq``, but cosine ≥ τ, the share of each image, then the mean over images that have a truth segment."""
    shares = []
    for of_class, truth in zip(labels, truths, strict=True):
        fits = []
        for class_id in {int(c) for c in np.unique(truth)} - {0, -1}:
            vector = of_class.get(class_id)
            fits.append(
                vector is not None
                and bool(np.float32(np.dot(vector.astype(np.float64), names[class_id].astype(np.float64))) >= tau)
            )
        if fits:
            shares.append(sum(fits) / len(fits))
    return _mean(shares)


def tgq(
    labels: Sequence[dict[int, np.ndarray]], truths: Sequence[np.ndarray], names: dict[int, np.ndarray], tau: float
) -> float:
    """Share of truth segments whose label has a cosine above τ with the true name; label vectors by class, image by image."""
    hits = total = 0
    for of_class, truth in zip(labels, truths, strict=True):
        for class_id in {int(c) for c in np.unique(truth)} - {0, -1}:
            total += 1
            if class_id in of_class:
                cosine = np.float32(np.dot(of_class[class_id].astype(np.float64), names[class_id].astype(np.float64)))
                hits += bool(cosine > np.float32(tau))
    return hits / total


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else float("nan")
