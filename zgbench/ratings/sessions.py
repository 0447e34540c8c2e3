"""Browsers that somebody is signed in with. A cookie holds a session's secret; the store keeps its hash.

All tabs of a browser share a session, so that signing out in one ends them all. The invitation behind a session is
looked at at every step: a session ends with it.
"""

from __future__ import annotations

import hashlib
import secrets

from sqlalchemy import Connection, insert, select, update

from zgbench.ratings.people import MAX_TOLD, RATER_COLUMNS, clean, hashed, new_rater, rater_of
from zgbench.ratings.records import End, Rater
from zgbench.ratings.tables import raters, sessions, tokens


def enter(connection: Connection, study: int, token: str, participant: str, now: float) -> str | None:
    """Sign in with an invitation; an open one makes a rater.

    Args:
        participant: what the link calls whoever comes; it is kept for the organiser, and proves nothing.

    Returns:
        The new session's secret; None when the invitation is unknown, expired, revoked or used up.
    """
    row = connection.execute(
        select(tokens.c.hash, tokens.c.rater_id, tokens.c.expires, tokens.c.places, raters.c.name, raters.c.served)
        .join(raters, raters.c.id == tokens.c.rater_id)
        .where(
            tokens.c.hash == hashed(token.strip()), tokens.c.revoked.is_(None), raters.c.study == study,
            raters.c.shut_out.is_(None),
        )
        .with_for_update(of=raters)
    ).first()  # fmt: skip
    if row is None or (row.expires is not None and row.expires <= now):
        return None
    told = clean(participant)[:MAX_TOLD] or None
    rater = row.rater_id
    if row.places is not None:
        if row.served >= row.places:
            return None
        connection.execute(update(raters).where(raters.c.id == rater).values(served=row.served + 1))
        trained = connection.execute(select(raters.c.trained).where(raters.c.id == rater)).scalar() is not None
        name = f"{row.name} {row.served + 1}"
        rater = new_rater(connection, study, name, "rater", now, participant=told, trained=trained)
    elif told is not None:
        connection.execute(update(raters).where(raters.c.id == rater).values(participant=told))
    return _begin(connection, rater, row.hash, now)


def enter_with_identity(
    connection: Connection, study: int, issuer: str, subject: str, name: str, now: float
) -> str | None:
    """Sign in with an OpenID identity, which makes a rater at the first time, never an admin; None when shut out."""
    identity = hashlib.sha256(f"{len(issuer)}:{issuer}{subject}".encode("utf-8", "surrogatepass")).hexdigest()
    query = select(raters.c.id, raters.c.shut_out).where(raters.c.study == study, raters.c.identity == identity)
    row = connection.execute(query).first()
    if row is None:
        shown = f"{(clean(name) or 'rater')[:60]} ({identity[:8]})"
        return _begin(connection, new_rater(connection, study, shown, "rater", now, identity=identity), None, now)
    return _begin(connection, row.id, None, now) if row.shut_out is None else None


def _begin(connection: Connection, rater: str, token: str | None, now: float) -> str:
    secret = secrets.token_hex(20)
    connection.execute(insert(sessions).values(hash=hashed(secret), rater_id=rater, token=token, created=now))
    return secret


def who(connection: Connection, study: int, secret: str, now: float) -> Rater | End:
    """Who is signed in with a session, or why nobody is."""
    row = connection.execute(
        select(*RATER_COLUMNS, raters.c.shut_out, sessions.c.ended, tokens.c.expires, tokens.c.revoked)
        .join(sessions, sessions.c.rater_id == raters.c.id)
        .outerjoin(tokens, tokens.c.hash == sessions.c.token)
        .where(sessions.c.hash == hashed(secret), raters.c.study == study)
    ).first()
    if row is None:
        return "unknown"
    if row.ended is not None:
        return "signed_out"
    if row.shut_out is not None:
        return "shut_out"
    if row.revoked is not None:
        return "revoked"
    return "expired" if row.expires is not None and row.expires <= now else rater_of(row)


def is_of_token(connection: Connection, study: int, secret: str, token: str, now: float) -> bool:
    """Whether a session that still holds was begun with this invitation."""
    query = select(sessions.c.token).where(sessions.c.hash == hashed(secret))
    held = connection.execute(query).scalar() == hashed(token.strip())
    return held and isinstance(who(connection, study, secret, now), Rater)


def leave(connection: Connection, secret: str, now: float) -> None:
    """End a session, in all of its tabs."""
    connection.execute(
        update(sessions).where(sessions.c.hash == hashed(secret), sessions.c.ended.is_(None)).values(ended=now)
    )
