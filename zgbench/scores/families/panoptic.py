"""Panoptic, segmentation and recognition quality (Kirillov et al., CVPR 2019), one segment a class and image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from zgbench.scores.families.definition import Need, ScoreDefinition
from zgbench.scores.families.united import Classes, Column, Float, United, mean_of_defined, ratio

_SOURCE = "Kirillov et al., Panoptic Segmentation, CVPR 2019, section 4"
_PARTS = {
    "pq": ("PQ", "Σ IoU of matches / (TP + FP/2 + FN/2)"),
    "sq": ("SQ", "mean IoU of matches, 0 without one"),
    "rq": ("RQ", "TP / (TP + FP/2 + FN/2)"),
}
_KINDS = {"": "", "things": "thing", "stuff": "stuff"}


def _definitions() -> Iterator[ScoreDefinition]:
    for group, kind in _KINDS.items():
        for part, (title, formula) in _PARTS.items():
            needs: tuple[Need, ...] = ("counts", "reassignment", *(("things and stuff",) if group else ()))
            yield ScoreDefinition(
                f"{part}_{group}" if group else part,
                f"{title} {group}".strip(),
                needs,
                f"{formula} of each class, mean over {f'the {kind} ' if kind else ''}classes; a match (TP) has IoU > 1/2 "
                "without the void under the prediction; a prediction that is more than half void is no FP",
                _SOURCE,
                "a class without TP, FP and FN is left out; undefined where all are",
            )


class Panoptic:
    """PQ, SQ and RQ, of all classes and of things and stuff apart."""

    definitions = tuple(_definitions())

    def columns(self, united: United, classes: Classes) -> dict[str, Column]:
        """``iou`` of matches, ``tp``, ``fp`` and ``fn``, one a class."""
        found = united.found
        union, is_truth, is_predicted = found.union, found.truth > 0, found.predicted > 0
        tp = is_truth & (2 * found.intersection > union)
        iou = np.divide(found.intersection, union, out=np.zeros(len(union)), where=tp)
        fp = is_predicted & ~tp & (united.left_out <= found.predicted)
        return {
            "iou": united.by_class(iou), "tp": united.by_class(tp), "fp": united.by_class(fp),
            "fn": united.by_class(is_truth & ~tp),
        }  # fmt: skip

    def values(self, sums: Mapping[str, Float], classes: Classes) -> dict[str, Float]:
        """Means over classes."""
        parts, seen = _parts(sums)
        chosen: dict[str, NDArray[np.bool_]] = {
            group: classes.of_kind(kind) if kind else np.ones(classes.n, dtype=bool) for group, kind in _KINDS.items()
        }
        return {
            f"{part}_{group}" if group else part: mean_of_defined(value, seen & of)
            for group, of in chosen.items()
            for part, value in parts.items()
        }

    def by_class(self, sums: Mapping[str, Float], classes: Classes) -> dict[str, Float]:
        """The three of every class."""
        parts, seen = _parts(sums)
        return {part: np.where(seen, value, np.nan) for part, value in parts.items()}


def _parts(sums: Mapping[str, Float]) -> tuple[dict[str, Float], NDArray[np.bool_]]:
    of = sums["tp"] + 0.5 * sums["fp"] + 0.5 * sums["fn"]
    sq = np.where(sums["tp"] > 0, ratio(sums["iou"], sums["tp"]), 0.0)
    return {"pq": ratio(sums["iou"], of), "sq": sq, "rq": ratio(sums["tp"], of)}, of > 0
