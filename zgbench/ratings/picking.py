"""Which item a rater is given next.

Images are finished one after the other, in one order for everybody: a rater is given an item of the first image that
still has a free place for them. So what is done is, at any moment, nearly all done k times and in whole images. Half of
the raters go through the items of an image the other way round. A control item comes with its own photo: at its turn, or as soon as
the rater is at a photo that has one, so that no photo stands out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, bindparam, exists, literal_column, select, update

from zgbench.ratings.content import draw
from zgbench.ratings.tables import CONTROL, EXPIRED, ITEM, items, leases

SHOWN_COLUMNS = (
    items.c.dataset, items.c.image_id, items.c.height, items.c.width, items.c.counts, items.c.label, items.c.question,
    items.c.place,
)  # fmt: skip
_candidate = items.alias("candidate")
_mine = exists().where(
    leases.c.item_id == _candidate.c.id, leases.c.rater_id == bindparam("rater"), leases.c.state != EXPIRED
)


def has_places(table: Any) -> Any:
    """Condition of items that are still to be given out.

    It is written out, as are kinds below: an index of some rows only is used where a statement names these very rows.
    """
    return and_(table.c.kind == literal_column(f"'{ITEM}'"), table.c.free > literal_column("0"))


def _taking(*, wait: bool, back: bool) -> Any:
    """Pick an item of the first image with one, and take one of its places, in one statement.

    Items that others are just being given are passed over, unless ``wait``. The order is an index's own, forwards or
    ``back``: the database walks it to the first item that will do, and sorts nothing.
    """
    position = _candidate.c.mirrored if back else _candidate.c.position
    picked = (
        select(_candidate.c.id)
        .where(_candidate.c.study == bindparam("in_study"), has_places(_candidate), ~_mine)
        .order_by(_candidate.c.place, position)
        .limit(1)
        .with_for_update(skip_locked=not wait, of=_candidate)
        .scalar_subquery()
    )
    taken = update(items).where(items.c.id == picked).values(free=items.c.free - 1)
    return taken.returning(items.c.id, *SHOWN_COLUMNS)


_TAKE_FIRST = {(wait, back): _taking(wait=wait, back=back) for wait in (False, True) for back in (False, True)}


def _control(*of_place: Any) -> Any:
    """A control item that the rater has not seen, nearest to the front."""
    return (
        select(_candidate.c.id, *(_candidate.c[column.name] for column in SHOWN_COLUMNS))
        .where(
            _candidate.c.study == bindparam("in_study"),
            _candidate.c.kind == literal_column(f"'{CONTROL}'"),
            ~_mine,
            *of_place,
        )
        .order_by(_candidate.c.place, _candidate.c.position)
        .limit(1)
    )


_CONTROL_HERE = _control(_candidate.c.place == bindparam("at_place"))
_CONTROL_ANYWHERE = (_control(_candidate.c.place > bindparam("at_place")), _control())
_PATIENCE = 2  # turns of control items that a rater waits for a photo to hide one in


@dataclass(frozen=True)
class Desk:
    """A rater whose row is locked for this transaction.

    Attributes:
        served: leases that they were given.
        at_place: of the image that they were given last.
        owed: control items that they are still to be given.
    """

    rater: str
    study: int
    seed: int
    served: int
    shut_out: bool
    at_place: int
    owed: int


def pick(connection: Connection, desk: Desk, control_every: int, *, patient: bool) -> tuple[Any, int, int]:
    """Take a place of the item that is next for a rater.

    Returns:
        The item's row, or None when nothing is left for them; the place of the photo that they are at then; and the
        control items that they are owed then.
    """
    where = {"rater": desk.rater, "in_study": desk.study}
    owed = desk.owed + is_control_turn(desk.seed, desk.served, control_every)
    if owed:
        found = _hidden(connection, where | {"at_place": desk.at_place}, owed)
        if found is not None:
            return found, desk.at_place, owed - 1
        owed = owed if owed < _PATIENCE else 0  # there is none that they have not seen
    for wait in (False, True)[: 1 + patient]:
        found = connection.execute(_TAKE_FIRST[wait, desk.seed % 2 == 1], where).first()
        if found is not None:
            return found, found.place, owed
    return None, desk.at_place, owed


def _hidden(connection: Connection, where: dict[str, Any], owed: int) -> Any:
    """A control item: on the photo at hand or, after long waiting, on any other."""
    found = connection.execute(_CONTROL_HERE, where).first()
    for statement in _CONTROL_ANYWHERE if owed >= _PATIENCE else ():
        found = found if found is not None else connection.execute(statement, where).first()
    return found


def is_control_turn(seed: int, turn: int, every: int) -> bool:
    """Whether a rater's item number ``turn`` (from 0) is a control: one in each run of ``every``, at a drawn place."""
    return every > 0 and turn % every == draw(seed, "control", turn // every) % every
