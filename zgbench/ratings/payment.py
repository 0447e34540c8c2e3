"""What each rater did, as whoever pays them needs it."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, dataclass, fields

from sqlalchemy import func, select

from zgbench.ratings.rater_quality import quality
from zgbench.ratings.spreadsheet import shield
from zgbench.ratings.store import Store
from zgbench.ratings.tables import RATED, leases, raters, ratings


@dataclass(frozen=True)
class Payment:
    """One rater.

    Attributes:
        participant: what their link called them, as they came; it proves nothing.
        answers: that count, control items included, "cannot tell" too.
        minutes: that these took, an item no longer than its lease.
        controls_right, controls_seen: control items.
        done: whether the quota is reached; None where there is none.
        excluded_by: the rule that leaves them out, "" if none does.
    """

    rater: str
    name: str
    participant: str
    answers: int
    minutes: float
    controls_right: int
    controls_seen: int
    done: bool | None
    excluded_by: str


def payments(store: Store) -> list[Payment]:
    """Everybody who answered, by name."""
    query = (
        select(
            raters.c.id, raters.c.name, raters.c.participant, func.count().label("n"),
            func.sum(ratings.c.seconds).label("seconds"),
        )
        .join(leases, leases.c.rater_id == raters.c.id)
        .join(ratings, ratings.c.seq == leases.c.rating)
        .where(raters.c.study == store.study.id, leases.c.state == RATED)
        .group_by(raters.c.id, raters.c.name, raters.c.participant)
        .order_by(raters.c.name)
    )  # fmt: skip
    figures = {one.rater: one for one in quality(store)}
    quota = store.settings.quota
    return [
        Payment(
            row.id, row.name, row.participant or "", row.n, round((row.seconds or 0.0) / 60, 1),
            figures[row.id].controls_right, figures[row.id].controls_seen, row.n >= quota if quota else None,
            figures[row.id].excluded_by,
        )
        for row in store.database.read(lambda connection: connection.execute(query).all())
    ]  # fmt: skip


def payment_csv(store: Store) -> bytes:
    """The same as CSV (UTF-8), safe in a spreadsheet."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in fields(Payment)])
    for one in payments(store):
        cells = {True: "yes", False: "no", None: ""}
        row = asdict(one) | {"done": cells[one.done]}
        writer.writerow([shield(value) if isinstance(value, str) else value for value in row.values()])
    return text.getvalue().encode()
