"""The proxy of docs/serving.md, run by Debian's nginx."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs/serving.md"
RATER, BOARD, CERTIFICATE, KEY, PORT = (
    "127.0.0.1:8501", "127.0.0.1:8502", "/etc/ssl/certs/example.org.pem", "/etc/ssl/private/example.org.key", "443 ssl",
)  # fmt: skip
_AROUND = """
user root;  # heard by root only, whose folders nobody else may enter
daemon off;
pid nginx.pid;
error_log stderr;
events {}
http {
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    include documented.conf;
}
"""


def nginx_path() -> str:
    """Where nginx lies; without it a test is skipped, but fails in CI, where it must be there."""
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        reason = "needs nginx (Debian: apt-get install nginx)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def documented(instead: Mapping[str, str]) -> str:
    """The snippet, with addresses and files of this machine in the place of those that it names."""
    (snippet,) = re.findall(r"```nginx\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    for old, new in instead.items():
        assert snippet.count(old) == 1, f"{old} stands {snippet.count(old)} times in the snippet"
        snippet = snippet.replace(old, new)
    return str(snippet)


@contextmanager
def proxy(folder: Path, port: int, *, board: str, rater: str, project: str) -> Iterator[None]:
    """Run the documented proxy on a port of 127.0.0.1.

    Args:
        board, rater: host and port of the two servers behind it.
        project: origin of the page that may show the board in a frame.
    """
    path = nginx_path()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=example.org",
         "-keyout", "key.pem", "-out", "certificate.pem"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    (folder / "nginx.conf").write_text(_AROUND)
    instead = {
        RATER: rater, BOARD: board, CERTIFICATE: "certificate.pem", KEY: "key.pem", PORT: f"127.0.0.1:{port} ssl",
        "https://project.example.org;": f"{project};",
    }  # fmt: skip
    (folder / "documented.conf").write_text(documented(instead))
    with (folder / "nginx.log").open("wb") as log:
        running = subprocess.Popen([path, "-p", str(folder), "-c", "nginx.conf"], stdout=log, stderr=log)
    try:
        _wait(running, port, folder / "nginx.log")
        yield
    finally:
        running.terminate()
        running.wait(timeout=10)


def _wait(running: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until and running.poll() is None:
        with socket.socket() as visitor:
            if visitor.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"nginx does not run:\n{log.read_text(errors='replace')}")
