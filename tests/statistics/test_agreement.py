"""Agreement: published worked examples, an independent implementation, and what is undefined."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import cohen_kappa_score

from tests.oracle import agreement
from zgbench.ratings.distribution import distribution
from zgbench.ratings.rater_quality import median_of_others
from zgbench.scores.rating_similarity import Cells, described, spearman, youden
from zgbench.statistics.alpha import krippendorff
from zgbench.statistics.interval import Interval
from zgbench.statistics.kappa import mean_kappa, pairwise
from zgbench.statistics.resampling import Resamples

# Krippendorff, Computing Krippendorff's Alpha-Reliability (2011): observers are rows, units columns, * is missing
BINARY = ["0 1 0 0 0 0 0 0 1 0", "1 1 1 0 0 1 0 0 0 0"]  # section B
NOMINAL = ["1 1 2 2 4 3 3 3 5 4 4 1", "2 1 2 2 2 3 3 3 5 4 4 4"]  # section C, letters as numbers
MISSING = [  # section D
    "1 2 3 3 2 1 4 1 2 * * *",
    "1 2 3 3 2 2 4 1 2 5 * 3",
    "* 3 3 3 2 3 4 2 2 5 1 *",
    "1 2 3 3 2 4 4 1 2 5 1 *",
]


def arrays(rows: list[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    found = [
        (unit, observer, int(value))
        for observer, row in enumerate(rows)
        for unit, value in enumerate(row.split())
        if value != "*"
    ]
    item, rater, score = np.array(found).T
    return item, rater, score


def random_ratings(seed: int, items: int = 40, raters: int = 6, noise: float = 1.0) -> tuple[np.ndarray, ...]:
    rng = np.random.RandomState(seed)
    truth = rng.randint(0, 4, items)
    item, rater = np.nonzero(rng.rand(items, raters) < 0.6)
    score = np.clip(np.round(truth[item] + noise * rng.standard_normal(len(item))), 0, 3).astype(np.int64)
    return item, rater, score


@pytest.mark.parametrize(
    ("rows", "level", "expected"),
    [
        (BINARY, "nominal", 0.095),
        (NOMINAL, "nominal", 0.692),
        (MISSING, "nominal", 0.743),
        (MISSING, "ordinal", 0.815),
        (MISSING, "interval", 0.849),
    ],
)
def test_krippendorffs_own_examples(rows: list[str], level: str, expected: float) -> None:
    found = krippendorff(*arrays(rows), level=level, resamples=50)  # type: ignore[arg-type]
    assert found.value == pytest.approx(expected, abs=0.0005)
    assert found.n == (11 if rows is MISSING else len(rows[0].split()))  # the last unit has one value: not paired


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
@pytest.mark.parametrize("seed", range(4))
def test_alpha_is_that_of_the_oracle(level: str, seed: int) -> None:
    item, rater, score = random_ratings(seed)
    expected = agreement.alpha(list(zip(item.tolist(), rater.tolist(), score.tolist(), strict=True)), level)
    found = krippendorff(item * 7 + 3, rater, score, level=level, resamples=20)  # type: ignore[arg-type]
    assert found.value == pytest.approx(expected, abs=1e-12)


def test_the_interval_is_that_of_resampled_items() -> None:
    item, rater, score = random_ratings(7, items=15)
    found = krippendorff(item, rater, score, resamples=200, seed=3)
    from zgbench.statistics import resampling

    paired = [k for k in range(15) if (item == k).sum() >= 2]
    samples = []
    for row in resampling.weights(len(paired), 200, 3):
        drawn = [
            (new, int(r), int(s))
            for new, k in enumerate(np.repeat(paired, row).tolist())
            for r, s in zip(rater[item == k], score[item == k], strict=True)
        ]
        samples.append(agreement.alpha(drawn, "ordinal"))
    assert [found.low, found.high] == pytest.approx(np.quantile(samples, [0.025, 0.975]).tolist(), abs=1e-9)
    assert found.low is not None and found.value is not None and found.high is not None
    assert found.low < found.value < found.high


def test_agreement_and_chance() -> None:
    item = np.repeat(np.arange(400), 3)
    rater = np.tile(np.arange(3), 400)
    agreed = np.repeat(np.random.RandomState(0).randint(0, 4, 400), 3)
    assert krippendorff(item, rater, agreed, resamples=10).value == 1
    by_chance = krippendorff(item, rater, np.random.RandomState(1).randint(0, 4, 1200), resamples=200)
    assert by_chance.low is not None and by_chance.high is not None
    assert by_chance.low < 0 < by_chance.high


@pytest.mark.parametrize(
    ("ratings", "reason"),
    [
        ([], "no ratings"),
        ([(0, 0, 1), (1, 0, 2)], "one rater"),
        ([(0, 0, 1), (1, 1, 2)], "no item has two ratings"),
        ([(0, 0, 1), (0, 1, 1), (1, 0, 1), (1, 1, 1)], "no variance: all ratings are equal"),
    ],
)
def test_alpha_is_undefined_for_a_reason(ratings: list[tuple[int, int, int]], reason: str) -> None:
    item, rater, score = np.array(ratings, dtype=np.int64).reshape(-1, 3).T
    found = krippendorff(item, rater, score)
    assert (found.value, found.reason) == (None, reason)
    assert str(found) == f"undefined ({reason})"
    assert found.to_dict()["reason"] == reason


@pytest.mark.parametrize("weighting", ["linear", "quadratic"])
def test_kappa_is_scikit_learns(weighting: str) -> None:
    item, rater, score = random_ratings(5, items=60)
    found = pairwise(item, rater, score, weighting=weighting)  # type: ignore[arg-type]
    assert len(found.a) == 15
    for a, b, n, kappa in zip(found.a, found.b, found.items, found.kappa, strict=True):
        by = [dict(zip(item[rater == r].tolist(), score[rater == r].tolist(), strict=True)) for r in (a, b)]
        common = sorted(by[0].keys() & by[1].keys())
        expected = cohen_kappa_score([by[0][i] for i in common], [by[1][i] for i in common], weights=weighting, labels=[0, 1, 2, 3])  # fmt: skip
        assert n == len(common)
        assert kappa == pytest.approx(expected, abs=1e-12)
    mean = mean_kappa(item, rater, score, weighting=weighting, at_least=1)  # type: ignore[arg-type]
    assert mean.value == pytest.approx(found.kappa.mean())


def test_a_hand_worked_kappa() -> None:
    # two raters, 4 items: (0,0) (1,2) (2,2) (3,1); squared distances 0 + 1 + 0 + 4 = 5
    # chance: each of 4 × 4 combinations of {0,1,2,3} and {0,2,2,1}, mean squared distance (14 + 2·6 + 6) / 16 = 2
    # κ = 1 − (5/4) / 2 = 3/8
    item, rater = np.tile(np.arange(4), 2), np.repeat([0, 1], 4)
    found = pairwise(item, rater, np.array([0, 1, 2, 3, 0, 2, 2, 1]))
    assert found.kappa.tolist() == [pytest.approx(3 / 8)]


@pytest.mark.parametrize(
    ("ratings", "at_least", "reason"),
    [
        ([], 1, "no ratings"),
        ([(0, 0, 1)], 1, "one rater"),
        ([(0, 0, 1), (0, 1, 2)], 2, "no two raters have 2 items in common"),
        ([(0, 0, 1), (0, 1, 1)], 1, "no variance: every pair gave one value throughout"),
    ],
)
def test_kappa_is_undefined_for_a_reason(ratings: list[tuple[int, int, int]], at_least: int, reason: str) -> None:
    item, rater, score = np.array(ratings, dtype=np.int64).reshape(-1, 3).T
    found = mean_kappa(item, rater, score, at_least=at_least)
    assert (found.value, found.reason) == (None, reason)


def test_distribution() -> None:
    # item 0: 0 0 1; item 1: 3 → 2/4, 1/4, 0, 1/4
    found = distribution(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 3]), resamples=500)
    assert [part.value for part in found] == [0.5, 0.25, 0, 0.25]
    assert {part.n for part in found} == {4}
    # a resample holds item 0 twice, both, or item 1 twice: shares of score 3 are 0, 1/4 or 1
    assert (found[3].low, found[3].high) == (0, 1)
    assert distribution(np.zeros(0, dtype=int), np.zeros(0, dtype=int)) == (Interval(None, None, None, 0, "no ratings"),) * 4  # fmt: skip


def test_median_of_the_others() -> None:
    item, rater, score = random_ratings(3)
    expected = agreement.medians_of_others(list(zip(item.tolist(), rater.tolist(), score.tolist(), strict=True)))
    for side, found in enumerate(median_of_others(item, score)):
        assert found == pytest.approx([np.nan if pair is None else pair[side] for pair in expected], nan_ok=True)


# ---- ratings beside similarity


@pytest.mark.parametrize("distinct", [9, 1000])
def test_spearman_of_weights_is_that_of_repeated_rows(distinct: int) -> None:
    rng = np.random.RandomState(0)
    x, y = rng.randint(0, distinct, 30).astype(float), rng.randint(0, 4, 30).astype(float)
    weights = rng.randint(0, 4, (6, 30)).astype(float)
    weights[0] = 1
    cells = Cells.of(x, y, y >= 2, np.arange(30))
    found = spearman(cells, cells.weighted(weights))
    for row, rho in zip(weights.astype(int), found, strict=True):
        assert rho == pytest.approx(stats.spearmanr(np.repeat(x, row), np.repeat(y, row)).statistic, abs=1e-12)
    same = Cells.of(np.ones(30), y, y >= 2, np.arange(30))
    assert np.isnan(spearman(same, same.weighted(weights))).all()


def test_youden_is_the_best_of_all_thresholds() -> None:
    rng = np.random.RandomState(1)
    x = np.round(rng.rand(50), 1)
    good = rng.rand(50) < 0.2 + 0.6 * x
    weights = rng.randint(0, 3, (4, 50)).astype(float)
    cells = Cells.of(x, good.astype(float), good, np.arange(50))
    taus, js = youden(cells, cells.weighted(weights))
    for row, tau, j in zip(weights, taus, js, strict=True):
        every = {
            float(t): row[good & (x >= t)].sum() / row[good].sum() - row[~good & (x >= t)].sum() / row[~good].sum()
            for t in np.unique(x)
        }
        assert j == pytest.approx(max(every.values()))
        assert tau == min(t for t, value in every.items() if value > max(every.values()) - 1e-9)
    everything = np.ones(50, dtype=bool)
    cells = Cells.of(x, everything.astype(float), everything, np.arange(50))
    assert np.isnan(youden(cells, cells.weighted(weights))).all()


def test_segments_of_an_image_are_drawn_together() -> None:
    """A resample of images is the repetition of all of their segments; how many resamples are worked out at once is all one."""
    rng = np.random.RandomState(2)
    x, y, image = rng.randint(0, 20, 60) / 20, rng.randint(0, 4, 60).astype(float), rng.randint(0, 7, 60)
    drawn = Resamples(7, 40, 0)
    rows = np.concatenate(list(drawn)).astype(int)[:, image]
    expected = [stats.spearmanr(np.repeat(x, row), np.repeat(y, row)).statistic for row in rows]
    found = described(x.astype(np.float32), y, image, lambda n: drawn)
    assert found["spearman"]["ci95"] == pytest.approx(np.quantile(expected, [0.025, 0.975]), abs=1e-12)


def test_what_is_told_about_a_submission() -> None:
    # similarities .1 .2 .6 .7 .9 rated 0 1 2 1 3: τ = .6 keeps both good ones and 1 of 3 others: J = 1 − 1/3
    similarity = np.array([0.1, 0.2, 0.6, 0.7, 0.9, 0.8], dtype=np.float32)
    rated = np.array([0, 1, 2, 1, 3, np.nan])
    found = described(similarity, rated, np.array([0, 1, 2, 3, 4, 4]), lambda n: Resamples(n, 100, 0))
    assert found["tau"]["value"] == pytest.approx(0.6)
    assert found["tau"]["youden_j"] == pytest.approx(2 / 3)
    assert found["spearman"]["value"] == pytest.approx(stats.spearmanr([1, 2, 3, 4, 5], [0, 1, 2, 1, 3]).statistic)
    low, high = found["spearman"]["ci95"]
    assert low < found["spearman"]["value"] <= high
    few = described(similarity[:2], rated[:2], np.array([0, 1]), lambda n: Resamples(n, 10, 0))
    assert few["tau"]["value"] is None and few["tau"]["reason"] == "only 2 segments are rated"
    same = described(similarity, np.full(6, 3.0), np.arange(6), lambda n: Resamples(n, 10, 0))
    assert "all ratings" in same["spearman"]["reason"]
    assert "all of the segments are rated h>=2" in same["tau"]["reason"]
