"""Whether the order of a group's methods survives another mapper, from what is stored alone."""

from __future__ import annotations

from collections.abc import Iterator

from zgbench.board.ranking import ranking
from zgbench.board.store import Board, Group
from zgbench.scores.sensitivity import Sensitivity, sensitivity

MOST = 20
"""Methods that are compared: the best of the group; baselines and ceilings where there are fewer than two methods."""


def order_of(board: Board, group: Group) -> Sensitivity:
    """The best methods of a group under every mapper that needs no model: TT and ST as stored, and LT.

    Raises:
        UsageError: the group has fewer than two methods.
        InputError, DataError: a result's files are missing or damaged.
    """
    rows = ranking(board, group.key)
    methods = [row for row in rows if row["kind"] == "method"]
    best = [row["id"] for row in (methods if len(methods) > 1 else rows)][:MOST]
    return sensitivity([board.entry(one).stored() for one in best], models=())


def columns(found: Sensitivity) -> Iterator[tuple[str, list[float]]]:
    """Each method's scores under every setting; a number is added where names are equal."""
    for place, name in enumerate(found.methods):
        shown = name if found.methods.count(name) == 1 else f"{name} ({place + 1})"
        yield shown, [found.values[setting][place] for setting in found.settings]
