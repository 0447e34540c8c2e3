"""How well each rule maps labels as people do, beside every protocol: figures that ``make validity`` has measured."""

from __future__ import annotations

import csv
from dataclasses import dataclass

from zgbench import pages
from zgbench.board.store import Group
from zgbench.errors import DataError
from zgbench.protocol import facts_of

PEOPLE = "street labels that people mapped"
"""The list of ``validity.csv`` that comes from a study with people; the others are words with an obvious class."""


@dataclass(frozen=True)
class Validity:
    """One rule on one list: share of labels that get the class that people give them, 0–1, with its 95 % interval.

    Attributes:
        rule: such as ``TT cos>=0.5``.
        model: the Sentence-BERT that it asks; empty for a rule that asks none.
    """

    words: str
    labels: int
    classes: int
    rule: str
    model: str
    agreement: float
    low: float
    high: float


def validities() -> tuple[Validity, ...]:
    """Every measured rule.

    Raises:
        DataError: this copy of zgbench has no pages.
    """
    place = pages.folder("leaderboard") / "validity.csv"
    try:
        with place.open(encoding="utf-8", newline="") as file:
            return tuple(
                Validity(
                    row["list"], int(row["labels"]), int(row["classes"]), row["rule"], row["model"],
                    float(row["agreement"]), float(row["low"]), float(row["high"]),
                )
                for row in csv.DictReader(file)
            )  # fmt: skip
    except OSError as error:
        raise DataError(f"{place}: cannot be read ({error.strerror}). Install zgbench again.") from error


def validity_of(group: Group) -> Validity | None:
    """How well the rule of a group agrees with people; None where it was not measured (ST, people themselves)."""
    encoder = facts_of(group.signature).get("encoder", "")
    text = encoder.rpartition("text=")[2] if "text=" in encoder else encoder if group.reassign == "TT" else ""
    model = text.partition("@")[0]
    rule = f"{group.reassign} {group.verify}"
    return next((v for v in validities() if (v.words, v.rule, v.model) == (PEOPLE, rule, model)), None)


def told(found: Validity | None) -> str:
    """In a sentence; empty where nothing was measured."""
    if found is None:
        return ""
    return (
        f"This rule gives {100 * found.agreement:.1f} % [{100 * found.low:.1f}, {100 * found.high:.1f}] of {found.labels} "
        f"free labels the class that people gave them ({found.classes} classes of street scenes)."
    )
