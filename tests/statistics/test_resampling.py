"""Intervals and tests keep their promises on data whose truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zgbench.pixels.counts import Counts, ImageCounts
from zgbench.pixels.gathered import Gathered
from zgbench.scores import metrics
from zgbench.statistics import resampling

CLASSES = np.array([1, 2, 3])


def simulated(rng: np.random.RandomState, n: int, quality: np.ndarray) -> Counts:
    """Counts of ``n`` images with one segment for each truth class; ``quality``, [n, 3], is the share it covers."""
    rows = []
    for image in range(n):
        for k in range(3):
            area = 200 + 100 * k
            hit = round(float(quality[image, k]) * area)
            rows += [
                (image, 3 * image + k, k + 1, hit),
                (image, -1, k + 1, area - hit),
                (image, 3 * image + k, 0, area - hit),
            ]
    table = np.array([r for r in rows if r[3]], dtype=np.int64)
    return Counts(
        ids=tuple(map(str, range(n))), sizes=((40, 40),) * n, labels=("a", "b", "c") * n, truth=None, offsets=np.arange(n + 1) * 3,
        image=table[:, 0], segment=table[:, 1], cls=table[:, 2], pixels=table[:, 3], first=np.arange(n) * 3, submitted=3 * n,
    )  # fmt: skip


def statistics(counts: Counts, scoring: metrics.Scoring = "v1") -> metrics.Statistics:
    assigned = np.tile([1, 2, 3], len(counts.ids))
    return metrics.statistics(metrics.class_counts(counts, assigned, CLASSES, "count"), scoring)


def draw(rng: np.random.RandomState, n: int) -> np.ndarray:
    """Covered shares: images differ in difficulty, classes within an image go together."""
    return np.clip(rng.beta(2, 2, (n, 1)) + 0.15 * rng.standard_normal((n, 3)), 0, 1)


@pytest.mark.parametrize("scoring", ["v1", "iccv2023"])
def test_intervals_cover(scoring: metrics.Scoring) -> None:
    rng = np.random.RandomState(7)
    # the population's scores, from very many images at once
    whole = statistics(simulated(rng, 20_000, draw(rng, 20_000)), scoring)
    population = whole.scores(resampling.total(whole.per_image))
    weights = resampling.weights(120, 400, 1)
    trials = 600
    covered = dict.fromkeys(population, 0)
    for _ in range(trials):
        found = resampling.estimates(statistics(simulated(rng, 120, draw(rng, 120)), scoring), weights)
        for name, estimate in found.items():
            covered[name] += estimate.low <= population[name] <= estimate.high
    # 600 trials at 95 %: a standard error of 0.9 %
    assert {name: n / trials for name, n in covered.items() if not 0.93 <= n / trials <= 0.97} == {}


@pytest.mark.slow
def test_the_test_rejects_what_it_promises() -> None:
    rng = np.random.RandomState(11)
    n = 200  # enough that ties, which make the test cautious, are rare
    weights = resampling.weights(n, 20, 1)
    trials = 1000
    rejected: dict[str, int] = {}
    for trial in range(trials):
        # two methods of equal quality: each image's difficulty is shared, what is left is noise of each
        hard = rng.beta(2, 2, (n, 1))
        a, b = (np.clip(hard + 0.2 * rng.standard_normal((n, 3)), 0, 1) for _ in range(2))
        found = resampling.compare(
            statistics(simulated(rng, n, a)), statistics(simulated(rng, n, b)), weights, draws=400, seed=trial
        )
        for name, difference in found.items():
            rejected[name] = rejected.get(name, 0) + (difference.p <= 0.05)
    assert {name: k / trials for name, k in rejected.items() if not 0.03 <= k / trials <= 0.07} == {}


def test_the_test_finds_a_difference() -> None:
    rng = np.random.RandomState(3)
    hard = rng.beta(2, 2, (80, 1))
    a, b = np.clip(hard + 0.1, 0, 1), np.clip(hard - 0.1, 0, 1)
    one, other = (statistics(simulated(rng, 80, np.repeat(x, 3, axis=1))) for x in (a, b))
    found = resampling.compare(one, other, resampling.weights(80, 200, 0), draws=999)["iou_image"]
    assert found.difference > 0.05
    assert found.low > 0
    assert found.p == 1 / 1000
    back = resampling.compare(other, one, resampling.weights(80, 200, 0), draws=999)["iou_image"]
    assert back.difference == -found.difference


def test_equal_methods_do_not_differ() -> None:
    rng = np.random.RandomState(3)
    one = statistics(simulated(rng, 20, draw(rng, 20)))
    for difference in resampling.compare(one, one, resampling.weights(20, 100, 0), draws=200).values():
        assert (difference.difference, difference.low, difference.high, difference.p) == (0, 0, 0, 1)


def test_sums_of_resamples_are_scores_of_repeated_images() -> None:
    """The resampler against the obvious way: draw the images, put their counts together, score."""
    rng = np.random.RandomState(5)
    counts = simulated(rng, 9, draw(rng, 9))
    weights = resampling.weights(9, 20, 4)
    assert (weights.sum(axis=1) == 9).all()
    single = []
    for i in range(9):
        mine = counts.image == i
        local = np.where(counts.segment[mine] < 0, -1, counts.segment[mine] - 3 * i)
        single.append(
            ImageCounts(
                str(i),
                (40, 40),
                ["a", "b", "c"],
                None,
                local.astype(np.int32),
                counts.cls[mine].astype(np.int32),
                counts.pixels[mine].astype(np.int32),
            )
        )
    quick = statistics(counts).scores(resampling.weighted_sums(statistics(counts).per_image, weights))
    for row, times in enumerate(weights):
        copies = [f"{i} {copy}" for i in range(9) for copy in range(times[i])]
        drawn = Gathered({name: place for place, name in enumerate(copies)})
        for name in copies:
            drawn.add(replace(single[int(name.split()[0])], id=name))
        slow = statistics(drawn.counts(27))
        for name, value in slow.scores(resampling.total(slow.per_image)).items():
            assert quick[name][row] == pytest.approx(float(value), abs=1e-12)


def test_seeds_are_kept() -> None:
    assert (resampling.weights(50, 10, 0) == resampling.weights(50, 10, 0)).all()
    assert (resampling.weights(50, 10, 0) != resampling.weights(50, 10, 1)).any()
    # the stream itself: a change of it would change every published interval
    assert resampling.weights(6, 2, 0).tolist() == [[1, 0, 0, 3, 1, 1], [1, 1, 1, 1, 1, 1]]


def test_weights_that_are_not_kept_are_drawn_again_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, table = resampling.Resamples(30, 70, 2), resampling.weights(30, 70, 2)
    first = next(iter(kept))
    assert next(iter(kept)) is first and len(first) < 70
    monkeypatch.setattr(resampling, "KEPT", 30 * 70 - 1)
    again = resampling.Resamples(30, 70, 2)
    first = next(iter(again))
    assert next(iter(again)) is not first
    for _ in range(2):
        assert (np.concatenate(list(again)) == table).all()
    rng = np.random.RandomState(6)
    found = statistics(simulated(rng, 30, draw(rng, 30)))
    assert resampling.estimates(found, again) == resampling.estimates(found, table)


def test_as_many_resamples_as_were_asked_for() -> None:
    """Also where they are no whole number of blocks."""
    assert resampling.weights(5, 40, 0).shape == (40, 5)


def test_the_standard_error_of_samples() -> None:
    assert resampling.standard_error(np.array([1.0, 3.0])) == pytest.approx(2**0.5)
    assert resampling.standard_error(np.array([1.0, np.nan, 2.0, 4.0])) == pytest.approx((7 / 3) ** 0.5)
    assert np.isnan(resampling.standard_error(np.array([1.0, np.nan])))
