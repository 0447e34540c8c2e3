"""Protocol families: signatures that differ in nothing but the data set that they are about.

Scores of one family may stand side by side; scores of two may not. What a family's members must share is all that a
signature says but data set, split, images and truth, and the hash of the class list that a lexicon was compiled for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from zgbench.board.store import Board, Group, place_of
from zgbench.errors import UsageError
from zgbench.protocol import facts_of

OWN = ("data", "split", "n", "ids", "truth")
"""What is a data set's own in a signature."""
RULES = ("count", "ignore")
"""Background rules that mean the same on a data set without unlabelled pixels, whose signature names none."""


@dataclass(frozen=True)
class Family:
    """Groups of one protocol, a data set each.

    Attributes:
        key: short hash of what they share.
        shared: what they share, as in a signature.
        groups: data set → its group, in the board's order.
        others: groups of the same data sets and protocol that are about other images or another truth, and stay out.
    """

    key: str
    shared: Mapping[str, str]
    groups: Mapping[str, Group]
    others: tuple[Group, ...]

    @property
    def title(self) -> str:
        """What is shared, in a few words."""
        return next(iter(self.groups.values())).rule

    @property
    def demanded(self) -> str:
        """What was asked of every score that stands in one table, in a sentence."""
        shared = "|".join(f"{name}:{value}" for name, value in self.shared.items())
        return f"Every score here is of one protocol: {shared}. Data set, split, images and ground truth are each data set's own."


def _shared(group: Group) -> dict[str, str]:
    facts = {name: value for name, value in facts_of(group.signature).items() if name not in OWN}
    if "encoder" in facts:
        parts = [part for part in facts["encoder"].split(",") if not part.startswith("classes=")]
        facts["encoder"] = ",".join(parts)
    if facts.get("bg") == "released+void":  # where there are void pixels only
        facts["bg"] = "released"
    return facts


def families(board: Board, *, unofficial: bool = False) -> list[Family]:
    """The families of a board, those of most data sets first, then of most methods; TT before LT before ST.

    Args:
        unofficial: also groups that are not about a whole official split.
    """
    every = [g for dataset in board.datasets() for g in board.groups(dataset) if g.official or unofficial]
    bases: dict[tuple[tuple[str, str], ...], list[tuple[str | None, Group]]] = {}
    for group in every:
        facts = _shared(group)
        bg = facts.pop("bg", None)
        bases.setdefault(tuple(facts.items()), []).append((bg, group))
    found = []
    for base, members in bases.items():
        rules = list(dict.fromkeys(bg for bg, _ in members if bg is not None))
        each: list[str | None] = [*rules] or [None]
        for rule in each:
            of_rule = [g for bg, g in members if bg == rule or (bg is None and rule in RULES)]
            found.append(_family(dict(base) | ({} if rule is None else {"bg": rule}), of_rule))
        if rules and not set(rules) & set(RULES) and (alone := [g for bg, g in members if bg is None]):
            found.append(_family(dict(base), alone))
    return sorted(
        found,
        key=lambda f: (
            -len(f.groups),
            -sum(g.ranked for g in f.groups.values()),
            place_of(f.shared["reassign"] if "score" not in f.shared else f.shared["score"].upper()),
            f.title,
        ),
    )


def _family(shared: dict[str, str], members: list[Group]) -> Family:
    groups: dict[str, Group] = {}
    others = []
    for group in members:  # a data set's groups come with those of most methods first
        if group.dataset in groups:
            others.append(group)
        else:
            groups[group.dataset] = group
    told = "|".join(f"{name}:{value}" for name, value in shared.items())
    return Family(hashlib.sha256(told.encode()).hexdigest()[:12], shared, groups, tuple(others))


def family_of(board: Board, key: str | None, *, unofficial: bool = False) -> Family:
    """A family by its key, or the first of :func:`families`.

    Raises:
        UsageError: there is no such family.
    """
    every = families(board, unofficial=unofficial)
    if not every:
        raise UsageError("the board has no results of a whole official split. Others are taken with --unofficial.")
    if key is None:
        return every[0]
    for family in every:
        if family.key == key:
            return family
    raise UsageError(f"the board has no family {key!r}. They are: zgbench leaderboard summary --families")
