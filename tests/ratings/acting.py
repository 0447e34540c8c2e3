"""What tests do with a store: invite, rate until nothing is left, look at the rows."""

from __future__ import annotations

from sqlalchemy import func, select

from tests.ratings.clock import Clock
from zgbench.ratings import Rater, Store
from zgbench.ratings.tables import items, leases, ratings


def invited(store: Store, name: str) -> Rater:
    rater = store.sign_in(store.make_token(name))
    assert rater is not None
    return rater


def look(store: Store, seconds: float = 2.0) -> None:
    """Put a clock that stands still forward: somebody looks at an item."""
    if isinstance(store.clock, Clock):
        store.clock.now += seconds


def rate_all(store: Store, rater: Rater, answer: int = 2) -> list[str]:
    """Rate until nothing is left; the ids in order."""
    seen = []
    item = store.next_item(rater)
    while item is not None:
        look(store)
        outcome = store.rate(rater, item.ticket, answer)
        assert outcome.accepted and not outcome.repeated
        seen.append(item.id)
        item = outcome.current
    return seen


def log(store: Store) -> list[tuple[str, int | None]]:
    """Answer and score of every row, in order."""
    query = select(ratings.c.answer, ratings.c.score).order_by(ratings.c.seq)
    return [tuple(row) for row in store.database.read(lambda c: c.execute(query).all())]


def free(store: Store) -> list[int]:
    """Free places, item by item, which must be what leases and answers leave."""
    query = select(items.c.id, items.c.wanted, items.c.free).where(items.c.kind == "item").order_by(items.c.id)
    taken = (
        select(leases.c.item_id, func.count()).where(leases.c.state.in_(("open", "rated"))).group_by(leases.c.item_id)
    )
    rows, held = store.database.read(lambda c: (c.execute(query).all(), dict(map(tuple, c.execute(taken)))))
    assert [row.free for row in rows] == [row.wanted - held.get(row.id, 0) for row in rows]
    return [row.free for row in rows]
