"""Which item lies before which rater.

An item has places for k raters. A lease takes a place, an answer keeps it, a skip or the end of a lease gives it back,
so that the places can never be outnumbered: ``free = wanted − leases that are open or rated``.

Which item is next: :mod:`zgbench.ratings.picking`.

Locks are always taken in the order rater, lease, item.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, and_, bindparam, case, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from zgbench.ratings.picking import SHOWN_COLUMNS, Desk, pick
from zgbench.ratings.records import Item
from zgbench.ratings.settings import Settings
from zgbench.ratings.tables import EXPIRED, ITEM, OPEN, RATED, items, leases, raters

LEASE_COLUMNS = (
    leases.c.id, leases.c.item_id, leases.c.state, leases.c.round, leases.c.seen, leases.c.turn, leases.c.shown,
    leases.c.rating, items.c.kind, *SHOWN_COLUMNS,
)  # fmt: skip

_DESK = (
    raters.c.study, raters.c.seed, raters.c.served, raters.c.shut_out, raters.c.place.label("at_place"), raters.c.owed,
)  # fmt: skip
_LOCK_RATER = select(raters.c.id, *_DESK).where(raters.c.id == bindparam("rater")).with_for_update()
_OPEN_LEASES = (
    select(*LEASE_COLUMNS)
    .join(items, items.c.id == leases.c.item_id)
    .where(leases.c.rater_id == bindparam("rater"), leases.c.state == OPEN)
    .order_by(leases.c.turn)
    .limit(2)
)
_KEEP = (
    update(leases)
    .where(leases.c.rater_id == bindparam("of_rater"), leases.c.state == OPEN)
    .values(
        expires=bindparam("until"),
        shown=case(
            (leases.c.id == bindparam("showing"), func.coalesce(leases.c.shown, bindparam("now"))), else_=leases.c.shown
        ),
    )
)
_TAKE = update(items).where(items.c.id == bindparam("item"), items.c.free > 0).values(free=items.c.free - 1)
_GIVE = update(items).where(items.c.id == bindparam("item"), items.c.kind == ITEM).values(free=items.c.free + 1)
_SERVE = (
    update(raters)
    .where(raters.c.id == bindparam("of_rater"))
    .values(served=bindparam("turn"), place=bindparam("at_place"), owed=bindparam("controls"))
)
_HELD = (
    select(func.count())
    .select_from(leases)
    .where(leases.c.rater_id == bindparam("rater"), leases.c.state.in_((OPEN, RATED)))
)


def _leasing(make: Any) -> Any:
    """Lease an item; a lease of the same rater on it that ran out is opened again, under a new ticket."""
    new = make(leases)
    fresh = ("state", "turn", "shown", "seen", "rating", "expires")
    return new.on_conflict_do_update(
        index_elements=["rater_id", "item_id"],
        set_={name: new.excluded[name] for name in fresh} | {"round": leases.c.round + 1},
    ).returning(leases.c.id, leases.c.round)


_LEASE = {"sqlite": _leasing(sqlite.insert), "postgresql": _leasing(postgresql.insert)}


def _desk(rater: str, row: Any) -> Desk:
    return Desk(rater, row.study, row.seed, row.served, row.shut_out is not None, row.at_place, row.owed)


def lock_rater(connection: Connection, rater: str) -> Desk | None:
    """Lock a rater's row, so that two tabs of one rater follow one another; None: there is no such rater."""
    row = connection.execute(_LOCK_RATER, {"rater": rater}).first()
    return _desk(row.id, row) if row is not None else None


_LOCK_BOTH = (
    select(*LEASE_COLUMNS, *_DESK)
    .join(leases, leases.c.rater_id == raters.c.id)
    .join(items, items.c.id == leases.c.item_id)
    .where(raters.c.id == bindparam("rater"), leases.c.id == bindparam("lease"))
    .with_for_update(of=(raters, leases))
)


def lock_with_lease(connection: Connection, rater: str, lease: str) -> tuple[Desk | None, Any]:
    """Lock a rater's row and a lease of theirs; without such a lease the rater alone."""
    row = connection.execute(_LOCK_BOTH, {"rater": rater, "lease": lease}).first()
    if row is None:
        return lock_rater(connection, rater), None
    return _desk(rater, row), row


