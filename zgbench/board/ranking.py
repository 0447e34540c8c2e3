"""Methods of one group, best first, with ranks that tie where the paired test cannot separate them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from zgbench.board.corrected import corrected
from zgbench.board.entry import Entry, Score
from zgbench.board.memo import remembered
from zgbench.board.pairs import LEVEL
from zgbench.board.resampled import rank_intervals, resampled
from zgbench.board.store import Board, Group
from zgbench.board.summary import score_of
from zgbench.errors import UsageError
from zgbench.scores.registry import SCORES

RULE = (
    "Rank = 1 + the number of methods of this protocol that are better and differ with p < 0.05 in the paired sign-flip "
    "test over images, p corrected by Holm's method for all pairs of its methods (10,000 draws; for mIoU dataset fewer where "
    "more could not matter; a p that fewer than ten draws speak for is that of a normal distribution). Methods that nothing separates from the best share rank 1. The interval of a rank is that of a "
    "method's place by the score alone: 2.5th to 97.5th percentile over the resamples of the images. Baselines and ceilings "
    "have no rank and count in none."
)
APART = "Not ranked: baselines, simple rows to compare with, and ceilings, which show what the ground truth itself would reach."


@dataclass(frozen=True)
class Filters:
    """Which methods are shown, whatever their rank; None: either.

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
    """Rows for a table: methods, best first, those whose score is undefined last; then what is not ranked, best first.

    Args:
        score: key of ``SCORES``, by which methods are ordered and ranked; one of ``group.further`` is worked out from the
            counts, and stands in the records beside those of the results.
        filters: rows that they leave out are hidden; ranks and ties are those of the whole group all the same.

    Returns:
        Records; see ``_record`` for their keys. ``rank``, ``rank_low`` and ``rank_high`` are None for a baseline or ceiling (``kind``), and where the
        score is undefined. Scores are fractions 0–1 or None.

        They are kept for the next call: do not change them.

    Raises:
        UsageError: the board has no such group, or the group no such score.
    """
    group = board.group(group_key)
    if score not in (*group.scores, *group.further):
        raise UsageError(f"score {score!r}: expected one of {', '.join((*group.scores, *group.further))}.")
    rows = remembered(board, ("ranking", group, score), lambda: _ranked(board, group, score))
    return list(rows) if filters is None else filtered(board, rows, filters)


def _ranked(board: Board, group: Group, score: str) -> list[dict[str, Any]]:
    """The whole ranking of a group."""
    group_key = group.key
    entries = [board.entry(i) for i in group.ids]
    more = {e.id: score_of(e, e.row(group_key), score) for e in entries} if score in group.further else {}
    told = {e.id: more.get(e.id) or e.row(group_key).scores.get(score) for e in entries}
    values = {entry_id: None if found is None else found.value for entry_id, found in told.items()}
    sign = 1 if SCORES[score].better == "higher" else -1
    entries.sort(
        key=lambda e: (e.kind != "method", values[e.id] is None, -sign * (values[e.id] or 0.0), e.name.casefold(), e.id)
    )
    ranked = {e.id: value for e in entries if e.kind == "method" and (value := values[e.id]) is not None}
    better = _better(board, group, score, ranked) if len(ranked) > 1 else dict.fromkeys(ranked, 0)
    rank = {entry_id: count + 1 for entry_id, count in better.items()}
    between = _between(board, group, score, list(ranked)) if ranked else {}
    shared = Counter(rank.values())
    return [
        {
            "rank": rank.get(entry.id), "tied": entry.id in rank and shared[rank[entry.id]] > 1,
            "rank_low": between.get(entry.id, (None, None))[0], "rank_high": between.get(entry.id, (None, None))[1],
            "better": better.get(entry.id), **dict(_record(entry, group)),
            **_further(score, more.get(entry.id)),
        }
        for entry in entries
    ]  # fmt: skip


def filtered(board: Board, rows: list[dict[str, Any]], filters: Filters) -> list[dict[str, Any]]:
    """The rows of a ranking that are shown; ranks and ties stay."""
    return [row for row in rows if filters.admit(board.entry(row["id"]))]


def _better(board: Board, group: Group, score: str, values: dict[str, float]) -> dict[str, int]:
    """Entry → how many of these are significantly better."""
    told = np.array(list(values.values()), dtype=np.float64)
    p = corrected(board, group, score, list(values), told)
    worth = told if SCORES[score].better == "higher" else -told
    with np.errstate(invalid="ignore"):
        clear = (p < LEVEL) & (worth[None, :] > worth[:, None])
    return dict(zip(values, clear.sum(axis=1).tolist(), strict=True))


def _between(board: Board, group: Group, score: str, ids: list[str]) -> dict[str, tuple[int, int]]:
    """Entry → 95 % interval of its rank by the score alone."""
    samples = resampled(board, group, score).of(ids)
    low, high = rank_intervals(samples, higher_is_better=SCORES[score].better == "higher")
    return dict(zip(ids, zip(low.tolist(), high.tolist(), strict=True), strict=True))


def _further(name: str, found: Score | None) -> dict[str, float | None]:
    return {} if found is None else {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}


def _record(entry: Entry, group: Group) -> Iterator[tuple[str, Any]]:
    row = entry.row(group.key)
    for name in (
        "id", "name", "kind", "track", "text_guidance", "segmentation_labels", "description", "url", "submission_sha256",
    ):  # fmt: skip
        yield name, getattr(entry, name)
    for name in ("authors", "year", "code", "licence", "parameters"):
        yield name, getattr(entry.card, name)
    yield "paper", entry.card.paper or entry.url
    zero_shot = entry.card.zero_shot()
    yield "zero_shot", None if zero_shot is None else zero_shot[0] / zero_shot[1]
    yield "superseded", bool(entry.card.superseded_by)
    yield "images", row.images
    yield "official", group.official
    yield "segments", row.segments
    yield "kept", row.kept
    for name in SCORES:
        if name in row.scores:
            found = row.scores[name]
            yield name, found.value
            yield f"{name}_low", found.low
            yield f"{name}_high", found.high
