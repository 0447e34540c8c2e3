"""How others would get the six scores of table 1 from the same submission and PNG files.

They are handed the reassigned classes for nothing, check nothing and give no intervals.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from faster_coco_eval import mask as coco
from PIL import Image

Row = tuple[str, str]
Assigned = Mapping[Row, Mapping[str, np.ndarray]]
"""Row and image → class of each segment, 0 = dropped."""
CLASSES = 21


def images(submission: Path, data: Path) -> Any:
    """Id, truth [h, w] and masks, bool [h, w, n], of each image."""
    for image in json.loads(submission.read_text())["images"]:
        truth = np.asarray(Image.open(data / "VOCdevkit/VOC2012/SegmentationClass" / f"{image['id']}.png"))
        texts = [{"size": image["size"], "counts": s["counts"].encode()} for s in image["segments"]]
        yield image["id"], truth, coco.decode(texts).astype(bool)


def by_metric(submission: Path, data: Path, assigned: Assigned, measure: Callable[[], tuple]) -> dict[Row, float]:
    """Decode once an image, then one label map and one update for each of the six scores."""
    start, update, finish = measure()
    states = {row: start() for row in assigned}
    for image_id, truth, masks in images(submission, data):
        for row, classes in assigned.items():
            prediction = np.zeros(truth.shape, dtype=np.int64)
            for k, class_id in enumerate(classes[image_id]):
                if class_id:
                    prediction[masks[..., k]] = class_id
            states[row] = update(states[row], prediction, truth)
    return {row: finish(state) for row, state in states.items()}


def torchmetrics_way() -> tuple:
    """Its ``MulticlassJaccardIndex``."""
    import torch
    from torchmetrics.classification import MulticlassJaccardIndex

    torch.set_num_threads(1)

    def update(metric: Any, prediction: np.ndarray, truth: np.ndarray) -> Any:
        metric.update(torch.from_numpy(prediction), torch.from_numpy(truth.astype(np.int64)))
        return metric

    def finish(metric: Any) -> float:
        present = (metric.confmat.sum(0) + metric.confmat.sum(1))[1:] > 0  # it scores a class that nobody has as 0
        return float(metric.compute()[1:][present].mean())

    return lambda: MulticlassJaccardIndex(CLASSES, average="none", ignore_index=255), update, finish


def mmseg_way() -> tuple:
    """``IoUMetric.intersect_and_union`` of mmsegmentation."""
    import torch
    from mmseg.evaluation.metrics import IoUMetric

    torch.set_num_threads(1)

    def update(sums: Any, prediction: np.ndarray, truth: np.ndarray) -> Any:
        intersection, union, _, _ = IoUMetric.intersect_and_union(
            torch.from_numpy(prediction), torch.from_numpy(truth.astype(np.int64)), CLASSES, 255
        )
        return sums[0] + intersection, sums[1] + union

    return lambda: (0, 0), update, lambda sums: float((sums[0][1:] / sums[1][1:]).nanmean())


def definition(submission: Path, data: Path, assigned: Assigned) -> dict[Row, float]:
    """The definition as it is written: for each class, unite its segments, then count what is in both and in either."""
    sums = {row: np.zeros((2, CLASSES), dtype=np.int64) for row in assigned}
    for image_id, truth, masks in images(submission, data):
        valid = truth != 255
        for row, classes in assigned.items():
            for class_id in range(1, CLASSES):
                prediction = masks[..., classes[image_id] == class_id].any(axis=2)
                true = truth == class_id
                sums[row][0, class_id] += (prediction & true).sum()
                sums[row][1, class_id] += ((prediction | true) & valid).sum()
    return {row: float(np.mean(i[u > 0] / u[u > 0])) for row, (i, u) in sums.items()}


def installed() -> tuple[dict[str, Callable[[Path, Path, Assigned], dict[Row, float]]], list[str]]:
    """The peers that can be imported, by name, and the names of the others."""
    found: dict[str, Callable[[Path, Path, Assigned], dict[Row, float]]] = {}
    missing: list[str] = []
    for name, way in (("torchmetrics", torchmetrics_way), ("mmsegmentation", mmseg_way)):
        try:
            measure = way()
        except ImportError:
            missing.append(name)
            continue
        found[name] = lambda submission, data, assigned, measure=measure: by_metric(
            submission, data, assigned, lambda: measure
        )
    return found | {"the loop of the definition": definition}, missing
