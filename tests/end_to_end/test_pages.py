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


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_a_taken_port_is_told(address: str) -> None:
    with socket.socket() as other:
        other.bind((address, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(zgbench.UsageError, match=rf"--port {port}: cannot be listened on"):
            pages.serve("human_eval", port, {}, address=address)


@pytest.mark.parametrize("address", ["", "192.0.2.1", "no such host", "-1"])
def test_an_address_that_is_not_this_machine_s_is_told(address: str) -> None:
    with pytest.raises(zgbench.UsageError, match=rf"--address {address}: no address of this machine"):
        pages.serve("human_eval", free_port(), {}, address=address)


def test_only_this_machine_reaches_it_and_it_ends_with_its_command(tmp_path: Path) -> None:
    """SIGTERM to ``zgbench rate`` alone, as a service manager or a container sends it."""
    import psutil

    port = free_port()
    with (
        open_store(tmp_path / "ratings.db"),
        served("rate", "--ratings", tmp_path / "ratings.db", folder=tmp_path, port=port) as server,
    ):
        (pages_process,) = psutil.Process(server.process.pid).children()
        listens = [c.laddr for c in pages_process.net_connections() if c.status == psutil.CONN_LISTEN]
        assert {(where.ip, where.port) for where in listens} == {("127.0.0.1", port)}
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(timeout=30)
        with socket.socket() as visitor:
            assert visitor.connect_ex(("127.0.0.1", port)) != 0
