"""Giving out items and taking answers, on both kinds of databases."""

from __future__ import annotations

import dataclasses

import pytest

import zgbench
from tests.ratings.acting import free, invited, log, rate_all
from tests.ratings.clock import Clock
from tests.ratings.conftest import contents
from zgbench.ratings import Store, open_store
from zgbench.ratings.exporting import rows


def test_the_item_stays_until_it_is_answered(store: Store) -> None:
    store.add_items(contents(5))
    rater = invited(store, "a")
    item = store.next_item(rater)
    assert item is not None
    assert store.next_item(rater) == item
    ahead = store.peek(rater)
    assert ahead is not None and ahead.id != item.id
    assert store.peek(rater) == ahead
    assert sum(free(store)) == 5 * 3 - 2  # no more than one is leased ahead
    outcome = store.rate(rater, item.ticket, 1)
    assert outcome.accepted
    assert outcome.current is not None and outcome.current.id == ahead.id
    assert outcome.ahead is not None and outcome.ahead.id not in (item.id, ahead.id)


def test_everybody_gets_every_item_once_and_no_item_more_than_k(store: Store) -> None:
    store.configure(k=2)
    store.add_items(contents(7))
    first, second, third = (invited(store, name) for name in "abc")
    orders = [rate_all(store, first), rate_all(store, second)]
    assert sorted(orders[0]) == sorted(orders[1]) == sorted(c.id for c in contents(7))
    assert store.next_item(third) is None
    assert free(store) == [0] * 7
    assert store.progress(first).answered == 7
    assert store.progress(third).left == 0


def test_a_ticket_takes_one_answer(store: Store) -> None:
    store.add_items(contents(3))
    rater = invited(store, "a")
    item = store.next_item(rater)
    assert item is not None
    first = store.rate(rater, item.ticket, 1)
    again = store.rate(rater, item.ticket, 3)
    assert again.accepted and again.repeated
    assert again.current == first.current
    assert log(store) == [("score", 1)]


def test_only_ones_own_items_can_be_rated(store: Store) -> None:
    store.add_items(contents(3))
    mine, other = invited(store, "a"), invited(store, "b")
    item = store.next_item(mine)
    assert item is not None
    for ticket in (item.ticket, "0" * 16 + ".0", item.ticket.partition(".")[0] + ".7", "", "'; --", "x.0"):
        outcome = store.rate(other, ticket, 3)
        assert (outcome.accepted, outcome.reason) == (False, "not_leased")
        assert outcome.current is not None
    assert store.rate(dataclasses.replace(other, id="nobody"), item.ticket, 3).reason == "not_leased"
    assert log(store) == []


@pytest.mark.parametrize("answer", [4, -1, True, 1.0, "1", "", None])
def test_answers_that_are_none(answer: object, sqlite_store: Store) -> None:
    sqlite_store.add_items(contents(1))
    rater = invited(sqlite_store, "a")
    item = sqlite_store.next_item(rater)
    assert item is not None
    with pytest.raises(zgbench.UsageError, match="expected 0, 1, 2, 3 or 'cannot_tell'"):
        sqlite_store.rate(rater, item.ticket, answer)  # type: ignore[arg-type]


def test_an_item_must_be_looked_at(store: Store, clock: Clock) -> None:
    store.configure(min_seconds=2)
    store.add_items(contents(3))
    rater = invited(store, "a")
    item = store.next_item(rater)
    assert item is not None and item.min_seconds == 2
    clock.now += 1.5
    hasty = store.rate(rater, item.ticket, 3)
    assert (hasty.accepted, hasty.reason, hasty.wait_s) == (False, "too_soon", pytest.approx(0.5))
    assert hasty.current is not None and hasty.current.ticket == item.ticket
    assert hasty.current.seconds_shown == pytest.approx(1.5)
    clock.now += 1
    outcome = store.rate(rater, item.ticket, 3)
    assert outcome.accepted
    assert [row["seconds"] for row in rows(store)] == [pytest.approx(2.5)]  # whatever became of pages meanwhile
    assert outcome.current is not None
    assert store.rate(rater, outcome.current.ticket, 3).reason == "too_soon"  # leased ahead, not shown before


def test_leases_end_and_late_answers_count_if_there_is_a_place(store: Store, clock: Clock) -> None:
    store.configure(k=1, lease_s=60)
    store.add_items(contents(1))
    slow, quick = invited(store, "slow"), invited(store, "quick")
    item = store.next_item(slow)
    assert item is not None
    assert store.next_item(quick) is None
    clock.now += 61
    taken = store.next_item(quick)
    assert taken is not None and taken.id == item.id
    late = store.rate(slow, item.ticket, 0)
    assert (late.accepted, late.reason, late.current) == (False, "expired", None)
    clock.now += 61
    assert store._expire(now=True) == 1
    late = store.rate(slow, item.ticket, 0)  # the other one went away too
    assert late.accepted
    assert store.rate(quick, taken.ticket, 3).reason == "expired"
    assert log(store) == [("score", 0)]
    assert free(store) == [0]


def test_an_expired_item_can_come_back_to_the_same_rater(store: Store, clock: Clock) -> None:
    store.configure(k=1, lease_s=60)
    store.add_items(contents(1))
    rater = invited(store, "a")
    before = store.next_item(rater)
    clock.now += 61
    assert store._expire(now=True) == 1
    after = store.next_item(rater)
    assert before is not None and after is not None
    assert before.id == after.id and before.ticket != after.ticket
    assert store.rate(rater, before.ticket, 1).reason == "expired"
    assert store.rate(rater, after.ticket, 1).accepted


