"""What keeps reading a stranger's Parquet file within bounds: types of columns, texts of a batch, rows of an image.

Parquet keeps equal texts once, so a file of some kilobytes can hold millions of rows of megabytes each. Text columns are
therefore read as dictionaries, which take no more memory than the file's own pages, and are measured before they are
spelt out.
"""

from __future__ import annotations

from typing import Any

from zgbench.submission.problems import Problem, quote
from zgbench.submission.schema import MAX_SEGMENTS

TEXTS = ("image_id", "label", "counts", "class")
MAX_BATCH_BYTES = 256 << 20
"""Texts of the rows that are read at once; an honest submission has some MiB."""
MAX_UNPACKED = 128 << 20
MAX_RATIO = 200
"""A file may unpack to ``MAX_UNPACKED`` bytes, and beyond that to ``MAX_RATIO`` times its size."""


class TooMuch(ValueError):
    """A file takes more memory than any honest one."""


def type_problems(schema: Any) -> list[Problem]:
    """Columns that hold neither texts nor whole numbers, where the format wants them."""
    import pyarrow.types as kinds

    problems = []
    for field in schema:
        kind = field.type.value_type if kinds.is_dictionary(field.type) else field.type
        if field.name in TEXTS:
            sound, wanted = kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_null(kind), "texts"
        else:
            sound, wanted = kinds.is_integer(kind) or kinds.is_null(kind), "whole numbers"
        if not sound:
            problems.append(
                Problem("type", f"column {field.name}", f"a column of {wanted}", quote(str(field.type)), "Cast it.")
            )
    return problems


def check_unpacked(size: int, packed: int) -> None:
    """Raise TooMuch when a file says that it unpacks to so many bytes more than it has."""
    if size > max(MAX_UNPACKED, MAX_RATIO * packed):
        raise TooMuch(f"it unpacks to {size} bytes, more than {MAX_RATIO} times its size")


def rows(batch: Any) -> list[dict[str, Any]]:
    """The rows of a batch.

    Raises:
        TooMuch: its texts would take more than ``MAX_BATCH_BYTES``.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    total, columns = 0, []
    for column in batch.columns:
        if pa.types.is_dictionary(column.type):
            lengths = pc.binary_length(column.dictionary).cast(pa.int64())
            total += pc.sum(lengths.take(column.indices)).as_py() or 0
        if total > MAX_BATCH_BYTES:
            raise TooMuch(f"{len(batch)} rows hold more than {MAX_BATCH_BYTES >> 20} MiB of text")
        columns.append(column)
    spelt = [c.dictionary_decode() if pa.types.is_dictionary(c.type) else c for c in columns]
    found: list[dict[str, Any]] = pa.RecordBatch.from_arrays(spelt, names=batch.schema.names).to_pylist()
    return found


def check_group(group: list[dict[str, Any]]) -> None:
    """Raise TooMuch when the rows of one image are more than an image may have segments."""
    if len(group) > MAX_SEGMENTS:
        raise TooMuch(f"image {quote(group[0]['image_id'])} has more than {MAX_SEGMENTS} segments")
