"""What raters say about an item in words, beside their answer."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from zgbench.errors import UsageError
from zgbench.ratings.tables import comments, items, leases, raters

MAX_COMMENT = 500
"""Characters of a comment; longer ones are cut."""


@dataclass(frozen=True)
class Comment:
    """A comment.

    Attributes:
        rater: id.
        text: untrusted.
        at: seconds since 1970, UTC.
    """

    rater: str
    name: str
    item: str
    image_id: str
    label: str
    text: str
    at: float


def add(connection: Connection, rater: str, item: str, text: str, now: float) -> None:
    """Keep a comment on an item that was given to a rater.

    Raises:
        UsageError: nothing is said, or the item is not theirs.
    """
    said = "".join(c if c.isprintable() or c == "\n" else " " for c in text).strip()[:MAX_COMMENT]
    if not said:
        raise UsageError("a comment needs a word.")
    mine = select(leases.c.id).where(leases.c.rater_id == rater, leases.c.item_id == item)
    if connection.execute(mine).first() is None:
        raise UsageError("this item is not before this rater.")
    connection.execute(insert(comments).values(rater_id=rater, item_id=item, text=said, at=now))


def list_comments(connection: Connection, study: int) -> list[Comment]:
    """All comments of a study, newest first."""
    query = (
        select(comments, raters.c.name, items.c.image_id, items.c.label)
        .join(raters, raters.c.id == comments.c.rater_id)
        .join(items, items.c.id == comments.c.item_id)
        .where(items.c.study == study)
        .order_by(comments.c.seq.desc())
    )
    return [
        Comment(row.rater_id, row.name, row.item_id, row.image_id, row.label, row.text, row.at)
        for row in connection.execute(query)
    ]
