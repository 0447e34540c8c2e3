"""Simulated raters with bad lines and fast fingers, and what must hold of the store afterwards.

As a program (``python -m tests.ratings.load URL SEED TOKEN…``) it rates until nothing is left, a thread for each
token, and prints a line for every answer that the store acknowledged. It may be killed at any moment.
"""

from __future__ import annotations

import hashlib
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, event, func, select

from zgbench.ratings import Item, Outcome, Rater, Store, open_store
from zgbench.ratings.tables import items, leases, ratings


class LineCut(Exception):
    """The connection went away in the middle of a transaction."""


@dataclass
class Trouble:
    """How often things go wrong, as probabilities an item, and how long people think.

    Attributes:
        doubled: the answer is sent twice at once.
        unheard: the answer arrives, but the acknowledgement is lost, and it is sent again.
        cut: the transaction is broken off before its commit.
        away: the rater leaves until the lease is over, then answers after all.
        think_s: mean time between an answer and the next, exponentially distributed.
        steady: connections hold. Where they do not, a commit may arrive without its acknowledgement; the store then
            sends the transaction again and finds its own answer, so that nobody is told of a first time.
    """

    doubled: float = 0.05
    unheard: float = 0.03
    cut: float = 0.03
    away: float = 0.01
    undo: float = 0.02
    skip: float = 0.01
    think_s: float = 0.0
    steady: bool = True


@dataclass
class Account:
    """What raters were told.

    Attributes:
        acknowledged: ticket → score of every answer that the store said it took.
        sent: every ticket that an answer was sent for.
        seconds: of every "rate and get next".
    """

    acknowledged: dict[str, int] = field(default_factory=dict)
    sent: set[str] = field(default_factory=set)
    seconds: list[float] = field(default_factory=list)
    happened: Counter[str] = field(default_factory=Counter)
    spoken: bool = False

    def heard(self, ticket: str, score: int) -> None:
        """Note an acknowledgement."""
        self.acknowledged[ticket] = score
        if self.spoken:
            sys.stdout.write(f"{ticket} {score}\n")
            sys.stdout.flush()


def score_of(ticket: str) -> int:
    """The score that a simulated rater gives under a ticket: resends say the same."""
    return hashlib.sha256(ticket.encode()).digest()[0] % 4


def cut_lines(store: Store) -> None:
    """Break off transactions of threads that ask for it, just before they commit."""

    @event.listens_for(store.database.engine, "commit")
    def _commit(_: Connection) -> None:
        if getattr(_CUT, "next", False):
            _CUT.next = False
            raise LineCut


_CUT = threading.local()


class Person:
    """One simulated rater."""

    def __init__(self, store: Store, token: str, trouble: Trouble, account: Account, seed: int, lease_s: float) -> None:
        rater = store.sign_in(token)
        assert rater is not None
        self.store, self.rater, self.trouble, self.account = store, rater, trouble, account
        self.lease_s = lease_s
        self.random = random.Random(f"{seed}{token}")

    def rate_until_done(self, deadline: float) -> None:
        """Answer whatever comes, until nothing has come for a while (others' leases may still be running)."""
        idle_since: float | None = None
        item = self._next()
        while time.monotonic() < deadline:
            if item is None:
                idle_since = idle_since or time.monotonic()
                if time.monotonic() - idle_since > 2.5 * self.lease_s:
                    return
                time.sleep(self.lease_s / 4)
                item = self._next()
                continue
            idle_since = None
            if self.trouble.think_s:
                time.sleep(self.random.expovariate(1 / self.trouble.think_s))
            item = self._answer(item)

    def _next(self) -> Item | None:
        return self.store.next_item(self.rater)

    def _answer(self, item: Item) -> Item | None:
        t, draw, ticket = self.trouble, self.random.random(), item.ticket
        score = score_of(ticket)
        for name in ("away", "cut", "unheard", "doubled", "undo", "skip"):
            draw -= getattr(t, name)
            if draw < 0:
                self.account.happened[name] += 1
                return getattr(self, f"_{name}")(ticket, score)  # type: ignore[no-any-return]
        return self._rate(ticket, score).current

    def _rate(self, ticket: str, score: int) -> Outcome:
        self.account.sent.add(ticket)
        started = time.perf_counter()
        outcome = self.store.rate(self.rater, ticket, score)
        self.account.seconds.append(time.perf_counter() - started)
        if outcome.accepted:
            self.account.heard(ticket, score)
        else:
            self.account.happened[outcome.reason] += 1
        return outcome

    def _away(self, ticket: str, score: int) -> Item | None:
        time.sleep(1.5 * self.lease_s)
        return self._rate(ticket, score).current

    def _cut(self, ticket: str, score: int) -> Item | None:
        _CUT.next = True
        try:
            self.account.sent.add(ticket)
            self.store.rate(self.rater, ticket, score)
        except LineCut:
            pass
        finally:
            _CUT.next = False
        return self._rate(ticket, score).current

    def _unheard(self, ticket: str, score: int) -> Item | None:
        self.account.sent.add(ticket)
        first = self.store.rate(self.rater, ticket, score)
        second = self._rate(ticket, score)
        assert not first.accepted or second.repeated
        return second.current

    def _doubled(self, ticket: str, score: int) -> Item | None:
        self.account.sent.add(ticket)
        found: list[Outcome] = []
        other = threading.Thread(target=lambda: found.append(self.store.rate(self.rater, ticket, score)))
        other.start()
        mine = self._rate(ticket, score)
        other.join()
        accepted = [outcome.repeated for outcome in (mine, found[0]) if outcome.accepted]
        first_times = accepted.count(False)
        assert first_times <= 1, "one ticket took two answers"
        assert first_times == 1 or not accepted or not self.trouble.steady, (
            "accepted as repeated, but nothing was before"
        )
        return self._next()

    def _undo(self, ticket: str, score: int) -> Item | None:
        outcome = self._rate(ticket, score)
        if outcome.accepted:
            outcome = self.store.undo(self.rater, outcome.current.ticket if outcome.current else None)
        return outcome.current

    def _skip(self, ticket: str, score: int) -> Item | None:
        return self.store.skip(self.rater, ticket, "cannot see it").current


