"""Which methods of a table differ, when every two of them are tested: p-values corrected for the number of pairs.

10,000 sign flips give no p below 1/10,001, and among 32 methods, 496 pairs, Holm's first step asks for less. So where
fewer than ten flips reach a difference, its p is taken from the normal distribution that the flips approach.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from zgbench.board.memo import remembered
from zgbench.board.pairs import pairs
from zgbench.board.resampled import resampled, standard_errors
from zgbench.board.store import Board, Group
from zgbench.statistics.holm import holm

Float = NDArray[np.float64]
_FEW = 10


def corrected(board: Board, group: Group, score: str, ids: list[str], values: Float) -> Float:
    """p of every two of some methods, corrected by Holm's method for all pairs of them.

    Args:
        ids: entries of the group.
        values: float64 [ids], their scores, NaN where undefined.

    Returns:
        float64 [ids, ids], symmetric; NaN on the diagonal and where a score is undefined.

    Raises:
        InputError, DataError: a stored result is damaged.
    """
    key = ("corrected", group.key, score, tuple(ids), values.tobytes())
    return remembered(board, key, lambda: _corrected(board, group, score, ids, values))


def _corrected(board: Board, group: Group, score: str, ids: list[str], values: Float) -> Float:
    tested = pairs(board, group, score)
    at = np.ix_(*2 * [[tested.ids.index(one) for one in ids]])
    errors = standard_errors(resampled(board, group, score).of(ids))
    p = with_tail(tested.p[score][at], tested.draws[score][at], values[:, None] - values[None, :], errors, group.images)
    upper = np.triu_indices(len(ids), 1)
    found = np.full(p.shape, np.nan)
    found[upper] = holm(p[upper])
    return np.where(np.isnan(found), found.T, found)


def with_tail(p: Float, draws: NDArray[np.int64], difference: Float, errors: Float, images: int) -> Float:
    """p of the sign flips, and where fewer than ten of them reached the difference, that of a normal distribution.

    A flip changes the signs of the images' differences, so over the flips their mean has the variance SE² + d² / n.

    Args:
        p: at least 1 / (draws + 1).
        errors: standard errors of the paired differences.
    """
    reached = np.rint(p * (draws + 1)) - 1
    spread = np.sqrt(errors**2 + difference**2 / images)
    with np.errstate(divide="ignore", invalid="ignore"):
        tail = 2 * ndtr(-np.abs(difference) / spread)
    # of n signs there are 2ⁿ patterns, and two of them reach any difference
    least = 0.5 ** min(images - 1, 1000)
    return np.where((reached < _FEW) & np.isfinite(tail), np.clip(tail, np.minimum(least, p), p), p)
