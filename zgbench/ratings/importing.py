"""Reads exported ratings, checks every row, and puts what is new into a store."""

from __future__ import annotations

import math
import os
import re
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select, update

from zgbench.errors import InputError
from zgbench.ratings.answers import MAX_REASON, SCORE, SKIP, WITHDRAWN
from zgbench.ratings.assignment import recount
from zgbench.ratings.content import QUESTIONS, Content, canonical_text
from zgbench.ratings.exporting import COLUMNS
from zgbench.ratings.items import as_row, places
from zgbench.ratings.people import new_imported
from zgbench.ratings.records import CANNOT_TELL
from zgbench.ratings.spreadsheet import unshield
from zgbench.ratings.store import Store
from zgbench.ratings.studies import Study
from zgbench.ratings.tables import CONTROL, ITEM, OPEN, RATED, SKIPPED, items, leases, raters, ratings
from zgbench.storage.csv_table import read_csv
from zgbench.storage.plain_arrow import plain
from zgbench.submission.problems import quote
from zgbench.submission.schema import text_problem

_SHOWN = 20
_RATER = re.compile(r"[0-9a-f]{12}")
_TICKET = re.compile(r"[0-9a-f]{16}\.\d{1,6}(\.undo)?")
_ANSWERS = (SCORE, CANNOT_TELL, SKIP, WITHDRAWN)


class _Bad(Exception):
    """What is wrong with a row."""


def import_table(store: Store, path: str | os.PathLike[str]) -> tuple[int, int]:
    """Put exported rows into a store; rows that are there already are passed over.

    Returns:
        Number of rows that were new, and of rows in all.

    Raises:
        InputError: not an exported table; lists every bad row, up to a limit.
    """
    found = read_table(Path(path))
    return store.database.write(lambda connection: put_in(connection, store.study, found, store.clock())), len(found)


def read_table(path: Path) -> list[dict[str, Any]]:
    """Rows of an exported table with their items as Content.

    Raises:
        InputError: see :func:`import_table`.
    """
    good, bad = [], []
    for number, raw in enumerate(_raw(path)):
        try:
            good.append(_checked(raw))
        except (_Bad, InputError) as error:
            bad.append(f"row {number}, {error}")
    if bad:
        more = f"\n  … and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
        raise InputError(f"{path}: {len(bad)} bad rows\n  " + "\n  ".join(bad[:_SHOWN]) + more)
    return good


