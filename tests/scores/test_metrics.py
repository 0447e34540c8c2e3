"""The arithmetic of the benchmark's own scores by hand: three images, every background rule, both ways of scoring."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zgbench.pixels.counts import Counts
from zgbench.scores import metrics
from zgbench.scores.reassignment import Decision, cosines, distinct_labels, nearest
from zgbench.statistics.resampling import total

CLASSES = np.array([2, 5, 9])  # ids with gaps
ASSIGNED = np.array([2, 2, 5, 0, 9])
# image, segment (−1: none), class (0: background), pixels. Image 0 has segments 0 to 2, image 1 segments 3 and 4, image 2 none
ENTRIES = np.array([
    (0, -1, 2, 10), (0, 0, 2, 30), (0, 0, 5, 4), (0, 1, 0, 6), (0, 1, 2, 20), (0, 2, 0, 8), (0, 2, 5, 8), (0, 2, 9, 3),
    (1, 3, 2, 50), (1, 4, 0, 7),
    (2, -1, 0, 40), (2, -1, 9, 12),
])  # fmt: skip
VOID = np.array([1, 2, 3, 4, 5], dtype=np.int32)


def counts() -> Counts:
    image, segment, cls, pixels = (column.astype(np.int32) for column in ENTRIES.T)
    return Counts(
        ids=("a", "b", "c"), sizes=((10, 10),) * 3, labels=tuple("vwxyz"), truth=None, offsets=np.array([0, 3, 5, 5]),
        image=image, segment=segment, cls=cls, pixels=pixels, first=np.array([0, 3, 5]), submitted=5, void=VOID,
    )  # fmt: skip


# entries: image 0 with classes 2, 5, 9; image 1 with 2 (missed) and 9 (invented); image 2 with 9 (missed)
KEYS = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 2), (2, 2)]
TRUTH = [60, 12, 3, 50, 0, 12]
HIT = [50, 8, 0, 0, 0, 0]
IN_CLASSES = [54, 11, 0, 0, 0, 0]
BACKGROUND = {
    "count": [6, 8, 0, 0, 7, 0],
    "ignore": [0, 0, 0, 0, 0, 0],
    "released": [6, 8, 0, 0, 0, 0],  # where the class is in the truth of the image only
    "all": [6 + 1 + 2, 8 + 3, 0, 0, 7 + 5, 0],  # void too, but not of the segment that was dropped
}


@pytest.mark.parametrize("rule", BACKGROUND)
def test_pixels_of_united_segments(rule: metrics.Pixels) -> None:
    found = metrics.class_counts(counts(), ASSIGNED, CLASSES, rule)
    assert list(zip(found.image.tolist(), found.cls.tolist(), strict=True)) == KEYS
    assert found.truth.tolist() == TRUTH and found.intersection.tolist() == HIT
    predicted = (np.array(IN_CLASSES) + BACKGROUND[rule]).tolist()
    assert found.predicted.tolist() == predicted
    assert found.union.tolist() == [p + t - i for p, t, i in zip(predicted, TRUTH, HIT, strict=True)]
    assert {a.dtype for a in (found.image, found.cls, found.truth, found.intersection, found.predicted)} == {np.dtype(np.int64)}  # fmt: skip
    assert found.n_images == 3


def test_without_void_all_is_count() -> None:
    bare = replace(counts(), void=None)
    for one, other in (("all", "count"), ("count", "count")):
        a = metrics.class_counts(bare, ASSIGNED, CLASSES, one)  # type: ignore[arg-type]
        b = metrics.class_counts(counts(), ASSIGNED, CLASSES, other)  # type: ignore[arg-type]
        assert a.predicted.tolist() == b.predicted.tolist()


def test_without_a_segment() -> None:
    """Every truth segment is missed."""
    bare = replace(
        counts(), labels=(), offsets=np.zeros(4, dtype=np.int64), segment=np.full(len(ENTRIES), -1, np.int32), void=None
    )
    found = metrics.class_counts(bare, np.zeros(0, dtype=np.int64), CLASSES, "count")
    assert found.truth.tolist() == [60, 12, 3, 50, 12] and not found.predicted.any() and not found.intersection.any()


def test_scores_v1() -> None:
    """IoU 50/70, 8/23 and 0 of image 0; 0 and 0 of image 1 ("count": class 9 is invented on background); 0 of image 2."""
    found = metrics.statistics(metrics.class_counts(counts(), ASSIGNED, CLASSES, "count"), "v1")
    a, b = 50 / 70, 8 / 23
    scores = found.scores(total(found.per_image))
    assert scores["iou_image"] == pytest.approx(((a + b) / 3 + 0 + 0) / 3)
    assert scores["iou_dataset"] == pytest.approx((50 / (70 + 50) + 8 / 23 + 0) / 3)
    assert scores["recall.0.25"] == pytest.approx(2 / 5)
    assert (scores["recall.0.5"], scores["recall.0.75"]) == (pytest.approx(1 / 5), 0)
    assert scores["recall.auc"] == pytest.approx((a + b) / 5)
    assert list(scores) == ["iou_image", "iou_dataset", "recall.0.25", "recall.0.5", "recall.0.75", "recall.auc"]


def test_scores_of_the_paper_s_code() -> None:
    """Recall is a mean over images, of classes in truth ∪ prediction; its area counts τ = 0, 0.01, …, 1 that IoU reaches."""
    found = metrics.statistics(metrics.class_counts(counts(), ASSIGNED, CLASSES, "count"), "iccv2023")
    scores = found.scores(total(found.per_image))
    assert scores["recall.0.25"] == pytest.approx((2 / 3 + 0 + 0) / 3)
    assert (scores["recall.0.5"], scores["recall.0.75"]) == (pytest.approx((1 / 3) / 3), 0)
    reached = [72, 35, 1, 1, 1, 1]  # 0 to 0.71, 0 to 0.34, 0 alone
    per_image = (sum(reached[:3]) / 3 + sum(reached[3:5]) / 2 + reached[5]) / 101
    assert scores["recall.auc"] == pytest.approx(per_image / 3)


@pytest.mark.parametrize(("scoring", "reaches"), [("v1", 0), ("iccv2023", 1)])
@pytest.mark.parametrize(("name", "hit", "union"), [("0.25", 25, 100), ("0.5", 50, 100), ("0.75", 75, 100)])
def test_an_iou_of_exactly_tau(scoring: metrics.Scoring, reaches: int, name: str, hit: int, union: int) -> None:
    """v1 asks for more than τ, the paper's code for τ or more."""
    for more, expected in ((0, reaches), (1, 1), (-1, 0)):
        one = [np.array([v]) for v in (0, 0, hit + more, hit + more, union)]  # predicted wholly inside of the truth
        found = metrics.ClassCounts(1, np.array([1]), *one)
        scores = metrics.statistics(found, scoring)
        assert scores.scores(total(scores.per_image))[f"recall.{name}"] == expected


