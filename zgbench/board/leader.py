"""Who is best under a protocol, by how much, and whether that is sure: what a visitor reads first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zgbench.board.corrected import corrected
from zgbench.board.entry import SCORES
from zgbench.board.pairs import LEVEL
from zgbench.board.ranking_text import percent
from zgbench.board.store import Board, Group


@dataclass(frozen=True)
class Leader:
    """The method with the best value, and the next one.

    Attributes:
        best, next: rows of :func:`zgbench.board.ranking.ranking`; ``next`` is None where there is one method only.
        p: of the paired test between the two, corrected as for the ranks; NaN where it is undefined or there is no other.
        equals: names of the methods that the test cannot separate from the best, in the order of their values.
        others: how many methods there are beside the best.
    """

    best: dict[str, Any]
    next: dict[str, Any] | None
    p: float
    equals: tuple[str, ...]
    others: int


def leader(board: Board, group: Group, score: str, rows: Sequence[dict[str, Any]]) -> Leader | None:
    """Who leads a ranking; None where it has no method with a score.

    Args:
        rows: the ranking of the whole group by this score, nothing filtered out.

    Raises:
        InputError, DataError: a stored result is damaged.
    """
    methods = [row for row in rows if row["kind"] == "method" and row.get(score) is not None]
    if not methods:
        return None
    best, *others = methods
    if not others:
        return Leader(best, None, math.nan, (), 0)
    ids, values = [row["id"] for row in methods], np.array([row[score] for row in methods], dtype=np.float64)
    p = dict(zip(ids, corrected(board, group, score, ids, values)[0].tolist(), strict=True))
    equals = tuple(row["name"] for row in others if not p[row["id"]] < LEVEL)
    return Leader(best, others[0], p[others[0]["id"]], equals, len(others))


def sentences(found: Leader, score: str) -> tuple[str, str]:
    """In two sentences: who is best and by how much; whether that is sure. They hold names that strangers chose."""
    title, best, after = SCORES[score], found.best, found.next
    low, high = best[f"{score}_low"], best[f"{score}_high"]
    within = "" if low is None or high is None else f" [{percent(low)}, {percent(high)}]"
    who = f"Best: “{best['name']}”, {title} {percent(best[score])} %{within}"
    if after is None:
        return f"{who}.", "It is the only method under this protocol."
    gap = 100 * abs(best[score] - after[score])
    who += f"; {gap:.1f} points ahead of the next, “{after['name']}”."
    if not found.equals:
        few = "the other method" if found.others == 1 else f"each of the other {found.others} methods"
        return (
            who,
            f"That is sure: it differs from {few} (paired test over {best['images']} images; the next: p = {found.p:.2g}).",
        )
    named = ", ".join(f"“{name}”" for name in found.equals[:2]) + (
        f" and {len(found.equals) - 2} more" if len(found.equals) > 2 else ""
    )
    return (
        who,
        f"That is not sure: the paired test over {best['images']} images cannot separate it from {named} (p ≥ {LEVEL:g}).",
    )
