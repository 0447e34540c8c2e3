"""A PostgreSQL server of one's own: made from the installed binaries, for as long as a test needs it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

USER = "zgbench"


def binaries() -> Path | None:
    """Folder of the newest installed server."""
    on_path = shutil.which("initdb")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    return found[-1].parent if found else Path(on_path).parent if on_path else None


def _unprivileged() -> pwd.struct_passwd | None:
    """The user that the server runs as: it refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("no unprivileged user to run PostgreSQL as: neither postgres nor nobody")


def _state(pid: int) -> str:
    """Letter of a process's state in /proc: T stopped, Z ended but not waited for, X gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except FileNotFoundError:
        return "X"


def _until(holds: Callable[[], bool], limit_s: float = 30) -> None:
    """Wait until something holds."""
    until = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < until, "a process of the server did not end"
        time.sleep(0.002)


class Server:
    """A running server with an empty database.

    Attributes:
        folder: holds its data and its log.
    """

    def __init__(self, bin_folder: Path, folder: Path) -> None:
        self.bin, self.folder = bin_folder, folder
        self.user = _unprivileged()
        self.process: subprocess.Popen[bytes] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self._databases = 0
        if self.user is not None:
            os.chown(folder, self.user.pw_uid, self.user.pw_gid)
        options = ["-D", str(folder / "data"), "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        done = subprocess.run(
            [self.bin / "initdb", *options], capture_output=True, text=True, check=False, cwd=folder, **self._as()
        )
        assert done.returncode == 0, done.stderr

    def _as(self) -> dict[str, object]:
        return {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []} if self.user else {}

    def start(self) -> None:
        """Start the server and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.bin / "postgres", "-D", self.folder / "data", "-p", str(self.port), "-h", "127.0.0.1", "-k", ""],
                stdout=log, stderr=log, cwd=self.folder, **self._as(),
            )  # fmt: skip
        until = time.monotonic() + 60
        while time.monotonic() < until:
            ready = [self.bin / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port), "-U", USER]
            if subprocess.run(ready, check=False).returncode == 0:
                return
            assert self.process.poll() is None, (self.folder / "log").read_text()
            time.sleep(0.1)
        raise AssertionError((self.folder / "log").read_text())

    def kill(self) -> None:
        """kill −9: the server and every process of its own. Nothing is flushed, nothing is said."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)  # so that it starts no child between the list and the end
        _until(lambda: _state(self.process.pid) in "TtZ")  # type: ignore[union-attr]
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        self.process.send_signal(signal.SIGKILL)
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)
        self.process.wait(30)
        _until(lambda: all(_state(int(child)) in "ZX" for child in children))  # none writes beside the next server
        (self.folder / "data/postmaster.pid").unlink(missing_ok=True)

    def stop(self) -> None:
        """End the server."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)  # its data are thrown away
            self.process.wait(30)

    def new_database(self) -> str:
        """URL of a database that nobody has used."""
        self._databases += 1
        name = f"study{self._databases}"
        command = [self.bin / "createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, name]
        subprocess.run(command, check=True, capture_output=True)
        return f"postgresql+psycopg://{USER}@127.0.0.1:{self.port}/{name}"


@contextmanager
def running() -> Iterator[Server]:
    """A server that is gone, with its files, at the end of the block."""
    found = binaries()
    if found is None:
        reason = "needs PostgreSQL's server (Debian: apt-get install postgresql)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="zgbench-postgres-"))
    try:
        server = Server(found, folder)
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
