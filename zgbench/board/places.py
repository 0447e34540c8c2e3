"""Where a result lies on a board, and what it may take the place of.

A board has one result for each submission and signature; a stem, the first part of the file names, stands for one
submission. What others added, or what was scored under another protocol, is never replaced without being told to.

    mine.pas20.result.json                  under the data set's default protocol
    mine.pas20.offline.result.json          under another preset
    mine.pas20.offline-1a2b3c4d.result.json under a changed one, or with other rows than a result that has the name
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from dataclasses import replace as replace_fields
from pathlib import Path
from typing import Any

from zgbench.board.entry import Entry
from zgbench.board.store import Board
from zgbench.errors import UsageError
from zgbench.protocol import PRESETS, Protocol, meaning, preset
from zgbench.scores.by_label import ENDING
from zgbench.scores.result import RESULT, Evaluation
from zgbench.scores.result_types import ByLabelScores, Result, ScoreRow, Tgq
from zgbench.storage.files import sha256_lines


def _all(board: Board) -> tuple[Entry, ...]:
    return (*board.entries, *board.hidden)


def _of_stem(entry: Entry, stem: str) -> bool:
    return f"{entry.id}.".startswith(f"{stem}.{entry.dataset}.") or entry.id.startswith(f"{stem}.{entry.dataset}-")


def refuse_taken(board: Board, stem: str, sha256: str, *, replace: bool) -> None:
    """Raises UsageError where the stem is another submission's, or the submission has another stem."""
    for entry in _all(board):
        same = _of_stem(entry, stem)
        if same and entry.submission_sha256 != sha256 and not replace:
            raise UsageError(
                f"the board has another submission as {entry.id} ({entry.name!r}). Give another name with --stem, or --replace it."
            )
        if not same and entry.submission_sha256 == sha256 and entry in board.entries:
            raise UsageError(f"the board has this very submission already, as {entry.id}. It counts once.")


@dataclass(frozen=True)
class Settled:
    """What becomes of a result on a board.

    Attributes:
        new: it, with the rows that the board lacks.
        gone: entries that go when it comes.
        known: entries that have its other rows.
    """

    new: Evaluation
    gone: list[Entry]
    known: list[Entry]


def settled(board: Board, stem: str, found: Evaluation, *, replace: bool = False) -> Settled:
    """Find out what is new. Protocols share rows (ST is the same under ``v1`` and ``offline``), and each counts once.

    An entry of the same submission and protocol goes where the result has all of its rows.

    Args:
        replace: whether entries of another submission with the stem go as well, and one of the same protocol.

    Raises:
        UsageError: the board has other numbers under one of the signatures, as from other human ratings.
    """
    sha256, mine = found.result["submission"]["sha256"], frozenset(_rows(found.result))
    name, hidden = base_of(found, stem, ()), {entry.id for entry in board.hidden}
    gone: list[Entry] = []
    told: dict[str, Entry] = {}
    for entry in _all(board):
        shared = entry.signatures & mine
        if entry.submission_sha256 != sha256:
            if replace and entry.dataset == found.dataset.key and _of_stem(entry, stem):
                gone.append(entry)
        elif entry.id in hidden:
            gone += [entry] if shared or entry.id == name else []
        elif (entry.signatures <= mine or (shared and replace)) and _protocol(entry) == found.result["protocol"]:
            gone.append(entry)
        else:
            told |= dict.fromkeys(shared, entry)
    for signature, entry in told.items():
        there, here = (_rows(result)[signature] for result in (entry.stored().result, found.result))
        if not _same(here, there):
            raise UsageError(
                f"the board has other numbers of this submission under the same signature, in {entry.id}. "
                "Add it with all rows that are there (--reassign, --ratings), or --replace them."
            )
    known = [entry for entry in board.entries if entry.id in {one.id for one in told.values()}]
    return Settled(only(found, mine - told.keys()), gone, known)


def _same(here: Mapping[str, Any], there: Mapping[str, Any]) -> bool:
    """Whether two rows of one meaning say the same, in what both say: one may hold scores that the other was not asked for."""
    optional = ("signature", "more", "scores")
    if {k: v for k, v in here.items() if k not in optional} != {k: v for k, v in there.items() if k not in optional}:
        return False
    return all(
        here[key][name] == there[key][name]
        for key in ("more", "scores")
        for name in here.get(key, {}).keys() & there.get(key, {}).keys()
    )


def _protocol(entry: Entry) -> Any:
    return entry.stored().result["protocol"]


def only(found: Evaluation, signatures: Collection[str]) -> Evaluation:
    """A result without the rows of other signatures, which are given by their meaning."""
    rows = [row for row in found.scores if meaning(row["signature"]) in signatures]
    tgq = found.tgq if found.tgq is not None and meaning(found.tgq["signature"]) in signatures else None
    there = {row["reassign"] for row in rows}
    reassigned = [one for one in found.reassigned if one.how in there]
    result: Result = {**found.result, "scores": rows, "tgq": tgq}
    held = result.pop("by_label", {})
    blocks = {scope: block for scope, block in held.items() if meaning(block["signature"]) in signatures}
    labels = None
    if blocks and found.labels is not None:
        result["by_label"] = blocks
        labels = found.labels.only([name for block in blocks.values() for name in block["scores"]])
    return replace_fields(found, result=result, reassigned=reassigned, labels=labels)


def base_of(found: Evaluation, stem: str, taken: Collection[str]) -> str:
    """First part of the file names of a result.

    Args:
        taken: ids that stay on the board.
    """
    key = found.dataset.key
    protocol = Protocol(**found.result["protocol"])
    base = f"{stem}.{key}"
    if protocol != preset(None, key):
        label = re.sub(r"[^A-Za-z0-9_.+-]", "-", protocol.name)[:40]
        changed = json.dumps(asdict(protocol), sort_keys=True)
        base += f".{label}" if PRESETS.get(protocol.name) == protocol else f".{label}-{sha256_lines([changed])[:8]}"
    return f"{base}-{sha256_lines(sorted(_rows(found.result)))[:8]}" if base in taken else base


def remove(entry: Entry) -> None:
    """Take an entry's files away, the result first; what other results share stays."""
    entry.path.unlink(missing_ok=True)
    for ending in (".stats.parquet", ".segments.parquet", ENDING):
        Path(f"{str(entry.path).removesuffix(RESULT)}{ending}").unlink(missing_ok=True)


def _rows(result: Result) -> dict[str, ScoreRow | Tgq | ByLabelScores]:
    """Signature, by its meaning → row."""
    rows: list[ScoreRow | Tgq | ByLabelScores] = [
        *result["scores"],
        *([] if result["tgq"] is None else [result["tgq"]]),
    ]
    rows += result.get("by_label", {}).values()
    return {meaning(row["signature"]): row for row in rows}
