"""The scores of a store as ``evaluate`` needs them."""

from __future__ import annotations

from sqlalchemy import select

from zgbench.ratings.rater_quality import quality
from zgbench.ratings.records import Question
from zgbench.ratings.store import Store
from zgbench.ratings.tables import RATED, items, leases, ratings

Scores = dict[tuple[str, int, str] | str, dict[str, int]]


def latest_scores(store: Store, question: Question) -> tuple[Scores, frozenset[str], tuple[str, ...]]:
    """Each ordinary item's latest score by each rater who is not left out.

    Returns:
        Content of an item → rater → score 0–3; the images of these items; the rules that left somebody out.
    """
    left_out = {figures.rater: figures.excluded_by for figures in quality(store) if figures.excluded_by}
    query = (
        select(items.c.content, items.c.image_id, leases.c.rater_id, ratings.c.score)
        .join(leases, leases.c.item_id == items.c.id)
        .join(ratings, ratings.c.seq == leases.c.rating)
        .where(
            items.c.study == store.study.id, leases.c.state == RATED, items.c.wanted > 0,
            items.c.question == question, ratings.c.score.is_not(None),
        )
    )  # fmt: skip
    found: Scores = {}
    images: set[str] = set()
    rules: set[str] = set()
    for row in store.database.read(lambda connection: connection.execute(query).all()):
        if row.rater_id in left_out:
            rules.add(left_out[row.rater_id])
        else:
            found.setdefault(row.content, {})[row.rater_id] = row.score
            images.add(row.image_id)
    return found, frozenset(images), tuple(sorted(rules))
