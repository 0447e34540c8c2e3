"""How well each rater does, on control items and beside the others; and who is left out by rule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zgbench.ratings import rules
from zgbench.ratings.reading import UNKNOWN, Answers, read
from zgbench.ratings.store import Store

Int = NDArray[np.int64]
Float = NDArray[np.float64]


@dataclass(frozen=True)
class RaterQuality:
    """One rater's figures.

    Attributes:
        ratings: scores 0–3 given to ordinary items.
        controls_seen, controls_right: control items answered, and answered within 1 of what is known.
        agreement, exact: share of ratings within 1 of, and equal to, the median of the others (an even number: anything
            between the two middles); None without items that others rated too.
        bias: mean difference to that median.
        compared: ratings that these three are from.
        median_seconds: for an item, None where no times are known.
        excluded_by: the rule that leaves this rater out, "" if none does.
    """

    rater: str
    name: str
    ratings: int
    cannot_tell: int
    skipped: int
    controls_seen: int
    controls_right: int
    control_accuracy: float | None
    agreement: float | None
    exact: float | None
    bias: float | None
    compared: int
    median_seconds: float | None
    excluded_by: str

    def measure(self, name: str) -> tuple[float | None, int]:
        """Value of a rule's measure, and the number of observations behind it."""
        answers = self.ratings + self.cannot_tell
        return {
            "controls": (self.control_accuracy, self.controls_seen),
            "agreement": (self.agreement, self.compared),
            "seconds": (self.median_seconds, answers),
            "cannot_tell": (self.cannot_tell / answers if answers else None, answers),
        }[name]


def median_of_others(item: Int, score: Int) -> tuple[Float, Float]:
    """For each rating the median of the other ratings of its item, as its lower and its upper middle.

    The two differ for an even number of others only. With k = 3 a rater has two others, who may disagree: whoever is
    between them agrees with the median.

    Args:
        item, score: int64 [ratings], scores 0–3.

    Returns:
        float64 [ratings] each; NaN where nobody else rated the item.
    """
    _, unit = np.unique(item, return_inverse=True)
    counts = np.bincount(unit * 4 + score, minlength=4 * (int(unit.max(initial=-1)) + 1)).reshape(-1, 4)[unit]
    counts[np.arange(len(score)), score] -= 1
    others = counts.sum(axis=1)
    below = np.cumsum(counts, axis=1)

    def at(place: Int) -> Float:
        return np.where(others > 0, (below <= place[:, None]).sum(axis=1), np.nan)

    return at((others - 1) // 2), at(others // 2)


def quality(store: Store) -> list[RaterQuality]:
    """Figures of everybody who answered anything, by name."""
    active = [rule for rule in store.exclusions() if rule.revoked is None]
    return of_answers(read(store), [rules.parse(rule.text) for rule in active])


def of_answers(answers: Answers, conditions: list[rules.Condition]) -> list[RaterQuality]:
    """The same from answers at hand."""
    scored = (answers.score != UNKNOWN) & answers.ordinary[answers.item] if len(answers.item) else answers.item > 0
    item, score, who = answers.item[scored], answers.score[scored], answers.rater[scored]
    difference = score - np.clip(score, *median_of_others(item, score))
    control = answers.known[answers.item] != UNKNOWN if len(answers.item) else scored
    control &= answers.score != UNKNOWN
    right = np.abs(answers.score - answers.known[answers.item]) <= 1 if len(answers.item) else scored
    found = []
    for place in np.argsort(np.array(answers.names, dtype=object), kind="stable").tolist() if answers.names else []:
        mine = answers.rater == place
        compared = difference[(who == place) & ~np.isnan(difference)]
        seen, correct = int((mine & control).sum()), int((mine & control & right).sum())
        times = answers.seconds[mine & ~np.isnan(answers.seconds)]
        figures = RaterQuality(
            rater=answers.raters[place],
            name=answers.names[place],
            ratings=int((who == place).sum()),
            cannot_tell=int((mine & (answers.score == UNKNOWN)).sum()),
            skipped=int(answers.skipped[place]),
            controls_seen=seen,
            controls_right=correct,
            control_accuracy=correct / seen if seen else None,
            agreement=float((np.abs(compared) <= 1).mean()) if len(compared) else None,
            exact=float((compared == 0).mean()) if len(compared) else None,
            bias=float(compared.mean()) if len(compared) else None,
            compared=len(compared),
            median_seconds=float(np.median(times)) if len(times) else None,
            excluded_by="",
        )
        reason = next((str(c) for c in conditions if c.excludes(*figures.measure(c.measure))), "")
        found.append(RaterQuality(**{**figures.__dict__, "excluded_by": reason}))
    return found
