"""What people say of what each rule keeps: the share of kept, rated segments with h ≥ 2, from results with ratings."""

from __future__ import annotations

from typing import TypedDict

import numpy as np
from scipy import sparse

from zgbench.errors import UsageError
from zgbench.scores.result import Stored
from zgbench.scores.verification import verified
from zgbench.statistics.resampling import Resamples, interval, weighted_sums

GOOD = 2
"""A class is good for a segment if h ≥ 2: correct, or correct but too general or too specific."""


class RatedRule(TypedDict):
    """One rule: of ``rated`` kept segments with ratings (``kept`` in all) the share ``good`` with h ≥ 2."""

    method: str
    rule: str
    kept: int
    rated: int
    good: float | None
    ci95: list[float | None]


def rated_rules(stored: Stored) -> list[RatedRule]:
    """Every rule of a result without people in it, measured by the people.

    Raises:
        UsageError: the result was made without ratings.
    """
    if all(r.rated is None for r in stored.reassigned):
        raise UsageError(f"{stored.path}: was made without ratings. Run zgbench evaluate with --ratings.")
    counts, protocol = stored.counts, stored.protocol
    drawn = Resamples(len(counts.ids), protocol.resamples, protocol.seed)
    found: list[RatedRule] = []
    for row in (row for r in stored.reassigned if r.rated is not None for row in verified(counts, r, protocol)):
        if row.verify.startswith("h"):
            continue
        people = row.reassigned.rated
        assert people is not None
        kept = row.assigned > 0
        rated = kept & ~np.isnan(people)
        good = rated & (np.nan_to_num(people, nan=-1.0) >= GOOD)
        per_image = [np.bincount(counts.owner[of], minlength=len(counts.ids)) for of in (good, rated)]
        hits, among = weighted_sums(sparse.csr_matrix(np.stack(per_image, axis=1).astype(np.float64)), drawn).T
        with np.errstate(invalid="ignore"):
            ends = interval(hits / among)
        found.append(
            {
                "method": stored.result["submission"]["name"],
                "rule": f"{row.reassigned.how} {row.verify}",
                "kept": int(kept.sum()),
                "rated": int(rated.sum()),
                "good": float(good.sum() / rated.sum()) if rated.any() else None,
                "ci95": [None if np.isnan(end) else end for end in ends],
            }
        )
    return found
