"""Methods of one group, best first, with ranks that tie where the paired test cannot separate them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from zgbench.board.pairs import LEVEL, pairs
from zgbench.board.store import SCORES, Board, Entry
from zgbench.errors import UsageError

RULE = (
    "Rank = 1 + the number of shown methods that are better and differ with p < 0.05 in the paired sign-flip test over "
    "images (10,000 draws; for IoU dataset fewer where more could not matter). Methods that nothing separates from the "
    "best share rank 1. p is not corrected for the number of methods."
)


@dataclass(frozen=True)
class Filters:
    """Which methods are shown; None: either.

    Attributes:
        text_guidance, segmentation_labels: as the submission says; one that says nothing counts as False, the
            contract's default.
        search: part of a name, case ignored.
    """

    text_guidance: bool | None = None
    segmentation_labels: bool | None = None
    search: str = ""

    def admit(self, entry: Entry) -> bool:
        """Whether a method is shown."""
        return (
            self.text_guidance in (None, bool(entry.text_guidance))
            and self.segmentation_labels in (None, bool(entry.segmentation_labels))
            and self.search.casefold() in entry.name.casefold()
        )


def ranking(board: Board, group_key: str, score: str = "iou_image", filters: Filters | None = None) -> list[dict[str, Any]]:  # fmt: skip
    """Rows for a table, best first; those whose score is undefined stand last and have no rank.

    Args:
        score: key of ``SCORES``, by which methods are ordered and ranked.
        filters: methods that they leave out count in no rank.

    Returns:
        Records; see ``_record`` for their keys. Scores are fractions 0–1 or None.

    Raises:
        UsageError: the board has no such group, or the group no such score.
    """
    group = board.group(group_key)
    if score not in group.scores:
        raise UsageError(f"score {score!r}: expected one of {', '.join(group.scores)}.")
    shown = [e for e in map(board.entry, group.ids) if filters is None or filters.admit(e)]
    values = {e.id: e.row(group_key).scores[score].value for e in shown}
    shown.sort(key=lambda e: (values[e.id] is None, -(values[e.id] or 0.0), e.name.casefold(), e.id))
    better = dict.fromkeys(values, 0)
    if len(shown) > 1:
        better = _better(board, group_key, score, [e.id for e in shown], values)
    ranks = [better[e.id] + 1 for e in shown if values[e.id] is not None]
    rows = []
    for entry in shown:
        rank = better[entry.id] + 1 if values[entry.id] is not None else None
        about = {"rank": rank, "tied": rank is not None and ranks.count(rank) > 1, "better": better[entry.id]}
        rows.append(about | dict(_record(entry, group_key)))
    return rows


def _better(board: Board, group_key: str, score: str, ids: list[str], values: dict[str, float | None]) -> dict[str, int]:  # fmt: skip
    """Entry → how many of ``ids`` are significantly better."""
    group = board.group(group_key)
    tested = pairs(board, group, score)
    place = {entry_id: at for at, entry_id in enumerate(tested.ids)}
    at = np.array([place[i] for i in ids])
    told = np.array([np.nan if values[i] is None else values[i] for i in ids], dtype=np.float64)
    with np.errstate(invalid="ignore"):
        clear = (tested.p[score][np.ix_(at, at)] < LEVEL) & (told[None, :] > told[:, None])
    return dict(zip(ids, clear.sum(axis=1).tolist(), strict=True))


def _record(entry: Entry, group_key: str) -> Iterator[tuple[str, Any]]:
    row = entry.row(group_key)
    for name in (
        "id", "name", "track", "text_guidance", "segmentation_labels", "description", "url", "submission_sha256",
    ):  # fmt: skip
        yield name, getattr(entry, name)
    yield "segments", row.segments
    yield "kept", row.kept
    for name in SCORES:
        if name in row.scores:
            found = row.scores[name]
            yield name, found.value
            yield f"{name}_low", found.low
            yield f"{name}_high", found.high