def run(
    store: Store, tokens: Sequence[str], trouble: Trouble, *, seed: int, lease_s: float, limit_s: float,
    spoken: bool = False,
) -> Account:  # fmt: skip
    """Let everybody rate at once, a thread each, until nothing is left."""
    account = Account(spoken=spoken)
    deadline = time.monotonic() + limit_s
    people = [Person(store, token, trouble, account, seed, lease_s) for token in tokens]
    with ThreadPoolExecutor(len(people)) as pool:
        for done in [pool.submit(person.rate_until_done, deadline) for person in people]:
            done.result()
    return account


def verify(store: Store, acknowledged: dict[str, int], sent: set[str] | None = None) -> dict[str, int]:
    """What must hold whatever happened: nothing acknowledged is lost, nothing doubled, no item above k.

    Returns:
        Number of rows, of answers that count, and of those that are wanted.
    """

    def read(connection: Connection) -> tuple[Any, ...]:
        log = connection.execute(
            select(ratings.c.ticket, ratings.c.answer, ratings.c.score, ratings.c.rater_id, ratings.c.item_id)
        ).all()
        pool = connection.execute(select(items.c.id, items.c.wanted, items.c.free).where(items.c.kind == "item")).all()
        held = connection.execute(
            select(leases.c.item_id, func.count())
            .where(leases.c.state.in_(("open", "rated")))
            .group_by(leases.c.item_id)
        ).all()
        counting = connection.execute(
            select(leases.c.rater_id, leases.c.item_id, ratings.c.ticket, ratings.c.answer)
            .join(ratings, ratings.c.seq == leases.c.rating)
            .where(leases.c.state == "rated")
        ).all()
        return log, pool, held, counting

    log, pool, held, counting = store.database.read(read)
    stored = {row.ticket: row.score for row in log}
    lost = {ticket for ticket, score in acknowledged.items() if stored.get(ticket) != score}
    assert not lost, f"{len(lost)} acknowledged answers are lost"
    if sent is not None:
        assert {row.ticket for row in log if row.answer == "score"} <= sent, "answers that nobody gave"
    withdrawn = {row.ticket.removesuffix(".undo") for row in log if row.answer == "withdrawn"}
    standing = [row for row in log if row.answer == "score" and row.ticket not in withdrawn]
    pairs = Counter((row.rater_id, row.item_id) for row in standing)
    assert max(pairs.values(), default=1) == 1, "a rater counts twice on an item"
    assert {row.ticket for row in counting if row.answer == "score"} == {row.ticket for row in standing}
    wanted = {row.id: row.wanted for row in pool}
    accepted = Counter(row.item_id for row in standing if row.item_id in wanted)
    assert all(n <= wanted[item] for item, n in accepted.items()), "an item above k"
    holding = dict(map(tuple, held))
    assert all(row.free == row.wanted - holding.get(row.id, 0) for row in pool), "places are miscounted"
    return {"rows": len(log), "counting": sum(accepted.values()), "wanted": sum(wanted.values())}


def main() -> None:
    """Rate with the tokens of the command line."""
    url, seed, lease_s, *tokens = sys.argv[1:]
    with open_store(url) as store:
        cut_lines(store)
        run(store, tokens, Trouble(think_s=0.1), seed=int(seed), lease_s=float(lease_s), limit_s=120, spoken=True)


def invite(store: Store, n: int) -> list[str]:
    """Tokens of n new raters."""
    return [store.make_token(f"rater {k}") for k in range(n)]


def rater_of(store: Store, token: str) -> Rater:
    """The rater of a token."""
    found = store.sign_in(token)
    assert found is not None
    return found


if __name__ == "__main__":
    main()
