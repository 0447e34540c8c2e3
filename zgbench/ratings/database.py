"""Connections: SQLite files and PostgreSQL, transactions that are safe to repeat, and repeating them."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from zgbench.errors import InputError, UsageError, ZgbenchError

T = TypeVar("T")
_PATIENCE_S = 20.0
_BUSY_MS = 15_000


def _connections() -> int:
    """Two a core, 4 to 12: with more, calls only wait for one another (p95 of 200 raters on 2 cores: 44 ms with 4, 89 ms with 12, 198 ms with 24)."""
    return min(max(4, 2 * (os.cpu_count() or 1)), 12)


class StoreUnavailable(ZgbenchError):
    """The database cannot be reached or written, or was lost and did not come back."""

    exit_status = 2


def resolve(url: str | os.PathLike[str] | None) -> URL:
    """The database that is meant: a URL, a path of a SQLite file, or by default ``$ZGBENCH_RATINGS``.

    Raises:
        UsageError: none is given, or one of a kind that zgbench does not know.
    """
    given = os.fspath(url) if url is not None else os.environ.get("ZGBENCH_RATINGS", "")
    if not given:
        raise UsageError(
            "where are the ratings? Give --ratings FILE (SQLite) or --ratings postgresql+psycopg://USER@HOST/DATABASE, or set ZGBENCH_RATINGS."
        )
    if "://" not in given:
        return URL.create("sqlite", database=str(Path(given).expanduser().absolute()))
    try:
        found = make_url(given)
    except (ArgumentError, ValueError) as error:
        raise UsageError(
            "--ratings: not a database URL. Expected postgresql+psycopg://USER@HOST/DATABASE or a file."
        ) from error
    if found.drivername in ("postgresql", "postgres"):
        found = found.set(drivername="postgresql+psycopg")
    if found.drivername not in ("sqlite", "postgresql+psycopg") or not found.database:
        raise UsageError(
            f"--ratings {shown(found)}: expected a SQLite file or postgresql+psycopg://USER@HOST/DATABASE."
        )
    return found


def shown(url: URL) -> str:
    """A URL as it may be printed: without its password."""
    return str(url.database) if url.drivername == "sqlite" else url.render_as_string(hide_password=True)


class Database:
    """An engine with its two kinds of transactions.

    SQLite knows one writer at a time. Threads of this process queue for their turn at a lock, which is fair and wakes
    at once; other processes are waited for by SQLite itself, which polls.
    """

    def __init__(self, url: URL) -> None:
        self.name = shown(url)
        self.sqlite = url.drivername == "sqlite"
        self._turn: threading.Lock | nullcontext[None] = threading.Lock() if self.sqlite else nullcontext()
        if self.sqlite:
            arguments: dict[str, Any] = {"timeout": _BUSY_MS / 1000, "check_same_thread": False}
            self.engine = create_engine(url, connect_args=arguments, pool_size=8, max_overflow=8)
            _prepare_sqlite(self.engine)
        else:
            self.engine = create_engine(
                url,
                connect_args={"connect_timeout": 10, "application_name": "zgbench"},
                pool_size=_connections(),
                max_overflow=0,
                pool_timeout=_PATIENCE_S,
                isolation_level="READ COMMITTED",
            )

    @contextmanager
    def _transaction(self, *, write: bool, reshape: bool = False) -> Iterator[Connection]:
        with (
            self._turn if write else nullcontext(),
            self.engine.connect().execution_options(zgbench_write=write) as connection,
            self._unchecked(connection) if reshape else nullcontext(),
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def _unchecked(self, connection: Connection) -> Iterator[None]:
        """SQLite replaces a table that others refer to by a copy, which foreign keys forbid while they are looked at."""
        driver = connection.connection.driver_connection
        if not self.sqlite or driver is None:
            yield
            return
        driver.execute("PRAGMA foreign_keys = OFF")
        try:
            yield
        finally:
            driver.execute("PRAGMA foreign_keys = ON")

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in a transaction of its own; once more if the connection was lost or a conflict was found.

        ``work`` must be safe to repeat: a lost connection does not say whether the commit arrived.

        Raises:
            StoreUnavailable: the database does not come back.
        """
        return self._patiently(work, write=True)

    def reshape(self, work: Callable[[Connection], T]) -> T:
        """The same for work that changes the tables themselves."""
        return self._patiently(work, write=True, reshape=True)

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in a transaction that only reads."""
        return self._patiently(work, write=False)

    def _patiently(self, work: Callable[[Connection], T], *, write: bool, reshape: bool = False) -> T:
        until = time.monotonic() + _PATIENCE_S
        pause = 0.01
        while True:
            try:
                with self._transaction(write=write, reshape=reshape) as connection:
                    return work(connection)
            except (OperationalError, InterfaceError, IntegrityError, PoolTimeout) as error:
                if not _passes(error) or time.monotonic() > until:
                    raise self._explained(error) from error
            except DBAPIError as error:
                raise self._explained(error) from error
            time.sleep(pause)
            pause = min(2 * pause, 0.5)

    def _explained(self, error: Exception) -> ZgbenchError:
        said = str(getattr(error, "orig", None) or error).strip().splitlines()
        text = said[0] if said else type(error).__name__
        if "file is not a database" in text:
            return InputError(f"--ratings {self.name}: not a ratings store (it is not a SQLite database).")
        return StoreUnavailable(f"ratings store {self.name}: {text}. Check that it can be reached and written.")

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")  # what is acknowledged survives a power cut
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("zgbench_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _passes(error: Exception) -> bool:
    """Whether the same transaction may well succeed in a moment."""
    if isinstance(error, PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:  # serialization, deadlock, unique violation of a race, shutdown and recovery of the server
        return state in ("40001", "40P01", "23505", "57P01", "57P02", "57P03", "53300") or state.startswith("08")
    text = str(error.orig)
    if isinstance(error, IntegrityError):
        return False
    return any(
        sign in text
        for sign in ("database is locked", "Connection refused", "connection failed", "server closed", "terminat")
    )
