"""Putting items into a study, and noting whose they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from zgbench.ratings.assignment import recount
from zgbench.ratings.content import Content, mirrored, position
from zgbench.ratings.studies import Study
from zgbench.ratings.tables import ITEM, TRAINING, item_sources, items, sources


def add(
    connection: Connection, study: Study, contents: Iterable[Content], kind: str, wanted: int, now: float
) -> int:  # fmt: skip
    """Put items in; returns how many are new. Images that are new come after all others, in the order given.

    An item that is there stays, with the larger k of the two. One that was a control or training item and is now to be
    rated becomes an ordinary item with a known answer; the other way round nothing changes.
    """
    rows = list({study.item_id(content.id): content for content in contents}.items())
    there = _there(connection, study)
    place_of = places(connection, study, [content for _, content in rows])
    new = [
        as_row(study, identity, content, kind, wanted, place_of[content.dataset, content.image_id], now)
        for identity, content in rows
        if identity not in there
    ]
    _insert(connection, new)
    if kind == ITEM:
        changed = [i for i, _ in rows if i in there and (there[i].kind != kind or there[i].wanted < wanted)]
        contents_of = dict(rows)
        for identity in sorted(changed):
            content = contents_of[identity]
            values = {
                "kind": kind, "wanted": max(wanted, there[identity].wanted), "position": position(content.id),
                "mirrored": mirrored(position(content.id)), "place": place_of[content.dataset, content.image_id],
            }  # fmt: skip
            connection.execute(update(items).where(items.c.id == identity).values(**values))
        recount(connection, changed)
    return len(new)


def add_practice(connection: Connection, study: Study, rounds: Sequence[Sequence[Content]], now: float) -> int:
    """Put rounds of practice in, each in its order; returns how many items are new."""
    there = _there(connection, study)
    new: dict[str, dict[str, Any]] = {}
    for number, contents in enumerate(rounds):
        for place, content in enumerate(contents):
            identity = study.item_id(content.id)
            if identity not in there and identity not in new:
                row = as_row(study, identity, content, TRAINING, 0, number, now)
                new[identity] = row | {"position": place}
    _insert(connection, list(new.values()))
    return len(new)


def as_row(
    study: Study, identity: str, content: Content, kind: str, wanted: int, place: int, now: float
) -> dict[str, Any]:  # fmt: skip
    """A new item's row."""
    return {
        "id": identity, "study": study.id, "content": content.id, "kind": kind, "dataset": content.dataset,
        "image_id": content.image_id, "height": content.size[0], "width": content.size[1], "counts": content.counts,
        "label": content.label, "question": content.question, "known": content.known, "why": content.why,
        "wanted": wanted, "free": wanted, "place": place, "position": position(content.id),
        "mirrored": mirrored(position(content.id)), "added": now,
    }  # fmt: skip


def _insert(connection: Connection, rows: list[dict[str, Any]]) -> None:
    for at in range(0, len(rows), 500):
        connection.execute(insert(items), rows[at : at + 500])


def _there(connection: Connection, study: Study) -> dict[str, Any]:
    query = select(items.c.id, items.c.kind, items.c.wanted).where(items.c.study == study.id)
    return {row.id: row for row in connection.execute(query)}


def places(connection: Connection, study: Study, contents: Sequence[Content]) -> dict[tuple[str, str], int]:
    """The place of each image in the order of all; an image that is there keeps its own."""
    query = (
        select(items.c.dataset, items.c.image_id, func.min(items.c.place))
        .where(items.c.study == study.id, items.c.kind != TRAINING)
        .group_by(items.c.dataset, items.c.image_id)
    )
    found = {(dataset, image): place for dataset, image, place in connection.execute(query)}
    last = max(found.values(), default=0)
    for content in contents:
        if (content.dataset, content.image_id) not in found:
            last += 1
            found[content.dataset, content.image_id] = last
    return found


def add_source(
    connection: Connection, study: Study, name: str, question: str, contents: Iterable[Content], now: float
) -> None:  # fmt: skip
    """Note that a method shows these items. Raters never see it; an item may be several methods'."""
    mine = (sources.c.study == study.id, sources.c.name == name, sources.c.question == question)
    found = connection.execute(select(sources.c.id).where(*mine)).scalar()
    if found is None:
        connection.execute(insert(sources).values(study=study.id, name=name, question=question, at=now))
        found = connection.execute(select(sources.c.id).where(*mine)).scalar_one()
    there = set(connection.execute(select(item_sources.c.item_id).where(item_sources.c.source == found)).scalars())
    new = sorted({study.item_id(content.id) for content in contents} - there)
    if new:
        connection.execute(insert(item_sources), [{"source": found, "item_id": item} for item in new])
