"""How far a rater is."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from zgbench.ratings.answers import SCORE, can_undo
from zgbench.ratings.picking import has_places
from zgbench.ratings.records import CANNOT_TELL, Progress
from zgbench.ratings.settings import Settings
from zgbench.ratings.tables import EXPIRED, OPEN, RATED, SKIPPED, items, leases, ratings

PAUSE_S = 300.0
_LOOKED_BACK = 1000
_PACE, _LEAST = 50, 3  # newest answers that tell how long one takes; and how many are needed


def progress(connection: Connection, rater: str, study: int, settings: Settings, now: float) -> Progress:
    """What a rater has done and what is left for them."""
    counted = {
        (row.state, row.answer): row.n
        for row in connection.execute(
            select(leases.c.state, ratings.c.answer, func.count().label("n"))
            .outerjoin(ratings, ratings.c.seq == leases.c.rating)
            .where(leases.c.rater_id == rater)
            .group_by(leases.c.state, ratings.c.answer)
        )
    }
    waiting = connection.execute(select(func.count()).where(items.c.study == study, has_places(items))).scalar() or 0
    mine = connection.execute(
        select(func.count())
        .select_from(leases)
        .join(items, items.c.id == leases.c.item_id)
        .where(leases.c.rater_id == rater, leases.c.state != EXPIRED, has_places(items))
    ).scalar()
    opened = sum(n for (state, _), n in counted.items() if state == OPEN)
    times = list(
        connection.execute(
            select(ratings.c.at).where(ratings.c.rater_id == rater).order_by(ratings.c.seq.desc()).limit(_LOOKED_BACK)
        ).scalars()
    )
    took = connection.execute(
        select(ratings.c.seconds)
        .where(ratings.c.rater_id == rater, ratings.c.seconds.is_not(None))
        .order_by(ratings.c.seq.desc())
        .limit(_PACE)
    ).scalars()
    pace = sorted(took)
    since = now
    for at in times:
        if since - at >= PAUSE_S:
            break
        since = at
    left = max(0, waiting - (mine or 0)) + opened
    given = sum(n for (state, _), n in counted.items() if state == RATED)
    if settings.quota:
        left = min(left, max(0, settings.quota - given))
    return Progress(
        answered=counted.get((RATED, SCORE), 0),
        cannot_tell=counted.get((RATED, CANNOT_TELL), 0),
        skipped=sum(n for (state, _), n in counted.items() if state == SKIPPED),
        left=left,
        seconds_left=left * pace[len(pace) // 2] if len(pace) >= _LEAST else None,
        can_undo=can_undo(connection, rater),
        unbroken_s=max(0.0, now - since),
    )
