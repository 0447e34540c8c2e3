"""``*.stats.parquet``: the counts ``N[s, c]`` as a file, one row an image.

The column ``void`` is left out where it would hold zeros only, so a data set without void pixels gives the same bytes as
before there was one.
"""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zgbench.errors import DataError
from zgbench.pixels.counts import MOST, NOWHERE, Counts, Int32, numbered
from zgbench.storage.arrow_arrays import as_numpy, numbers, texts
from zgbench.storage.files import replacing
from zgbench.storage.plain_arrow import plain

FORMAT = "zgbench-stats/1"


def save(counts: Counts, path: Path, about: dict[str, Any]) -> None:
    """:func:`write`, whole or not at all."""
    with replacing(path) as temporary:
        write(counts, temporary, about)


def write(counts: Counts, path: Path, about: dict[str, Any]) -> None:
    """Write ``*.stats.parquet``: one row an image; ``about`` (what the counts were made from) goes into its metadata."""
    import pyarrow.parquet as pq

    told = {"zgbench": json.dumps({"format": FORMAT, "submitted": counts.submitted, **about}, sort_keys=True)}
    tables = (_table(part).replace_schema_metadata(told) for part, _, _ in counts.parts())  # all with void, or none
    first = next(tables)
    with pq.ParquetWriter(path, first.schema, compression="zstd", write_page_checksum=True) as writer:
        for table in chain([first], tables):
            writer.write_table(table, row_group_size=4096)


def _table(counts: Counts) -> Any:
    import pyarrow as pa

    entry_offsets = np.searchsorted(counts.image, np.arange(len(counts.ids) + 1)).astype(np.int32)
    segment_offsets = counts.offsets.astype(np.int32)
    base = np.where(counts.segment == NOWHERE, 0, counts.offsets[counts.image])

    def lists(offsets: NDArray[np.int32], values: Any) -> Any:
        return pa.ListArray.from_arrays(numbers(offsets), values)

    columns = {
        "id": texts(counts.ids),
        "height": numbers(np.array([h for h, _ in counts.sizes], dtype=np.int32)),
        "width": numbers(np.array([w for _, w in counts.sizes], dtype=np.int32)),
        "first": numbers(counts.first),
        "labels": lists(segment_offsets, texts(counts.labels)),
        "segment": lists(entry_offsets, numbers((counts.segment - base).astype(np.int32))),
        "class": lists(entry_offsets, numbers(counts.cls.astype(np.int32))),
        "pixels": lists(entry_offsets, numbers(counts.pixels.astype(np.int32))),
    }
    if counts.truth is not None:
        columns["truth"] = lists(segment_offsets, numbers(counts.truth))
    if counts.void is not None:
        columns["void"] = lists(segment_offsets, numbers(counts.void))
    return pa.table(columns)


def about(path: Path) -> dict[str, Any] | None:
    """What a stats file says that it was made from, and whether it holds ``void`` pixels.

    None when it is missing, damaged or of another version.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(plain(path))
        found: dict[str, Any] = json.loads(schema.metadata[b"zgbench"])
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError):
        return None
    return (
        found | {"void": "void" in schema.names} if isinstance(found, dict) and found.get("format") == FORMAT else None
    )


def load(path: Path) -> Counts:
    """Read ``*.stats.parquet``.

    Raises:
        DataError: missing or damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(plain(path), page_checksum_verification=True) as file:  # read_table would import pandas
            table = file.read(use_threads=False).combine_chunks()

        def column(name: str) -> Any:
            chunked = table[name]
            return chunked.chunk(0) if chunked.num_chunks else pa.array([], chunked.type)

        labels, segment = column("labels"), column("segment")
        offsets = as_numpy(labels.offsets).astype(np.int64) if len(table) else np.zeros(1, dtype=np.int64)
        found = Counts(
            ids=tuple(column("id").to_pylist()),
            sizes=tuple(zip(column("height").to_pylist(), column("width").to_pylist(), strict=True)),
            labels=tuple(labels.values.to_pylist()),
            truth=as_numpy(column("truth").values) if "truth" in table.column_names else None,
            offsets=offsets,
            **numbered(_int32(segment.values), np.diff(as_numpy(segment.offsets)), offsets),
            cls=_int32(column("class").values),
            pixels=_int32(column("pixels").values),
            first=as_numpy(column("first")),
            submitted=int(json.loads(table.schema.metadata[b"zgbench"])["submitted"]),
            void=_int32(column("void").values) if "void" in table.column_names else None,
        )
        _check(found)
        return found
    except (OSError, pa.ArrowException, LookupError, ValueError, TypeError, AttributeError, RecursionError) as error:
        shown = ascii(str(error)[:120])[1:-1]
        raise DataError(f"{path}: missing or damaged ({shown}). Run zgbench evaluate again.") from error


def _int32(values: Any) -> Int32:
    """Numbers from a file, −1 or more and within 32 bits."""
    found = as_numpy(values)
    if len(found) and not (found.min() >= NOWHERE and found.max() <= MOST):
        raise ValueError("a number is out of range")
    return np.asarray(found, dtype=np.int32)


def _check(found: Counts) -> None:
    """Raise ValueError where numbers from a file point to nowhere."""
    segments, images = len(found.labels), len(found.ids)
    own = found.segment != NOWHERE
    owner = found.owner[found.segment[own]] if len(own) and found.segment[own].max(initial=0) < segments else None
    sound = (
        len(found.offsets) == images + 1
        and found.offsets[0] == 0
        and found.offsets[-1] == segments
        and (np.diff(found.offsets) >= 0).all()
        and len(found.image) == len(found.segment) == len(found.cls) == len(found.pixels)
        and (found.truth is None or len(found.truth) == segments)
        and (found.void is None or (len(found.void) == segments and (found.void >= 0).all()))
        and (found.segment >= NOWHERE).all()
        and (owner is None if not own.any() else owner is not None and (owner == found.image[own]).all())
        and (found.cls >= 0).all()
        and (found.pixels > 0).all()
        and len(set(found.ids)) == images
        and len(found.first) == len(found.sizes) == images
        and (found.first >= 0).all()
        and (found.first + np.diff(found.offsets) <= found.submitted).all()
        and all(type(side) is int and side > 0 for size in found.sizes for side in size)
        and all(isinstance(text, str) for text in (*found.ids, *found.labels))
    )
    if not sound:
        raise ValueError("the counts contradict one another")
