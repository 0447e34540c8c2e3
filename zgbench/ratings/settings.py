"""Settings of a study, kept in its store."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from zgbench.errors import UsageError
from zgbench.ratings.tables import settings as table


@dataclass(frozen=True)
class Settings:
    """How items are given out.

    Attributes:
        k: raters wanted for each item, at least 1.
        lease_s: seconds after which an item that was not answered goes to somebody else.
        min_seconds: how long an item must have been seen before an answer is taken.
        control_every: one item in this many is a control item, at a place drawn anew in each run of so many; 0: none.
    """

    k: int = 3
    lease_s: float = 600.0
    min_seconds: float = 1.0
    control_every: int = 20

    def __post_init__(self) -> None:
        limits = {"k": (1, 1000), "lease_s": (0.05, 7 * 86400), "min_seconds": (0, 60), "control_every": (0, 10_000)}
        for name, (low, high) in limits.items():
            if not low <= getattr(self, name) <= high:
                raise UsageError(f"{name} {getattr(self, name)}: expected {low} to {high}.")


def load(connection: Connection) -> Settings:
    """The settings of a store; what was never set is as by default."""
    stored = {row.key: row.value for row in connection.execute(select(table.c.key, table.c.value))}
    kinds = {name: type(value) for name, value in asdict(Settings()).items()}
    return Settings(**{name: kinds[name](value) for name, value in stored.items() if name in kinds})


def save(connection: Connection, changes: dict[str, Any]) -> Settings:
    """Change some settings; None values stay as they are."""
    found = replace(load(connection), **{name: value for name, value in changes.items() if value is not None})
    connection.execute(delete(table))
    connection.execute(insert(table), [{"key": key, "value": float(value)} for key, value in asdict(found).items()])
    return found
