"""Practice: rounds of items whose right answers are explained, until enough of a round is right."""

from __future__ import annotations

import math
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from zgbench.errors import UsageError
from zgbench.ratings.answers import check_answer
from zgbench.ratings.people import rater_by_id
from zgbench.ratings.records import Item, Practice, Rater, TrainingItem
from zgbench.ratings.settings import Settings
from zgbench.ratings.tables import TRAINING, items, raters, training_answers


def practice(connection: Connection, rater: str, study: int, settings: Settings) -> Practice:
    """The round that a rater is in. A study has a few; after the last comes the first again."""
    current = connection.execute(select(raters.c.round).where(raters.c.id == rater)).scalar() or 0
    newest = (
        select(func.max(training_answers.c.seq))
        .where(training_answers.c.rater_id == rater, training_answers.c.round == current)
        .group_by(training_answers.c.item_id)
    )
    given = {
        row.item_id: row.score
        for row in connection.execute(
            select(training_answers.c.item_id, training_answers.c.score).where(training_answers.c.seq.in_(newest))
        )
    }
    query = select(items).where(items.c.study == study, items.c.kind == TRAINING)
    rows = connection.execute(query.order_by(items.c.place, items.c.position)).all()
    places = sorted({row.place for row in rows})
    here = [row for row in rows if row.place == places[current % len(places)]]
    shown = tuple(_training_item(row, given.get(row.id)) for row in here)
    return Practice(shown, current, math.ceil(settings.practice_share * len(shown)))


def answer(connection: Connection, rater: str, study: int, item: str, score: int, now: float) -> TrainingItem:
    """Keep an answer and tell whether it was right.

    Raises:
        UsageError: no such training item, or not a score.
    """
    row = connection.execute(
        select(items).where(items.c.id == item, items.c.study == study, items.c.kind == TRAINING)
    ).first()
    if row is None:
        raise UsageError(f"there is no training item {item!r}.")
    check_answer(score)
    current = connection.execute(select(raters.c.round).where(raters.c.id == rater)).scalar() or 0
    connection.execute(
        insert(training_answers).values(rater_id=rater, item_id=item, score=score, round=current, at=now)
    )
    return _training_item(row, score)


def finish(connection: Connection, rater: str, study: int, settings: Settings, now: float) -> Rater:
    """Let a rater go on to the items, if enough of their round was right; else they stay where they are."""
    if practice(connection, rater, study, settings).passed:
        connection.execute(update(raters).where(raters.c.id == rater, raters.c.trained.is_(None)).values(trained=now))
    return rater_by_id(connection, rater)


def next_round(connection: Connection, rater: str, finished: int) -> None:
    """Begin the round after ``finished``; once, however often it is asked."""
    connection.execute(
        update(raters).where(raters.c.id == rater, raters.c.round == finished).values(round=finished + 1)
    )


def _training_item(row: Any, given: int | None) -> TrainingItem:
    shown = Item(
        row.id, "", row.dataset, row.image_id, (row.height, row.width), row.counts, row.label, row.question
    )  # fmt: skip
    return TrainingItem(shown, row.known, row.why or "", given)
