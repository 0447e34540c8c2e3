"""One stored result, and its rows of scores."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from zgbench.board.card import NO_CARD, Card, card_of
from zgbench.board.further import possible_scores
from zgbench.board.kinds import Kind
from zgbench.errors import UsageError
from zgbench.protocol import facts_of, meaning
from zgbench.scores.registry import TITLES
from zgbench.scores.registry import sentence as sentence
from zgbench.scores.result import FORMAT, RESULT, Stored, load_result

SCORES = TITLES
"""Score → its title."""
WITHOUT_CLASSES = ("TGQ", "LABELS", "ORACLE")
"""What stands in the place of a reassignment in rows about labels alone, which have no classes to look into."""


@dataclass(frozen=True)
class Score:
    """A score 0–1 with its 95 % interval; None where it is undefined."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class ScoreRow:
    """One row of a result.

    Attributes:
        reassign: ``TT``, ``LT`` or ``ST``; one of ``WITHOUT_CLASSES`` for scores of labels alone.
        verify: such as ``cos>=0.5`` or ``h>=2``.
        segments, kept: numbers of segments; of TGQ, of truth segments and of those that have a label.
        scores: keys as in ``SCORES``.
    """

    reassign: str
    verify: str
    signature: str
    images: int
    segments: int
    kept: int
    scores: Mapping[str, Score]

    @property
    def group(self) -> str:
        """Key of the group that it belongs to."""
        return hashlib.sha256(meaning(self.signature).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Entry:
    """A stored result. Its texts come from a stranger: show them as plain text only.

    Attributes:
        id: file name without ``.result.json``.
        sha256: of the result file, which holds the hashes of the files beside it.
        text_guidance, segmentation_labels: as the submission says; None where it does not.
        rated: whether it has human ratings.
        kind: what the board's keeper says it is; baselines and ceilings are not ranked.
        card: what is known of the method beside its scores.
        further: names of the scores that its rows can have beyond those in the result.
    """

    id: str
    path: Path
    sha256: str
    name: str
    dataset: str
    track: str
    description: str
    url: str
    text_guidance: bool | None
    segmentation_labels: bool | None
    images: int
    official: bool
    submission_sha256: str
    protocol: str
    rows: tuple[ScoreRow, ...]
    unavailable: Mapping[str, str]
    rated: bool
    kind: Kind = "method"
    card: Card = NO_CARD
    further: tuple[str, ...] = ()

    @property
    def signatures(self) -> frozenset[str]:
        """Of its rows, each by its meaning."""
        return frozenset(meaning(row.signature) for row in self.rows)

    def row(self, group: str) -> ScoreRow:
        """The row of a group. Raises UsageError where it has none."""
        for row in self.rows:
            if row.group == group:
                return row
        raise UsageError(f"{self.id} has no row of the protocol {group}.")

    def stored(self) -> Stored:
        """The result with the statistics beside it. Raises InputError or DataError where they are damaged."""
        return _stored(self.path, self.sha256)


@lru_cache(maxsize=4)
def _stored(path: Path, _sha256: str) -> Stored:
    return load_result(path)


def entry_of(path: Path, result: dict[str, Any], sha256: str) -> Entry:
    """What a result file says. Raises ValueError, KeyError or TypeError where it is not one."""
    if result["format"] != FORMAT:
        raise ValueError(f"expected format {FORMAT}")
    about, data = result["submission"], result["dataset"]
    method = about["method"]
    rows = [
        ScoreRow(
            r["reassign"], r["verify"], r["signature"], r["images"], r["segments"], r["segments_kept"],
            {"iou_image": _score(r["iou_image"]), "iou_dataset": _score(r["iou_dataset"])}
            | {f"recall.{k}": _score(v) for k, v in r["recall"].items()},
        )
        for r in result["scores"]
    ]  # fmt: skip
    if (tgq := result["tgq"]) is not None:
        verify = facts_of(tgq["signature"])["verify"]
        rows.append(
            ScoreRow("TGQ", verify, tgq["signature"], data["images"], tgq["segments"], tgq["labelled"], {"tgq": _score(tgq)})
        )  # fmt: skip
    for scope, block in result.get("by_label", {}).items():
        scores = {name: _score(found) for name, found in block["scores"].items() if name in SCORES}
        n = block["segments"]
        rows.append(ScoreRow(scope.upper(), "", block["signature"], block["images"], n, n, scores))
    return Entry(
        path.name.removesuffix(RESULT), path, sha256, about["name"], data["key"], about["track"],
        method.get("description", ""), method.get("url", ""),
        method.get("text_guidance"), method.get("segmentation_labels"),
        data["images"], data["official"], about["sha256"], result["protocol"]["name"], tuple(rows),
        result["unavailable"], "ratings" in result, card=card_of(method), further=possible_scores(data),
    )  # fmt: skip


def _score(found: dict[str, Any]) -> Score:
    values = (found["value"], *found["ci95"])
    if not all(v is None or (isinstance(v, int | float) and math.isfinite(v)) for v in values):
        raise ValueError("a score is not a number")
    return Score(*values)
