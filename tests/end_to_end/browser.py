"""A real Chromium, and zgbench's pages served as people serve them, for tests of the pages."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking")
_START_S = 60.0


def chromium_path() -> str:
    """Where Chromium lies; without it a test is skipped, but fails in CI (``CI`` set), where it must be there."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found is not None:
            return found
    reason = "needs Chromium (Debian: apt-get install chromium)"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def chromium(*flags: str) -> Iterator[Any]:
    """A running Chromium; playwright's ``Browser``. Use it in a fixture of module scope: starting takes a second."""
    path = chromium_path()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*FLAGS, *flags])
        try:
            yield browser
        finally:
            browser.close()


def free_port() -> int:
    """A TCP port of this machine that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass
class Server:
    """A page server: its address, its process (leader of a process group of its own) and what it wrote."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        """Kill −9, with everything that it started."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=30)

    def output(self) -> str:
        """What the server printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")


@contextmanager
def served(*command: object, folder: Path, port: int | None = None, **environment: str) -> Iterator[Server]:
    """Run ``zgbench COMMAND --port PORT`` until the block ends.

    Args:
        command: such as ``"rate", "--ratings", path``.
        folder: to keep the log in.
        port: default: a free one.
        environment: variables on top of this process's.
    """
    port = port or free_port()
    log = folder / f"server-{port}.log"
    env = {k: v for k, v in os.environ.items() if k not in ("ZGBENCH_DEBUG", "PYTHONWARNINGS")}
    env |= {"HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1", **environment}
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "zgbench", *map(str, command), "--port", str(port)],
            stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=env, start_new_session=True,
        )  # fmt: skip
    server = Server(f"http://127.0.0.1:{port}", process, log)
    try:
        _wait(server)
        yield server
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                server.kill()


def _wait(server: Server) -> None:
    until = time.monotonic() + _START_S
    while time.monotonic() < until:
        if server.process.poll() is not None:
            raise AssertionError(f"the server ended with status {server.process.returncode}:\n{server.output()}")
        try:
            with urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise AssertionError(f"the server did not answer within {_START_S:.0f} s:\n{server.output()}")
