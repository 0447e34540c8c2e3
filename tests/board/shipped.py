"""The board that ships with zgbench, and copies of it with something changed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from zgbench.board.store import Board, Group, default_folder, load_board
from zgbench.scores.result import RESULT

BOARD = load_board()
IDS = [entry.id for entry in BOARD.entries]
KINDS = (".stats.parquet", ".segments.parquet", RESULT)


def group_of(reassign: str = "TT", track: str = "free", board: Board = BOARD) -> Group:
    """The group of ``mini`` with that reassignment."""
    return next(g for g in board.groups("mini") if (g.reassign, g.track) == (reassign, track))


def copied(board: Path, source: str, stem: str, change: Callable[[dict[str, Any]], None] = lambda _: None) -> Path:
    """Copy the three files of a shipped entry; the result may be changed on the way."""
    board.mkdir(exist_ok=True)
    origin = default_folder()
    for kind in KINDS[:2]:
        shutil.copyfile(origin / f"{source}{kind}", board / f"{stem}.mini{kind}")
    result = json.loads((origin / f"{source}{RESULT}").read_text(encoding="utf-8"))
    for kind, ending in zip(("stats", "segments"), KINDS, strict=False):
        result["files"][kind]["name"] = f"{stem}.mini{ending}"
    change(result)
    target = board / f"{stem}.mini{RESULT}"
    target.write_text(json.dumps(result), encoding="utf-8")
    return target
