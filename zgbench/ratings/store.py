"""A ratings store: one object over a SQLite file or a PostgreSQL database."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, insert, select, update

from zgbench.errors import InputError
from zgbench.ratings import answers, assignment, people, rules
from zgbench.ratings import progress as counting
from zgbench.ratings import settings as kept
from zgbench.ratings import training as rounds
from zgbench.ratings.content import Content, position
from zgbench.ratings.database import Database, resolve
from zgbench.ratings.migrate import migrate
from zgbench.ratings.records import Answer, Item, Outcome, Progress, Rater, Role, TokenInfo, TrainingItem
from zgbench.ratings.rules import Rule
from zgbench.ratings.settings import Settings
from zgbench.ratings.tables import items

T = TypeVar("T")
_SETTINGS_S = 2.0
_EXPIRE_S = 5.0


class Store:
    """Items, raters and ratings. Safe to share between threads; every method is one transaction.

    Args:
        clock: seconds since 1970, UTC.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self.database = database
        self.clock = clock
        self._settings: tuple[float, Settings] | None = None
        self._expired = float("-inf")

    # ---- settings and items

    @property
    def settings(self) -> Settings:
        """The study's settings; changes of other processes are seen within seconds."""
        at = time.monotonic()
        if self._settings is None or at - self._settings[0] > _SETTINGS_S:
            self._settings = at, self.database.read(kept.load)
        return self._settings[1]

    def configure(
        self,
        *,
        k: int | None = None,
        lease_s: float | None = None,
        min_seconds: float | None = None,
        control_every: int | None = None,
    ) -> Settings:
        """Change settings; k is that of items added from now on."""
        changes = {"k": k, "lease_s": lease_s, "min_seconds": min_seconds, "control_every": control_every}
        found = self.database.write(lambda connection: kept.save(connection, changes))
        self._settings = time.monotonic(), found
        return found

    def add_items(self, contents: Iterable[Content], *, kind: str = assignment.ITEM, k: int | None = None) -> int:
        """Put items in; returns how many are new.

        An item that is there stays, with the larger k of the two. One that was a control or training item and is now
        to be rated becomes an ordinary item with a known answer; the other way round nothing changes.
        """
        wanted = (k or self.settings.k) if kind == assignment.ITEM else 0
        rows = list({content.id: content for content in contents}.items())
        return self.database.write(lambda connection: self._add(connection, rows, kind, wanted))

    def _add(self, connection: Connection, rows: list[tuple[str, Content]], kind: str, wanted: int) -> int:
        there = {row.id: row for row in connection.execute(select(items.c.id, items.c.kind, items.c.wanted))}
        new = [
            {
                "id": identity, "kind": kind, "dataset": c.dataset, "image_id": c.image_id, "height": c.size[0],
                "width": c.size[1], "counts": c.counts, "label": c.label, "question": c.question, "known": c.known,
                "why": c.why, "wanted": wanted, "free": wanted, "added": self.clock(),
                "position": place if kind == assignment.TRAINING else position(identity),
            }
            for place, (identity, c) in enumerate(rows)
            if identity not in there
        ]  # fmt: skip
        for at in range(0, len(new), 500):
            connection.execute(insert(items), new[at : at + 500])
        if kind == assignment.ITEM:
            changed = [i for i, _ in rows if i in there and (there[i].kind != kind or there[i].wanted < wanted)]
            for identity in sorted(changed):
                values = {"kind": kind, "wanted": max(wanted, there[identity].wanted), "position": position(identity)}
                connection.execute(update(items).where(items.c.id == identity).values(**values))
            assignment.recount(connection, changed)
        return len(new)

    def has_training(self) -> bool:
        """Whether there are training items."""
        query = select(items.c.id).where(items.c.kind == assignment.TRAINING).limit(1)
        return self.database.read(lambda connection: connection.execute(query).first()) is not None

    # ---- people

    def sign_in(self, token: str) -> Rater | None:
        """The rater of a token; None when it is unknown, expired or revoked."""
        return self.database.read(lambda connection: people.sign_in(connection, token, self.clock()))

    def sign_in_with_identity(self, issuer: str, subject: str, name: str = "") -> Rater | None:
        """The rater of an OpenID identity, made at the first sign-in; never an admin. None when shut out."""
        return self.database.write(
            lambda connection: people.sign_in_with_identity(connection, issuer, subject, name, self.clock())
        )

    def make_token(self, name: str, *, role: Role = "rater", days: float | None = None) -> str:
        """A new invitation. It is shown this once; the store keeps its hash only."""
        return self.database.write(lambda connection: people.make_token(connection, name, role, days, self.clock()))

    def revoke_token(self, token: str) -> bool:
        """Revoke an invitation, named by itself or its id; False when there is no such valid one."""
        return self.database.write(lambda connection: people.revoke_token(connection, token, self.clock()))

    def tokens(self) -> list[TokenInfo]:
        """All invitations, oldest first."""
        return self.database.read(people.list_tokens)

    def shut_out(self, rater: str, on: bool = True) -> None:
        """Keep a rater out, or let them in again; their ratings stay."""
        self.database.write(lambda connection: people.shut_out(connection, rater, on, self.clock()))

    # ---- training

    def training(self, rater: Rater) -> list[TrainingItem]:
        """The training items in order, with this rater's answers so far."""
        return self.database.read(lambda connection: rounds.training(connection, rater.id))

    def answer_training(self, rater: Rater, item_id: str, score: int) -> TrainingItem:
        """Keep an answer of the training round."""
        return self.database.write(lambda connection: rounds.answer(connection, rater.id, item_id, score, self.clock()))

    def finish_training(self, rater: Rater) -> Rater:
        """The training round is over."""
        return self.database.write(lambda connection: people.finish_training(connection, rater.id, self.clock()))

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

    def rate(self, rater: Rater, ticket: str, answer: Answer, seconds_seen: float) -> Outcome:
        """Answer a showing: 0–3 or ``cannot_tell``. Sending the same ticket again changes nothing.

        Raises:
            UsageError: not an answer.
        """
        settings = self.settings
        self._expire()
        return self.database.write(
            lambda connection: answers.rate(connection, rater.id, ticket, answer, seconds_seen, settings, self.clock())
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
        return self.database.read(lambda connection: counting.progress(connection, rater.id, self.clock()))

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
        return self.database.read(rules.list_rules)

    def add_exclusion(self, text: str, *, min: int | None = None) -> Rule:  # noqa: A002 - as it reads in a rule
        """Leave raters out by a rule, such as ``controls<0.7``; see :mod:`zgbench.ratings.rules`."""
        return self.database.write(lambda connection: rules.add(connection, text, min, self.clock()))

    def revoke_exclusion(self, rule_id: int) -> bool:
        """Take a rule out of force; False when there is no such rule in force."""
        return self.database.write(lambda connection: rules.revoke(connection, rule_id, self.clock()))

    def close(self) -> None:
        """Close all connections."""
        self.database.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def open_store(
    url: str | os.PathLike[str] | None = None, *, create: bool = True, clock: Callable[[], float] = time.time
) -> Store:
    """Open a ratings store, and bring its tables to the newest version.

    Args:
        url: path of a SQLite file, or ``postgresql+psycopg://…``; default: ``$ZGBENCH_RATINGS``.
        create: make a SQLite file that is not there.

    Raises:
        UsageError: no URL, or one of an unknown kind.
        InputError: not a ratings store, or one of a newer zgbench.
        StoreUnavailable: the database cannot be reached.
    """
    found = resolve(url)
    if found.drivername == "sqlite":
        _look_for(Path(str(found.database)), create)
    database = Database(found)
    try:
        migrate(database)
    except BaseException:
        database.close()
        raise
    return Store(database, clock)


def _look_for(file: Path, create: bool) -> None:
    try:
        if not create and not file.is_file():
            raise InputError(f"--ratings {file}: there is no such file. Make one with: zgbench ratings sample")
        if not file.parent.is_dir():
            raise InputError(f"--ratings {file}: there is no folder {file.parent}.")
    except OSError as error:
        raise InputError(f"--ratings {file}: cannot be looked at ({error.strerror}).") from error
