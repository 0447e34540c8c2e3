"""How large a difference must be to be found: by hand, and by asking the test itself."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import sparse

from zgbench.statistics.power import FACTOR, images_needed, smallest
from zgbench.statistics.resampling import Resamples, compare


def test_by_hand() -> None:
    # 2.8 · 0.01 = 0.028; a difference of half of that takes four times as many images
    assert smallest(0.01) == pytest.approx(0.028)
    assert images_needed(100, 0.028, 0.01) == 100
    assert images_needed(100, 0.014, 0.01) == images_needed(100, -0.014, 0.01) == 400
    assert images_needed(100, 0.0141, 0.01) == math.ceil(100 * (0.028 / 0.0141) ** 2) == 395
    assert images_needed(100, 5.0, 0.01) == 2


@pytest.mark.parametrize(("difference", "se"), [(0.0, 0.1), (math.nan, 0.1), (0.1, math.nan), (1e-200, 1.0)])
def test_what_no_number_of_images_finds(difference: float, se: float) -> None:
    assert images_needed(100, difference, se) is None


@dataclass(frozen=True)
class Mean:
    """A score that is the mean of a number an image."""

    per_image: sparse.csr_matrix

    def scores(self, sums: np.ndarray) -> dict[str, np.ndarray]:
        return {"mean": sums[..., 0] / self.per_image.shape[0]}


def test_the_paired_test_finds_it_in_80_of_100_cases() -> None:
    rng = np.random.RandomState(0)
    n, cases, spread = 120, 300, 0.2
    true = FACTOR * spread / np.sqrt(n)  # the smallest that should be found
    drawn = Resamples(n, 200, 0)
    found, errors = 0, []
    for _ in range(cases):
        easy = rng.rand(n, 1)  # what both find easy or hard cancels out
        a, b = (Mean(sparse.csr_matrix(easy + e)) for e in (true + spread * rng.randn(n, 1), np.zeros((n, 1))))
        d = compare(a, b, drawn, draws=250)["mean"]
        found += d.p < 0.05
        errors.append(d.se)
    assert np.mean(errors) == pytest.approx(spread / np.sqrt(n), rel=0.03)
    assert found / cases == pytest.approx(0.8, abs=0.07)  # three standard errors of the share
