"""Agreement from first principles, value by value and pair by pair: slow and obvious, an oracle for tests only."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

Rating = tuple[int, int, int]
"""Item, rater, score."""


def alpha(ratings: Sequence[Rating], level: str) -> float:
    """Krippendorff's α as 1 − (mean δ² of pairs within items) / (mean δ² of all pairs)."""
    units: dict[int, list[int]] = defaultdict(list)
    for item, _, score in ratings:
        units[item].append(score)
    pairable = {item: scores for item, scores in units.items() if len(scores) >= 2}
    values = [score for scores in pairable.values() for score in scores]
    how_many = Counter(values)

    def delta(a: int, b: int) -> float:
        if level == "nominal":
            return float(a != b)
        if level == "interval":
            return float((a - b) ** 2)
        low, high = min(a, b), max(a, b)
        between = sum(n for value, n in how_many.items() if low <= value <= high)
        return (between - (how_many[a] + how_many[b]) / 2) ** 2

    n = len(values)
    observed = (
        sum(
            delta(a, b) / (len(scores) - 1)
            for scores in pairable.values()
            for i, a in enumerate(scores)
            for j, b in enumerate(scores)
            if i != j
        )
        / n
    )
    expected = sum(delta(a, b) for i, a in enumerate(values) for j, b in enumerate(values) if i != j) / (n * (n - 1))
    return 1 - observed / expected


def medians_of_others(ratings: Sequence[Rating]) -> list[tuple[int, int] | None]:
    """For each rating the lower and the upper middle of the others of its item."""
    found: list[tuple[int, int] | None] = []
    for place, (item, _, _) in enumerate(ratings):
        others = sorted(score for k, (i, _, score) in enumerate(ratings) if i == item and k != place)
        found.append((others[(len(others) - 1) // 2], others[len(others) // 2]) if others else None)
    return found