def _raw(path: Path) -> list[dict[str, str]]:
    """Rows as text, "" for nothing."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if path.suffix == ".parquet":
            table = pq.read_table(plain(path))
            _require_columns(path, table.column_names)
            return [{k: "" if v is None else str(v) for k, v in row.items()} for row in table.to_pylist()]
        if path.suffix == ".csv":
            table = read_csv(path)
            _require_columns(path, table.columns)
            return [{k: unshield(v) for k, v in row.items()} for row in table.fillna("").to_dict("records")]
    except (OSError, ValueError, pa.ArrowException) as error:  # pandas' parser errors are ValueErrors
        raise InputError(f"{path}: cannot be read as a table ({quote(str(error), 120)[1:-1]}).") from error
    raise InputError(f"{path}: expected a .csv or .parquet file.")


def _checked(raw: dict[str, str]) -> dict[str, Any]:
    def whole(column: str, low: int, high: int) -> int:
        text = raw[column]
        if not re.fullmatch(r"\d{1,9}", text) or not low <= int(text) <= high:
            raise _Bad(f"{column}: expected {low} to {high}; found {quote(text)}")
        return int(text)

    def one_of(column: str, *values: str) -> str:
        if raw[column] not in values:
            raise _Bad(f"{column}: expected {', '.join(values)}; found {quote(raw[column])}")
        return raw[column]

    def matching(column: str, pattern: re.Pattern[str]) -> str:
        if not pattern.fullmatch(raw[column]):
            raise _Bad(f"{column}: expected {pattern.pattern}; found {quote(raw[column])}")
        return raw[column]

    for column, limit in (("label", 200), ("image_id", 200), ("dataset", 16)):
        if problem := text_problem(raw[column], limit):
            raise _Bad(f"{column}: found {problem}")
    size = (whole("height", 1, 1 << 16), whole("width", 1, 1 << 16))
    question = next((q for q in QUESTIONS if q == raw["question"]), None)
    if question is None:
        raise _Bad(f"question: expected T or T*; found {quote(raw['question'])}")
    content = Content(
        raw["dataset"], raw["image_id"], size, canonical_text(raw["counts"], size), raw["label"], question,
        whole("known", 0, 3) if raw["known"] else None,
    )  # fmt: skip
    if content.id != raw["item"]:
        raise _Bad("item: its hash does not fit what the row says was shown")
    answer = one_of("answer", *_ANSWERS)
    note = "".join(c if c.isprintable() else " " for c in raw["note"])[:MAX_REASON]
    return {
        "content": content, "kind": one_of("kind", ITEM, CONTROL), "k": whole("k", 0, 1000),
        "rater": matching("rater", _RATER), "ticket": matching("ticket", _TICKET), "answer": answer,
        "score": whole("score", 0, 3) if answer == SCORE else None, "note": note or None,
        "seconds": _seconds(raw["seconds"]), "at": _time(raw["time"]),
    }  # fmt: skip


def _seconds(text: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < 1e7:
        raise _Bad(f"seconds: expected a number ≥ 0; found {quote(text)}")
    return value


def _time(text: str) -> float:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise _Bad(f"time: expected an ISO 8601 timestamp; found {quote(text)}") from error
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def put_in(connection: Connection, study: Study, rows: list[dict[str, Any]], now: float) -> int:
    """Insert the rows whose tickets the store does not have; returns how many."""
    there = set(connection.execute(select(ratings.c.ticket)).scalars())
    new = list({row["ticket"]: row for row in rows if row["ticket"] not in there}.values())
    _add_missing(connection, study, new, now)
    touched = sorted({(row["rater"], study.item_id(row["content"].id)) for row in new})
    if new:
        connection.execute(
            insert(ratings),
            [
                {
                    "ticket": row["ticket"], "rater_id": row["rater"], "item_id": study.item_id(row["content"].id),
                    "answer": row["answer"], "score": row["score"], "note": row["note"], "seconds": row["seconds"],
                    "at": row["at"],
                }
                for row in new
            ],
        )  # fmt: skip
    for rater, item in touched:
        _settle(connection, rater, item, now)
    recount(connection, [item for _, item in touched])
    return len(new)


def _add_missing(connection: Connection, study: Study, rows: list[dict[str, Any]], now: float) -> None:
    known_items = set(connection.execute(select(items.c.id)).scalars())
    study_of = {row.id: row.study for row in connection.execute(select(raters.c.id, raters.c.study))}
    contents = {study.item_id(row["content"].id): row for row in rows}
    place_of = places(connection, study, [row["content"] for row in contents.values()])
    for identity, row in contents.items():
        content: Content = row["content"]
        if identity not in known_items:
            wanted = row["k"] if row["kind"] == ITEM else 0
            place = place_of[content.dataset, content.image_id]
            connection.execute(insert(items), as_row(study, identity, content, row["kind"], wanted, place, now))
    for rater in {row["rater"]: None for row in rows}:
        if rater not in study_of:
            new_imported(connection, study.id, rater, now)
        elif study_of[rater] != study.id:
            raise InputError(f"rater {rater} belongs to another study of this store, whose ratings these are.")


def _settle(connection: Connection, rater: str, item: str, now: float) -> None:
    """Let the latest of a rater's rows on an item be the one that counts."""
    last = connection.execute(
        select(ratings.c.seq, ratings.c.answer)
        .where(ratings.c.rater_id == rater, ratings.c.item_id == item)
        .order_by(ratings.c.at.desc(), ratings.c.seq.desc())
        .limit(1)
    ).one()
    lease: Any = connection.execute(
        select(leases.c.id, leases.c.state).where(leases.c.rater_id == rater, leases.c.item_id == item)
    ).first()
    if last.answer == WITHDRAWN:
        if lease is not None and lease.state == RATED:
            connection.execute(update(leases).where(leases.c.id == lease.id).values(state="expired", rating=None))
        return
    state = SKIPPED if last.answer == SKIP else RATED
    if lease is not None:
        if lease.state != OPEN or state == RATED:
            connection.execute(update(leases).where(leases.c.id == lease.id).values(state=state, rating=last.seq))
        return
    connection.execute(
        insert(leases).values(
            id=secrets.token_hex(8), rater_id=rater, item_id=item, state=state, round=0, seen=0, turn=0, expires=now,
            rating=last.seq,
        )
    )  # fmt: skip


def _require_columns(path: Path, columns: Iterable[str]) -> None:
    """Refuse a table that lacks a column."""
    missing = [name for name in COLUMNS if name not in set(columns)]
    if missing:
        raise InputError(
            f"{path}: no column {', '.join(missing)}. Expected a table that zgbench ratings export has written."
        )
