"""Exclusion of raters, by stated rules only: a row in the store, applied whenever ratings are read.

A rule is a measure, a comparison and a limit, such as ``controls<0.7`` or ``seconds<1.5``; it leaves out the raters of
whom it is true. ``min`` is the number of observations that a rater must have before the rule says anything about them.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from zgbench.errors import UsageError
from zgbench.ratings.tables import exclusions

MEASURES = {
    "controls": "share of control items answered rightly",
    "seconds": "median seconds for an item",
    "agreement": "share of ratings within 1 of the median of the others",
    "cannot_tell": "share of answers that are 'cannot tell'",
}
_RULE = re.compile(
    r"(?P<measure>[a-z_]+)\s*(?P<sign><=|>=|<|>)\s*(?P<limit>\d+(?:\.\d+)?)(?:\s+min\s*=?\s*(?P<min>\d+))?"
)
_SIGNS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_MIN = 5


@dataclass(frozen=True)
class Rule:
    """A rule as stored.

    Attributes:
        text: in full, such as ``controls<0.7 min=5``.
        created, revoked: seconds since 1970, UTC.
    """

    id: int
    text: str
    created: float
    revoked: float | None


@dataclass(frozen=True)
class Condition:
    """A rule that can be applied."""

    measure: str
    sign: str
    limit: float
    min: int

    def __str__(self) -> str:
        return f"{self.measure}{self.sign}{self.limit:g} min={self.min}"

    def excludes(self, value: float | None, observations: int) -> bool:
        """Whether a rater with this value of the measure is left out."""
        return value is not None and observations >= self.min and _SIGNS[self.sign](value, self.limit)


def parse(text: str, minimum: int | None = None) -> Condition:
    """Read a rule.

    Raises:
        UsageError: not a rule.
    """
    match = _RULE.fullmatch(text.strip())
    if match is None or match["measure"] not in MEASURES:
        raise UsageError(
            f"rule {text!r}: expected MEASURE<LIMIT or MEASURE>LIMIT, such as controls<0.7. Measures: "
            + "; ".join(f"{name} ({what})" for name, what in MEASURES.items())
            + "."
        )
    given = minimum if minimum is not None else int(match["min"] or _MIN)
    if given < 1:
        raise UsageError(f"min {given}: expected at least 1.")
    return Condition(match["measure"], match["sign"], float(match["limit"]), given)


def list_rules(connection: Connection, study: int) -> list[Rule]:
    """All rules of a study, oldest first, revoked ones too."""
    query = select(exclusions).where(exclusions.c.study == study).order_by(exclusions.c.id)
    return [Rule(row.id, row.text, row.created, row.revoked) for row in connection.execute(query)]


def add(connection: Connection, study: int, text: str, minimum: int | None, now: float) -> Rule:
    """Put a rule in force; the same rule is not put in twice."""
    stated = str(parse(text, minimum))
    for rule in list_rules(connection, study):
        if rule.text == stated and rule.revoked is None:
            return rule
    connection.execute(insert(exclusions).values(study=study, text=stated, created=now))
    return list_rules(connection, study)[-1]


def revoke(connection: Connection, study: int, rule: int, now: float) -> bool:
    """Take a rule out of force; False when there is no such rule in force."""
    done = connection.execute(
        update(exclusions)
        .where(exclusions.c.id == rule, exclusions.c.study == study, exclusions.c.revoked.is_(None))
        .values(revoked=now)
    )
    return done.rowcount > 0
