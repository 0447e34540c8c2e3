"""What is no method: baselines and ceilings, which are shown apart and never ranked.

The board's keeper says so, not the submission: ``BOARD/kinds.csv`` has a line for each such submission, known by its
content, so that it is marked whatever its files are called and under every protocol.
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Literal, get_args

from zgbench.storage.files import write_bytes

Kind = Literal["method", "baseline", "ceiling"]
"""``baseline``: a simple row to compare with. ``ceiling``: shows what the truth itself would reach."""
KINDS: tuple[Kind, ...] = get_args(Kind)
FILE = "kinds.csv"
_COLUMNS = ("submission_sha256", "kind", "name")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def read_kinds(board: Path) -> tuple[dict[str, Kind], list[str]]:
    """SHA-256 of a submission → its kind; and what is wrong with the file, a sentence each. Without a file: nothing."""
    try:
        text = (board / FILE).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}, []
    except (OSError, UnicodeDecodeError) as error:
        return {}, [f"{FILE}: cannot be read ({error}); baselines are ranked like methods"]
    found: dict[str, Kind] = {}
    wrong = []
    for number, row in enumerate(csv.reader(io.StringIO(text)), start=1):
        if not row or tuple(row) == _COLUMNS:
            continue
        sha256, kind = (*row, "", "")[:2]
        if _SHA256.fullmatch(sha256) and kind in KINDS:
            found[sha256] = kind
        else:
            wrong.append(f"{FILE}, line {number}: expected the SHA-256 of a submission, and one of {', '.join(KINDS)}")
    return found, wrong


def mark(board: Path, sha256: str, kind: Kind, name: str) -> None:
    """Note what a submission is, in place of what was said before; ``method`` takes its line away.

    Args:
        name: of the submission, for people who read the file.
    """
    try:
        rows = list(csv.reader(io.StringIO((board / FILE).read_text(encoding="utf-8-sig"))))
    except FileNotFoundError:
        rows = []
    before = [row for row in rows if row and tuple(row) != _COLUMNS]
    after = [row for row in before if row[0] != sha256]
    if kind != "method":
        after.append([sha256, kind, name])
    after.sort(key=lambda row: row[1:])
    if sorted(before) == sorted(after):
        return
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([_COLUMNS, *after])
    write_bytes(board / FILE, out.getvalue().encode())
