"""Every score, in the order in which tables and pages show them: the one place that knows their names and titles.

Results, the command line, the board and its pages take names and titles from here. The default scores come first, in
this order, and do not move; further ones are added by ``--scores``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zgbench.errors import UsageError
from zgbench.scores.families import cased, oracle_track, own
from zgbench.scores.families.definition import Scope, ScoreDefinition
from zgbench.scores.families.open_iou import OpenIou
from zgbench.scores.families.panoptic import Panoptic
from zgbench.scores.families.presence import Presence
from zgbench.scores.families.united import Family

FAMILIES: dict[str, Family] = {"panoptic": Panoptic(), "presence": Presence(), "open": OpenIou()}
"""Families of scores of a row."""

SCORES: dict[str, ScoreDefinition] = {
    definition.name: definition
    for definition in (
        *own.DEFINITIONS,
        *(d for family in FAMILIES.values() for d in family.definitions),
        *cased.DEFINITIONS,
        *oracle_track.DEFINITIONS,
    )
}
"""Name → definition."""

FAMILY_OF: dict[str, str] = {d.name: key for key, family in FAMILIES.items() for d in family.definitions}
"""Name of a further score of a row → key of its family."""

TITLES: dict[str, str] = {name: definition.title for name, definition in SCORES.items()}
"""Name → title."""

DEFAULT: tuple[str, ...] = tuple(name for name, definition in SCORES.items() if definition.default)
"""What is worked out without being asked for."""

ROW: tuple[str, ...] = tuple(name for name in DEFAULT if SCORES[name].scope == "row")
"""The default scores of a row (reassignment and verification)."""


def chosen_scores(asked: Sequence[str] | str | None) -> tuple[str, ...]:
    """Names of the scores that are asked for, in the registry's order.

    Args:
        asked: names, ``all`` or ``default``, also several of them; a text is split at commas. None is ``default``.

    Raises:
        UsageError: there is no such score.
    """
    names: set[str] = set()
    for word in _words(asked):
        if word not in SCORES and word not in ("all", "default"):
            raise UsageError(
                f"--scores {word!r}: there is no such score. Known: all, default, {', '.join(SCORES)}. What each is: zgbench scores list."
            )
        names |= set(SCORES) if word == "all" else set(DEFAULT) if word == "default" else {word}
    if not names:
        raise UsageError("--scores: expected all, default, or names of scores, such as default,pq.")
    return tuple(name for name in SCORES if name in names)


def _words(asked: Sequence[str] | str | None) -> list[str]:
    words = asked.split(",") if isinstance(asked, str) else ("default",) if asked is None else asked
    return [word.strip().lower() for word in words]


def refuse_unknown_kinds(asked: Sequence[str] | str | None, kinds: Sequence[str], dataset: str) -> None:
    """Scores of things or stuff cannot be had where the data set does not say which classes are which.

    Args:
        asked: as in :func:`chosen_scores`; ``all`` takes what there is.
        kinds: of the classes.

    Raises:
        UsageError: one is asked for by name.
    """
    named = [word for word in _words(asked) if word in SCORES and "things and stuff" in SCORES[word].needs]
    if named and not any(kinds):
        raise UsageError(
            f"--scores {','.join(named)}: the data set {dataset} does not say which of its classes are things. Those that do: ade150, cityscapes19, coco133, cocostuff171, and one of your own with a kind for each class (docs/datasets.md)."
        )


def of_scope(names: Sequence[str], scope: Scope) -> tuple[str, ...]:
    """Those of the names whose scores are of this scope."""
    return tuple(name for name in names if SCORES[name].scope == scope)


def sentence(name: str) -> str:
    """What a score is, and whether lower is better, for people who read a table."""
    score = SCORES[name]
    return f"{score.title}: {score.definition}{' (lower is better)' if score.better == 'lower' else ''}. Source: {score.source}."


def held(result: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the scores that a result file holds, as ``evaluate`` takes them to make it again."""
    more = {name for row in result["scores"] for name in row.get("more", {})}
    more |= {name for block in result.get("by_label", {}).values() for name in block["scores"]}
    return tuple(name for name in SCORES if name in DEFAULT or name in more)


def leads(name: str, value: float, other: float) -> bool:
    """Whether the first of two values is the better one of this score."""
    return value < other if SCORES[name].better == "lower" else value > other
