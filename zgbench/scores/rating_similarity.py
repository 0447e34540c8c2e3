"""Ratings beside the automatic similarity: do they rise together, and which τ separates good labels from the rest?

Segments of one picture are not independent, so intervals come from resampling images. Rated segments are tabled once: a
cell for each similarity and rating that occur together. A resample is a weight for each cell, and what it asks for is
sums over cells: nothing is sorted again. All of them are whole numbers, so they are exact (below 2⁵³: 200,000 segments).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from zgbench.statistics import resampling
from zgbench.statistics.resampling import Resamples

Float = NDArray[np.float64]
Int = NDArray[np.int64]
_AT_ONCE = 1 << 17  # weights of cells: few enough to stay in the processor's cache
GOOD = 2
"""A label is good if h ≥ 2: correct, or correct but too general or too specific."""


@dataclass(frozen=True)
class Cells:
    """Rated segments, counted by similarity and rating; cells ascend by similarity, then by rating.

    Attributes:
        segments: sparse float64 [cells, units], how many segments of a unit (an image) each cell holds.
        similarity: float64 [groups], ascending; a group is the cells of one similarity.
        first: int64 [groups], its first cell.
        level: int64 [cells], place of the rating among those that occur, ascending.
        good: bool [cells].
    """

    segments: sparse.csr_matrix
    similarity: Float
    first: Int
    level: Int
    good: NDArray[np.bool_]

    @classmethod
    def of(cls, similarity: Float, rating: Float, good: NDArray[np.bool_], unit: Int) -> Cells:
        """Table segments.

        Args:
            similarity, rating: float64 [segments].
            good: bool [segments], the same for equal ratings.
            unit: int64 [segments], from 0 on.
        """
        values, group = np.unique(similarity, return_inverse=True)
        levels, level = np.unique(rating, return_inverse=True)
        keys, cell = np.unique(group * len(levels) + level, return_inverse=True)
        table = sparse.csr_matrix((np.ones(len(cell)), (cell, unit)), (len(keys), int(unit.max()) + 1))
        is_good = np.zeros(len(levels), dtype=bool)
        is_good[level] = good
        first = np.searchsorted(keys, np.arange(len(values)) * len(levels))
        return cls(table, values, first, keys % len(levels), is_good[keys % len(levels)])

    def weighted(self, weights: NDArray[Any]) -> Float:
        """Weight of each cell, float64 [resamples, cells], of weights of the units, [resamples, units]."""
        columns = np.ascontiguousarray(weights.T, dtype=np.float64)
        return np.ascontiguousarray((self.segments @ columns).T)

    def by_similarity(self, values: Float) -> Float:
        """Sums over the cells of each group, [resamples, cells] → [resamples, groups]."""
        return values if len(self.first) == values.shape[1] else np.add.reduceat(values, self.first, axis=1)

    def by_level(self, values: Float) -> Float:
        """Sums over the cells of each rating, [resamples, cells] → [resamples, ratings]."""
        return np.asarray(values @ np.eye(int(self.level.max()) + 1)[self.level])


def spearman(cells: Cells, weight: Float) -> Float:
    """Spearman's ρ (midranks for ties), as if each segment stood there as often as its weight says.

    Args:
        weight: float64 [resamples, cells], whole numbers ≥ 0.

    Returns:
        float64 [resamples]; NaN where one of the two does not vary.
    """
    total, by_level = cells.by_similarity(weight), cells.by_level(weight)
    n = by_level.sum(axis=1)
    ranks, levels = _twice_midranks(total), _twice_midranks(by_level)
    if total.shape[1] < weight.shape[1]:
        ranks = np.repeat(ranks, np.diff(cells.first, append=weight.shape[1]), axis=1)
    ranks *= weight
    # Σ w·r is n²/2 whatever the ties, and Σ w·r² = n³/3 − Σ t³/12 over ties of weight t
    over = ((cells.by_level(ranks) * levels).sum(axis=1) - n**3) / 4
    spread = (n**3 - _cubes(total)) * (n**3 - _cubes(by_level)) / 144
    with np.errstate(divide="ignore", invalid="ignore"):
        rho = over / np.sqrt(spread)
    return np.where(spread > 1e-9, np.clip(rho, -1, 1), np.nan)


def _twice_midranks(total: Float) -> Float:
    """Twice the midrank of each group, less one, from the groups' weights in ascending order, [resamples, groups]."""
    ranks = np.cumsum(total, axis=1)
    ranks *= 2
    ranks -= total
    return ranks


