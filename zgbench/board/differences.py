"""Two or more methods of one group, pair by pair: differences of scores, and of the IoU of each class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zgbench.board.entry import Entry
from zgbench.board.pairs import LEVEL, pairs
from zgbench.board.store import Board, Group
from zgbench.board.summary import Summary, score_of, summary, weights
from zgbench.errors import UsageError
from zgbench.scores.comparison import vocabulary_of
from zgbench.scores.registry import leads
from zgbench.statistics import resampling
from zgbench.statistics.holm import holm
from zgbench.statistics.power import images_needed, smallest

MOST = 6
"""Methods that may be compared at once: 15 pairs."""
Float = NDArray[np.float64]


@dataclass(frozen=True)
class Compared:
    """Differences of every pair, a − b.

    Attributes:
        scores: records with ``a``, ``b`` (ids), ``a_name``, ``b_name``, ``score``, ``a_value``, ``b_value``,
            ``difference``, ``low``, ``high`` (95 % paired bootstrap interval), ``p``, ``draws``, ``p_holm`` (corrected for
            the number of pairs that are compared; p itself of one pair), ``smallest`` (the difference that would be found
            in 80 % of cases), ``images_needed`` (to find the difference seen), and ``clear``: ``a`` or ``b`` where that one
            is better with p_holm < 0.05, else empty.
        per_class: records with ``a``, ``b``, ``class``, ``a_iou``, ``b_iou``, ``difference``, ``low``, ``high``,
            ``images`` that show the class, and ``clear``: ``a`` or ``b`` where the interval excludes 0.
    """

    scores: list[dict[str, Any]]
    per_class: list[dict[str, Any]]


def comparison(board: Board, group_key: str, ids: Sequence[str], more: Sequence[str] = ()) -> Compared:
    """Compare 2–6 entries of one group.

    Args:
        more: some of ``group.further``, compared beside the scores that the results have.

    Raises:
        UsageError: too few or many, one twice, or one that is not of the group.
    """
    group = board.group(group_key)
    if not 2 <= len(ids) <= MOST or len(set(ids)) < len(ids):
        raise UsageError(f"{len(ids)} methods chosen: expected 2 to {MOST} different ones.")
    entries = [board.entry(i) for i in ids]
    summaries = {e.id: summary(e, e.row(group_key)) for e in entries}
    scores = []
    for score in (*group.scores, *(name for name in group.further if name in more)):
        tested = pairs(board, group, score)
        sides = summaries if score in group.scores else {e.id: summary(e, e.row(group_key), score) for e in entries}
        both = list(combinations(entries, 2))
        p = [tested.at(score, a.id, b.id) for a, b in both]
        adjusted = holm(np.array([value for value, _ in p])).tolist()
        for (a, b), (value, draws), p_holm in zip(both, p, adjusted, strict=True):
            scores.append(_score(a, b, group, score, value, draws, p_holm, sides))
    per_class = [] if not group.has_classes else _classes(entries, group_key, summaries, "iou_dataset")
    return Compared(scores, per_class)


def class_differences(board: Board, group_key: str, ids: Sequence[str], score: str) -> list[dict[str, Any]]:
    """As ``per_class`` of :class:`Compared`, by ``iou_dataset`` or one of ``group.further``.

    Returns:
        Records whose ``a_iou`` and ``b_iou`` are that score; none where single classes do not have it.

    Raises:
        UsageError: the group has no such score or entry.
    """
    group = board.group(group_key)
    if score not in ("iou_dataset", *group.further) or not group.has_classes:
        raise UsageError(f"score {score!r}: expected one of {', '.join(('iou_dataset', *group.further))}.")
    entries = [board.entry(i) for i in ids]
    return _classes(entries, group_key, {e.id: summary(e, e.row(group_key), score) for e in entries}, score)


def against(rows: Sequence[dict[str, Any]], reference: str) -> list[dict[str, Any]]:
    """Differences from one method: records of :class:`Compared` with it as ``b``, turned round where it was ``a``.

    Args:
        reference: id of an entry; pairs without it are left out.
    """
    turned = {"a": "b", "b": "a", "": ""}
    found = []
    for row in rows:
        if row["b"] == reference:
            found.append(row)
        elif row["a"] == reference:
            other = {
                f"{turned[k[0]]}{k[1:]}": v for k, v in row.items() if k in ("a", "b") or k.startswith(("a_", "b_"))
            }
            found.append(
                row | other | {
                    "difference": _minus(row["difference"]), "low": _minus(row["high"]), "high": _minus(row["low"]),
                    "clear": turned[row["clear"]],
                }
            )  # fmt: skip
    return found


def _minus(value: float | None) -> float | None:
    return None if value is None else -value


def _score(
    a: Entry, b: Entry, group: Group, score: str, p: float, draws: int, p_holm: float, summaries: dict[str, Summary]
) -> dict[str, Any]:  # fmt: skip
    left, right = (score_of(e, e.row(group.key), score).value for e in (a, b))
    samples = summaries[a.id].samples[score] - summaries[b.id].samples[score]
    low, high = resampling.interval(samples)
    difference, error, needed, clear = None, np.nan, None, ""
    if left is not None and right is not None:
        difference, error = left - right, resampling.standard_error(samples)
        needed = images_needed(group.images, difference, error)
        if difference and p_holm < LEVEL:
            clear = "a" if leads(score, left, right) else "b"
    return {
        "a": a.id, "b": b.id, "a_name": a.name, "b_name": b.name, "score": score, "a_value": left, "b_value": right,
        "difference": difference, "low": _plain(low), "high": _plain(high), "p": _plain(p), "draws": draws,
        "p_holm": _plain(p_holm), "smallest": _plain(smallest(error)), "images_needed": needed, "clear": clear,
    }  # fmt: skip


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _classes(entries: list[Entry], group_key: str, summaries: dict[str, Summary], score: str) -> list[dict[str, Any]]:
    protocol = entries[0].stored().protocol
    names = vocabulary_of(entries[0].stored()).names
    found = {}
    for entry in entries:
        of = summaries[entry.id]
        table = of.table(score)
        drawn = weights(table.shape[0], protocol.resamples, protocol.seed)
        value = of.classes(score, resampling.total(table))
        if value is None or (samples := of.classes(score, resampling.weighted_sums(table, drawn))) is None:
            return []
        found[entry.id] = (value, samples)
    rows = [r for r in entries[0].stored().result["scores"] if r["signature"] == entries[0].row(group_key).signature]
    images = {name: values["images"] for name, values in rows[0]["per_class"].items()}
    records = []
    for a, b in combinations(entries, 2):
        (iou_a, boot_a), (iou_b, boot_b) = found[a.id], found[b.id]
        low, high = _intervals(boot_a - boot_b)
        for k, name in enumerate(names):
            if np.isnan(iou_a[k]) and np.isnan(iou_b[k]):
                continue
            clear = ""
            if low[k] > 0 or high[k] < 0:
                clear = "a" if leads(score, iou_a[k], iou_b[k]) else "b"
            records.append(
                {
                    "a": a.id, "b": b.id, "class": name, "a_iou": _plain(iou_a[k]), "b_iou": _plain(iou_b[k]),
                    "difference": _plain(iou_a[k] - iou_b[k]), "low": _plain(low[k]), "high": _plain(high[k]),
                    "clear": clear, "images": images[name],
                }
            )  # fmt: skip
    return records


def _intervals(samples: Float) -> tuple[Float, Float]:
    """Percentile intervals of columns, over the resamples where both methods have the class."""
    n = samples.shape[1]
    low, high = np.full(n, np.nan), np.full(n, np.nan)
    whole = ~np.isnan(samples).any(axis=0)
    if whole.any():
        low[whole], high[whole] = np.quantile(samples[:, whole], [0.025, 0.975], axis=0)
    for k in np.flatnonzero(~whole):
        low[k], high[k] = resampling.interval(samples[:, k])
    return low, high
