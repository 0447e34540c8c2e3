"""Who may rate: invitations, OpenID identities, people who are shut out."""

from __future__ import annotations

import pytest
from sqlalchemy import select

import zgbench
from tests.ratings.acting import log
from tests.ratings.clock import Clock
from tests.ratings.conftest import contents
from zgbench.ratings import Rater, Store, status
from zgbench.ratings.comments import MAX_COMMENT, list_comments
from zgbench.ratings.people import MAX_TOLD
from zgbench.ratings.tables import raters


def test_tokens(store: Store, clock: Clock) -> None:
    token = store.make_token("Anna", days=1)
    clock.now += 1
    second = store.make_token("Anna")
    rater = store.sign_in(token)
    assert rater is not None and (rater.name, rater.role) == ("Anna", "rater")
    assert store.sign_in(f" {second}\n") == rater
    assert store.sign_in("zg_" + "0" * 40) is None
    assert store.sign_in("\ud800") is None
    clock.now += 86401
    assert store.sign_in(token) is None
    assert store.revoke_token(store.tokens()[1].id)
    assert store.sign_in(second) is None
    assert not store.revoke_token(second)  # once
    assert not store.revoke_token("")
    assert [t.revoked is None for t in store.tokens()] == [True, False]
    assert token not in repr(store.tokens())
    admin = store.sign_in(store.make_token("boss", role="admin"))
    assert admin is not None and admin.role == "admin"
    with pytest.raises(zgbench.UsageError, match="Anna is a rater already"):
        store.make_token("Anna", role="admin")
    with pytest.raises(zgbench.UsageError, match="1 to 80 printable"):
        store.make_token(" ")


def test_the_database_holds_no_token(sqlite_store: Store) -> None:
    token = sqlite_store.make_token("a")
    sqlite_store.close()
    held = b"".join(p.read_bytes() for p in [*_files(sqlite_store)])
    assert token.encode() not in held and token.removeprefix("zg_").encode() not in held


def _files(store: Store) -> list:  # type: ignore[type-arg]
    from pathlib import Path

    file = Path(store.database.name)
    return [p for p in file.parent.iterdir() if p.name.startswith(file.name)]


def test_identities(store: Store) -> None:
    session = store.enter_with_identity("https://id.example", "17", "Ann\x00a")
    rater = entered(store, session)
    assert rater.role == "rater" and rater.name.startswith("Ann a (")
    assert entered(store, store.enter_with_identity("https://id.example", "17")) == rater
    assert entered(store, store.enter_with_identity("https://id.example1", "7")).id != rater.id
    store.shut_out(rater.id)
    assert store.enter_with_identity("https://id.example", "17") is None
    assert session is not None and store.who(session) == "shut_out"
    store.shut_out(rater.id, False)
    assert store.who(session) == rater


def entered(store: Store, session: str | None) -> Rater:
    assert session is not None
    found = store.who(session)
    assert isinstance(found, Rater)
    return found


def test_a_session_ends_in_all_tabs_and_says_why(store: Store, clock: Clock) -> None:
    token = store.make_token("Anna", days=1)
    here, there = store.enter(token), store.enter(f" {token}\n")
    assert here is not None and there is not None and here != there and token not in (here, there)
    assert entered(store, here).name == "Anna"
    store.leave(here)
    assert store.who(here) == "signed_out"
    assert entered(store, there).name == "Anna"  # another browser
    store.leave(here)
    store.shut_out(entered(store, there).id)
    assert store.who(there) == "shut_out" and store.enter(token) is None
    store.shut_out(store.tokens()[0].rater, False)
    assert entered(store, there).name == "Anna"
    clock.now += 86401
    assert store.who(there) == "expired" and store.enter(token) is None
    second = store.make_token("Anna")
    third = store.enter(second)
    assert third is not None and store.revoke_token(second)
    assert store.who(third) == "revoked"
    assert store.who("nonsense") == store.who("") == "unknown"


def test_an_open_invitation_makes_a_rater_each_time(store: Store) -> None:
    token = store.make_token("crowd", places=2)
    assert store.sign_in(token) is None  # nobody is it
    first = entered(store, store.enter(token, "5f3c\x00 <b>" + "x" * 100))
    second = entered(store, store.enter(token, "5f3c"))
    assert first.id != second.id  # what a link tells is never trusted
    assert (first.name, second.name) == ("crowd 1", "crowd 2")
    assert store.enter(token) is None  # used up
    (info,) = store.tokens()
    assert (info.places, info.made, info.role) == (2, 2, "rater")
    query = select(raters.c.participant).where(raters.c.id == first.id)
    told = store.database.read(lambda c: c.execute(query).scalar())
    assert told is not None and len(told) == MAX_TOLD and told.startswith("5f3c  <b>")
    assert status(store, resamples=2).raters == 2
    with pytest.raises(zgbench.UsageError, match="crowd is an open invitation already"):
        store.make_token("crowd")
    with pytest.raises(zgbench.UsageError, match="--open 0"):
        store.make_token("x", places=0)


def test_many_invitations_or_none(store: Store) -> None:
    with pytest.raises(zgbench.UsageError, match="1 to 80 printable"):
        store.make_tokens(["a", " "])
    assert store.tokens() == []
    assert len(set(store.make_tokens(["a", "b"], days=3))) == 2


def test_consent_and_comments(store: Store) -> None:
    store.add_items(contents(3))
    rater, other = (store.sign_in(store.make_token(name)) for name in "ab")
    assert rater is not None and other is not None and not rater.consented
    store.consent(rater)
    assert store.sign_in(store.make_token("a")).consented  # type: ignore[union-attr]
    item = store.next_item(rater)
    assert item is not None
    store.comment(rater, item.id, " the mask\x00 covers two cats " + "x" * 600)
    with pytest.raises(zgbench.UsageError, match="not before this rater"):
        store.comment(other, item.id, "mine?")
    with pytest.raises(zgbench.UsageError, match="needs a word"):
        store.comment(rater, item.id, " \x00")
    (said,) = store.database.read(lambda c: list_comments(c, store.study.id))
    assert (said.name, said.image_id) == ("a", item.image_id)
    assert said.text.startswith("the mask  covers two cats x") and len(said.text) == MAX_COMMENT


def test_who_is_shut_out_gets_nothing(store: Store) -> None:
    store.add_items(contents(3))
    token = store.make_token("a")
    rater = store.sign_in(token)
    assert rater is not None
    item = store.next_item(rater)
    assert item is not None
    store.shut_out(rater.id)
    assert store.sign_in(token) is None
    assert store.next_item(rater) is None
    assert not store.rate(rater, item.ticket, 3).accepted
    assert log(store) == []