def test_undo_goes_back_step_by_step(store: Store, clock: Clock) -> None:
    store.configure(min_seconds=1)
    store.add_items(contents(10))
    rater = invited(store, "a")
    shown = []
    item = store.next_item(rater)
    for score in (0, 1, 2):
        assert item is not None
        clock.now += 2
        shown.append(item.id)
        item = store.rate(rater, item.ticket, score).current
    assert item is not None
    back = store.undo(rater, item.ticket)
    assert back.accepted and back.current is not None and back.current.id == shown[2]
    assert back.ahead is not None and back.ahead.id == item.id
    doubled = store.undo(rater, item.ticket)  # the same key press, sent twice
    assert (doubled.accepted, doubled.repeated) == (False, True)
    assert doubled.current is not None and doubled.current.ticket == back.current.ticket
    further = store.undo(rater, back.current.ticket)
    assert further.current is not None and further.current.id == shown[1]
    assert further.current.min_seconds == 0  # it was looked at before
    assert log(store)[3:] == [("withdrawn", None)] * 2
    assert store.progress(rater).answered == 1
    clock.now += 0.2
    again = store.rate(rater, further.current.ticket, 3)
    assert [row["seconds"] for row in rows(store)][-1] == pytest.approx(2.2)  # of both looks together
    assert again.accepted and again.current is not None and again.current.id == shown[2]
    again = store.rate(rater, again.current.ticket, 3)
    assert again.current is not None and again.current.id == item.id
    assert [score for _, score in log(store)] == [0, 1, 2, None, None, 3, 3]
    assert store.progress(rater).answered == 3
    free(store)


def test_undo_ends(sqlite_store: Store) -> None:
    sqlite_store.add_items(contents(9))
    rater = invited(sqlite_store, "a")
    assert not sqlite_store.progress(rater).can_undo
    rate_all(sqlite_store, rater)
    assert sqlite_store.progress(rater).can_undo
    ticket: str | None = None
    for _ in range(5):
        outcome = sqlite_store.undo(rater, ticket)
        assert outcome.accepted and outcome.current is not None
        ticket = outcome.current.ticket
    assert sqlite_store.undo(rater, ticket).reason == "nothing_to_undo"
    assert sqlite_store.progress(rater).answered == 4
    rate_all(sqlite_store, rater)
    assert sqlite_store.progress(rater).answered == 9


def test_skipping_gives_the_place_to_somebody_else(store: Store) -> None:
    store.configure(k=1)
    store.add_items(contents(1))
    rater, other = invited(store, "a"), invited(store, "b")
    item = store.next_item(rater)
    assert item is not None
    with pytest.raises(zgbench.UsageError, match="needs a reason"):
        store.skip(rater, item.ticket, " \n")
    outcome = store.skip(rater, item.ticket, "too\x00 small" + "x" * 500)
    assert outcome.accepted and outcome.current is None
    assert store.next_item(rater) is None
    assert store.progress(rater).skipped == 1
    assert free(store) == [1]
    back = store.undo(rater, None)
    assert back.accepted and back.current is not None
    assert free(store) == [0]
    store.skip(rater, back.current.ticket, "still too small")
    assert store.next_item(other) is not None
    assert store.undo(rater, None).reason == "nothing_to_undo"  # its place is taken


def test_cannot_tell_is_an_answer(store: Store) -> None:
    store.configure(k=1)
    store.add_items(contents(1))
    rater = invited(store, "a")
    item = store.next_item(rater)
    assert item is not None
    assert store.rate(rater, item.ticket, "cannot_tell").accepted
    assert log(store) == [("cannot_tell", None)]
    assert store.progress(rater).cannot_tell == 1
    assert free(store) == [0]


def test_items_are_shared_by_content(sqlite_store: Store) -> None:
    assert sqlite_store.add_items(contents(3), k=2) == 3
    assert sqlite_store.add_items([*contents(4), *contents(4)], k=4) == 1
    assert free(sqlite_store) == [4] * 4
    assert sqlite_store.add_items(contents(2, "c", known=0), kind="control") == 2
    assert sqlite_store.add_items(contents(2, "c"), k=1) == 0  # now to be rated as well
    assert free(sqlite_store).count(1) == 2
    assert sqlite_store.add_items(contents(4), kind="control") == 0
    assert len(free(sqlite_store)) == 6


def test_unbroken_time_ends_with_a_pause(sqlite_store: Store, clock: Clock) -> None:
    sqlite_store.add_items(contents(9))
    rater = invited(sqlite_store, "a")
    item = sqlite_store.next_item(rater)
    for pause in (0, 200, 301, 100, 100):
        assert item is not None
        clock.now += pause
        item = sqlite_store.rate(rater, item.ticket, 1).current
    assert sqlite_store.progress(rater).unbroken_s == pytest.approx(200)
    clock.now += 300
    assert sqlite_store.progress(rater).unbroken_s == 0


def test_settings_are_kept(url: str) -> None:
    with open_store(url) as store:
        store.configure(k=5, lease_s=30)
    with open_store(url) as store:
        assert (store.settings.k, store.settings.lease_s, store.settings.min_seconds) == (5, 30, 1)
        with pytest.raises(zgbench.UsageError, match="k 0: expected 1"):
            store.configure(k=0)
