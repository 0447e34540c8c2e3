"""How far a study is, method by method and image by image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, func, select

from zgbench.ratings.store import Store
from zgbench.ratings.tables import ITEM, RATED, item_sources, items, leases, sources


@dataclass(frozen=True)
class Part:
    """A method's items, or an image's.

    Attributes:
        name: of the method with its question, or of the image.
        items, done: to be rated, and those with all their answers.
        wanted, given: answers.
    """

    name: str
    items: int
    done: int
    wanted: int
    given: int


def _counted() -> Any:
    """Each ordinary item with the answers that it has."""
    given = func.count(leases.c.id)
    return (
        select(
            items.c.id, items.c.study, items.c.dataset, items.c.image_id, items.c.place, items.c.wanted,
            case((given > items.c.wanted, items.c.wanted), else_=given).label("given"),
        )
        .outerjoin(leases, (leases.c.item_id == items.c.id) & (leases.c.state == RATED))
        .where(items.c.kind == ITEM)
        .group_by(items.c.id)
        .subquery()
    )  # fmt: skip


def _sums(counted: Any) -> tuple[Any, ...]:
    return (
        func.count().label("n"),
        func.sum(case((counted.c.given >= counted.c.wanted, 1), else_=0)).label("done"),
        func.sum(counted.c.wanted).label("wanted"),
        func.sum(counted.c.given).label("given"),
    )


def by_method(store: Store) -> list[Part]:
    """Methods in the order in which they were put in; items that several methods show count for each of them.

    Items of stores that were filled before methods were noted belong to none.
    """
    counted = _counted()
    query = (
        select(sources.c.name, sources.c.question, *_sums(counted))
        .join(item_sources, item_sources.c.source == sources.c.id)
        .join(counted, counted.c.id == item_sources.c.item_id)
        .where(sources.c.study == store.study.id)
        .group_by(sources.c.id, sources.c.name, sources.c.question)
        .order_by(sources.c.id)
    )
    rows = store.database.read(lambda connection: connection.execute(query).all())
    return [Part(f"{row.name} ({row.question})", row.n, row.done, row.wanted, row.given) for row in rows]


def by_image(store: Store) -> list[Part]:
    """Images in the order in which they are finished."""
    counted = _counted()
    query = (
        select(counted.c.dataset, counted.c.image_id, *_sums(counted))
        .where(counted.c.study == store.study.id)
        .group_by(counted.c.dataset, counted.c.image_id, counted.c.place)
        .order_by(counted.c.place, counted.c.image_id)
    )
    rows = store.database.read(lambda connection: connection.execute(query).all())
    return [Part(row.image_id, row.n, row.done, row.wanted, row.given) for row in rows]
