"""How small a difference between two methods of a table would be found with the images that there are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zgbench.board.memo import remembered
from zgbench.board.resampled import resampled, standard_errors
from zgbench.board.store import Board, Group
from zgbench.scores.registry import TITLES
from zgbench.statistics.power import FACTOR, smallest


@dataclass(frozen=True)
class Found:
    """The smallest difference that is found in 80 % of cases, over the pairs of a table's methods; fractions.

    Attributes:
        middle, least, most: median and range over the pairs.
        pairs: how many there are.
    """

    middle: float
    least: float
    most: float
    pairs: int


def power_of(board: Board, group: Group, score: str) -> Found | None:
    """Over all pairs of the group's methods, or of all its entries where there are fewer than two methods.

    Returns:
        None where there is no pair of entries that have the score.

    Raises:
        InputError, DataError: a stored result is damaged.
    """
    return remembered(board, ("power", group, score), lambda: _power_of(board, group, score))


def _power_of(board: Board, group: Group, score: str) -> Found | None:
    methods = [i for i in group.ids if board.entry(i).kind == "method"]
    ids = methods if len(methods) > 1 else list(group.ids)
    errors = standard_errors(resampled(board, group, score).of(ids))[np.triu_indices(len(ids), 1)]
    found = np.array([smallest(error) for error in errors if np.isfinite(error) and error > 0])
    if not len(found):
        return None
    return Found(float(np.median(found)), float(found.min()), float(found.max()), len(found))


def told(found: Found | None, group: Group, score: str) -> str:
    """In a sentence; empty where there is nothing to tell."""
    if found is None:
        return ""
    over = f"median of {found.pairs} pairs, {_points(found.least)} to {_points(found.most)}" if found.pairs > 1 else ""
    return (
        f"With {group.images:,} images, a difference of {_points(found.middle)} points of {TITLES[score]} between two methods "
        f"is found in 80 % of cases{f' ({over})' if over else ''}: {FACTOR} standard errors of a paired difference."
    )


def _points(value: float) -> str:
    return f"{100 * value:.1f}" if value >= 0.0005 else f"{100 * value:.2g}"
