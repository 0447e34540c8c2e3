"""Where the result of an upload lies: on the board, in a folder of its own while it is private, or nowhere.

The files begin with the upload's stem, the first 12 digits of its hash, so nothing of anybody else is touched.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from zgbench.board.add import SUBMISSIONS
from zgbench.board.names import rename
from zgbench.board.queued import Entry
from zgbench.scores.result import RESULT
from zgbench.storage.files import replacing

_FILES = (".stats.parquet", ".segments.parquet", RESULT)
"""Of a result, which comes last and goes first: a board never shows one whose files are not there."""


def bases(board: Path, stem: str) -> list[str]:
    """Ids of the results of an upload that lie in a folder."""
    return sorted(path.name.removesuffix(RESULT) for path in board.glob(f"{stem}.*{RESULT}"))


def publish(entry: Entry, private: Path, upload: Path, board: Path) -> None:
    """Move its private results to the board, with a copy of the upload for people to look inside, and its name."""
    for base in bases(private, entry.stem):
        for ending in _FILES:
            _copy(private / f"{base}{ending}", board / f"{base}{ending}")
    if bases(board, entry.stem) and upload.is_file():
        _copy(upload, board / SUBMISSIONS / f"{entry.stem}{entry.suffix}")
    _take_away(private, entry.stem)
    rename(board, entry.id, entry.name)


def hide(entry: Entry, private: Path, board: Path) -> None:
    """Move its results from the board to its private folder."""
    for base in bases(board, entry.stem):
        for ending in _FILES:
            _copy(board / f"{base}{ending}", private / f"{base}{ending}")
    remove(entry, board)


def remove(entry: Entry, board: Path) -> None:
    """Take its results, the copy of the upload and its name off a board."""
    if board.is_dir():
        _take_away(board, entry.stem)
        (board / SUBMISSIONS / f"{entry.stem}{entry.suffix}").unlink(missing_ok=True)
        rename(board, entry.id, "")


def _take_away(board: Path, stem: str) -> None:
    for base in bases(board, stem):
        for ending in reversed(_FILES):
            (board / f"{base}{ending}").unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as temporary:
        shutil.copyfile(source, temporary)
