"""The oracle itself, against scores worked out by hand and against other people's libraries."""

from __future__ import annotations

import numpy as np
import pytest

from tests.oracle import rle
from tests.oracle.slow_scorer import Scene, iccv2023, nearest, overlaps, tgq, tgq_released, v1


def by_hand() -> list[Scene]:
    """Two images of 2 × 4 pixels.

    First: truth 1 1 0 0 / 2 2 0 −1. Class 1 is predicted on its two pixels and two of background: I/U = 2/4.
    Class 2 is predicted on one of its pixels: 1/2. Class 3, on one pixel of background and the void one, is absent.
    Second: truth 1 everywhere, nothing predicted.
    """
    truth = np.array([[1, 1, 0, 0], [2, 2, 0, -1]])
    first = [
        np.array([[1, 1, 1, 1], [0, 0, 0, 0]], bool),
        np.array([[0] * 4, [1, 0, 0, 0]], bool),
        np.array([[0] * 4, [0, 0, 1, 1]], bool),
    ]
    return [Scene(truth, first, [1, 2, 3]), Scene(np.ones((2, 4), int), [], [])]


def test_worked_example() -> None:
    first, second = by_hand()
    assert overlaps(first, "count") == {1: (2, 4), 2: (1, 2), 3: (0, 1)}
    assert overlaps(first, "ignore") == {1: (2, 2), 2: (1, 2), 3: (0, 0)}
    assert overlaps(first, "released") == {1: (2, 4), 2: (1, 2), 3: (0, 0)}
    assert overlaps(first, "all") == {1: (2, 4), 2: (1, 2), 3: (0, 2)}
    found = v1([first, second], "count")
    assert found["iou_image"] == pytest.approx((1 / 3 + 0) / 2)
    assert found["iou_dataset"] == pytest.approx((2 / 12 + 1 / 2 + 0) / 3)
    assert found["recall.0.25"] == pytest.approx(2 / 3)
    assert found["recall.0.5"] == 0  # strictly greater
    assert found["recall.auc"] == pytest.approx((1 / 2 + 1 / 2 + 0) / 3)
    released = iccv2023([first, second], "released")
    assert released["iou_image"] == pytest.approx((1 / 2 + 0) / 2)
    assert released["recall.0.5"] == pytest.approx((2 / 3 + 0) / 2)  # reached, and over the three classes of the image
    # τ = 0 is reached by all that are defined, 0.01 … 0.50 by classes 1 and 2
    assert released["recall.auc"] == pytest.approx((51 * 2 / 3 / 101 + 1 / 101) / 2)


def test_the_released_taus_are_floats() -> None:
    """IoU 35/100 reaches τ = 0, 0.01, …, 0.34, and not 0.35, which is 0.35000000000000003 there; 1/4 reaches 0.25."""
    truth = np.ones((10, 10), int)
    third = np.arange(100).reshape(10, 10) < 35
    assert iccv2023([Scene(truth, [third], [1])], "all")["recall.auc"] == pytest.approx(35 / 101)
    quarter = np.arange(100).reshape(10, 10) < 25
    found = iccv2023([Scene(truth, [quarter], [1])], "all")
    assert found["recall.auc"] == pytest.approx(26 / 101)
    assert found["recall.0.25"] == 1


def test_nearest_takes_the_lowest_of_equals_and_keeps_at_tau() -> None:
    names = np.array([[0, 1], [1, 0], [1, 0]], np.float32)
    assert nearest(np.array([[1, 0], [0.5, 0]], np.float32), names, [4, 5, 9], 0.5) == [5, 5]
    assert nearest(np.array([[0.49, 0]], np.float32), names, [4, 5, 9], 0.5) == [0]


def test_tgq_counts_truth_segments() -> None:
    names = {1: np.array([1.0, 0]), 2: np.array([0, 1.0])}
    truth = np.array([[1, 2, -1, 0]])
    assert tgq([{1: np.array([0.6, 0.8]), 2: np.array([1.0, 0])}, {}], [truth, truth], names, 0.5) == 1 / 4
    assert tgq([{1: np.array([0.5, 0])}], [truth], names, 0.5) == 0  # strictly greater
    # image by image, from τ on: 1 of 2, 0 of 2; an image without truth enters no mean
    nothing = np.array([[0, -1]])
    assert tgq_released([{1: np.array([0.5, 0])}, {}, {}], [truth, truth, nothing], names, 0.5) == (1 / 2 + 0) / 2


@pytest.mark.slow
def test_dataset_iou_is_everybodys() -> None:
    import torch
    from sklearn.metrics import jaccard_score
    from torchmetrics.classification import MulticlassJaccardIndex

    rng = np.random.RandomState(0)
    truths = [np.kron(rng.randint(0, 5, (6, 8)), np.ones((5, 5), int)) for _ in range(4)]
    predictions = [np.kron(rng.randint(0, 5, (5, 4)), np.ones((6, 10), int)) for _ in range(4)]
    scenes = [Scene(t, [p == c for c in range(1, 5)], [1, 2, 3, 4]) for t, p in zip(truths, predictions, strict=True)]
    mine = v1(scenes, "count")["iou_dataset"]
    t, p = np.concatenate(truths).ravel(), np.concatenate(predictions).ravel()
    assert mine == pytest.approx(jaccard_score(t, p, labels=[1, 2, 3, 4], average="macro"), abs=1e-12)
    metric = MulticlassJaccardIndex(5, average="none")
    metric.update(torch.from_numpy(p), torch.from_numpy(t))
    assert mine == pytest.approx(float(metric.compute()[1:].mean()), abs=1e-6)


def test_run_lengths_against_another_library() -> None:
    from faster_coco_eval import mask as coco

    rng = np.random.RandomState(0)
    for k in range(30):
        mask = np.kron(rng.rand(5, 7) < (0.02, 0.5, 0.98)[k % 3], np.ones((k % 4 + 1, 9), bool))
        theirs = coco.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()
        assert rle.compress(mask) == theirs
        assert (rle.decompress(theirs, mask.shape) == mask).all()
