"""Intervals and paired tests from per-image statistics: one resampler for every score.

Percentile bootstrap over images (Efron & Tibshirani 1993, ch. 13) and a paired permutation test by sign flips,
in which each image's two sets of statistics change places with probability ½.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Float = NDArray[np.float64]
_CHUNK = 125
_SUMMED = 32
_PRODUCT = 1 << 18  # numbers that are multiplied at once
FEWEST = 150
"""Images from which on the 95 % intervals of all scores hold in about 92 % of cases or more: docs/intervals.md."""
KEPT = 1 << 24
"""Most bytes of bootstrap weights that are kept: 16,777 images at 1,000 resamples."""


class Statistics(Protocol):
    """Per-image numbers whose sums over images are all that some scores need.

    Attributes:
        per_image: sparse float64 [images, columns].
    """

    @property
    def per_image(self) -> sparse.csr_matrix: ...

    def scores(self, sums: Float) -> dict[str, Float]:
        """Score name → float64 [...] of summed statistics, float64 [..., columns]; NaN where undefined."""
        ...


@dataclass(frozen=True)
class Estimate:
    """A score with its 95 % interval; ``value`` is NaN where the score is undefined."""

    value: float
    low: float
    high: float


class Resamples:
    """Bootstrap weights a block at a time: ``for block in resamples`` gives uint8 [at most 32, images].

    They are kept up to ``KEPT`` bytes, and drawn again in each loop above: memory does not grow with the images.
    """

    def __init__(self, n_images: int, resamples: int, seed: int) -> None:
        self.n_images, self.resamples, self.seed = n_images, resamples, seed
        self._kept: list[NDArray[np.uint8]] | None = None

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        if self.n_images * self.resamples > KEPT:
            return self._drawn()
        if self._kept is None:
            self._kept = list(self._drawn())
        return iter(self._kept)

    def _drawn(self) -> Iterator[NDArray[np.uint8]]:
        """How often each resample drew each image: once on average, 255 times never."""
        n = self.n_images
        generator = np.random.RandomState(self.seed)  # its stream is frozen, unlike that of numpy's newer Generator
        for start in range(0, self.resamples, _SUMMED):
            block = np.empty((min(_SUMMED, self.resamples - start), n), dtype=np.uint8)
            for row in block:
                row[:] = np.bincount(generator.randint(0, n, n), minlength=n)
            yield block


def weights(n_images: int, resamples: int, seed: int) -> NDArray[np.uint8]:
    """:class:`Resamples` as one table, uint8 [resamples, images]."""
    return np.concatenate(list(Resamples(n_images, resamples, seed)))


def weighted_sums(per_image: sparse.csr_matrix, w: Resamples | NDArray[np.uint8]) -> Float:
    """[resamples, columns] sums; sparse products run in one fixed order, so the result never depends on threads."""
    transposed = per_image.T.tocsr()
    blocks = [w[at : at + _SUMMED] for at in range(0, len(w), _SUMMED)] if isinstance(w, np.ndarray) else w
    rows = max(1, _PRODUCT // max(per_image.shape[0], 1))
    few = (block[at : at + rows] for block in blocks for at in range(0, len(block), rows))
    return np.concatenate([np.asarray(transposed @ np.ascontiguousarray(some.T, dtype=np.float64)).T for some in few])


def total(per_image: sparse.csr_matrix) -> Float:
    """Sum over images, float64 [columns]."""
    return np.asarray(per_image.sum(axis=0)).ravel()


def interval(samples: Float) -> tuple[float, float]:
    """2.5th and 97.5th percentile of the defined resamples; NaN when there is none."""
    defined = samples[~np.isnan(samples)]
    if not len(defined):
        return float("nan"), float("nan")
    low, high = np.quantile(defined, [0.025, 0.975])
    return float(low), float(high)


def standard_error(samples: Float) -> float:
    """Standard deviation of the defined resamples; NaN of fewer than two."""
    defined = samples[~np.isnan(samples)]
    return float(defined.std(ddof=1)) if len(defined) > 1 else float("nan")


def estimates(statistics: Statistics, w: Resamples | NDArray[np.uint8]) -> dict[str, Estimate]:
    """Every score with its interval.

    Args:
        w: bootstrap weights for the same images.
    """
    values = statistics.scores(total(statistics.per_image))
    samples = statistics.scores(weighted_sums(statistics.per_image, w))
    return {name: Estimate(float(value), *interval(samples[name])) for name, value in values.items()}


@dataclass(frozen=True)
class Difference:
    """Paired difference A − B of a score, its 95 % interval, and the two-sided p-value of no difference.

    All but ``a`` or ``b`` are NaN where the score is undefined for the other. ``p_holm``: corrected for the number of
    comparisons, None where there is but one. ``se``: standard error of the paired difference.
    """

    a: float
    b: float
    difference: float
    low: float
    high: float
    p: float
    p_holm: float | None = None
    se: float = float("nan")


def flips(n_images: int, draws: int, seed: int) -> Iterator[Float]:
    """Signs of the permutation test, ±1.0 [some draws, images] at a time; a shorter run is the beginning of a longer."""
    generator = np.random.RandomState(seed)
    for start in range(0, draws, _CHUNK):
        drawn = generator.randint(0, 2, (min(_CHUNK, draws - start), n_images), dtype=np.int8)
        yield drawn.astype(np.float64) * 2 - 1


def compare(
    a: Statistics, b: Statistics, w: Resamples | NDArray[np.uint8], *, draws: int = 10_000, seed: int = 0
) -> dict[str, Difference]:
    """Compare two methods on the same images.

    Args:
        a, b: of the same images in the same order, with the same layout.
        w: bootstrap weights for these images.
        draws: sign flips; the smallest possible p is 1 / (draws + 1).
    """
    score_a, score_b = a.scores(total(a.per_image)), b.scores(total(b.per_image))
    boot_a, boot_b = a.scores(weighted_sums(a.per_image, w)), b.scores(weighted_sums(b.per_image, w))
    half = (a.per_image - b.per_image) * 0.5
    middle = (total(a.per_image) + total(b.per_image)) * 0.5
    transposed = half.T.tocsr()
    at_least = dict.fromkeys(score_a, 0)
    for signs in flips(half.shape[0], draws, seed):
        shift = np.asarray(transposed @ signs.T).T
        flipped_a, flipped_b = a.scores(middle + shift), b.scores(middle - shift)
        for name in score_a:
            seen = abs(float(score_a[name] - score_b[name]))
            # a hair of slack: a flip that changes nothing must count as equal whatever the rounding
            at_least[name] += int((np.abs(flipped_a[name] - flipped_b[name]) >= seen - 1e-12).sum())
    return {
        name: Difference(
            float(score_a[name]),
            float(score_b[name]),
            float(score_a[name] - score_b[name]),
            *interval(boot_a[name] - boot_b[name]),
            float("nan") if np.isnan(score_a[name] - score_b[name]) else (at_least[name] + 1) / (draws + 1),
            se=standard_error(boot_a[name] - boot_b[name]),
        )
        for name in score_a
    }
