"""The studies of a store. What a store of one study holds is its study ``main``."""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from zgbench.errors import InputError, UsageError
from zgbench.ratings.tables import studies

FIRST = "main"


@dataclass(frozen=True)
class Study:
    """A study.

    Attributes:
        key: drawn when it was made: two studies of one name, in two stores, differ in it.
    """

    id: int
    name: str
    key: str

    @property
    def mark(self) -> str:
        """8 hexadecimal digits that tell this study from others, in names of cookies."""
        return hashlib.sha256(f"zgbench-study {self.key}".encode()).hexdigest()[:8]

    def item_id(self, content: str) -> str:
        """Id in the store of an item with this content; each study has its own, with answers of its own."""
        if self.name == FIRST:
            return content
        return hashlib.sha256(f"{self.key} {content}".encode()).hexdigest()[:32]


def named(name: str | None) -> str:
    """The study that is meant: by default ``$ZGBENCH_STUDY``, else ``main``.

    Raises:
        UsageError: not a name.
    """
    found = (os.environ.get("ZGBENCH_STUDY") or FIRST) if name is None else name
    if not found.isprintable() or not found.strip() or len(found) > 80:
        raise UsageError(f"--study {found!r}: expected 1 to 80 printable characters.")
    return found.strip()


def list_studies(connection: Connection) -> list[Study]:
    """All studies, oldest first."""
    rows = connection.execute(select(studies).order_by(studies.c.id))
    return [Study(row.id, row.name, row.key) for row in rows]


def find(connection: Connection, name: str) -> Study | None:
    """A study by its name."""
    return next((study for study in list_studies(connection) if study.name == name), None)


def make(connection: Connection, name: str, now: float) -> Study:
    """A study by its name, made if it is new."""
    found = find(connection, name)
    if found is not None:
        return found
    connection.execute(insert(studies).values(name=name, key=secrets.token_hex(8), settings="{}", created=now))
    return list_studies(connection)[-1]


def missing(connection: Connection, name: str) -> InputError:
    """What is said of a study that is not there."""
    there = ", ".join(study.name for study in list_studies(connection))
    return InputError(f"--study {name}: there is no such study. Known: {there}. Make it with: zgbench ratings sample")
