"""The training round: items whose right answers are explained."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, func, insert, select

from zgbench.errors import UsageError
from zgbench.ratings.answers import check_answer
from zgbench.ratings.assignment import TRAINING
from zgbench.ratings.records import Item, TrainingItem
from zgbench.ratings.tables import items, training_answers


def training(connection: Connection, rater: str) -> list[TrainingItem]:
    """The training items in order, with a rater's answers so far."""
    newest = (
        select(func.max(training_answers.c.seq))
        .where(training_answers.c.rater_id == rater)
        .group_by(training_answers.c.item_id)
    )
    given = {
        row.item_id: row.score
        for row in connection.execute(
            select(training_answers.c.item_id, training_answers.c.score).where(training_answers.c.seq.in_(newest))
        )
    }
    rows = connection.execute(select(items).where(items.c.kind == TRAINING).order_by(items.c.position))
    return [_training_item(row, given.get(row.id)) for row in rows]


def answer(connection: Connection, rater: str, item: str, score: int, now: float) -> TrainingItem:
    """Keep an answer and tell whether it was right.

    Raises:
        UsageError: no such training item, or not a score.
    """
    row = connection.execute(select(items).where(items.c.id == item, items.c.kind == TRAINING)).first()
    if row is None:
        raise UsageError(f"there is no training item {item!r}.")
    check_answer(score)
    connection.execute(insert(training_answers).values(rater_id=rater, item_id=item, score=score, at=now))
    return _training_item(row, score)


def _training_item(row: Any, given: int | None) -> TrainingItem:
    shown = Item(
        row.id, "", row.dataset, row.image_id, (row.height, row.width), row.counts, row.label, row.question
    )  # fmt: skip
    return TrainingItem(shown, row.known, row.why or "", given)
