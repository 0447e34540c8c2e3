"""Image by image, segment by segment: what a method said, what became of it, and which step lost it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from zgbench.board.lost import lost_by
from zgbench.board.memo import keep
from zgbench.board.method import Opened, opened
from zgbench.board.overlap import overlap, widened
from zgbench.board.store import Board
from zgbench.errors import UsageError
from zgbench.scores import metrics
from zgbench.scores.comparison import vocabulary_of

if TYPE_CHECKING:
    import pandas as pd

_tables: dict[tuple[str, str], pd.DataFrame] = {}
_KEPT = 4
"""Tables that stay in memory, some MB each."""
Order = Literal["split", "best", "worst", "different"]


def segment_table(board: Board, entry_id: str, group_key: str) -> pd.DataFrame:
    """A row a segment of the images that the group is about.

    Returns:
        ``image_id``, ``segment`` (from 0), ``label``, ``class`` (T*), ``similarity``, ``rated`` (NaN where nobody did),
        ``kept``, ``why``, ``iou`` with the truth of T*, ``covers`` (class that fills most of it, empty where unlabelled
        pixels do), ``covers_iou`` with its truth, ``pixels`` (void left out), ``lost``: the step that loses it
        (:mod:`zgbench.board.lost`), empty where none does. It is kept for the next call: do not change it.
    """
    key = (board.entry(entry_id).sha256, group_key)
    if (known := _tables.get(key)) is not None:
        return known
    return keep(_tables, key, _segment_table(opened(board, entry_id, group_key)), _KEPT)


def _segment_table(row: Opened) -> pd.DataFrame:
    import pandas as pd

    counts, reassigned = row.stored.counts, row.row.reassigned
    vocabulary = vocabulary_of(row.stored)
    names = dict(zip(vocabulary.ids, vocabulary.names, strict=True)) | {0: ""}
    found = widened(overlap(counts), max(vocabulary.ids))
    majority, chosen = found.majority(), reassigned.decision.class_id
    kept = row.row.assigned > 0
    rated = reassigned.rated if reassigned.rated is not None else np.full(len(chosen), np.nan)
    table = pd.DataFrame(
        {
            "image_id": np.array(counts.ids, dtype=object)[counts.owner],
            "segment": np.arange(len(chosen)) - counts.offsets[counts.owner],
            "label": list(counts.labels),
            "class": [names[c] for c in chosen.tolist()],
            "similarity": reassigned.decision.similarity,
            "rated": rated,
            "kept": kept,
            "why": _why(row),
            "iou": found.iou(chosen),
            "covers": [names[c] for c in majority.tolist()],
            "covers_iou": found.iou(majority),
            "pixels": found.area,
            "lost": lost_by(row, found, majority),
        }
    )
    return table[row.row.images[counts.owner]].reset_index(drop=True)


def _why(row: Opened) -> list[str]:
    verify, reassigned = row.told.verify, row.row.reassigned
    if verify.startswith("h"):
        level = float(verify.removeprefix("h>="))
        assert reassigned.rated is not None
        return [
            "nobody rated it" if np.isnan(r) else f"rated {r:g}, {'at least' if r >= level else 'below'} {level:g}"
            for r in reassigned.rated
        ]
    tau = row.stored.protocol.tau(reassigned.how)
    return [
        f"cosine {s:.3f} {'≥' if s >= np.float32(tau) else '<'} {tau:g}"
        for s in reassigned.decision.similarity.tolist()
    ]


def image_table(
    board: Board, entry_id: str, group_key: str, order: Order = "split", other: str | None = None
) -> pd.DataFrame:
    """A row an image.

    Args:
        order: of the split; ``best`` or ``worst`` IoU first; ``different``: the largest difference from ``other`` first.
        other: another entry of the group.

    Returns:
        ``image_id``, ``iou`` (mean over the image's classes, NaN where it has none), ``segments``, ``kept``; with
        ``other``, also ``other_iou`` and ``difference`` (iou − other_iou).

    Raises:
        UsageError: no such order, or ``different`` without ``other``.
    """
    import pandas as pd

    if order not in ("split", "best", "worst", "different") or (order == "different" and other is None):
        raise UsageError(f"order {order!r}: expected split, best or worst, or different with another method.")
    row = opened(board, entry_id, group_key)
    counts = row.stored.counts
    n = len(counts.ids)
    table = pd.DataFrame(
        {
            "image_id": list(counts.ids),
            "segments": np.diff(counts.offsets),
            "kept": np.bincount(counts.owner[row.row.assigned > 0], minlength=n),
        }
    )[row.row.images].reset_index(drop=True)
    table.insert(1, "iou", _image_iou(row))
    if other is not None:
        table.insert(2, "other_iou", _image_iou(opened(board, other, group_key)))
        table.insert(3, "difference", table["iou"] - table["other_iou"])
    if order == "different":
        largest = table["difference"].abs().sort_values(ascending=False, kind="stable", na_position="last")
        return table.loc[largest.index].reset_index(drop=True)
    if order in ("best", "worst"):
        table = table.sort_values("iou", ascending=order == "worst", kind="stable", na_position="last")
    return table.reset_index(drop=True)


def _image_iou(row: Opened) -> Any:
    statistics = metrics.statistics(row.class_counts(), "v1")
    iou, shown = (statistics.per_image[:, statistics.layout[k]].toarray().ravel() for k in ("iou", "images"))
    return np.where(shown > 0, iou, np.nan)


def search(
    table: pd.DataFrame, text: str = "", by: Literal["label", "class", "any"] = "any", lost: str = ""
) -> pd.DataFrame:
    """Rows of a segment table that hold a text in their label or class (T*, or what they cover), case ignored.

    Args:
        lost: only segments that this step loses; empty: all.
    """
    columns = {"label": ["label"], "class": ["class", "covers"], "any": ["label", "class", "covers"]}[by]
    wanted = text.casefold().strip()
    hit = np.zeros(len(table), dtype=bool)
    for column in columns:
        hit |= table[column].str.casefold().str.contains(wanted, regex=False).to_numpy(dtype=bool)
    if lost:
        hit &= (table["lost"] == lost).to_numpy(dtype=bool)
    return table[hit].reset_index(drop=True)
