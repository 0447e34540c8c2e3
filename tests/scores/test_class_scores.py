"""PQ, pmF1, IL_MCC, cgF1, hallucination rate and Open mIoU: by hand, by other libraries, by slow definitions, by properties."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle import slow_field_scores as slow
from tests.oracle import slow_scorer
from tests.oracle.slow_scorer import Scene
from tests.scores.field import further_of, scores_of
from zgbench.statistics.resampling import total

CLASSES = (1, 2, 3)
RULES = ("count", "ignore", "released", "all")


def rows(*texts: str) -> np.ndarray:
    """A label map: digits are classes, ``.`` no class, ``x`` void."""
    value = {".": 0, "x": -1}
    return np.array([[value[c] if c in value else int(c) for c in text] for text in texts])


def scene(truth: np.ndarray, prediction: np.ndarray) -> Scene:
    """Every class of a predicted map is a segment."""
    ids = [int(c) for c in np.unique(prediction) if c > 0]
    return Scene(truth, [prediction == c for c in ids], ids)


def by_hand() -> list[Scene]:
    """Two images of 2 × 4 pixels, three classes.

    First: truth 1111 / 22.x, prediction 111. / 2.33. Class 1: I/U = 3/4. Class 2: 1/2. Class 3 is absent; of its two
    pixels one is background, one void.
    Second: truth 1111 / 3333, prediction 1111 / 2222. Class 1: 1. Class 2 is absent, class 3 missed.
    """
    return [
        scene(rows("1111", "22.x"), rows("111.", "2.33")),
        scene(rows("1111", "3333"), rows("1111", "2222")),
    ]


def test_panoptic_quality_by_hand() -> None:
    found = scores_of(by_hand(), CLASSES)
    # class 1: TP 2, IoU 3/4 + 1. Class 2: IoU 1/2 is no match: FP 2 (both images), FN 1. Class 3: FN 1; its prediction is
    # half void, not more: FP 1
    assert found["pq"] == pytest.approx((7 / 8 + 0 + 0) / 3)
    assert found["sq"] == pytest.approx((7 / 8 + 0 + 0) / 3)
    assert found["rq"] == pytest.approx((1 + 0 + 0) / 3)
    assert math.isnan(found["pq_things"])
    kinds = scores_of(by_hand(), CLASSES, kinds=("thing", "stuff", ""))
    assert (kinds["pq_things"], kinds["pq_stuff"]) == pytest.approx((7 / 8, 0))
    # where background counts nowhere, two of the two pixels of class 3 do: more than half, no FP
    further = further_of(by_hand(), CLASSES, "ignore")
    by_class = further.by_class(total(further.per_image))
    assert by_class["rq"].tolist() == [1, 0, 0]
    fp = further.layout["panoptic.fp"][0]
    assert total(further.per_image)[fp : fp + 3].tolist() == [0, 2, 0]


def test_presence_by_hand() -> None:
    found = scores_of(by_hand(), CLASSES)
    # queries with a truth: (1, c1), (1, c2), (2, c1), (2, c3); three of them have a prediction. IoU 3/4 reaches 6 of the
    # ten thresholds, 1/2 one, 1 all: mean F1 = 2 · (6 + 1 + 10)/10 / (3 + 4)
    assert found["pmf1"] == pytest.approx(2 * 1.7 / 7)
    # TP 3, FP 2 ((1, c3) and (2, c2)), FN 1 ((2, c3)), TN 0
    assert found["il_mcc"] == pytest.approx((3 * 0 - 2 * 1) / math.sqrt(5 * 4 * 2 * 1))
    assert found["cgf1"] == pytest.approx(found["pmf1"] * found["il_mcc"])
    assert found["hallucination"] == 1  # one class is absent from each image, and predicted there
    one = scores_of(by_hand()[:1], (1, 2, 3, 4, 5))
    assert one["hallucination"] == pytest.approx(1 / 3)  # 3, of the absent 3, 4, 5


def test_open_miou_by_hand() -> None:
    alike = np.array([[1, 0.5, 0], [0.5, 1, 0.25], [0, 0.25, 1]])
    found = scores_of(by_hand(), CLASSES, similarity=alike)
    # C[1,1] = 3 + 4 of 8 pixels of class 1, one is predicted as nothing. C[2,2] = 1 of 2. C[2,3] = 4 of the 4 of class 3.
    # class 1: 7/8. Class 2: 1 / (2 + 4·(1 − 1/4)) = 1/5. Class 3: 4·1/4 / 4 = 1/4
    assert found["open_miou"] == pytest.approx((7 / 8 + 1 / 5 + 1 / 4) / 3)
    # with S = identity it is the IoU without background: 7/8, 1/(2 + 4), 0/4
    assert scores_of(by_hand(), CLASSES)["open_miou"] == pytest.approx((7 / 8 + 1 / 6 + 0) / 3)


def test_panoptic_quality_is_torchmetrics() -> None:
    import torch
    from torchmetrics.detection import PanopticQuality

    rng = np.random.RandomState(3)
    # it takes what is predicted as nothing for void; a fourth class stands for it here, which is left out again
    metric = PanopticQuality(
        things=set(),
        stuffs={1, 2, 3, 4},
        allow_unknown_preds_category=True,
        return_sq_and_rq=True,
        return_per_class=True,
    )
    scenes = []
    for _ in range(30):
        truth = np.kron(rng.randint(0, 4, (3, 4)), np.ones((8, 6), int))
        prediction = np.where(
            rng.random_sample((1, 1)) < 0.5, truth, np.kron(rng.randint(0, 4, (2, 4)), np.ones((12, 6), int))
        )
        prediction = np.roll(prediction, rng.randint(0, 3), axis=1)
        truth[truth == 0] = -1  # void
        scenes.append(scene(truth, prediction))
        pair = [np.stack((np.where(m == 0, 4, m), np.zeros_like(m)), axis=-1)[None] for m in (prediction, truth)]
        metric.update(*(torch.from_numpy(m) for m in pair))
    pq, sq, rq = metric.compute().reshape(-1, 3)[:3].double().mean(axis=0).tolist()
    mine = scores_of(scenes, CLASSES, "count", names=("pq", "sq", "rq"))
    assert (mine["pq"], mine["sq"], mine["rq"]) == pytest.approx((pq, sq, rq), abs=1e-6)
    assert 0.3 < pq < 0.95


def drawn(rng: np.random.RandomState) -> list[Scene]:
    """Some images of blocks, with background, void, dropped and doubled segments."""
    scenes = []
    for _ in range(rng.randint(1, 5)):
        truth = np.kron(rng.randint(-1, 4, (2, 3)), np.ones((3, 2), int))
        pieces = np.where(
            rng.random_sample((6, 6)) < 0.85, np.kron(rng.randint(0, 5, (3, 2)), np.ones((2, 3), int)), -1
        )
        masks = [pieces == k for k in range(5) if (pieces == k).any()]
        classes = [int(c) for c in rng.randint(0, 4, len(masks))]
        if rng.rand() < 0.5:  # a good one
            masks = [truth == c for c in (1, 2, 3) if (truth == c).any()]
            classes = [c for c in (1, 2, 3) if (truth == c).any()]
        scenes.append(Scene(truth, masks, classes))
    return scenes


ALIKE = np.array([[1, 0.5, 0.1], [0.5, 1, 0.25], [0, 0.3, 1]])  # not symmetric on purpose
seeds = st.integers(0, 2**31 - 1)


@settings(max_examples=120, deadline=None)
@given(seeds, st.sampled_from(RULES))
def test_every_score_is_the_slow_one(seed: int, rule: str) -> None:
    scenes = drawn(np.random.RandomState(seed))
    found = scores_of(scenes, CLASSES, rule, similarity=ALIKE, kinds=("thing", "stuff", "thing"))  # type: ignore[arg-type]
    expected = slow.panoptic(scenes, rule, CLASSES) | slow.presence(scenes, rule, CLASSES)
    expected |= slow.open_miou(scenes, CLASSES, ALIKE)
    for kind, of_kind in (("things", (1, 3)), ("stuff", (2,))):
        expected |= {f"{name}_{kind}": value for name, value in slow.panoptic(scenes, rule, of_kind).items()}
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-9, nan_ok=True)


@settings(max_examples=60, deadline=None)
@given(seeds)
def test_bounds_order_and_merging(seed: int) -> None:
    rng = np.random.RandomState(seed)
    scenes = drawn(rng)
    found = scores_of(scenes, CLASSES, similarity=ALIKE)
    for name, value in found.items():
        assert math.isnan(value) or (-1 if name in ("il_mcc", "cgf1") else 0) <= value <= 1, name
    if not math.isnan(found["pq"]):
        assert found["pq"] <= min(found["sq"], found["rq"]) + 1e-12
    shuffled, merged = [], []
    for one in scenes:
        order = rng.permutation(len(one.masks))
        shuffled.append(Scene(one.truth, [one.masks[k] for k in order], [one.classes[k] for k in order]))
        classes = sorted(set(one.classes))
        masks = [np.any([m for m, c in zip(one.masks, one.classes, strict=True) if c == k], axis=0) for k in classes]
        merged.append(Scene(one.truth, masks, classes))
    for same in (shuffled, merged):
        assert scores_of(same, CLASSES, similarity=ALIKE) == pytest.approx(found, nan_ok=True)


@settings(max_examples=40, deadline=None)
@given(seeds)
def test_with_identity_open_miou_is_plain_iou(seed: int) -> None:
    """Over classes with truth, background ignored, as the slow scorer has it."""
    scenes = drawn(np.random.RandomState(seed))
    sums = {c: [0, 0] for c in CLASSES}
    shown = set()
    for one in scenes:
        shown |= set(np.unique(one.truth).tolist()) & set(CLASSES)
        for c, (i, u) in slow_scorer.overlaps(one, "ignore").items():
            sums[c][0] += i
            sums[c][1] += u
    ious = [sums[c][0] / sums[c][1] for c in shown]
    expected = sum(ious) / len(ious) if ious else math.nan
    assert scores_of(scenes, CLASSES)["open_miou"] == pytest.approx(expected, nan_ok=True)


def test_perfect_is_one() -> None:
    truth = [rows("11..", "22xx"), rows("3333", "1111")]
    found = scores_of([scene(t, t) for t in truth], CLASSES, similarity=ALIKE, kinds=("thing", "stuff", "thing"))
    assert found.pop("hallucination") == 0
    assert set(found.values()) == {1}


def test_nothing_predicted_is_zero_and_nothing_at_all_undefined() -> None:
    nothing = scores_of([Scene(rows("11..", "22xx"), [], [])], CLASSES)
    told = ("pq", "sq", "rq", "pmf1", "il_mcc", "cgf1", "hallucination", "open_miou")
    assert {name: nothing[name] for name in told} == dict.fromkeys(told, 0)
    empty = scores_of([Scene(rows("..", "xx"), [], [])], CLASSES)
    assert all(math.isnan(empty[name]) for name in ("pq", "sq", "rq", "pmf1", "cgf1", "open_miou"))
