"""Cohen's weighted κ of every pair of raters.

Cohen, Weighted kappa (1968): κ_w = 1 − Σ w·observed / Σ w·expected with w = |i − j| (linear) or (i − j)² (quadratic).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from zgbench.statistics import resampling
from zgbench.statistics.interval import Interval, interval, undefined

Int = NDArray[np.int64]
Float = NDArray[np.float64]
Weighting = Literal["linear", "quadratic"]
LEVELS = 4


@dataclass(frozen=True)
class Pairs:
    """κ of pairs of raters.

    Attributes:
        a, b: int64 [pairs], raters; a < b.
        items: int64 [pairs], items that both rated.
        kappa: float64 [pairs], NaN where both gave one and the same value throughout.
    """

    a: Int
    b: Int
    items: Int
    kappa: Float


def confusions(item: Int, rater: Int, score: Int, raters: int) -> Float:
    """How often rater a said i where rater b said j, float64 [raters, raters, 4, 4]."""
    _, unit = np.unique(item, return_inverse=True)
    units = int(unit.max(initial=-1)) + 1
    shape = (raters, units)
    said = [
        sparse.csr_matrix((np.ones(int(at.sum())), (rater[at], unit[at])), shape=shape)
        for at in (score == value for value in range(LEVELS))
    ]
    found = np.empty((raters, raters, LEVELS, LEVELS))
    for i, mine in enumerate(said):
        for j, other in enumerate(said):
            found[:, :, i, j] = (mine @ other.T).toarray()
    return found


def weighted_kappa(confusion: Float, weighting: Weighting = "quadratic") -> Float:
    """κ of confusion matrices, float64 [..., 4, 4] → [...]; NaN where no disagreement was to be expected."""
    scale = np.arange(LEVELS)
    distance = np.abs(scale[:, None] - scale[None, :]).astype(np.float64)
    cost = distance if weighting == "linear" else distance**2
    total = confusion.sum(axis=(-2, -1))
    chance = confusion.sum(axis=-1)[..., :, None] * confusion.sum(axis=-2)[..., None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(1 - (confusion * cost).sum(axis=(-2, -1)) * total / (chance * cost).sum(axis=(-2, -1)))


def pairwise(item: Int, rater: Int, score: Int, *, weighting: Weighting = "quadratic", at_least: int = 1) -> Pairs:
    """κ of every pair of raters with common items.

    Args:
        item, rater, score: int64 [ratings], one rating a (rater, item), scores 0–3.
        at_least: common items that a pair must have.
    """
    who, place = np.unique(rater, return_inverse=True)
    matrices = confusions(item, place, score, len(who))
    a, b = np.triu_indices(len(who), k=1)
    chosen = matrices[a, b]
    common = chosen.sum(axis=(-2, -1)).astype(np.int64)
    kept = common >= max(at_least, 1)
    return Pairs(who[a[kept]], who[b[kept]], common[kept], weighted_kappa(chosen[kept], weighting))


def mean_kappa(
    item: Int, rater: Int, score: Int, *, weighting: Weighting = "quadratic", at_least: int = 10,
    resamples: int = 1000, seed: int = 0,
) -> Interval:  # fmt: skip
    """Mean κ over pairs with enough common items, with a bootstrap interval over pairs; ``n`` is their number."""
    if len(np.unique(rater)) < 2:
        return undefined("one rater" if len(rater) else "no ratings")
    found = pairwise(item, rater, score, weighting=weighting, at_least=at_least)
    if not len(found.kappa):
        return undefined(f"no two raters have {at_least} items in common")
    defined = found.kappa[~np.isnan(found.kappa)]
    if not len(defined):
        return undefined("no variance: every pair gave one value throughout", len(found.kappa))
    weights = resampling.weights(len(defined), resamples, seed)
    return interval(float(defined.mean()), (weights @ defined) / len(defined), len(defined))
