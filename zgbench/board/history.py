"""All results of a method, and what came before and after it."""

from __future__ import annotations

from dataclasses import dataclass

from zgbench.board.entry import Entry, Score
from zgbench.board.store import Board, Group


@dataclass(frozen=True)
class Result:
    """One row of a method's history.

    Attributes:
        version: ``this`` submission, an ``earlier`` or a ``later`` one; ``other`` where the card joins it without an
            order, as on another data set.
        score: the group's first score.
    """

    version: str
    entry: Entry
    group: Group
    score: Score


def history(board: Board, entry: Entry) -> list[Result]:
    """Every stored row of a method: of this submission first, then of the later, the earlier and the other ones."""
    versions = {entry.submission_sha256: "this"}
    versions |= dict.fromkeys(_after(board, entry), "later") | dict.fromkeys(_before(board, entry), "earlier")
    for sha256 in entry.card.submissions:
        versions.setdefault(sha256, "other")
    order = ["this", "later", "earlier", "other"]
    found = [
        Result(versions[one.submission_sha256], one, group, row.scores[group.scores[0]])
        for one in board.entries
        if one.submission_sha256 in versions
        for group, row in ((board.group(row.group), row) for row in one.rows)
        if group.scores[0] in row.scores
    ]
    return sorted(found, key=lambda r: (order.index(r.version), r.group.dataset, r.group.title, r.entry.id))


def successor(board: Board, entry: Entry) -> Entry | None:
    """The entry that took its place, under a protocol that both have where there is one."""
    wanted = [one for one in board.entries if one.submission_sha256 == entry.card.superseded_by]
    return max(wanted, key=lambda one: len(one.signatures & entry.signatures), default=None)


def _after(board: Board, entry: Entry) -> list[str]:
    cards = {one.submission_sha256: one.card for one in board.entries}
    found: list[str] = []
    sha256 = entry.card.superseded_by
    while sha256 and sha256 not in found and sha256 != entry.submission_sha256:
        found.append(sha256)
        sha256 = cards[sha256].superseded_by if sha256 in cards else ""
    return found


def _before(board: Board, entry: Entry) -> list[str]:
    found: list[str] = []
    ahead = [entry.submission_sha256]
    while ahead:
        now = ahead.pop()
        for one in board.entries:
            sha256 = one.submission_sha256
            if one.card.superseded_by == now and sha256 not in found and sha256 != entry.submission_sha256:
                found.append(sha256)
                ahead.append(sha256)
    return found
