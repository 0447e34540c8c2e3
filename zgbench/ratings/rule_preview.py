"""What a rule of exclusion would leave out, before it is put in force."""

from __future__ import annotations

from dataclasses import dataclass

from zgbench.ratings import rules
from zgbench.ratings.content import QUESTIONS
from zgbench.ratings.rater_quality import of_answers
from zgbench.ratings.reading import read
from zgbench.ratings.store import Store
from zgbench.statistics.alpha import krippendorff
from zgbench.statistics.interval import Interval

SUGGESTED = ("controls<0.7", "seconds<1.5", "agreement<0.5", "cannot_tell>0.5")
"""Rules to choose from: careless, hasty, unlike all others, of no help."""


@dataclass(frozen=True)
class Preview:
    """A rule beside those that are in force.

    Attributes:
        rule: in full.
        raters: names of those whom it would leave out in addition.
        ratings, of: scores that would go, of those that count now.
        alpha: question → Krippendorff's α now, and with the rule.
    """

    rule: str
    raters: tuple[str, ...]
    ratings: int
    of: int
    alpha: dict[str, tuple[Interval, Interval]]


def preview(store: Store, text: str, *, min: int | None = None, resamples: int = 200) -> Preview:  # noqa: A002 - as it reads in a rule
    """Work out what a rule would do; nothing is stored.

    Raises:
        UsageError: not a rule.
    """
    rule = rules.parse(text, min)
    answers = read(store)
    in_force = [rules.parse(one.text) for one in store.exclusions() if one.revoked is None]
    now = {one.rater for one in of_answers(answers, in_force) if one.excluded_by}
    new = [one for one in of_answers(answers, [rule]) if one.excluded_by and one.rater not in now]
    then = now | {one.rater for one in new}
    alpha: dict[str, tuple[Interval, Interval]] = {}
    before, after = 0, 0
    for question in QUESTIONS:
        kept, left = (answers.of(question, without=frozenset(out)) for out in (now, then))
        before, after = before + len(kept[0]), after + len(left[0])
        if len(kept[0]):
            alpha[question] = (krippendorff(*kept, resamples=resamples), krippendorff(*left, resamples=resamples))
    return Preview(str(rule), tuple(one.name for one in new), before - after, before, alpha)
