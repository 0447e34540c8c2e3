"""The ratings that count, as arrays: each rater's latest on each item."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select

from zgbench.ratings.records import CANNOT_TELL
from zgbench.ratings.store import Store
from zgbench.ratings.tables import RATED, SKIPPED, TRAINING, items, leases, raters, ratings

Int = NDArray[np.int64]
UNKNOWN = -1
"""Score of *cannot tell*; known answer of an ordinary item."""


@dataclass(frozen=True)
class Answers:
    """Answers that count.

    Attributes:
        items: ids of the items that anybody answered.
        questions: ``T`` or ``T*`` of each item.
        known: int64 [items], the right score of control items, else UNKNOWN.
        ordinary: bool [items], false for items that are controls only.
        raters, names: ids and names of the raters who answered.
        item, rater: int64 [answers], positions in ``items`` and ``raters``.
        score: int64 [answers], 0–3 or UNKNOWN.
        seconds: float64 [answers], NaN where it is not known.
        skipped: int64 [raters].
    """

    items: tuple[str, ...]
    questions: tuple[str, ...]
    known: Int
    ordinary: NDArray[np.bool_]
    raters: tuple[str, ...]
    names: tuple[str, ...]
    item: Int
    rater: Int
    score: Int
    seconds: NDArray[np.float64]
    skipped: Int

    def of(self, question: str, *, without: frozenset[str] = frozenset()) -> tuple[Int, Int, Int]:
        """Item, rater and score, int64 each, of the scores 0–3 that ordinary items got under a question.

        Args:
            without: ids of raters to leave out.
        """
        asked = np.array([q == question for q in self.questions], dtype=bool) & self.ordinary
        kept = np.array([r not in without for r in self.raters], dtype=bool)
        chosen = (self.score != UNKNOWN) & asked[self.item] & kept[self.rater] if len(self.item) else self.item > 0
        return self.item[chosen], self.rater[chosen], self.score[chosen]


def read(store: Store) -> Answers:
    """The answers that count, of every rater, excluded or not."""
    query = (
        select(
            items.c.id, items.c.question, items.c.known, items.c.kind, items.c.wanted,
            leases.c.rater_id, ratings.c.answer, ratings.c.score, ratings.c.seconds,
        )
        .join(leases, leases.c.item_id == items.c.id)
        .join(ratings, ratings.c.seq == leases.c.rating)
        .where(items.c.study == store.study.id, leases.c.state == RATED, items.c.kind != TRAINING)
        .order_by(items.c.id, leases.c.rater_id)
    )  # fmt: skip
    passed = (
        select(leases.c.rater_id, func.count().label("n"))
        .join(raters, raters.c.id == leases.c.rater_id)
        .where(raters.c.study == store.study.id, leases.c.state == SKIPPED)
        .group_by(leases.c.rater_id)
    )
    rows, skips, people = store.database.read(
        lambda c: (c.execute(query).all(), c.execute(passed).all(), c.execute(select(raters.c.id, raters.c.name)).all())
    )
    place: dict[str, int] = {}
    who: dict[str, int] = {}
    for row in rows:
        place.setdefault(row.id, len(place))
        who.setdefault(row.rater_id, len(who))
    for row in skips:
        who.setdefault(row.rater_id, len(who))
    about = {row.id: row for row in rows}
    name = {row.id: row.name for row in people}
    skipped = np.zeros(len(who), dtype=np.int64)
    for row in skips:
        skipped[who[row.rater_id]] = row.n
    return Answers(
        items=tuple(place),
        questions=tuple(about[i].question for i in place),
        known=np.array([UNKNOWN if about[i].known is None else about[i].known for i in place], dtype=np.int64),
        ordinary=np.array([about[i].wanted > 0 for i in place], dtype=bool),
        raters=tuple(who),
        names=tuple(name[r] for r in who),
        item=np.array([place[row.id] for row in rows], dtype=np.int64),
        rater=np.array([who[row.rater_id] for row in rows], dtype=np.int64),
        score=np.array([UNKNOWN if row.answer == CANNOT_TELL else row.score for row in rows], dtype=np.int64),
        seconds=np.array([np.nan if row.seconds is None else row.seconds for row in rows], dtype=np.float64),
        skipped=skipped,
    )
