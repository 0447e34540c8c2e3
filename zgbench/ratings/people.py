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
_COLUMNS = (raters.c.id, raters.c.name, raters.c.role, raters.c.trained, raters.c.seed)


def _hashed(secret: str) -> str:
    # a token has 160 random bits: nothing to guess, so a plain hash is enough
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _rater(row: Any) -> Rater:
    return Rater(row.id, row.name, row.role, row.trained is not None, row.seed)


def sign_in(connection: Connection, token: str, now: float) -> Rater | None:
    """The rater of a token; None when it is unknown, expired or revoked, or the rater is shut out."""
    row = connection.execute(
        select(*_COLUMNS, tokens.c.expires)
        .join(tokens, tokens.c.rater_id == raters.c.id)
        .where(tokens.c.hash == _hashed(token.strip()), tokens.c.revoked.is_(None), raters.c.shut_out.is_(None))
    ).first()
    return None if row is None or (row.expires is not None and row.expires <= now) else _rater(row)


def sign_in_with_identity(connection: Connection, issuer: str, subject: str, name: str, now: float) -> Rater | None:
    """The rater of an OpenID identity, made at the first sign-in; None when shut out."""
    identity = hashlib.sha256(f"{len(issuer)}:{issuer}{subject}".encode("utf-8", "surrogatepass")).hexdigest()
    query = select(*_COLUMNS, raters.c.shut_out).where(raters.c.identity == identity)
    row = connection.execute(query).first()
    if row is None:
        shown = (_clean(name) or "rater")[:60]
        _new_rater(connection, f"{shown} ({identity[:8]})", "rater", now, identity)
        row = connection.execute(query).one()
    return None if row.shut_out is not None else _rater(row)


def rater_by_id(connection: Connection, rater: str) -> Rater:
    """A rater as stored now.

    Raises:
        UsageError: there is none.
    """
    row = connection.execute(select(*_COLUMNS).where(raters.c.id == rater)).first()
    if row is None:
        raise UsageError(f"there is no rater {rater!r}.")
    return _rater(row)


def _clean(name: str) -> str:
    return "".join(c if c.isprintable() else " " for c in name).strip()


def _new_rater(connection: Connection, name: str, role: Role, now: float, identity: str | None = None) -> str:
    found = secrets.token_hex(6)
    connection.execute(
        insert(raters).values(
            id=found, name=name, role=role, seed=secrets.randbits(31), served=0, created=now, identity=identity
        )
    )
    return found


def make_token(connection: Connection, name: str, role: Role, days: float | None, now: float) -> str:
    """A new token of a rater, who is made if the name is new.

    Raises:
        UsageError: no name, a bad duration, or a name that has the other role.
    """
    shown = _clean(name)
    if not shown or len(shown) > 80:
        raise UsageError(f"name {name!r}: expected 1 to 80 printable characters.")
    if role not in ("rater", "admin"):
        raise UsageError(f"role {role!r}: expected rater or admin.")
    if days is not None and not 0 < days <= 36500:
        raise UsageError(f"--days {days:g}: expected more than 0.")
    row = connection.execute(select(raters.c.id, raters.c.role).where(raters.c.name == shown)).first()
    if row is not None and row.role != role:
        raise UsageError(f"{shown} is a {row.role} already. Choose another name.")
    rater = row.id if row is not None else _new_rater(connection, shown, role, now)
    secret = _PREFIX + secrets.token_hex(20)
    expires = now + days * 86400 if days is not None else None
    connection.execute(insert(tokens).values(hash=_hashed(secret), rater_id=rater, created=now, expires=expires))
    return secret


def revoke_token(connection: Connection, token: str, now: float) -> bool:
    """Revoke a token, named by itself or by the start of its hash (8 digits or more); False when there is none."""
    wanted = _hashed(token) if token.startswith(_PREFIX) else token.strip().lower()
    if len(wanted) < 8 or not set(wanted) <= set("0123456789abcdef"):
        return False
    done = connection.execute(
        update(tokens).where(tokens.c.hash.startswith(wanted), tokens.c.revoked.is_(None)).values(revoked=now)
    )
    return done.rowcount > 0


def list_tokens(connection: Connection) -> list[TokenInfo]:
    """All tokens, oldest first."""
    query = select(tokens, raters.c.name, raters.c.role).join(raters).order_by(tokens.c.created, tokens.c.hash)
    return [
        TokenInfo(row.hash[:8], row.rater_id, row.name, row.role, row.created, row.expires, row.revoked)
        for row in connection.execute(query)
    ]


def shut_out(connection: Connection, rater: str, on: bool, now: float) -> None:
    """Keep a rater out, or let them in again; their ratings stay."""
    done = connection.execute(update(raters).where(raters.c.id == rater).values(shut_out=now if on else None))
    if not done.rowcount:
        raise UsageError(f"there is no rater {rater!r}.")


def finish_training(connection: Connection, rater: str, now: float) -> Rater:
    """Note that the training round is behind a rater."""
    connection.execute(update(raters).where(raters.c.id == rater, raters.c.trained.is_(None)).values(trained=now))
    return rater_by_id(connection, rater)