def _cubes(total: Float) -> Float:
    return np.asarray(np.einsum("rg,rg,rg->r", total, total, total))


def youden(cells: Cells, weight: Float) -> tuple[Float, Float]:
    """The τ with the largest Youden's J = P(similarity ≥ τ | good) − P(similarity ≥ τ | not good).

    Args:
        weight: float64 [resamples, cells], whole numbers ≥ 0.

    Returns:
        τ (a similarity that occurs; of equally good ones the lowest) and J, float64 [resamples]; NaN where all are
        good or none is.
    """
    good = weight @ cells.good.astype(np.float64)
    bad = weight.sum(axis=1) - good
    scale = good * bad
    # −J · good · bad, whole numbers: what lies below τ gives −bad for a good one and +good for another; over all it is 0
    lost = np.zeros((len(weight), len(cells.first)))
    share = weight * np.where(cells.good, bad[:, None], -good[:, None])
    np.cumsum(cells.by_similarity(share)[:, :-1], axis=1, out=lost[:, 1:])
    # a hair of slack, so that rounding does not choose between equally good ones
    best = (lost <= (lost.min(axis=1) + 1e-12 * scale)[:, None]).argmax(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        j = -lost[np.arange(len(best)), best] / scale
    return np.where(scale > 0, cells.similarity[best], np.nan), np.where(scale > 0, j, np.nan)


def described(
    similarity: NDArray[np.float32], rated: Float, image: Int, drawn: Callable[[int], Resamples]
) -> dict[str, Any]:
    """Correlation and best threshold over all rated segments, as they stand in a result file.

    Args:
        similarity: cosine of T*, [segments].
        rated: human score of T*, float64 [segments], NaN where unrated.
        image: int64 [segments], the image of each.
        drawn: resamples of so many images.
    """
    known = ~np.isnan(rated)
    x, y = similarity[known].astype(np.float64), rated[known]
    good = y >= GOOD
    found: dict[str, Any] = {
        "spearman": {"value": None, "ci95": [None, None]},
        "tau": {"value": None, "ci95": [None, None], "criterion": f"Youden's J for h>={GOOD}", "youden_j": None},
    }
    if len(x) < 3:
        found["spearman"]["reason"] = found["tau"]["reason"] = f"only {len(x)} segments are rated"
        return found
    images, unit = np.unique(image[known], return_inverse=True)
    cells = Cells.of(x, y, good, unit)
    once = cells.weighted(np.ones((1, len(images))))
    rho, (tau, j) = float(spearman(cells, once)[0]), (float(v[0]) for v in youden(cells, once))
    rows = max(1, _AT_ONCE // len(cells.level))
    weights = (
        cells.weighted(block[at : at + rows]) for block in drawn(len(images)) for at in range(0, len(block), rows)
    )
    parts = [(spearman(cells, weight), youden(cells, weight)[0]) for weight in weights]
    samples = [np.concatenate(column) for column in zip(*parts, strict=True)]
    if np.isnan(rho):
        found["spearman"]["reason"] = "no variance: all ratings, or all similarities, are equal"
    else:
        found["spearman"] |= {"value": rho, "ci95": _ends(samples[0])}
    if np.isnan(tau):
        found["tau"]["reason"] = f"no variance: {'all' if good.all() else 'none'} of the segments are rated h>={GOOD}"
    else:
        found["tau"] |= {"value": tau, "ci95": _ends(samples[1]), "youden_j": j}
    return found


def _ends(samples: Float) -> list[float | None]:
    return [None if np.isnan(end) else end for end in resampling.interval(samples)]
