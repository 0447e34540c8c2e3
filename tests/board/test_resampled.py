"""Ranks and differences over resamples of the images, p-values of many pairs, and the power of a table."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from tests.board.shipped import BOARD, group_of
from zgbench.board import resampled as module
from zgbench.board.corrected import with_tail
from zgbench.board.power import power_of, told
from zgbench.board.ranking import ranking
from zgbench.board.ranking_text import rank_with_interval
from zgbench.board.resampled import rank_intervals, resampled, standard_errors
from zgbench.board.summary import summary
from zgbench.statistics.holm import holm


def test_rank_intervals_by_hand() -> None:
    # A is always best; B and C change places in one of 40 resamples, which is 2.5 %; D is undefined in half of them
    samples = np.tile(np.array([[0.9], [0.5], [0.4], [0.3]]), (1, 40))
    samples[1, :1] = 0.39
    samples[3, ::2] = np.nan
    low, high = rank_intervals(samples)
    assert low.tolist() == [1, 2, 2, 4] and high.tolist() == [1, 2, 3, 4]
    low, high = rank_intervals(-samples, higher_is_better=False)
    assert low.tolist() == [1, 2, 2, 4] and high.tolist() == [1, 2, 3, 4]
    low, high = rank_intervals(np.ones((3, 10)))
    assert low.tolist() == high.tolist() == [1, 1, 1]  # equals share the better place


def test_ranks_of_the_board_are_those_of_its_resamples() -> None:
    group = group_of("TT")
    rows = [row for row in ranking(BOARD, group.key, "recall.0.5") if row["kind"] == "method"]
    samples = {
        row["id"]: summary(BOARD.entry(row["id"]), BOARD.entry(row["id"]).row(group.key)).samples["recall.0.5"]
        for row in rows
    }
    for row in rows:
        places = [
            1 + sum(other[k] > samples[row["id"]][k] for other in samples.values())
            for k in range(len(samples[row["id"]]))
        ]
        assert row["rank_low"] == np.quantile(places, 0.025, method="inverted_cdf")
        assert row["rank_high"] == np.quantile(places, 0.975, method="inverted_cdf")
    assert rank_with_interval({"rank": 2, "tied": True, "rank_low": 1, "rank_high": 4}) == "2= [1, 4]"


def test_standard_errors_of_differences() -> None:
    rng = np.random.RandomState(0)
    samples = rng.randn(4, 50).cumsum(axis=0)  # correlated, as those of methods on the same images are
    plain = np.array([[(a - b).std(ddof=1) for b in samples] for a in samples])
    assert standard_errors(samples) == pytest.approx(plain, abs=1e-12)
    samples[1, 3] = np.nan
    found = standard_errors(samples)
    assert found[0, 2] == pytest.approx(plain[0, 2], abs=1e-12)
    assert found[0, 1] == pytest.approx(np.delete(samples[0] - samples[1], 3).std(ddof=1), abs=1e-12)
    assert np.isnan(standard_errors(np.full((2, 9), np.nan))).all()


def test_what_is_known_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    group = group_of("TT")
    before = resampled(BOARD, group, "iou_image").samples
    monkeypatch.setattr(module, "_last", {})
    monkeypatch.setattr(module, "summary", lambda *_: pytest.fail("read again"))
    assert (resampled(BOARD, group, "iou_image").samples == before).all()


def test_many_pairs_can_still_be_told_apart() -> None:
    """Of 40 methods there are 780 pairs: by 10,000 flips alone no p, at least 1/10,001, would survive the correction."""
    n, images, error = 40, 400, 0.001
    values = np.arange(n)[:, None] * 0.01  # neighbours differ by ten standard errors
    difference = values - values.T
    p = np.full((n, n), 1 / 10_001)
    draws, errors = np.full((n, n), 10_000), np.full((n, n), error)
    upper = np.triu_indices(n, 1)
    assert holm(p[upper]).min() > 0.05
    found = with_tail(p, draws, difference, errors, images)[upper]
    assert holm(found).max() < 1e-6
    # d = 3 SE over 400 images: z = 3 / √(1 + 9 / 400)
    one = with_tail(np.array([[1 / 251]]), np.array([[250]]), np.array([[0.003]]), np.array([[0.001]]), 400)
    assert one[0, 0] == pytest.approx(2 * stats.norm.sf(3 / np.sqrt(1 + 9 / 400)))
    spoken_for = np.array([[11 / 251]])  # ten draws reached it
    assert with_tail(spoken_for, np.array([[250]]), np.array([[0.003]]), np.array([[0.001]]), 400) == spoken_for
    # five images have 2⁵ patterns of signs, of which two reach any difference
    few = with_tail(np.array([[1 / 10_001]]), np.array([[10_000]]), np.array([[1.0]]), np.array([[0.0]]), 5)
    assert few[0, 0] == 1 / 10_001
    none = with_tail(np.array([[1 / 10_001]]), np.array([[10_000]]), np.array([[1.0]]), np.array([[0.0]]), 200)
    assert 0 < none[0, 0] < 1e-40


def test_the_tail_is_near_the_flips_where_both_can_speak() -> None:
    rng = np.random.RandomState(1)
    images = 300
    for shift in (0.10, 0.13, 0.16):
        d = shift + rng.randn(images)
        flips = rng.randint(0, 2, (20_000, images)) * 2.0 - 1
        p = (1 + (np.abs(flips @ d) >= abs(d.sum()) - 1e-9).sum()) / 20_001
        se = np.std(d, ddof=0) / np.sqrt(images)
        tail = with_tail(np.array([[1 / 2]]), np.array([[1]]), np.array([[d.mean()]]), np.array([[se]]), images)[0, 0]
        assert tail == pytest.approx(p, rel=0.35)


def test_power_of_a_table_in_a_sentence() -> None:
    group = group_of("TT")
    methods = [i for i in group.ids if BOARD.entry(i).kind == "method"]
    found = power_of(BOARD, group, "iou_image")
    assert found is not None
    samples = resampled(BOARD, group, "iou_image").of(methods)
    each = [2.8 * (a - b).std(ddof=1) for a, b in combinations(samples, 2)]
    assert (found.pairs, found.middle) == (len(each), pytest.approx(np.median(each), abs=1e-12))
    assert (found.least, found.most) == pytest.approx((min(each), max(each)), abs=1e-12)
    sentence = told(found, group, "iou_image")
    assert f"With {group.images} images" in sentence and f"{100 * found.middle:.1f} points of mIoU image" in sentence
    assert told(None, group, "iou_image") == ""
