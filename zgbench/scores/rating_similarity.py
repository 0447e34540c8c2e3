"""Ratings beside the automatic similarity: do they rise together, and which τ separates good labels from the rest?

Segments of one picture are not independent, so intervals come from resampling images. A resample is a weight for every
segment; ranks and rates of weighted data are running sums over sorted distinct values, so no resample sorts again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from zgbench.statistics import resampling

Float = NDArray[np.float64]
_CHUNK = 50
GOOD = 2
"""A label is good if h ≥ 2: correct, or correct but too general or too specific."""


def spearman(x: Float, y: Float, weights: Float) -> Float:
    """Spearman's ρ of weighted data (midranks for ties), as if each row stood there as often as its weight says.

    Args:
        x, y: float64 [n].
        weights: float64 [resamples, n], ≥ 0.

    Returns:
        float64 [resamples]; NaN where one of them does not vary.
    """
    ranks = [_midranks(values, weights) for values in (x, y)]
    total = weights.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        a, b = (rank - (weights * rank).sum(axis=1, keepdims=True) / total for rank in ranks)
        over = (weights * a * b).sum(axis=1)
        spread = (weights * a * a).sum(axis=1) * (weights * b * b).sum(axis=1)
        rho = over / np.sqrt(spread)
    return np.where(spread > 1e-9, np.clip(rho, -1, 1), np.nan)


def _grouped(values: Float, weights: Float) -> tuple[NDArray[np.intp], Float]:
    """Group of each value, and the weight of each group of equal values in ascending order, float64 [resamples, groups]."""
    distinct, group = np.unique(values, return_inverse=True)
    indicator = sparse.csr_matrix((np.ones(len(values)), (group, np.arange(len(values)))), (len(distinct), len(values)))
    return group, np.asarray(indicator @ weights.T).T


def _midranks(values: Float, weights: Float) -> Float:
    group, total = _grouped(values, weights)
    return np.asarray((np.cumsum(total, axis=1) - total / 2)[:, group])


def youden(similarity: Float, good: NDArray[np.bool_], weights: Float) -> tuple[Float, Float]:
    """The τ with the largest Youden's J = P(similarity ≥ τ | good) − P(similarity ≥ τ | not good), of weighted data.

    Args:
        similarity: float64 [n].
        good: bool [n].
        weights: float64 [resamples, n].

    Returns:
        τ (a similarity that occurs; of equally good ones the lowest) and J, float64 [resamples]; NaN where all are
        good or none is.
    """
    distinct = np.unique(similarity)

    def at_least(chosen: NDArray[np.bool_]) -> Float:
        _, total = _grouped(similarity, weights * chosen)
        reached = np.cumsum(total[:, ::-1], axis=1)[:, ::-1]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(reached / reached[:, :1])

    j = at_least(good) - at_least(~good)
    defined = ~np.isnan(j).any(axis=1)
    # a hair of slack, so that rounding does not choose between equally good ones
    best = (np.where(np.isnan(j), -1, j) >= np.where(np.isnan(j), -1, j).max(axis=1, keepdims=True) - 1e-12).argmax(
        axis=1
    )
    rows = np.arange(len(j))
    return np.where(defined, distinct[best], np.nan), np.where(defined, j[rows, best], np.nan)


def described(
    similarity: NDArray[np.float32], rated: Float, image: NDArray[np.int64], *, resamples: int, seed: int
) -> dict[str, Any]:
    """Correlation and best threshold over all rated segments, as they stand in a result file.

    Args:
        similarity: cosine of T*, [segments].
        rated: human score of T*, float64 [segments], NaN where unrated.
        image: int64 [segments], the image of each.
    """
    known = ~np.isnan(rated)
    x, y = similarity[known].astype(np.float64), rated[known]
    _, unit = np.unique(image[known], return_inverse=True)
    one = np.ones((1, len(x)))
    good = y >= GOOD
    found: dict[str, Any] = {
        "spearman": {"value": None, "ci95": [None, None]},
        "tau": {"value": None, "ci95": [None, None], "criterion": f"Youden's J for h>={GOOD}", "youden_j": None},
    }
    if len(x) < 3:
        found["spearman"]["reason"] = found["tau"]["reason"] = f"only {len(x)} segments are rated"
        return found
    rho, (tau, j) = spearman(x, y, one)[0], (float(v[0]) for v in youden(x, good, one))
    drawn = resampling.weights(int(unit.max()) + 1, resamples, seed)
    parts: list[tuple[Float, Float]] = []
    for at in range(0, resamples, _CHUNK):
        weights = drawn[at : at + _CHUNK].astype(np.float64)[:, unit]
        parts.append((spearman(x, y, weights), youden(x, good, weights)[0]))
    samples = [np.concatenate(column) for column in zip(*parts, strict=True)]
    if np.isnan(rho):
        found["spearman"]["reason"] = "no variance: all ratings, or all similarities, are equal"
    else:
        found["spearman"] |= {"value": float(rho), "ci95": _ends(samples[0])}
    if np.isnan(tau):
        found["tau"]["reason"] = f"no variance: {'all' if good.all() else 'none'} of the segments are rated h>={GOOD}"
    else:
        found["tau"] |= {"value": tau, "ci95": _ends(samples[1]), "youden_j": j}
    return found


def _ends(samples: Float) -> list[float | None]:
    return [None if np.isnan(end) else end for end in resampling.interval(samples)]
