"""Stores to test on: SQLite and PostgreSQL, with items that need no picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.ratings.clock import Clock
from tests.ratings.postgres import Server, running
from zgbench.ratings import Store, open_store
from zgbench.ratings.content import Content
from zgbench.submission import rle

SIZE = (4, 6)


def mask_text() -> str:
    """The compressed run lengths of a small rectangle."""
    mask = np.zeros(SIZE, dtype=bool)
    mask[1:3, 2:4] = True
    return rle.encode(rle.runs_of(mask))


def contents(
    n: int, prefix: str = "i", known: int | None = None, question: str = "T", label: str = "label"
) -> list[Content]:
    """Items that differ by their image."""
    return [Content("mini", f"{prefix}{k}", SIZE, mask_text(), f"{label} {k}", question, known) for k in range(n)]  # type: ignore[arg-type]


def hidden(n: int, question: str = "T") -> list[Content]:
    """Control items on the images of :func:`contents`, with the answer 3."""
    return contents(n, known=3, question=question, label="control")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store that is not there yet, of either kind."""
    if request.param == "sqlite":
        return str(tmp_path / "ratings.db")
    server: Server = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(url: str, clock: Clock) -> Iterator[Store]:
    """A store without items, whose clock stands still, with no minimum viewing time and no controls."""
    with open_store(url, clock=clock) as found:
        found.configure(min_seconds=0, control_every=0)
        yield found


@pytest.fixture
def sqlite_store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    """The same where one kind of database is enough."""
    with open_store(tmp_path / "one.db", clock=clock) as found:
        found.configure(min_seconds=0, control_every=0)
        yield found


Invite = Callable[[Store, str], object]
