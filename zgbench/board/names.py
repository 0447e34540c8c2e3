"""Names that owners of uploads gave their methods after they were sent: ``BOARD/names.csv``, by the submission's content.

The submission keeps its own name, so that its hash stays what it is.
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

from zgbench.storage.files import write_bytes
from zgbench.submission.schema import MAX_LABEL, text_problem

FILE = "names.csv"
_COLUMNS = ["submission_sha256", "name"]
_SHA256 = re.compile(r"[0-9a-f]{64}")


def read_names(board: Path) -> tuple[dict[str, str], list[str]]:
    """SHA-256 of a submission → the name to show; and what is wrong with the file, a sentence each. Without a file: nothing."""
    found: dict[str, str] = {}
    try:
        rows = _rows(board)
    except (OSError, UnicodeDecodeError) as error:
        return {}, [f"{FILE}: cannot be read ({error}); methods have the names of their submissions"]
    wrong = []
    for number, row in enumerate(rows, start=1):
        if len(row) == 2 and _SHA256.fullmatch(row[0]) and text_problem(row[1], MAX_LABEL) is None:
            found[row[0]] = row[1]
        elif row not in ([], _COLUMNS):
            wrong.append(
                f"{FILE}, line {number}: expected the SHA-256 of a submission, and 1 to {MAX_LABEL} visible characters"
            )
    return found, wrong


def rename(board: Path, sha256: str, name: str) -> None:
    """Show a submission under a name; an empty one gives it its own back."""
    rows = [row for row in _rows(board) if row and row != _COLUMNS]
    after = sorted([row for row in rows if row[0] != sha256] + ([[sha256, name]] if name else []))
    if after == rows:
        return
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([_COLUMNS, *after])
    write_bytes(board / FILE, out.getvalue().encode())


def _rows(board: Path) -> list[list[str]]:
    try:
        return list(csv.reader(io.StringIO((board / FILE).read_text(encoding="utf-8-sig"))))
    except FileNotFoundError:
        return []
