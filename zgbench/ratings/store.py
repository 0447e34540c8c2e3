"""A ratings store: one object over a SQLite file or a PostgreSQL database."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, select

from zgbench.ratings import answers, assignment, comments, people, rules, sessions
from zgbench.ratings import items as pool
from zgbench.ratings import progress as counting
from zgbench.ratings import settings as kept
from zgbench.ratings import training as rounds
from zgbench.ratings.content import Content
from zgbench.ratings.database import Database
from zgbench.ratings.records import Answer, End, Item, Outcome, Practice, Progress, Rater, Role, TokenInfo, TrainingItem
from zgbench.ratings.rules import Rule
from zgbench.ratings.settings import Settings
from zgbench.ratings.studies import Study
from zgbench.ratings.tables import CONTROL, ITEM, TRAINING, items

_SETTINGS_S = 2.0
_EXPIRE_S = 5.0


class Store:
    """Items, raters and ratings of a study. Safe to share between threads; every method is one transaction.

    Args:
        study: one of those that the database holds.
        clock: seconds since 1970, UTC.
    """

    def __init__(self, database: Database, study: Study, clock: Callable[[], float] = time.time) -> None:
        self.database = database
        self.study = study
        self.clock = clock
        self._settings: tuple[float, Settings] | None = None
        self._expired = float("-inf")

    # ---- settings and items

    @property
    def settings(self) -> Settings:
        """The study's settings; changes of other processes are seen within seconds."""
        at = time.monotonic()
        if self._settings is None or at - self._settings[0] > _SETTINGS_S:
            self._settings = at, self.database.read(lambda connection: kept.load(connection, self.study.id))
        return self._settings[1]

    def configure(self, **changes: Any) -> Settings:
        """Change settings, see :class:`Settings`; those given as None stay. k is that of items added from now on.

        Raises:
            UsageError: a value out of its range.
        """
        found = self.database.write(lambda connection: kept.save(connection, self.study.id, changes))
        self._settings = time.monotonic(), found
        return found

    def add_items(self, contents: Iterable[Content], *, kind: str = ITEM, k: int | None = None) -> int:
        """Put items in; returns how many are new.

        An item that is there stays, with the larger k of the two. One that was a control or training item and is now
        to be rated becomes an ordinary item with a known answer; the other way round nothing changes.
        """
        wanted, given = ((k or self.settings.k) if kind == ITEM else 0), list(contents)
        return self.database.write(
            lambda connection: pool.add(connection, self.study, given, kind, wanted, self.clock())
        )

    def add_controls(self, contents: Iterable[Content]) -> int:
        """Put control items in; returns how many are new."""
        return self.add_items(contents, kind=CONTROL)

    def add_practice(self, rounds: Sequence[Sequence[Content]]) -> int:
        """Put rounds of training items in, each in its order; returns how many items are new."""
        return self.database.write(lambda connection: pool.add_practice(connection, self.study, rounds, self.clock()))

    def add_source(self, name: str, question: str, contents: Iterable[Content]) -> None:
        """Note which method shows these items; for the organiser only."""
        given = list(contents)
        self.database.write(
            lambda connection: pool.add_source(connection, self.study, name, question, given, self.clock())
        )

    def has_training(self) -> bool:
        """Whether there are training items."""
        query = select(items.c.id).where(items.c.study == self.study.id, items.c.kind == TRAINING).limit(1)
        return self.database.read(lambda connection: connection.execute(query).first()) is not None

    # ---- people

    def sign_in(self, token: str) -> Rater | None:
        """The rater of a personal invitation; None when it is unknown, expired or revoked."""
        return self.database.read(lambda connection: people.sign_in(connection, self.study.id, token, self.clock()))

    def enter(self, token: str, participant: str = "") -> str | None:
        """Begin a session of a browser with an invitation; its secret, or None when the invitation is not valid.

        Args:
            participant: what the link calls whoever comes; told to the organiser, and never trusted.
        """
        return self.database.write(
            lambda connection: sessions.enter(connection, self.study.id, token, participant, self.clock())
        )

    def enter_with_identity(self, issuer: str, subject: str, name: str = "") -> str | None:
        """The same with an OpenID identity; the first time makes a rater, never an admin. None when shut out."""
        return self.database.write(
            lambda connection: sessions.enter_with_identity(
                connection, self.study.id, issuer, subject, name, self.clock()
            )
        )

    def who(self, session: str) -> Rater | End:
        """Who is signed in with a session, or why nobody is."""
        return self.database.read(lambda connection: sessions.who(connection, self.study.id, session, self.clock()))

    def is_of_token(self, session: str, token: str) -> bool:
        """Whether a session that still holds was begun with this invitation."""
        return self.database.read(
            lambda connection: sessions.is_of_token(connection, self.study.id, session, token, self.clock())
        )

    def leave(self, session: str) -> None:
        """End a session, in all tabs of its browser."""
        self.database.write(lambda connection: sessions.leave(connection, session, self.clock()))

    def consent(self, rater: Rater) -> None:
        """Note that a rater agrees to what the study asks first."""
        self.database.write(lambda connection: people.consent(connection, rater.id, self.clock()))

    def make_token(
        self, name: str, *, role: Role = "rater", days: float | None = None, trained: bool = False,
        places: int | None = None,
    ) -> str:  # fmt: skip
        """A new invitation. It is shown this once; the store keeps its hash only.

        Args:
            trained: practice is left out.
            places: an open one, which makes a rater of everybody who comes with it, up to so many.
        """
        return self.make_tokens([name], role=role, days=days, trained=trained, places=places)[0]

    def make_tokens(
        self, names: Sequence[str], *, role: Role = "rater", days: float | None = None, trained: bool = False,
        places: int | None = None,
    ) -> list[str]:  # fmt: skip
        """Invitations of several people; all of them or, if one cannot be, none."""
        return self.database.write(
            lambda connection: [
                people.make_token(
                    connection, self.study.id, name, role, days, self.clock(), trained=trained, places=places
                )
                for name in names
            ]
        )

    def revoke_token(self, token: str) -> bool:
        """Revoke an invitation, named by itself or its id; False when there is no such valid one."""
        return self.database.write(
            lambda connection: people.revoke_token(connection, self.study.id, token, self.clock())
        )

    def tokens(self) -> list[TokenInfo]:
        """All invitations, oldest first."""
        return self.database.read(lambda connection: people.list_tokens(connection, self.study.id))

    def shut_out(self, rater: str, on: bool = True) -> None:
        """Keep a rater out, or let them in again; their ratings stay."""
        self.database.write(lambda connection: people.shut_out(connection, self.study.id, rater, on, self.clock()))

    # ---- training

    def practice(self, rater: Rater) -> Practice:
        """The round of practice that a rater is in, with their answers so far."""
        settings = self.settings
        return self.database.read(lambda c: rounds.practice(c, rater.id, self.study.id, settings))

    def answer_training(self, rater: Rater, item_id: str, score: int) -> TrainingItem:
        """Keep an answer of the training round."""
        return self.database.write(
            lambda connection: rounds.answer(connection, rater.id, self.study.id, item_id, score, self.clock())
        )

    def next_round(self, rater: Rater, finished: int) -> None:
        """Begin the round of practice after ``finished``."""
        self.database.write(lambda connection: rounds.next_round(connection, rater.id, finished))

    def finish_training(self, rater: Rater) -> Rater:
        """Go on from practice, if enough of the round was right; else nothing changes."""
        settings = self.settings
        return self.database.write(lambda c: rounds.finish(c, rater.id, self.study.id, settings, self.clock()))

    # ---- rating

    def next_item(self, rater: Rater) -> Item | None:
        """The item before this rater; the same until it is answered. None: nothing is left for them now."""
        return self._lay_out(rater, ahead=False)[0]

    def peek(self, rater: Rater) -> Item | None:
        """The item after the present one, leased ahead."""
        return self._lay_out(rater, ahead=True)[1]

    def _lay_out(self, rater: Rater, *, ahead: bool) -> tuple[Item | None, Item | None]:
        settings = self.settings
        self._expire()

        def work(connection: Connection) -> tuple[Item | None, Item | None]:
            desk = assignment.lock_rater(connection, rater.id)
            if desk is None:
                return None, None
            return assignment.lay_out(connection, desk, settings, self.clock(), ahead=ahead)

        found = self.database.write(work)
        if found[0] is None and self._expire(now=True):
            found = self.database.write(work)
        return found

    def rate(self, rater: Rater, ticket: str, answer: Answer) -> Outcome:
        """Answer a showing: 0–3 or ``cannot_tell``. Sending the same ticket again changes nothing.

        Raises:
            UsageError: not an answer.
        """
        settings = self.settings
        self._expire()
        return self.database.write(
            lambda connection: answers.rate(connection, rater.id, ticket, answer, settings, self.clock())
        )

    def skip(self, rater: Rater, ticket: str, reason: str) -> Outcome:
        """Pass over an item for good.

        Raises:
            UsageError: no reason.
        """
        settings = self.settings
        return self.database.write(
            lambda connection: answers.skip(connection, rater.id, ticket, reason, settings, self.clock())
        )

    def undo(self, rater: Rater, ticket: str | None) -> Outcome:
        """Take the last answer back. ``ticket``: of the item on the screen, None when there is none."""
        settings = self.settings
        return self.database.write(
            lambda connection: answers.undo(connection, rater.id, ticket, settings, self.clock())
        )

    def progress(self, rater: Rater) -> Progress:
        """What this rater has done and what is left for them."""
        settings = self.settings
        return self.database.read(lambda c: counting.progress(c, rater.id, self.study.id, settings, self.clock()))

    def comment(self, rater: Rater, item_id: str, text: str) -> None:
        """Keep what a rater says about an item that was given to them.

        Raises:
            UsageError: nothing is said, or the item is not theirs.
        """
        self.database.write(lambda connection: comments.add(connection, rater.id, item_id, text, self.clock()))

    def _expire(self, *, now: bool = False) -> int:
        """End leases that are over, at most every few seconds unless it must be ``now``."""
        at = time.monotonic()
        if not now and at - self._expired < min(_EXPIRE_S, self.settings.lease_s / 2):
            return 0
        self._expired = at
        return self.database.write(lambda connection: assignment.expire(connection, self.clock()))

    # ---- exclusion

    def exclusions(self) -> list[Rule]:
        """Rules by which raters are left out when ratings are read, oldest first, revoked ones too."""
        return self.database.read(lambda connection: rules.list_rules(connection, self.study.id))

    def add_exclusion(self, text: str, *, min: int | None = None) -> Rule:  # noqa: A002 - as it reads in a rule
        """Leave raters out by a rule, such as ``controls<0.7``; see :mod:`zgbench.ratings.rules`."""
        return self.database.write(lambda connection: rules.add(connection, self.study.id, text, min, self.clock()))

    def revoke_exclusion(self, rule_id: int) -> bool:
        """Take a rule out of force; False when there is no such rule in force."""
        return self.database.write(lambda connection: rules.revoke(connection, self.study.id, rule_id, self.clock()))

    def close(self) -> None:
        """Close all connections."""
        self.database.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
