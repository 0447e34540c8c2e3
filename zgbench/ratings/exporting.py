"""Ratings out of a store: every row that a rater ever made, with the item that it is about.

A row stands alone: item, what was shown, rater, answer, time, and the rule (if any) that leaves its rater out. The
order of rows is that of the answers, and ``zgbench evaluate --ratings`` reads the file as it is.
"""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from zgbench.ratings.rater_quality import quality
from zgbench.ratings.spreadsheet import shield
from zgbench.ratings.store import Store
from zgbench.ratings.tables import items, ratings

COLUMNS = (
    "item", "dataset", "image_id", "height", "width", "counts", "label", "question", "kind", "known", "k", "rater",
    "answer", "score", "note", "seconds", "time", "ticket", "excluded",
)  # fmt: skip
_WHOLE = ("height", "width", "known", "k", "score")


def rows(store: Store) -> list[dict[str, Any]]:
    """Every row of the ratings, in order; None where a column does not apply."""
    query = (
        select(
            items.c.content, items.c.dataset, items.c.image_id, items.c.height, items.c.width, items.c.counts,
            items.c.label, items.c.question, items.c.kind, items.c.known, items.c.wanted, ratings.c.rater_id,
            ratings.c.answer, ratings.c.score, ratings.c.note, ratings.c.seconds, ratings.c.at, ratings.c.ticket,
        )
        .join(items, items.c.id == ratings.c.item_id)
        .where(items.c.study == store.study.id)
        .order_by(ratings.c.seq)
    )  # fmt: skip
    found = store.database.read(lambda connection: connection.execute(query).all())
    left_out = {figures.rater: figures.excluded_by for figures in quality(store)}
    return [
        dict(zip(COLUMNS, (*row[:16], _iso(row.at), row.ticket, left_out.get(row.rater_id, "")), strict=True))
        for row in found
    ]


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")


def export_csv(store: Store) -> bytes:
    """All rows as CSV (UTF-8); cells are safe in a spreadsheet, see :mod:`zgbench.ratings.spreadsheet`."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_cell(row[column]) for column in COLUMNS] for row in rows(store))
    return text.getvalue().encode()


def _cell(value: object) -> str:
    if value is None:
        return ""
    return shield(value) if isinstance(value, str) else repr(value)


def export_parquet(store: Store) -> bytes:
    """All rows as Parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {name: pa.int32() for name in _WHOLE} | {"seconds": pa.float64()}
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in COLUMNS])
    target = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows(store), schema=schema), target, compression="zstd")
    return target.getvalue()
