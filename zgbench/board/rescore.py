"""Scores stored submissions again and says where the result differs from the stored one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zgbench.board.add import store
from zgbench.board.entry import Entry
from zgbench.board.places import only
from zgbench.board.store import Board
from zgbench.board.submissions import find
from zgbench.evaluation import evaluate
from zgbench.scores.registry import held
from zgbench.scores.result import Stored, load_result

CLOSE = 1e-4
"""Largest difference of a cosine between two kinds of processor; no class and no score may move."""


def differences(
    board: Board, entry: Entry, data: str | os.PathLike[str] | None = None, submission: Path | None = None
) -> list[str] | None:
    """What a fresh evaluation has otherwise, a sentence each; empty where the files are the same byte by byte.

    On another kind of processor, the last digits of a network's output may differ. Cosines that differ by less than
    ``CLOSE`` are let pass if every class, every kept segment and every score is the same.

    Args:
        submission: its file, where it does not lie where the board finds it.

    Returns:
        None where the submission, or the ratings that were used, are not at hand.
    """
    submission = submission or find(board.folder, entry.submission_sha256)
    if submission is None or entry.rated:
        return None
    stored = entry.stored()
    asked = [r.how.lower() for r in stored.reassigned]
    with tempfile.TemporaryDirectory() as folder:
        found = evaluate(submission, data=data, protocol=stored.protocol, reassign=asked, scores=held(stored.result))
        fresh = load_result(store(only(found, entry.signatures), Path(folder), entry.id))
        places = {kind: e["name"] for kind, e in fresh.result["files"].items()} | {"result": fresh.path.name}
        other = [
            kind
            for kind, name in places.items()
            if (fresh.path.parent / name).read_bytes() != (board.folder / name).read_bytes()
        ]
    return _told(stored, fresh) if other else []


def _told(stored: Stored, fresh: Stored) -> list[str]:
    """Differences beyond rounding."""
    left, right = _comparable(stored.result), _comparable(fresh.result)
    wrong = [f"{key} is another" for key in left.keys() | right.keys() if left.get(key) != right.get(key)]
    a, b = stored.counts, fresh.counts
    same = (a.ids, a.labels) == (b.ids, b.labels) and all(
        np.array_equal(getattr(a, name), getattr(b, name)) for name in ("image", "segment", "cls", "pixels", "offsets")
    )
    if not same:
        wrong.append("the pixel counts differ")
    for one, other in zip(stored.reassigned, fresh.reassigned, strict=False):
        if not np.array_equal(one.decision.class_id, other.decision.class_id):
            wrong.append(f"{one.how} gives other classes")
        elif np.abs(one.decision.similarity - other.decision.similarity).max(initial=0) > CLOSE:
            wrong.append(f"the cosines of {one.how} differ by more than {CLOSE}")
    return wrong


def _comparable(result: Mapping[str, Any]) -> dict[str, Any]:
    """Without what another machine may have otherwise: which models it lacks moves no score."""
    return {key: value for key, value in result.items() if key not in ("files", "timing_s", "versions", "unavailable")}
