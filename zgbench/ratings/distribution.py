"""How often each score was given: the paper's table 2."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zgbench.statistics import resampling
from zgbench.statistics.interval import Interval, interval, undefined

Int = NDArray[np.int64]


def distribution(item: Int, score: Int, *, resamples: int = 1000, seed: int = 0) -> tuple[Interval, ...]:
    """Share of the scores 0, 1, 2 and 3 among all ratings, with bootstrap intervals over items.

    Items are resampled, not ratings: ratings of one item are not independent.

    Args:
        item, score: int64 [ratings], scores 0–3.
    """
    if not len(item):
        return (undefined("no ratings"),) * 4
    _, unit = np.unique(item, return_inverse=True)
    n = int(unit.max()) + 1
    counts = np.bincount(unit * 4 + score, minlength=4 * n).reshape(n, 4).astype(np.float64)
    total = counts.sum(axis=0)
    drawn = resampling.weights(n, resamples, seed).astype(np.float64) @ counts
    shares = drawn / drawn.sum(axis=1, keepdims=True)
    return tuple(interval(total[v] / total.sum(), shares[:, v], int(total.sum())) for v in range(4))
