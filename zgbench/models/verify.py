"""What a file is by its content, worked out once and remembered as long as the file stays the same.

A file counts as the same while its path, size, inode, time of change and time of modification are. The memory is one
SQLite file in zgbench's cache folder; without it, hashes are worked out again.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from zgbench.storage.cache_folder import cache_dir
from zgbench.storage.files import sha256_file

_here: dict[tuple[str, str], str] = {}


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file, from the memory where the file has not changed."""
    known = recall(path, "sha256")
    if known is None:
        before = _key(path)
        known = sha256_file(path)
        if _key(path) == before:  # not written to meanwhile
            remember(path, "sha256", known)
    return known


def sha256_folder(folder: Path) -> str:
    """Hexadecimal SHA-256 of a folder: the paths in it and their files' hashes; hidden files and README.md are no part."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and inside.name != "README.md" and not any(part.startswith(".") for part in inside.parts):
            digest.update(f"{sha256(path)} {inside.as_posix()}\n".encode())
    return digest.hexdigest()


def recall(path: Path, what: str) -> str | None:
    """What was remembered about a file, None when nothing was or the file has changed since."""
    key = _key(path)
    if (key, what) in _here:
        return _here[key, what]
    with contextlib.suppress(sqlite3.Error, OSError), _memory() as db:
        row = db.execute("SELECT value FROM known WHERE file = ? AND what = ?", (key, what)).fetchone()
        if row is not None and isinstance(row[0], str):
            _here[key, what] = row[0]
            return row[0]
    return None


def remember(path: Path, what: str, value: str) -> None:
    """Remember something about a file's content."""
    key = _key(path)
    _here[key, what] = value
    with contextlib.suppress(sqlite3.Error, OSError), _memory() as db:
        db.execute("INSERT OR REPLACE INTO known VALUES (?, ?, ?)", (key, what, value))


def _key(path: Path) -> str:
    real = path.resolve()  # a link that was turned to another file is another file
    s = real.stat()
    return f"{s.st_size} {s.st_mtime_ns} {s.st_ctime_ns} {s.st_dev} {s.st_ino} {real}"


@contextlib.contextmanager
def _memory() -> Iterator[sqlite3.Connection]:
    cache_dir().mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(cache_dir() / "models.sqlite", timeout=10)
    try:
        with db:
            db.execute("CREATE TABLE IF NOT EXISTS known (file TEXT, what TEXT, value TEXT, PRIMARY KEY (file, what))")
            yield db
    finally:
        db.close()