def test_an_entry_without_pixels_is_undefined() -> None:
    """A kept segment that is all void: it has a class in its image, and nothing to be measured by."""
    empty = [np.array([v]) for v in (0, 0, 0, 0, 0)]
    found = metrics.ClassCounts(2, np.array([1]), *empty)
    for scoring in ("v1", "iccv2023"):
        statistics = metrics.statistics(found, scoring)  # type: ignore[arg-type]
        scores = statistics.scores(total(statistics.per_image))
        assert np.isnan(scores["iou_image"]) and np.isnan(scores["iou_dataset"])
        assert np.isnan(scores["recall.0.5"]) if scoring == "v1" else scores["recall.0.5"] == 0
        assert statistics.per_image.shape == (2, 9)


@pytest.mark.parametrize("scoring", ["v1", "iccv2023"])
def test_a_single_pixel_counts_and_an_image_without_a_class_does_not(scoring: metrics.Scoring) -> None:
    """The second image of two holds neither truth nor prediction."""
    found = metrics.ClassCounts(2, np.array([1]), *[np.array([v]) for v in (0, 0, 1, 1, 1)])
    statistics = metrics.statistics(found, scoring)
    assert {float(value) for value in statistics.scores(total(statistics.per_image)).values()} == {1.0}
    assert metrics.class_sums(found).tolist() == [[1], [1], [1], [1]]


def test_scores_of_each_class() -> None:
    found = metrics.class_counts(counts(), ASSIGNED, CLASSES, "count")
    sums = metrics.class_sums(found)
    assert sums.tolist() == [[50, 8, 0], [120, 23, 22], [2, 1, 2], [1, 0, 0]]
    assert metrics.per_class(CLASSES, sums) == {
        2: {"iou": 50 / 120, "recall": 0.5, "images": 2}, 5: {"iou": 8 / 23, "recall": 0.0, "images": 1},
        9: {"iou": 0.0, "recall": 0.0, "images": 2},
    }  # fmt: skip
    nothing = metrics.per_class(CLASSES[:1], np.zeros((4, 1), dtype=np.int64))
    assert nothing == {2: {"iou": None, "recall": None, "images": 0}}
    half = metrics.ClassCounts(1, np.array([1]), *[np.array([v]) for v in (0, 0, 50, 50, 100)])
    assert metrics.class_sums(half)[3].tolist() == [0], "more than one half"


def test_parts_are_joined() -> None:
    found = metrics.statistics(metrics.class_counts(counts(), ASSIGNED, CLASSES, "count"), "v1")
    twice = metrics.joined([found, found])
    assert twice.per_image.shape == (6, found.per_image.shape[1]) and metrics.joined([found]) is found
    assert total(twice.per_image).tolist() == (2 * total(found.per_image)).tolist()


def test_decisions() -> None:
    decision = Decision(
        np.array([3, 4, 5, 0]), np.array([0.5, 0.25, 1, -1], np.float32), np.array([0, 2, 4, -1], np.int8)
    )
    assert decision.up_to(0).tolist() == [3, 0, 0, 0] and decision.up_to(2).tolist() == [3, 4, 0, 0]
    assert decision.up_to(4).tolist() == [3, 4, 5, 0]
    assert decision.kept(0.25).tolist() == [3, 4, 5, 0] and decision.kept(0.26).tolist() == [3, 0, 5, 0]
    assert distinct_labels(("b", "a", "b"))[0] == ["a", "b"] and distinct_labels(("b", "a", "b"))[1].tolist() == [
        1,
        0,
        1,
    ]
    assert cosines(np.eye(2, dtype=np.float32), -np.eye(2, dtype=np.float32)).tolist() == [[-1, 0], [0, -1]]
    found = nearest(np.array([[0.6, 0.8]], np.float32), np.eye(2, dtype=np.float32), (4, 7))
    assert found.class_id.tolist() == [7] and found.similarity.tolist() == [np.float32(0.8)]
