"""Settings of a study, kept in its store."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import Connection, select, update

from zgbench.errors import UsageError
from zgbench.ratings.tables import studies

_LIMITS: dict[str, tuple[float, float]] = {
    "k": (1, 1000), "lease_s": (0.05, 7 * 86400), "min_seconds": (0, 60), "control_every": (0, 10_000),
    "practice_share": (0, 1), "quota": (0, 1_000_000),
}  # fmt: skip
_LENGTHS = {"consent": 20_000, "contact": 200, "code": 100, "language": 2}


@dataclass(frozen=True)
class Settings:
    """How items are given out, and what raters are told.

    Attributes:
        k: raters wanted for each item, at least 1.
        lease_s: seconds after which an item that was not answered goes to somebody else.
        min_seconds: how long an item must have been seen before an answer is taken.
        control_every: one item in this many is a control item, at a place drawn anew in each run of so many; 0: none.
        practice_share: of a round of practice, what must be right before the first item is given, 0–1.
        quota: answers that one rater may give; 0: any number.
        consent: plain text that a rater agrees to first; "": nothing is asked.
        contact: of the organiser, as raters see it.
        code: shown to a rater who is done, as crowd platforms want it.
        language: of the page, such as ``de``; "": the browser's, where there are texts in it.
    """

    k: int = 3
    lease_s: float = 600.0
    min_seconds: float = 1.0
    control_every: int = 20
    practice_share: float = 0.75
    quota: int = 0
    consent: str = ""
    contact: str = ""
    code: str = ""
    language: str = ""

    def __post_init__(self) -> None:
        for name, (low, high) in _LIMITS.items():
            if not low <= getattr(self, name) <= high:
                raise UsageError(f"{name} {getattr(self, name)}: expected {low} to {high}.")
        for name, most in _LENGTHS.items():
            if len(getattr(self, name)) > most:
                raise UsageError(f"{name}: expected at most {most} characters, found {len(getattr(self, name))}.")


def load(connection: Connection, study: int) -> Settings:
    """The settings of a study; what was never set is as by default."""
    stored = json.loads(connection.execute(select(studies.c.settings).where(studies.c.id == study)).scalar_one())
    kinds = {name: type(value) for name, value in asdict(Settings()).items()}
    return Settings(**{name: kinds[name](value) for name, value in stored.items() if name in kinds})


def save(connection: Connection, study: int, changes: dict[str, Any]) -> Settings:
    """Change some settings; None values stay as they are."""
    found = replace(load(connection, study), **{name: value for name, value in changes.items() if value is not None})
    connection.execute(
        update(studies).where(studies.c.id == study).values(settings=json.dumps(asdict(found), ensure_ascii=False))
    )
    return found
