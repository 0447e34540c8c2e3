"""Embeddings on disk, keyed by the hash of the model's weights and by content.

A key holds what the vectors depend on: the SHA-256 of the weights, what was asked, and the SHA-256 of the content, so an
entry can be absent but never stale. Vectors of an encoder that does not say which weights it has are kept in memory only:
a name is no proof. A damaged cache costs time, not correctness: what does not pass its checksum is made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from zgbench.encoders.base import ImageTextEncoder, TextEncoder, Vectors
from zgbench.storage.cache_folder import cache_dir

__all__ = ["CachedTextEncoder", "EmbeddingCache", "cache_dir", "name_of"]
_FLUSH = 4096


class EmbeddingCache:
    """A table of vectors in one SQLite file; safe with several processes at once.

    When the folder cannot be written, everything works without a cache.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._file = (folder or cache_dir()) / "embeddings.sqlite"
        self._db: sqlite3.Connection | None = None
        self._off = False
        self._memory: dict[bytes, Vectors] = {}
        self._alive: dict[int, object] = {}

    def get_or_make(
        self,
        encoder: TextEncoder | ImageTextEncoder,
        what: str,
        contents: Sequence[bytes],
        make: Callable[[list[int]], Vectors],
    ) -> Vectors:
        """Vectors for contents, in order.

        Args:
            encoder: that makes them. One with an attribute ``weights`` (a hash of its weights) is cached on disk.
            what: was asked of it.
            contents: at least one.
            make: called with the indices that are not cached (first of each distinct content); gives their vectors.
        """
        weights = getattr(encoder, "weights", None)
        model = f"{what} sha256:{weights}" if weights else f"{what} {id(encoder)}"
        keys = [hashlib.sha256(model.encode() + b"\0" + content).digest() for content in contents]
        if not weights:
            return self._in_memory(encoder, keys, make)
        known = self._read(set(keys))
        first = {key: index for index, key in reversed(list(enumerate(keys)))}
        missing = sorted(index for key, index in first.items() if key not in known)
        for at in range(0, len(missing), _FLUSH):  # saved part by part: an interrupted run is not lost
            part = missing[at : at + _FLUSH]
            made = {keys[index]: vector for index, vector in zip(part, make(part), strict=True)}
            self._write(made)
            known |= made
        return np.stack([known[key] for key in keys])

    def _in_memory(self, encoder: object, keys: list[bytes], make: Callable[[list[int]], Vectors]) -> Vectors:
        self._alive[id(encoder)] = encoder  # or another object could get its id
        first = {key: index for index, key in reversed(list(enumerate(keys)))}
        if missing := sorted(index for key, index in first.items() if key not in self._memory):
            self._memory |= {keys[index]: vector for index, vector in zip(missing, make(missing), strict=True)}
        return np.stack([self._memory[key] for key in keys])

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
        """The wrapped encoder's name; ``own:`` stands before that of one that does not say which weights it has."""
        return name_of(self._encoder)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """float32 [n, d], each row of length 1; equal texts are encoded once."""
        contents = [text.encode("utf-8") for text in texts]
        return self._cache.get_or_make(
            self._encoder, "text", contents, lambda new: self._encoder.encode([texts[i] for i in new])
        )


def name_of(encoder: TextEncoder) -> str:
    """An encoder's name in the signature: of one's own encoder it is no more than a name, and so is marked ``own:``."""
    return encoder.name if getattr(encoder, "weights", None) else f"own:{encoder.name}"
