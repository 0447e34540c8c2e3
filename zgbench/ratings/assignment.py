"""Which item lies before which rater.

An item has places for k raters. A lease takes a place, an answer keeps it, a skip or the end of a lease gives it back,
so that the places can never be outnumbered: ``free = wanted − leases that are open or rated``. Items with the most
free places go first, which keeps the numbers of answers even. Where a rater's n-th item is looked for on the ring of
all items follows from their seed and n.

Locks are always taken in the order rater, lease, item.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, bindparam, case, exists, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from zgbench.ratings.content import draw
from zgbench.ratings.records import Item
from zgbench.ratings.settings import Settings
from zgbench.ratings.tables import items, leases, raters

OPEN, RATED, SKIPPED, EXPIRED = "open", "rated", "skipped", "expired"
ITEM, CONTROL, TRAINING = "item", "control", "training"
_SHOWN_COLUMNS = (
    items.c.dataset, items.c.image_id, items.c.height, items.c.width, items.c.counts, items.c.label, items.c.question,
)  # fmt: skip
LEASE_COLUMNS = (
    leases.c.id, leases.c.item_id, leases.c.state, leases.c.round, leases.c.seen, leases.c.turn, leases.c.shown,
    leases.c.rating, items.c.kind, *_SHOWN_COLUMNS,
)  # fmt: skip

_LOCK_RATER = (
    select(raters.c.id, raters.c.seed, raters.c.served, raters.c.shut_out)
    .where(raters.c.id == bindparam("rater"))
    .with_for_update()
)
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
_highest = select(items.c.free).where(items.c.kind == ITEM, items.c.free > 0).order_by(items.c.free.desc()).limit(1)
_LEVELS = _highest
_candidate = items.alias("candidate")
_mine = exists().where(
    leases.c.item_id == _candidate.c.id, leases.c.rater_id == bindparam("rater"), leases.c.state != EXPIRED
)


def _pick(kind: str, level: Any, *, upper: bool, wait: bool) -> Any:
    """The next eligible item of a level, clockwise from a point of the ring to its end, or from its start to the point.

    Items that others are just being given are passed over, unless ``wait``.
    """
    ring = _candidate.c.position
    return (
        select(_candidate.c.id)
        .where(
            _candidate.c.kind == kind,
            _candidate.c.free == level,
            ring >= bindparam("point") if upper else ring < bindparam("point"),
            ~_mine,
        )
        .order_by(ring)
        .limit(1)
        .with_for_update(skip_locked=not wait, of=_candidate)
        .scalar_subquery()
    )


def _taking(level: Any, *, wait: bool) -> tuple[Any, ...]:
    """Pick an item and take one of its places, in one statement; both sides of the ring."""
    return tuple(
        update(items)
        .where(items.c.id == _pick(ITEM, level, upper=upper, wait=wait))
        .values(free=items.c.free - 1)
        .returning(items.c.id, *_SHOWN_COLUMNS)
        for upper in (True, False)
    )


_TAKE_BEST = _taking(_highest.scalar_subquery(), wait=False)
_TAKE_AT = {wait: _taking(bindparam("free"), wait=wait) for wait in (False, True)}
_PICK_CONTROL = tuple(
    select(items.c.id, *_SHOWN_COLUMNS).where(items.c.id == _pick(CONTROL, 0, upper=upper, wait=True))
    for upper in (True, False)
)
_TAKE = update(items).where(items.c.id == bindparam("item"), items.c.free > 0).values(free=items.c.free - 1)
_GIVE = update(items).where(items.c.id == bindparam("item"), items.c.kind == ITEM).values(free=items.c.free + 1)
_SERVE = update(raters).where(raters.c.id == bindparam("of_rater")).values(served=bindparam("turn"))


def _leasing(make: Any) -> Any:
    """Lease an item; a lease of the same rater on it that ran out is opened again, under a new ticket."""
    new = make(leases)
    fresh = ("state", "turn", "shown", "seen", "rating", "expires")
    return new.on_conflict_do_update(
        index_elements=["rater_id", "item_id"],
        set_={name: new.excluded[name] for name in fresh} | {"round": leases.c.round + 1},
    ).returning(leases.c.id, leases.c.round)


_LEASE = {"sqlite": _leasing(sqlite.insert), "postgresql": _leasing(postgresql.insert)}


@dataclass(frozen=True)
class Desk:
    """A rater whose row is locked for this transaction."""

    rater: str
    seed: int
    served: int
    shut_out: bool


def lock_rater(connection: Connection, rater: str) -> Desk | None:
    """Lock a rater's row, so that two tabs of one rater follow one another; None: there is no such rater."""
    row = connection.execute(_LOCK_RATER, {"rater": rater}).first()
    return Desk(row.id, row.seed, row.served, row.shut_out is not None) if row is not None else None


