"""Raters, and the invitations that they sign in with. Only a token's hash is kept."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from sqlalchemy import Connection, insert, select, update

from zgbench.errors import UsageError
from zgbench.ratings.records import Rater, Role, TokenInfo
from zgbench.ratings.tables import raters, tokens

_PREFIX = "zg_"
OPEN_INVITATION = "open"
"""Role of the row that stands for an invitation which makes raters; nobody signs in as it."""

MAX_TOLD = 64
"""Characters that are kept of what a link calls its participant."""

RATER_COLUMNS = (
    raters.c.id, raters.c.name, raters.c.role, raters.c.trained, raters.c.consented, raters.c.seed,
)  # fmt: skip


def hashed(secret: str) -> str:
    # a token has 160 random bits: nothing to guess, so a plain hash is enough
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def rater_of(row: Any) -> Rater:
    """A rater from ``RATER_COLUMNS``."""
    return Rater(row.id, row.name, row.role, row.trained is not None, row.consented is not None, row.seed)


def sign_in(connection: Connection, study: int, token: str, now: float) -> Rater | None:
    """The rater of a personal invitation; None when it is unknown, expired or revoked, or the rater is shut out."""
    row = connection.execute(
        select(*RATER_COLUMNS, tokens.c.expires)
        .join(tokens, tokens.c.rater_id == raters.c.id)
        .where(
            tokens.c.hash == hashed(token.strip()), tokens.c.revoked.is_(None), tokens.c.places.is_(None),
            raters.c.study == study, raters.c.shut_out.is_(None),
        )
    ).first()  # fmt: skip
    return None if row is None or (row.expires is not None and row.expires <= now) else rater_of(row)


def rater_by_id(connection: Connection, rater: str) -> Rater:
    """A rater as stored now.

    Raises:
        UsageError: there is none.
    """
    row = connection.execute(select(*RATER_COLUMNS).where(raters.c.id == rater)).first()
    if row is None:
        raise UsageError(f"there is no rater {rater!r}.")
    return rater_of(row)


def clean(name: str) -> str:
    """A text in one line, without characters that cannot be seen."""
    return "".join(c if c.isprintable() else " " for c in name).strip()


def new_rater(
    connection: Connection, study: int, name: str, role: str, now: float, *, identity: str | None = None,
    participant: str | None = None, trained: bool = False,
) -> str:  # fmt: skip
    """Make a rater; gives the id."""
    found = secrets.token_hex(6)
    connection.execute(
        insert(raters).values(
            id=found, study=study, name=name, role=role, seed=secrets.randbits(31), served=0, place=0, owed=0, round=0,
            created=now, identity=identity, participant=participant, trained=now if trained else None,
        )
    )  # fmt: skip
    return found


def new_imported(connection: Connection, study: int, rater: str, now: float) -> None:
    """Make a rater who comes with their ratings, under the number that they have there."""
    connection.execute(
        insert(raters).values(
            id=rater, study=study, name=f"imported {rater}", role="rater", seed=int(rater, 16) % (1 << 31), served=0,
            place=0, owed=0, round=0, created=now,
        )
    )  # fmt: skip


def make_token(
    connection: Connection, study: int, name: str, role: Role, days: float | None, now: float, *,
    trained: bool = False, places: int | None = None,
) -> str:  # fmt: skip
    """A new token of a rater, who is made if the name is new.

    Args:
        trained: practice is left out.
        places: make an open invitation, which makes a rater of everybody who comes with it, up to so many.

    Raises:
        UsageError: no name, a bad duration, or a name that has another role.
    """
    shown = clean(name)
    if not shown or len(shown) > 80:
        raise UsageError(f"name {name!r}: expected 1 to 80 printable characters.")
    if role not in ("rater", "admin"):
        raise UsageError(f"role {role!r}: expected rater or admin.")
    if days is not None and not 0 < days <= 36500:
        raise UsageError(f"--days {days:g}: expected more than 0.")
    if places is not None and (role != "rater" or not 0 < places <= 100_000):
        raise UsageError(f"--open {places}: expected 1 to 100,000, and no --admin.")
    kind = role if places is None else OPEN_INVITATION
    row = connection.execute(
        select(raters.c.id, raters.c.role).where(raters.c.study == study, raters.c.name == shown)
    ).first()
    if row is not None and row.role != kind:
        what = {"open": "an open invitation", "admin": "an admin"}.get(row.role, f"a {row.role}")
        raise UsageError(f"{shown} is {what} already. Choose another name.")
    rater = row.id if row is not None else new_rater(connection, study, shown, kind, now, trained=trained)
    if trained:
        connection.execute(update(raters).where(raters.c.id == rater, raters.c.trained.is_(None)).values(trained=now))
    secret = _PREFIX + secrets.token_hex(20)
    expires = now + days * 86400 if days is not None else None
    connection.execute(
        insert(tokens).values(hash=hashed(secret), rater_id=rater, created=now, expires=expires, places=places)
    )
    return secret


def revoke_token(connection: Connection, study: int, token: str, now: float) -> bool:
    """Revoke a token, named by itself or by the start of its hash (8 digits or more); False when there is none."""
    wanted = hashed(token) if token.startswith(_PREFIX) else token.strip().lower()
    if len(wanted) < 8 or not set(wanted) <= set("0123456789abcdef"):
        return False
    mine = select(raters.c.id).where(raters.c.study == study)
    done = connection.execute(
        update(tokens)
        .where(tokens.c.hash.startswith(wanted), tokens.c.revoked.is_(None), tokens.c.rater_id.in_(mine))
        .values(revoked=now)
    )
    return done.rowcount > 0


def list_tokens(connection: Connection, study: int) -> list[TokenInfo]:
    """All tokens of a study, oldest first."""
    query = (
        select(tokens, raters.c.name, raters.c.role, raters.c.served)
        .join(raters)
        .where(raters.c.study == study)
        .order_by(tokens.c.created, tokens.c.hash)
    )
    return [
        TokenInfo(
            row.hash[:8], row.rater_id, row.name, "rater" if row.places is not None else row.role, row.created,
            row.expires, row.revoked, row.places, row.served if row.places is not None else 0,
        )
        for row in connection.execute(query)
    ]  # fmt: skip


def shut_out(connection: Connection, study: int, rater: str, on: bool, now: float) -> None:
    """Keep a rater out, or let them in again; their ratings stay."""
    done = connection.execute(
        update(raters).where(raters.c.id == rater, raters.c.study == study).values(shut_out=now if on else None)
    )
    if not done.rowcount:
        raise UsageError(f"there is no rater {rater!r}.")


def consent(connection: Connection, rater: str, now: float) -> None:
    """Note that a rater agrees to what the study asks first."""
    connection.execute(update(raters).where(raters.c.id == rater, raters.c.consented.is_(None)).values(consented=now))
