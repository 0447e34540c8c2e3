"""What raters say: rating, skipping, undoing. Each showing of an item has a ticket, and a ticket takes one answer."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from zgbench.errors import UsageError
from zgbench.ratings.assignment import (
    LEASE_COLUMNS,
    give_back,
    lay_out,
    lock_rater,
    lock_with_lease,
    take_place,
)
from zgbench.ratings.picking import Desk
from zgbench.ratings.records import CANNOT_TELL, Answer, Outcome, Reason
from zgbench.ratings.settings import Settings
from zgbench.ratings.tables import EXPIRED, OPEN, RATED, SKIPPED, items, leases, ratings

SCORE, SKIP, WITHDRAWN = "score", "skipped", "withdrawn"
MAX_UNDONE = 5
MAX_REASON = 200
_TICKET = re.compile(r"([0-9a-f]{16})\.(\d{1,6})")
_SLACK_S = 0.05  # clocks of page and server tick differently

_ANSWERED = select(ratings.c.seq).where(ratings.c.ticket == bindparam("ticket"))
_CLOSE = update(leases).where(leases.c.id == bindparam("lease")).values(state=bindparam("to"), rating=bindparam("seq"))
_LAST = (
    select(*LEASE_COLUMNS)
    .join(items, items.c.id == leases.c.item_id)
    .where(leases.c.rater_id == bindparam("rater"), leases.c.state.in_((RATED, SKIPPED)))
    .order_by(leases.c.rating.desc())
    .limit(1)
    .with_for_update(of=leases)
)


def check_answer(answer: Answer) -> tuple[str, int | None]:
    """Kind and score of an answer.

    Raises:
        UsageError: neither 0, 1, 2, 3 nor ``cannot_tell``.
    """
    if answer == CANNOT_TELL:
        return CANNOT_TELL, None
    if type(answer) is int and 0 <= answer <= 3:
        return SCORE, answer
    raise UsageError(f"answer {answer!r}: expected 0, 1, 2, 3 or {CANNOT_TELL!r}.")


def rate(connection: Connection, rater: str, ticket: str, answer: Answer, settings: Settings, now: float) -> Outcome:
    """Take an answer to a showing. How long it took is since the item came before its rater, whatever became of pages."""
    kind, score = check_answer(answer)
    return _close(connection, rater, ticket, settings, now, RATED, kind, score, None)


def skip(connection: Connection, rater: str, ticket: str, reason: str, settings: Settings, now: float) -> Outcome:
    """Let a rater pass over an item, for good; its place goes to somebody else."""
    note = "".join(c if c.isprintable() else " " for c in reason).strip()[:MAX_REASON]
    if not note:
        raise UsageError("skipping needs a reason, 1 to 200 characters.")
    return _close(connection, rater, ticket, settings, now, SKIPPED, SKIP, None, note)


def _close(
    connection: Connection, rater: str, ticket: str, settings: Settings, now: float,
    to: str, kind: str, score: int | None, note: str | None,
) -> Outcome:  # fmt: skip
    match = _TICKET.fullmatch(ticket)
    desk, lease = lock_with_lease(connection, rater, match[1] if match else "")
    if desk is None:
        return Outcome(False, "not_leased", 0.0, False, None, None)

    def outcome(accepted: bool, reason: Reason = "", wait: float = 0.0, repeated: bool = False) -> Outcome:
        current, ahead = lay_out(connection, desk, settings, now, ahead=True)
        return Outcome(accepted, reason, wait, repeated, current, ahead)

    if match is None or lease is None or int(match[2]) > lease.round:
        return outcome(False, "not_leased")
    waiting = lease.state == OPEN and int(match[2]) == lease.round  # then it has no answer yet
    if not waiting and connection.execute(_ANSWERED, {"ticket": ticket}).first() is not None:
        return outcome(True, repeated=True)
    if desk.shut_out or int(match[2]) < lease.round or lease.state not in (OPEN, EXPIRED):
        return outcome(False, "expired")
    seconds = min(max(0.0, now - lease.shown), settings.lease_s) if lease.shown is not None else 0.0
    if to == RATED and not lease.seen and seconds + _SLACK_S < settings.min_seconds:
        return outcome(False, "too_soon", settings.min_seconds - seconds)
    if lease.state == EXPIRED and to == RATED and not take_place(connection, lease.item_id, lease.kind):
        return outcome(False, "expired")  # its place went to somebody else
    if lease.state == OPEN and to == SKIPPED:
        give_back(connection, lease.item_id)
    seq = _append(connection, ticket, rater, lease.item_id, kind, score, note, seconds if to == RATED else None, now)
    connection.execute(_CLOSE, {"lease": lease.id, "to": to, "seq": seq})
    return outcome(True)


def _append(
    connection: Connection, ticket: str, rater: str, item: str, kind: str,
    score: int | None, note: str | None, seconds: float | None, now: float,
) -> int:  # fmt: skip
    row = {
        "ticket": ticket, "rater_id": rater, "item_id": item, "answer": kind, "score": score, "note": note,
        "seconds": seconds, "at": now,
    }  # fmt: skip
    key = connection.execute(insert(ratings), row).inserted_primary_key
    return int(key[0]) if key is not None else 0


def undo(connection: Connection, rater: str, ticket: str | None, settings: Settings, now: float) -> Outcome:
    """Bring the item that was answered last back before its rater; a new row withdraws the answer.

    Args:
        ticket: what the rater saw when they asked; if that is not current any more, it was undone already.
    """
    desk = lock_rater(connection, rater)
    if desk is None or desk.shut_out:
        return Outcome(False, "not_leased", 0.0, False, None, None)
    current, ahead = lay_out(connection, desk, settings, now, ahead=True)
    if (current.ticket if current is not None else None) != ticket:
        return Outcome(False, "", 0.0, True, current, ahead)
    done = connection.execute(_LAST, {"rater": rater}).first()
    if done is None or _undone(connection, rater) >= MAX_UNDONE:
        return Outcome(False, "nothing_to_undo", 0.0, False, current, ahead)
    if done.state == SKIPPED and not take_place(connection, done.item_id, done.kind):
        return Outcome(False, "nothing_to_undo", 0.0, False, current, ahead)
    before = f"{done.id}.{done.round}"
    _append(connection, f"{before}.undo", rater, done.item_id, WITHDRAWN, None, None, None, now)
    took = connection.execute(select(ratings.c.seconds).where(ratings.c.seq == done.rating)).scalar()
    first = connection.execute(
        select(func.min(leases.c.turn)).where(leases.c.rater_id == rater, leases.c.state == OPEN)
    ).scalar()
    connection.execute(
        update(leases)
        .where(leases.c.id == done.id)
        .values(
            state=OPEN, round=done.round + 1, seen=1, rating=None, expires=now + settings.lease_s,
            shown=now - (took or 0.0),  # its time goes on from where it was
            turn=min(done.turn, first - 1 if first is not None else done.turn),
        )
    )  # fmt: skip
    return Outcome(True, "", 0.0, False, *lay_out(connection, _renewed(connection, desk), settings, now, ahead=True))


def _renewed(connection: Connection, desk: Desk) -> Desk:
    return lock_rater(connection, desk.rater) or desk


def _undone(connection: Connection, rater: str) -> int:
    query = select(func.count()).where(leases.c.rater_id == rater, leases.c.state == OPEN, leases.c.seen == 1)
    return int(connection.execute(query).scalar() or 0)


def can_undo(connection: Connection, rater: str) -> bool:
    """Whether there is an answer to take back."""
    answered: Any = connection.execute(
        select(leases.c.id).where(leases.c.rater_id == rater, leases.c.state.in_((RATED, SKIPPED))).limit(1)
    ).first()
    return answered is not None and _undone(connection, rater) < MAX_UNDONE
