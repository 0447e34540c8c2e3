"""Embeddings on disk, keyed by model revision and content.

A key names the model with its revision, what was asked, and the SHA-256 of the content, so an entry can be
absent but never stale. A damaged cache costs time, not correctness: what does not pass its checksum is made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from zgbench.encoders.base import TextEncoder, Vectors

_FLUSH = 4096


def cache_dir() -> Path:
    """``ZGBENCH_CACHE``, or ``zgbench`` in the user's cache folder."""
    chosen = os.environ.get("ZGBENCH_CACHE")
    return Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "zgbench"


class EmbeddingCache:
    """A table of vectors in one SQLite file; safe with several processes at once.

    When the folder cannot be written, everything works without a cache.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._file = (folder or cache_dir()) / "embeddings.sqlite"
        self._db: sqlite3.Connection | None = None
        self._off = False

    def get_or_make(self, model: str, contents: Sequence[bytes], make: Callable[[list[int]], Vectors]) -> Vectors:
        """Vectors for contents, in order.

        Args:
            model: everything but the content that the vectors depend on.
            contents: at least one.
            make: called with the indices that are not cached (first of each distinct content); gives their vectors.
        """
        keys = [hashlib.sha256(model.encode() + b"\0" + content).digest() for content in contents]
        known = self._read(set(keys))
        first = {key: index for index, key in reversed(list(enumerate(keys)))}
        missing = sorted(index for key, index in first.items() if key not in known)
        for at in range(0, len(missing), _FLUSH):  # saved part by part: an interrupted run is not lost
            part = missing[at : at + _FLUSH]
            made = {keys[index]: vector for index, vector in zip(part, make(part), strict=True)}
            self._write(made)
            known |= made
        return np.stack([known[key] for key in keys])

    def _connect(self) -> sqlite3.Connection | None:
        if self._db is None and not self._off:
            try:
                self._file.parent.mkdir(parents=True, exist_ok=True)
                self._db = sqlite3.connect(self._file, timeout=30)
                self._db.execute("PRAGMA journal_mode=WAL")
                self._db.execute(
                    "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, crc INTEGER, vector BLOB) WITHOUT ROWID"
                )
            except (OSError, sqlite3.Error) as error:
                self._give_up(error)
        return self._db

    def _give_up(self, error: OSError | sqlite3.Error) -> None:
        """Go on without; a damaged file is put aside, so that the next run starts a new one.

        One that is only locked, read-only or on a full disk stays: other processes may be using it.
        """
        if self._db is not None:
            with contextlib.suppress(sqlite3.Error):
                self._db.close()
            self._db = None
        if getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            for ending in ("", "-wal", "-shm"):
                with contextlib.suppress(OSError):
                    Path(f"{self._file}{ending}").replace(f"{self._file.with_suffix('.damaged')}{ending}")
        else:
            self._off = True

    def _read(self, keys: set[bytes]) -> dict[bytes, Vectors]:
        db = self._connect()
        if db is None:
            return {}
        found: dict[bytes, Vectors] = {}
        wanted = sorted(keys)
        try:
            for at in range(0, len(wanted), 500):
                part = wanted[at : at + 500]
                rows = db.execute(
                    f"SELECT key, crc, vector FROM vectors WHERE key IN ({','.join('?' * len(part))})", part
                )
                for key, crc, vector in rows:
                    if isinstance(vector, bytes) and vector and len(vector) % 4 == 0 and zlib.crc32(vector) == crc:
                        found[key] = np.frombuffer(vector, dtype="<f4").astype(np.float32)
        except sqlite3.Error as error:
            self._give_up(error)
            return {}
        return found

    def _write(self, made: dict[bytes, Vectors]) -> None:
        db = self._connect()
        if db is None:
            return
        rows = [
            (key, zlib.crc32(blob), blob) for key, vector in made.items() for blob in [vector.astype("<f4").tobytes()]
        ]
        try:
            with db:
                db.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)
        except sqlite3.Error as error:  # a full disk, a locked file: the vectors are in hand all the same
            self._give_up(error)


class CachedTextEncoder:
    """A text encoder that asks the cache first; the model is not even loaded when everything is there."""

    def __init__(self, encoder: TextEncoder, cache: EmbeddingCache) -> None:
        self._encoder, self._cache = encoder, cache

    @property
    def name(self) -> str:
        """The wrapped encoder's name."""
        return self._encoder.name

    def encode(self, texts: Sequence[str]) -> Vectors:
        """float32 [n, d], each row of length 1; equal texts are encoded once."""
        contents = [text.encode("utf-8") for text in texts]
        return self._cache.get_or_make(
            f"text {self.name}", contents, lambda new: self._encoder.encode([texts[i] for i in new])
        )
