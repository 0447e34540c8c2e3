"""Opening a ratings store, and a study in it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from zgbench.errors import InputError
from zgbench.ratings import studies
from zgbench.ratings.database import Database, resolve
from zgbench.ratings.migrate import migrate
from zgbench.ratings.store import Store
from zgbench.ratings.studies import Study


def open_store(
    url: str | os.PathLike[str] | None = None, *, study: str | None = None, create: bool = True,
    clock: Callable[[], float] = time.time,
) -> Store:  # fmt: skip
    """Open a study of a ratings store, and bring its tables to the newest version.

    Args:
        url: path of a SQLite file, or ``postgresql+psycopg://…``; default: ``$ZGBENCH_RATINGS``.
        study: its name; default: ``$ZGBENCH_STUDY``, else ``main``.
        create: make a SQLite file, or a study, that is not there.

    Raises:
        UsageError: no URL, or one of an unknown kind.
        InputError: not a ratings store, or one of a newer zgbench.
        StoreUnavailable: the database cannot be reached.
    """
    name = studies.named(study)
    found = resolve(url)
    if found.drivername == "sqlite":
        _look_for(Path(str(found.database)), create)
    database = Database(found)
    try:
        migrate(database)
        return Store(database, _study(database, name, create, clock), clock)
    except BaseException:
        database.close()
        raise


def _study(database: Database, name: str, create: bool, clock: Callable[[], float]) -> Study:
    found = database.read(lambda connection: studies.find(connection, name))
    if found is None and not create:
        raise database.read(lambda connection: studies.missing(connection, name))
    return found or database.write(lambda connection: studies.make(connection, name, clock()))


def _look_for(file: Path, create: bool) -> None:
    try:
        if not create and not file.is_file():
            raise InputError(f"--ratings {file}: there is no such file. Make one with: zgbench ratings sample")
        if not file.parent.is_dir():
            raise InputError(f"--ratings {file}: there is no folder {file.parent}.")
    except OSError as error:
        raise InputError(f"--ratings {file}: cannot be looked at ({error.strerror}).") from error