def lay_out(
    connection: Connection, desk: Desk, settings: Settings, now: float, *, ahead: bool
) -> tuple[Item | None, Item | None]:
    """The item before a rater, and the one after it (if ``ahead``, or if it is leased already); leases what is lacking."""
    if desk.shut_out:
        return None, None
    rows: list[Any] = list(connection.execute(_OPEN_LEASES, {"rater": desk.rater}))
    before = desk
    while len(rows) < 1 + ahead and not _had_enough(connection, desk, settings):
        row, desk = _grant(connection, desk, settings, now, patient=not rows)
        if row is None:
            break
        rows.append(row)
    if desk != before:
        served = {"of_rater": desk.rater, "turn": desk.served, "at_place": desk.at_place, "controls": desk.owed}
        connection.execute(_SERVE, served)
    if not rows:
        return None, None
    until = now + settings.lease_s
    connection.execute(_KEEP, {"of_rater": desk.rater, "until": until, "showing": rows[0].id, "now": now})
    return as_item(rows[0], settings, now), as_item(rows[1], settings, now) if len(rows) > 1 else None


def _had_enough(connection: Connection, desk: Desk, settings: Settings) -> bool:
    """Whether a rater has, or holds, as many items as one may have."""
    if not settings.quota or desk.served < settings.quota:
        return False
    return (connection.execute(_HELD, {"rater": desk.rater}).scalar() or 0) >= settings.quota


def _grant(connection: Connection, desk: Desk, settings: Settings, now: float, *, patient: bool) -> tuple[Any, Desk]:
    """Lease one more item to a rater, which changes what their row says; None when nothing is left for them.

    Args:
        patient: wait for items that others are just being given, before saying that nothing is left. Only while this
            transaction holds no item itself: two that hold one and wait for another would wait for ever.
    """
    found, at_place, owed = pick(connection, desk, settings.control_every, patient=patient)
    if found is None:
        return None, desk
    row = {
        "id": secrets.token_hex(8), "rater_id": desk.rater, "item_id": found.id, "state": OPEN, "round": 0, "seen": 0,
        "turn": desk.served, "shown": None, "expires": now + settings.lease_s, "rating": None,
    }  # fmt: skip
    lease = connection.execute(_LEASE[connection.dialect.name], row).one()
    after = replace(desk, served=desk.served + 1, at_place=at_place, owed=owed)
    return _Row(lease.id, lease.round, found), after


class _Row:
    """A lease that was just made, with the columns that :func:`as_item` reads."""

    seen = 0
    shown = None

    def __init__(self, lease: Any, number: int, item: Any) -> None:
        self.id, self.round, self.item_id = lease, number, item.id
        self.dataset, self.image_id, self.height, self.width = item.dataset, item.image_id, item.height, item.width
        self.counts, self.label, self.question = item.counts, item.label, item.question


def as_item(row: Any, settings: Settings, now: float) -> Item:
    """A lease with its item, as a rater sees it."""
    return Item(
        id=row.item_id,
        ticket=f"{row.id}.{row.round}",
        dataset=row.dataset,
        image_id=row.image_id,
        size=(row.height, row.width),
        counts=row.counts,
        label=row.label,
        question=row.question,
        min_seconds=0.0 if row.seen else settings.min_seconds,
        seconds_shown=max(0.0, now - row.shown) if row.shown is not None else 0.0,
    )


def take_place(connection: Connection, item: str, kind: str) -> bool:
    """Take a place of an item again; False when none is free. Control items have places for everybody."""
    return kind != ITEM or connection.execute(_TAKE, {"item": item}).rowcount == 1


def give_back(connection: Connection, item: str) -> None:
    """Free a place of an item."""
    connection.execute(_GIVE, {"item": item})


def expire(connection: Connection, now: float, limit: int = 500) -> int:
    """End leases whose time is over and free their places; returns how many."""
    over = connection.execute(
        select(leases.c.id, leases.c.item_id)
        .where(leases.c.state == OPEN, leases.c.expires < now)
        .order_by(leases.c.expires)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    if not over:
        return 0
    connection.execute(
        update(leases).where(leases.c.id == bindparam("lease")).values(state=EXPIRED),
        [{"lease": row.id} for row in over],
    )
    for item in sorted(row.item_id for row in over):  # in one order everywhere: no two wait for each other
        give_back(connection, item)
    return len(over)


def recount(connection: Connection, item_ids: list[str]) -> None:
    """Work out the free places of items anew, after leases were put in from elsewhere."""
    taken = (
        select(func.count())
        .select_from(leases)
        .where(and_(leases.c.item_id == items.c.id, leases.c.state.in_((OPEN, RATED))))
        .scalar_subquery()
    )
    left = items.c.wanted - taken
    for item in sorted(set(item_ids)):
        connection.execute(
            update(items).where(items.c.id == item, items.c.kind == ITEM).values(free=case((left > 0, left), else_=0))
        )
