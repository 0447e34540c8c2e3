"""One row of a result: a reassignment, a verification, and the scores that follow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zgbench.datasets import Vocabulary
from zgbench.pixels.counts import Counts, select
from zgbench.protocol import Pixels, Protocol, Reassignment, Scoring
from zgbench.scores import metrics
from zgbench.scores.human_scores import LEVELS, fully_rated
from zgbench.scores.label_quality import LabelQuality
from zgbench.scores.reassignment import Decision
from zgbench.scores.result_types import ClassScores

LEXICAL_LEVELS = (0, 1, 2, 3, 4)
WITH_TEXT = "level<=4+text"
"""Every level, and the nearest text where the lexicon leaves a label open."""
GIVEN = "given"
"""The class as the table has it."""


@dataclass(frozen=True)
class Reassigned:
    """A reassignment of every segment, with its human scores where there are ratings.

    Attributes:
        decision: T* and its cosine.
        encoder: name and revision of the model that decided, with its prompt: part of the signature.
        fallback: the nearest text behind a lexicon, part of the signature of rows that use it; empty without one.
        rated: float64 [segments], aggregated human score of T*, NaN where unrated; None without ratings.
        labels: what the distinct labels are like, where a lexicon has read them.
        note: what a given table lacks.
    """

    how: Reassignment
    decision: Decision
    encoder: str
    rated: NDArray[np.float64] | None = None
    fallback: str = ""
    labels: LabelQuality | None = None
    note: str = ""


@dataclass(frozen=True)
class Row:
    """A row before its scores are taken.

    Attributes:
        verify: ``cos>=0.5``, ``level<=2``, ``level<=4+text``, ``given`` or ``h>=2``.
        images: bool [images], the images that the row is about.
        assigned: int64 [segments], T* of the kept segments, 0 for the others.
    """

    reassigned: Reassigned
    verify: str
    images: NDArray[np.bool_]
    assigned: NDArray[np.int64]

    @property
    def encoder(self) -> str:
        """What decided the row's classes, in its signature."""
        with_text = self.verify == WITH_TEXT or self.verify.startswith("h")
        fallback = self.reassigned.fallback if with_text else ""
        return ",".join(filter(None, (self.reassigned.encoder, fallback)))

    def class_counts(self, counts: Counts, vocabulary: Vocabulary, background: Pixels) -> metrics.ClassCounts:
        """Intersections and unions of this row."""
        chosen = select(counts, self.images)
        assigned = self.assigned[self.images[counts.owner]]
        return metrics.class_counts(chosen, assigned, np.asarray(vocabulary.ids, dtype=np.int64), background)

    def summed(
        self,
        counts: Counts,
        vocabulary: Vocabulary,
        background: Pixels,
        scoring: Scoring,
    ) -> tuple[metrics.Statistics, dict[int, ClassScores]]:
        """Statistics of every image and scores of every class, worked out for some images at a time."""
        chosen = select(counts, self.images)
        assigned = self.assigned[self.images[counts.owner]]
        classes = np.asarray(vocabulary.ids, dtype=np.int64)
        parts, sums = [], np.zeros((4, len(classes)), dtype=np.int64)
        for part, _, segments in chosen.parts():
            found = metrics.class_counts(part, assigned[segments], classes, background)
            parts.append(metrics.statistics(found, scoring))
            sums += metrics.class_sums(found)
        return metrics.joined(parts), metrics.per_class(classes, sums)

    def kept(self, counts: Counts) -> int:
        """Number of segments kept in the images of this row."""
        return int((self.assigned[self.images[counts.owner]] > 0).sum())


def verified(counts: Counts, reassigned: Reassigned, protocol: Protocol) -> Iterator[Row]:
    """The rows of a reassignment: verified by the constant or by level, then by people (h ≥ 1, 2, 3) where there are ratings.

    A human row is over the images whose segments all have ratings; there may be none of them.
    """
    everything = np.ones(len(counts.ids), dtype=bool)
    for verify, assigned in _verified_alone(reassigned, protocol):
        yield Row(reassigned, verify, everything, assigned)
    if reassigned.rated is not None:
        images = fully_rated(counts, reassigned.rated)
        for level in LEVELS:
            with np.errstate(invalid="ignore"):
                assigned = np.where(reassigned.rated >= level, reassigned.decision.class_id, 0)
            yield Row(reassigned, f"h>={level}", images, assigned)


def _verified_alone(reassigned: Reassigned, protocol: Protocol) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Verification without people: by cosine, or by the levels that a lexicon or a table gives, which are nested."""
    decision = reassigned.decision
    if reassigned.how in ("TT", "ST"):
        tau = protocol.tau(reassigned.how)
        yield f"cos>={tau:g}", decision.kept(tau)
        return
    if decision.level is not None:
        for level in LEXICAL_LEVELS:
            yield f"level<={level}", decision.up_to(level)
    if reassigned.fallback:
        yield WITH_TEXT, decision.class_id
    if reassigned.how == "MAP":
        yield GIVEN, decision.class_id


def shown_by_default(how: str, verify: str, rows: Sequence[str]) -> bool:
    """Whether a row is in a table that people read: of the nested levels only the one that agrees best with people.

    Args:
        rows: the ``verify`` of all rows of this reassignment.
    """
    if not verify.startswith("level<="):
        return True
    return how == "LT" and verify == default_level(rows)


def default_level(rows: Sequence[str]) -> str:
    """The row of LT that agrees best with people, of those that there are."""
    return WITH_TEXT if WITH_TEXT in rows else f"level<={LEXICAL_LEVELS[-1]}"


def background_of(protocol: Protocol, drops_background: bool) -> Pixels:
    """The rule as it works out on a data set: the released code leaves pixels out on VOC only, elsewhere none at all."""
    return "all" if protocol.background == "released" and not drops_background else protocol.background
