"""The hub's HTTP interface, as far as its client needs it to fetch files of a pinned revision; and its bad days."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class Repository:
    """A repository at one revision: path → content. Files of at least 10 kB are kept as the hub keeps large ones."""

    name: str
    revision: str
    files: dict[str, bytes]

    @classmethod
    def of(cls, name: str, folder: Path, revision: str | None = None) -> Repository:
        files = {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
        return cls(name, revision or hashlib.sha1(name.encode()).hexdigest(), files)

    def large(self, path: str) -> bool:
        return len(self.files[path]) >= 10_000


@dataclass
class Hub:
    """A running stand-in.

    Attributes:
        url: for ``HF_ENDPOINT``.
        store: another server, which large files are redirected to.
        requests: "METHOD path" of everything that was asked.
        fault: what goes wrong: ``429``, ``hang``, ``missing FILE``, ``cut FILE`` (the connection ends in the middle),
            ``short FILE`` (less is stored than was published), ``other FILE`` (of another model).
    """

    url: str
    store: str
    repositories: list[Repository]
    requests: list[str] = field(default_factory=list)
    fault: str = ""
    closing: threading.Event = field(default_factory=threading.Event)

    def files(self, repository: Repository) -> dict[str, bytes]:
        """What it delivers, which is not always what was published."""
        kind, _, name = self.fault.partition(" ")
        files = dict(repository.files)
        if kind == "missing":
            files.pop(name, None)
        elif kind == "short" and name in files:
            files[name] = files[name][: len(files[name]) // 2]
        elif kind == "other" and name in files:
            files[name] = files[name][:-4] + b"\1\2\3\4"
        return files


@contextmanager
def serving(*repositories: Repository) -> Iterator[Hub]:
    """A hub with these repositories, until the block ends."""
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), _Handler) for _ in range(2)]
    url, store = (f"http://127.0.0.1:{server.server_address[1]}" for server in servers)
    hub = Hub(url, store, list(repositories))
    threads = []
    for server in servers:
        server.daemon_threads = True
        server.block_on_close = False
        server.hub = hub  # type: ignore[attr-defined]
        threads.append(threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True))
        threads[-1].start()
    try:
        yield hub
    finally:
        hub.closing.set()
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            server.server_close()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self) -> None:
        hub: Hub = self.server.hub  # type: ignore[attr-defined]
        hub.requests.append(f"{self.command} {self.path}")
        if hub.fault == "hang":
            hub.closing.wait(120)
            self.close_connection = True
            return None
        if hub.fault == "429":
            return self._send(429, b"Too Many Requests", {"Retry-After": "300", "RateLimit": '"api";r=0;t=300'})
        path = self.path.partition("?")[0]
        for repository in hub.repositories:
            if (
                found := re.fullmatch(rf"/api/models/{re.escape(repository.name)}(?:/revision/([^/]+))?", path)
            ) is not None:
                return self._about(hub, repository, found[1])
            if (found := re.fullmatch(rf"/{re.escape(repository.name)}/resolve/([^/]+)/(.+)", path)) is not None:
                return self._file(hub, repository, found[1], found[2])
            for name, content in hub.files(repository).items():
                if path == f"/cdn/{hashlib.sha256(repository.files[name]).hexdigest()}":
                    return self._content(hub, name, content)
        return self._send(404, b"", {"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"})

    def _about(self, hub: Hub, repository: Repository, revision: str | None) -> None:
        if revision not in (None, "main", repository.revision):
            return self._send(404, b"", {"X-Error-Code": "RevisionNotFound", "X-Error-Message": "no such revision"})
        siblings = [
            {"rfilename": name, "size": len(content), "blobId": _blob(content)}
            | ({"lfs": {"sha256": _sha(repository.files[name]), "size": len(content), "pointerSize": 134}} if repository.large(name) else {})
            for name, content in hub.files(repository).items()
        ]  # fmt: skip
        about = {"_id": "0" * 24, "id": repository.name, "modelId": repository.name, "sha": repository.revision, "private": False, "gated": False, "disabled": False, "tags": [], "downloads": 0, "likes": 0, "siblings": siblings}  # fmt: skip
        return self._send(200, json.dumps(about).encode(), {"Content-Type": "application/json"})

    def _file(self, hub: Hub, repository: Repository, revision: str, name: str) -> None:
        if revision not in ("main", repository.revision):
            return self._send(404, b"", {"X-Error-Code": "RevisionNotFound", "X-Error-Message": "no such revision"})
        content = hub.files(repository).get(name)
        if content is None:
            return self._send(404, b"", {"X-Error-Code": "EntryNotFound", "X-Error-Message": "Entry not found"})
        headers = {"X-Repo-Commit": repository.revision}
        if not repository.large(name):
            return self._content(hub, name, content, headers | {"ETag": f'"{_blob(content)}"'})
        sha256 = _sha(repository.files[name])
        headers |= {"X-Linked-ETag": f'"{sha256}"', "X-Linked-Size": str(len(content)), "ETag": f'"{sha256[:32]}"'}
        return self._send(302, b"", headers | {"Location": f"{hub.store}/cdn/{sha256}"})

    def _content(self, hub: Hub, name: str, content: bytes, headers: dict[str, str] | None = None) -> None:
        start = 0
        if (wanted := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))) is not None:
            start = int(wanted[1])
        part = content[start:]
        cut = hub.fault == f"cut {name}" and self.command == "GET"
        headers = {"Accept-Ranges": "bytes"} | (headers or {})
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self._send(206 if start else 200, part, headers, sent=len(part) // 2 if cut else None)

    def _send(self, status: int, content: bytes, headers: dict[str, str], sent: int | None = None) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(content))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content[:sent])
            if sent is not None:
                self.wfile.flush()
                time.sleep(0.05)
                self.close_connection = True


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _blob(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
