"""Brings a database to the newest version of the tables, however many open it at once."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from zgbench.errors import InputError
from zgbench.ratings.database import Database
from zgbench.ratings.migrations import REVISIONS

VERSION_TABLE = "zgbench_schema"
_LOCK = 0x7A67_6265_6E63  # any number that nobody else locks


def revision_of(connection: Connection) -> str | None:
    """Version of the tables, None where there are none."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found: str | None = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()
    return found


def migrate(database: Database) -> None:
    """Make or renew the tables; a database that has them already is only looked at.

    Raises:
        InputError: the store was made by a newer zgbench, or the file is another program's database.
    """
    if _checked(database, database.read(revision_of)) != REVISIONS[-1]:
        database.reshape(lambda connection: _upgrade(database, connection))


def _checked(database: Database, found: str | None) -> str | None:
    if found is not None and found not in REVISIONS:
        raise InputError(
            f"--ratings {database.name}: made by a newer zgbench (tables of version {found}; this one knows up to {REVISIONS[-1]}). "
            "Upgrade with: pip install -U zgbench"
        )
    return found


def _upgrade(database: Database, connection: Connection) -> None:
    if not database.sqlite:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    found = _checked(database, revision_of(connection))  # somebody else may have been first
    if found == REVISIONS[-1]:
        return
    if found is None and database.sqlite and inspect(connection).get_table_names():
        raise InputError(f"--ratings {database.name}: a SQLite database of another program. Choose another file.")
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first() if database.sqlite else None
    if broken is not None:
        raise InputError(f"--ratings {database.name}: damaged: a row of {broken[0]} refers to none of {broken[2]}.")
