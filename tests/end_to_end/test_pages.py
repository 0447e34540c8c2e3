"""Starting and stopping a page server."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import pytest

import zgbench
from tests.end_to_end.browser import free_port, served
from zgbench import pages

pytest.importorskip("streamlit", reason="needs the extra apps")
from zgbench.ratings import open_store


def test_a_taken_port_is_told() -> None:
    with socket.socket() as other:
        other.bind(("", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(zgbench.UsageError, match=rf"--port {port}: cannot be listened on"):
            pages.serve("human_eval", port, {})


def test_the_server_ends_with_its_command(tmp_path: Path) -> None:
    """SIGTERM to ``zgbench rate`` alone, as a service manager or a container sends it."""
    port = free_port()
    with (
        open_store(tmp_path / "ratings.db"),
        served("rate", "--ratings", tmp_path / "ratings.db", folder=tmp_path, port=port) as server,
    ):
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(timeout=30)
        with socket.socket() as visitor:
            assert visitor.connect_ex(("127.0.0.1", port)) != 0
