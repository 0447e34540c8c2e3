"""The Streamlit pages: where they lie, and how they are started.

``human_eval/`` and ``leaderboard/`` lie beside the package in a checkout; a wheel carries them in ``zgbench/_pages``.
"""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from zgbench.errors import DataError, UsageError
from zgbench.extras import need

_HERE = Path(__file__).resolve().parent
LOOPBACK = "127.0.0.1"
"""Only this machine reaches it: what others may reach is opened by ``--address``, or by a proxy (docs/serving.md)."""


def folder(name: str) -> Path:
    """Folder of the pages ``human_eval`` or ``leaderboard``.

    Raises:
        DataError: this copy of zgbench was installed without them.
    """
    for place in (_HERE / "_pages" / name, _HERE.parent / name):
        if (place / "app.py").is_file():
            return place
    raise DataError(f"the pages of {name} are not part of this copy of zgbench. Install it again: pip install zgbench.")


def serve(
    name: str,
    port: int,
    environment: Mapping[str, str],
    *,
    address: str = LOOPBACK,
    upload_mb: int = 1,
    toolbar: str = "minimal",
) -> int:
    """Run ``app.py`` of a page folder under Streamlit until it is stopped; returns its exit status.

    Args:
        name: ``human_eval`` or ``leaderboard``.
        port: 1–65,535.
        environment: variables that the page reads; its settings never stand on the command line, which others can see.
        address: of this machine, to listen on; ``0.0.0.0`` for all of them.
        upload_mb: largest upload, MB.
        toolbar: ``minimal``, or ``viewer`` for a menu in which a visitor chooses light or dark.

    Raises:
        UsageError: no such port or address, or it is taken.
        ModelUnavailable: Streamlit is not installed.
    """
    if not 0 < port < 65536:
        raise UsageError(f"--port {port}: expected 1 to 65535.")
    need("apps", f"the page of {name}")
    place = folder(name)
    _check_free(address, port)
    command = [
        sys.executable, "-m", "streamlit", "run", str(place / "app.py"),
        "--server.address", address, "--server.port", str(port), "--server.headless", "true", "--browser.gatherUsageStats", "false",
        "--server.fileWatcherType", "none", "--server.maxUploadSize", str(upload_mb),
        "--client.toolbarMode", toolbar, "--client.showErrorDetails", "none",
    ]  # fmt: skip
    # Streamlit reads .streamlit/config.toml (theme) of the folder that it is started in
    with subprocess.Popen(command, cwd=place, env=os.environ | dict(environment)) as server:
        before = signal.signal(signal.SIGTERM, lambda *_: server.terminate())  # else it would outlive this process
        try:
            return server.wait()
        finally:
            signal.signal(signal.SIGTERM, before)


def _check_free(address: str, port: int) -> None:
    """Tell now, in one line, what Streamlit would tell later."""
    try:
        family, kind, _, _, place = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError):
        raise UsageError(f"--address {address}: no address of this machine. For all of them: 0.0.0.0.") from None
    with socket.socket(family, kind) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(place)
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise UsageError(
                    f"--address {address}: no address of this machine. For all of them: 0.0.0.0."
                ) from None
            raise UsageError(
                f"--port {port}: cannot be listened on (in use, or not allowed). Choose another one."
            ) from None
