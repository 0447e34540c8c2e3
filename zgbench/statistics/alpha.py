"""Krippendorff's α: how much better raters agree than chance would have it.

Krippendorff, Computing Krippendorff's Alpha-Reliability (2011): α = 1 − D_o / D_e from the coincidences of values
within units. Every unit's share of the coincidences is summed with a weight, so one product of matrices serves all
bootstrap resamples.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from zgbench.statistics import resampling
from zgbench.statistics.interval import Interval, interval, undefined

Float = NDArray[np.float64]
Int = NDArray[np.int64]
Level = Literal["nominal", "ordinal", "interval"]


def value_counts(item: Int, score: Int) -> tuple[Int, Int]:
    """How often each item got each value.

    Args:
        item: int64 [ratings], any numbers.
        score: int64 [ratings].

    Returns:
        int64 [items, values], and the values, int64 [values], ascending.
    """
    values, column = np.unique(score, return_inverse=True)
    units, row = np.unique(item, return_inverse=True)
    flat = np.bincount(row * max(len(values), 1) + column, minlength=len(units) * len(values))
    return flat.reshape(len(units), len(values)).astype(np.int64), values


def _coincidences(counts: Int) -> Float:
    """Each unit's coincidences, float64 [units, values, values]; units with fewer than two ratings have none."""
    paired = counts[counts.sum(axis=1) >= 2].astype(np.float64)
    found = paired[:, :, None] * paired[:, None, :]
    diagonal = np.arange(paired.shape[1])
    found[:, diagonal, diagonal] -= paired
    return np.asarray(found / (paired.sum(axis=1) - 1)[:, None, None])


def _differences(marginals: Float, values: Int, level: Level) -> Float:
    """δ² of every pair of values, float64 [..., values, values]."""
    size = len(values)
    if level == "nominal":
        return np.broadcast_to(1.0 - np.eye(size), (*marginals.shape[:-1], size, size))
    if level == "interval":
        steps = (values[:, None] - values[None, :]).astype(np.float64) ** 2
        return np.broadcast_to(steps, (*marginals.shape[:-1], size, size))
    middle = np.cumsum(marginals, axis=-1) - marginals / 2  # ratings below a value, and half of those at it
    return np.asarray((middle[..., :, None] - middle[..., None, :]) ** 2)


def _alpha(coincidences: Float, values: Int, level: Level) -> Float:
    """α of summed coincidences, float64 [...]; NaN where all values are equal."""
    marginals = coincidences.sum(axis=-1)
    total = marginals.sum(axis=-1)
    delta = _differences(marginals, values, level)
    observed = (coincidences * delta).sum(axis=(-2, -1))
    expected = (marginals[..., :, None] * marginals[..., None, :] * delta).sum(axis=(-2, -1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(1 - (total - 1) * observed / expected)


def krippendorff(
    item: Int, rater: Int, score: Int, *, level: Level = "ordinal", resamples: int = 1000, seed: int = 0
) -> Interval:
    """α with a bootstrap interval over items.

    Args:
        item, rater, score: int64 [ratings], one rating a (rater, item).
        level: of measurement. Scores 0–3 are ordinal.

    Returns:
        α (1: agreement, 0: chance); ``n`` is the number of items with two or more ratings.
    """
    if len(np.unique(rater)) < 2:
        return undefined("one rater" if len(rater) else "no ratings")
    counts, values = value_counts(item, score)
    parts = _coincidences(counts)
    n = len(parts)
    if n == 0:
        return undefined("no item has two ratings")
    value = float(_alpha(parts.sum(axis=0), values, level))
    if np.isnan(value):
        return undefined("no variance: all ratings are equal", n)
    weights = resampling.weights(n, resamples, seed).astype(np.float64)
    sums = (weights @ parts.reshape(n, -1)).reshape(resamples, len(values), len(values))
    return interval(value, _alpha(sums, values, level), n)
