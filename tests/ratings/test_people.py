"""Who may rate: invitations, OpenID identities, people who are shut out."""

from __future__ import annotations

import pytest

import zgbench
from tests.ratings.acting import log
from tests.ratings.conftest import Clock, contents
from zgbench.ratings import Store


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
    rater = store.sign_in_with_identity("https://id.example", "17", "Ann\x00a")
    assert rater is not None and rater.role == "rater" and rater.name.startswith("Ann a (")
    assert store.sign_in_with_identity("https://id.example", "17") == rater
    other = store.sign_in_with_identity("https://id.example1", "7")
    assert other is not None and other.id != rater.id
    store.shut_out(rater.id)
    assert store.sign_in_with_identity("https://id.example", "17") is None
    store.shut_out(rater.id, False)
    assert store.sign_in_with_identity("https://id.example", "17") == rater


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
    assert not store.rate(rater, item.ticket, 3, 2.0).accepted
    assert log(store) == []