_LOCK_BOTH = (
    select(*LEASE_COLUMNS, raters.c.seed, raters.c.served, raters.c.shut_out)
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
    return Desk(rater, row.seed, row.served, row.shut_out is not None), row


def lay_out(
    connection: Connection, desk: Desk, settings: Settings, now: float, *, ahead: bool
) -> tuple[Item | None, Item | None]:
    """The item before a rater, and the one after it (if ``ahead``, or if it is leased already); leases what is lacking."""
    if desk.shut_out:
        return None, None
    rows: list[Any] = list(connection.execute(_OPEN_LEASES, {"rater": desk.rater}))
    turn = desk.served
    while len(rows) < 1 + ahead:
        row = _grant(connection, desk, settings, turn, now, patient=not rows)
        if row is None:
            break
        rows.append(row)
        turn += 1
    if turn > desk.served:
        connection.execute(_SERVE, {"of_rater": desk.rater, "turn": turn})
    if not rows:
        return None, None
    until = now + settings.lease_s
    connection.execute(_KEEP, {"of_rater": desk.rater, "until": until, "showing": rows[0].id, "now": now})
    return as_item(rows[0], settings, now), as_item(rows[1], settings, now) if len(rows) > 1 else None


def _grant(connection: Connection, desk: Desk, settings: Settings, turn: int, now: float, *, patient: bool) -> Any:
    """Lease one more item to a rater; None when nothing is left for them.

    Args:
        patient: wait for items that others are just being given, before saying that nothing is left. Only while this
            transaction holds no item itself: two that hold one and wait for another would wait for ever.
    """
    where = {"rater": desk.rater, "point": draw(desk.seed, ITEM, turn)}
    found = None
    if is_control_turn(desk.seed, turn, settings.control_every):
        found = _first(connection, _PICK_CONTROL, where)
    if found is None:
        found = _first(connection, _TAKE_BEST, where)
    for wait in (False, True)[: 1 + patient]:
        highest = (connection.execute(_LEVELS).scalar() or 0) if found is None else 0
        for free in range(highest, 0, -1):
            found = _first(connection, _TAKE_AT[wait], where | {"free": free})
            if found is not None:
                break
    if found is None:
        return None
    row = {
        "id": secrets.token_hex(8), "rater_id": desk.rater, "item_id": found.id, "state": OPEN, "round": 0, "seen": 0,
        "turn": turn, "shown": None, "expires": now + settings.lease_s, "rating": None,
    }  # fmt: skip
    lease = connection.execute(_LEASE[connection.dialect.name], row).one()
    return _Row(lease.id, lease.round, found)


class _Row:
    """A lease that was just made, with the columns that :func:`as_item` reads."""

    seen = 0
    shown = None

    def __init__(self, lease: Any, number: int, item: Any) -> None:
        self.id, self.round, self.item_id = lease, number, item.id
        self.dataset, self.image_id, self.height, self.width = item.dataset, item.image_id, item.height, item.width
        self.counts, self.label, self.question = item.counts, item.label, item.question


def _first(connection: Connection, statements: tuple[Any, ...], where: dict[str, Any]) -> Any:
    """The first row that one of the statements gives."""
    for statement in statements:
        found = connection.execute(statement, where).first()
        if found is not None:
            return found
    return None


def is_control_turn(seed: int, turn: int, every: int) -> bool:
    """Whether a rater's item number ``turn`` (from 0) is a control: one in each run of ``every``, at a drawn place."""
    return every > 0 and turn % every == draw(seed, "control", turn // every) % every


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
