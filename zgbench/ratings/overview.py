"""How a study stands: progress, pace, agreement and the distribution of scores."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, func, select

from zgbench.ratings.content import QUESTIONS
from zgbench.ratings.distribution import distribution
from zgbench.ratings.rater_quality import of_answers
from zgbench.ratings.reading import UNKNOWN, Answers, read
from zgbench.ratings.rules import parse
from zgbench.ratings.store import Store
from zgbench.ratings.tables import CONTROL, ITEM, RATED, TRAINING, items, leases, raters, ratings
from zgbench.statistics.alpha import krippendorff
from zgbench.statistics.interval import Interval
from zgbench.statistics.kappa import mean_kappa

HOUR_S = 3600.0
_TAKEN = ("score", "cannot_tell")


@dataclass(frozen=True)
class QuestionStatus:
    """One question's figures, without excluded raters.

    Attributes:
        items: items with a rating.
        alpha: Krippendorff's α, ordinal.
        kappa: mean quadratically weighted κ of pairs with 10 common items or more.
        distribution: shares of the scores 0, 1, 2 and 3.
    """

    items: int
    ratings: int
    cannot_tell: int
    alpha: Interval
    kappa: Interval
    distribution: tuple[Interval, ...]


@dataclass(frozen=True)
class Status:
    """A study at one moment.

    Attributes:
        items: to be rated, without control and training items.
        answers_wanted, answers_given: places for raters, and those that an answer fills.
        items_done: items with all their answers.
        raters, raters_active: everybody who may rate, and those who answered in the last hour.
        per_hour: answers in the last hour.
        seconds_to_go: until all answers are there, at the pace of the last hour; None while nobody rates.
        seconds_median: for an item, None before there are any.
        excluded: ids of raters who are left out by rule.
    """

    items: int
    answers_wanted: int
    answers_given: int
    items_done: int
    controls: int
    training: int
    raters: int
    raters_active: int
    per_hour: int
    seconds_to_go: float | None
    seconds_median: float | None
    excluded: tuple[str, ...]
    rules: tuple[str, ...]
    by_question: dict[str, QuestionStatus]

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def lasting(seconds: float) -> str:
    """A time that is still to go, as people say it."""
    hours, minutes = divmod(round(seconds / 60), 60)
    return (
        f"{hours / 24:.1f} days" if hours >= 48 else f"{hours} h {minutes} min" if hours else f"{max(minutes, 1)} min"
    )


def status(store: Store, *, resamples: int = 1000) -> Status:
    """The state of a study.

    Args:
        resamples: of the bootstrap intervals.
    """
    now = store.clock()
    counted = store.database.read(lambda connection: _counted(connection, store.study.id, now))
    answers = read(store)
    conditions = [parse(rule.text) for rule in store.exclusions() if rule.revoked is None]
    excluded = tuple(q.rater for q in of_answers(answers, conditions) if q.excluded_by)
    times = answers.seconds[~np.isnan(answers.seconds)]
    return Status(
        **counted,
        seconds_median=float(np.median(times)) if len(times) else None,
        excluded=excluded,
        rules=tuple(map(str, conditions)),
        by_question={
            question: found
            for question in QUESTIONS
            if (found := _question(answers, question, frozenset(excluded), resamples)) is not None
        },
    )


def _question(answers: Answers, question: str, without: frozenset[str], resamples: int) -> QuestionStatus | None:
    item, rater, score = answers.of(question, without=without)
    asked = np.array([q == question for q in answers.questions], dtype=bool) & answers.ordinary
    unsure = int((asked[answers.item] & (answers.score == UNKNOWN)).sum()) if len(answers.item) else 0
    if not len(item) and not unsure:
        return None
    return QuestionStatus(
        items=len(np.unique(item)),
        ratings=len(item),
        cannot_tell=unsure,
        alpha=krippendorff(item, rater, score, resamples=resamples),
        kappa=mean_kappa(item, rater, score, resamples=resamples),
        distribution=distribution(item, score, resamples=resamples),
    )


def _counted(connection: Connection, study: int, now: float) -> dict[str, Any]:
    kinds = {
        row.kind: row
        for row in connection.execute(
            select(items.c.kind, func.count().label("n"), func.sum(items.c.wanted).label("wanted"))
            .where(items.c.study == study)
            .group_by(items.c.kind)
        )
    }
    given = (
        select(items.c.id, items.c.wanted, func.count(leases.c.id).label("n"))
        .join(leases, leases.c.item_id == items.c.id)
        .where(items.c.study == study, items.c.kind == ITEM, leases.c.state == RATED)
        .group_by(items.c.id, items.c.wanted)
        .subquery()
    )
    done = connection.execute(select(func.count()).select_from(given).where(given.c.n >= given.c.wanted)).scalar()
    recent = connection.execute(
        select(func.count().label("n"), func.count(ratings.c.rater_id.distinct()).label("who"))
        .join(raters, raters.c.id == ratings.c.rater_id)
        .where(raters.c.study == study, ratings.c.at > now - HOUR_S, ratings.c.answer.in_(_TAKEN))
    ).one()
    paced = connection.execute(
        select(func.count().label("n"), func.min(ratings.c.at).label("first"))
        .join(items, items.c.id == ratings.c.item_id)
        .where(items.c.study == study, items.c.kind == ITEM, ratings.c.at > now - HOUR_S, ratings.c.answer.in_(_TAKEN))
    ).one()
    invited = connection.execute(
        select(func.count())
        .select_from(raters)
        .where(raters.c.study == study, raters.c.role == "rater", raters.c.shut_out.is_(None))
    ).scalar()
    ordinary = kinds.get(ITEM)
    wanted = int(ordinary.wanted) if ordinary is not None else 0
    filled = int(connection.execute(select(func.sum(given.c.n))).scalar() or 0)
    took = max(now - paced.first, 1.0) if paced.n else 0.0  # of the hour, what is behind its first answer
    return {
        "items": int(ordinary.n) if ordinary is not None else 0,
        "answers_wanted": wanted,
        "answers_given": filled,
        "items_done": int(done or 0),
        "controls": int(kinds[CONTROL].n) if CONTROL in kinds else 0,
        "training": int(kinds[TRAINING].n) if TRAINING in kinds else 0,
        "raters": int(invited or 0),
        "raters_active": int(recent.who),
        "per_hour": int(recent.n),
        "seconds_to_go": max(0, wanted - filled) * took / paced.n if paced.n else None,
    }
