"""One row of a result: a reassignment, a verification, and the scores that follow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from zgbench.datasets import Vocabulary
from zgbench.pixels.counts import Counts, select
from zgbench.protocol import Protocol, Reassignment, Scoring
from zgbench.scores import metrics
from zgbench.scores.human_scores import LEVELS, fully_rated
from zgbench.scores.reassignment import Decision
from zgbench.scores.result_types import ClassScores


@dataclass(frozen=True)
class Reassigned:
    """A reassignment of every segment, with its human scores where there are ratings.

    Attributes:
        decision: T* and its cosine.
        encoder: name and revision of the model that decided, with its prompt: part of the signature.
        rated: float64 [segments], aggregated human score of T*, NaN where unrated; None without ratings.
    """

    how: Reassignment
    decision: Decision
    encoder: str
    rated: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Row:
    """A row before its scores are taken.

    Attributes:
        verify: ``cos>=0.5`` or ``h>=2``.
        images: bool [images], the images that the row is about.
        assigned: int64 [segments], T* of the kept segments, 0 for the others.
    """

    reassigned: Reassigned
    verify: str
    images: NDArray[np.bool_]
    assigned: NDArray[np.int64]

    def class_counts(
        self, counts: Counts, vocabulary: Vocabulary, background: Literal["count", "ignore", "released"]
    ) -> metrics.ClassCounts:
        """Intersections and unions of this row."""
        chosen = select(counts, self.images)
        assigned = self.assigned[self.images[counts.owner]]
        return metrics.class_counts(chosen, assigned, np.asarray(vocabulary.ids, dtype=np.int64), background)

    def summed(
        self,
        counts: Counts,
        vocabulary: Vocabulary,
        background: Literal["count", "ignore", "released"],
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
    """The rows of a reassignment: verified by the constant, then by people (h ≥ 1, 2, 3) where there are ratings.

    A human row is over the images whose segments all have ratings; there may be none of them.
    """
    tau = protocol.tau(reassigned.how)
    everything = np.ones(len(counts.ids), dtype=bool)
    yield Row(reassigned, f"cos>={tau:g}", everything, reassigned.decision.kept(tau))
    if reassigned.rated is not None:
        images = fully_rated(counts, reassigned.rated)
        for level in LEVELS:
            with np.errstate(invalid="ignore"):
                assigned = np.where(reassigned.rated >= level, reassigned.decision.class_id, 0)
            yield Row(reassigned, f"h>={level}", images, assigned)


def background_of(protocol: Protocol, drops_background: bool) -> Literal["count", "ignore", "released"]:
    """The rule as it works out on a data set: the released code drops background on VOC only."""
    return "count" if protocol.background == "released" and not drops_background else protocol.background
