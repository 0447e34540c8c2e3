"""The items that raters disagree about most."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

from sqlalchemy import select

from zgbench.ratings.rater_quality import quality
from zgbench.ratings.records import Item
from zgbench.ratings.store import Store
from zgbench.ratings.tables import ITEM, RATED, items, leases, raters, ratings


@dataclass(frozen=True)
class Disputed:
    """An item with its answers.

    Attributes:
        answers: name of the rater and score, by score.
        spread: mean difference of two raters, 0–3.
    """

    item: Item
    answers: tuple[tuple[str, int], ...]
    spread: float


def disputed(store: Store, n: int = 20) -> list[Disputed]:
    """Up to ``n`` items with two scores or more that differ, the widest apart first, without raters who are left out."""
    out = {figures.rater for figures in quality(store) if figures.excluded_by}
    query = (
        select(
            items.c.id, items.c.dataset, items.c.image_id, items.c.height, items.c.width, items.c.counts,
            items.c.label, items.c.question, leases.c.rater_id, raters.c.name, ratings.c.score,
        )
        .join(leases, leases.c.item_id == items.c.id)
        .join(ratings, ratings.c.seq == leases.c.rating)
        .join(raters, raters.c.id == leases.c.rater_id)
        .where(
            items.c.study == store.study.id, items.c.kind == ITEM, leases.c.state == RATED,
            ratings.c.score.is_not(None),
        )
        .order_by(items.c.place, items.c.position, ratings.c.score, raters.c.name)
    )  # fmt: skip
    shown: dict[str, Item] = {}
    answers: dict[str, list[tuple[str, int]]] = {}
    for row in store.database.read(lambda connection: connection.execute(query).all()):
        if row.rater_id not in out:
            size = (row.height, row.width)
            shown[row.id] = Item(row.id, "", row.dataset, row.image_id, size, row.counts, row.label, row.question)
            answers.setdefault(row.id, []).append((row.name, row.score))
    found = [Disputed(shown[i], tuple(given), _spread([score for _, score in given])) for i, given in answers.items()]
    return sorted((one for one in found if one.spread > 0), key=lambda one: -one.spread)[:n]


def _spread(scores: list[int]) -> float:
    pairs = list(combinations(scores, 2))
    return sum(abs(a - b) for a, b in pairs) / len(pairs) if pairs else 0.0
