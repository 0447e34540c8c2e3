"""Where zgbench keeps what it can make or fetch again."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path


def cache_dir() -> Path:
    """``ZGBENCH_CACHE``, or ``zgbench`` in the user's cache folder."""
    chosen = os.environ.get("ZGBENCH_CACHE")
    return Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "zgbench"


@dataclass(frozen=True)
class Part:
    """One thing that zgbench keeps.

    Attributes:
        use: what it spares.
        names: of its files and folders in the cache folder.
    """

    use: str
    names: tuple[str, ...]

    def size(self) -> tuple[int, int]:
        """Files, and their bytes."""
        places = [cache_dir() / name for name in self.names]
        files = [
            file
            for place in places
            for file in ([place] if place.is_file() else place.rglob("*") if place.is_dir() else [])
            if file.is_file()
        ]
        return len(files), sum(file.stat().st_size for file in files)

    def clear(self) -> None:
        """Remove it. Raises OSError where that may not be."""
        for name in self.names:
            place = cache_dir() / name
            if place.is_dir() and not place.is_symlink():
                shutil.rmtree(place)
            else:
                place.unlink(missing_ok=True)


def _database(name: str) -> tuple[str, ...]:
    return tuple(f"{name}.sqlite{ending}" for ending in ("", "-wal", "-shm", "-journal"))


PARTS = {
    "embeddings": Part(
        "vectors of labels and segments: no model is needed for those met before", _database("embeddings")
    ),
    "board": Part("what was worked out of stored results for the leaderboard", ("board",)),
    "hashes": Part("hashes of model files, so that they are read once", _database("models")),
    "models": Part("models that `zgbench models fetch` got by another way than the hub", ("models",)),
}
"""All of it can be made or fetched again."""
