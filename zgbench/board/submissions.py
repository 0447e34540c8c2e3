"""Where the submissions behind stored results lie; they are found by their content, never by a name."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from zgbench import pages
from zgbench.errors import DataError
from zgbench.storage.files import sha256_file
from zgbench.submission.reader import SUFFIXES


def folders(board: Path) -> list[Path]:
    """Folders that are looked through: of the board, and of this copy of zgbench."""
    found = [board / "submissions"]
    try:
        found.append(pages.folder("leaderboard").parent / "submissions")
    except DataError:  # a copy without pages has no submissions either
        return found
    return found


def find(board: Path, sha256: str) -> Path | None:
    """The submission of this hash, None where it is not at hand."""
    for folder in folders(board):
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.is_file() and path.name.endswith(SUFFIXES):
                status = path.stat()
                if _sha256(path, status.st_mtime_ns, status.st_size) == sha256:
                    return path
    return None


@lru_cache(maxsize=4096)
def _sha256(path: Path, _changed: int, _size: int) -> str:
    return sha256_file(path)
