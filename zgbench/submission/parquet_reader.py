"""Reads a submission from Parquet: one row a segment, the header as JSON in the file's metadata (key ``zgbench``).

Columns: ``image_id`` string, ``height`` and ``width`` integers, ``label`` string, and ``counts`` (track ``free``) or
``class`` (track ``oracle``) string. The rows of an image stand together. An image without segments is one row whose
label and counts are null.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from zgbench.errors import InputError
from zgbench.storage.plain_arrow import plain
from zgbench.submission import header_checks, parquet_guard, schema
from zgbench.submission.problems import Problem, Report, quote

METADATA_KEY = b"zgbench"
MAX_ROW_GROUP_BYTES = 1 << 30
_BATCH = 2048
_NO_ROW = object()


@dataclass(frozen=True)
class Span:
    """Rows ``start`` to ``stop`` (exclusive) of a file, whole row groups: a part that can be read on its own."""

    start: int
    stop: int


class ParquetReader:
    """Header first, then images one by one; see :class:`zgbench.submission.json_reader.JsonReader`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def header(self, report: Report) -> schema.Header | None:
        """The checked header."""
        with self._open() as file:
            raw = (file.metadata.metadata or {}).get(METADATA_KEY)
            columns = file.schema_arrow
        if raw is None:
            raise InputError(
                f"{self.path}: the Parquet metadata holds no key 'zgbench' with the header. Write the file with SubmissionWriter or zgbench convert."
            )
        try:
            header = json.loads(raw, object_pairs_hook=_Unique)
        except (ValueError, RecursionError) as error:
            raise InputError(
                f"{self.path}: the metadata 'zgbench' is not valid JSON ({quote(str(error))[1:-1]})."
            ) from error
        if not isinstance(header, dict):
            raise InputError(
                f"{self.path}: the metadata 'zgbench' should be a JSON object with format, name, dataset, …"
            )
        for key in _duplicates(header):
            report.add(
                Problem(
                    "duplicate-key",
                    f"metadata zgbench, {key}",
                    "each key once",
                    f"{quote(key)} twice",
                    "Remove one of them.",
                )
            )
        if "images" in header:
            report.add(
                Problem("unknown-key", "metadata zgbench, images", "the header only", "images", "Images are rows.")
            )
        checked = header_checks.check_header(header, report, "metadata zgbench, {}".format)
        if checked is not None:
            self._check_columns(columns, checked, report)
        return checked

    def _check_columns(self, columns: Any, header: schema.Header, report: Report) -> None:
        wanted, names = _columns(header.track), columns.names
        report.extend(parquet_guard.type_problems(field for field in columns if field.name in wanted))
        for name in wanted:
            if name not in names:
                report.add(
                    Problem(
                        "missing-key", f"column {name}", f"the columns {', '.join(wanted)}", "no such column", "Add it."
                    )
                )
        for name in names:
            if name not in wanted:
                report.add(
                    Problem(
                        "unknown-key",
                        f"column {quote(name)[1:-1]}",
                        f"the columns {', '.join(wanted)}",
                        quote(name),
                        "Remove it.",
                    )
                )
        if len(set(names)) < len(names):
            report.add(Problem("duplicate-key", "columns", "each column once", quote(str(names)), "Remove the copies."))
        report.raise_if_any(str(self.path))

    def images(self, header: schema.Header, report: Report, span: Span | None = None) -> Iterator[schema.Image]:
        """Images of sound structure, in file order; problems of the others go to ``report``.

        Args:
            span: give only the images whose first row lies in it; their ``first`` counts from its start.
        """
        with self._telling():
            yield from self._images(header, report, span)

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except parquet_guard.TooMuch as error:
            raise InputError(f"{self.path}: {error}. No honest submission does.") from error

    def _images(self, header: schema.Header, report: Report, span: Span | None) -> Iterator[schema.Image]:
        first = 0
        group: list[dict[str, Any]] = []
        with self._open() as file:
            self._check_row_groups(file)
            if set(file.schema_arrow.names) != set(_columns(header.track)):
                raise InputError(f"{self.path}: was changed while it was being read. Run the command again.")
            starts = _first_rows(file)
            start = row = span.start if span is not None else 0
            end = span.stop if span is not None else file.metadata.num_rows
            before: object = _NO_ROW  # image id of the row before the span
            for values in self._rows(file, [g for g, at in enumerate(starts) if at < start][-1:], ("image_id",)):
                before = values["image_id"]
            groups = [g for g, at in enumerate(starts) if at >= start]
            for values in self._rows(file, groups, _columns(header.track)):
                if group and values["image_id"] != group[0]["image_id"]:
                    yield from self._image(group, start, first, header, report)
                    first += _segments_in(group, header)
                    group = []
                if report.full:
                    return
                if not group:
                    if row >= end:
                        return
                    start = row
                row += 1
                if values["image_id"] == before:
                    continue  # the rest of an image of the span before
                before = _NO_ROW
                group.append(values)
                parquet_guard.check_group(group)
            if group:
                yield from self._image(group, start, first, header, report)

    def spans(self, rows: int) -> list[Span]:
        """The file cut at row groups into spans of at least ``rows`` rows (but for the last)."""
        with self._open() as file, self._telling():
            self._check_row_groups(file)
            bounds = [0]
            for at in (*_first_rows(file), file.metadata.num_rows):
                if at - bounds[-1] >= rows or (at == file.metadata.num_rows > bounds[-1]):
                    bounds.append(at)
        return [Span(start, stop) for start, stop in pairwise(bounds)]

    def _image(
        self, group: list[dict[str, Any]], start: int, first: int, header: schema.Header, report: Report
    ) -> Iterator[schema.Image]:
        mask_key = "counts" if header.track == "free" else "class"
        sizes = {(row["height"], row["width"]) for row in group}
        path = f"rows {start}–{start + len(group) - 1}"
        if len(sizes) > 1:
            report.add(
                Problem(
                    "size",
                    path,
                    "one height and width an image",
                    quote(str(sorted(sizes, key=str))),
                    "Mend the rows.",
                    image=str(group[0]["image_id"]),
                )
            )
            return
        empty = len(group) == 1 and group[0]["label"] is None and group[0][mask_key] is None
        raw = {
            "id": group[0]["image_id"],
            "size": list(sizes.pop()),
            "segments": [] if empty else [{"label": row["label"], mask_key: row[mask_key]} for row in group],
        }
        image = schema.check_image(raw, path, first, header.track, report, "{path}, segment {i}")
        if image is not None:
            yield image

    def _rows(self, file: Any, groups: list[int], columns: tuple[str, ...]) -> Iterator[dict[str, Any]]:
        import pyarrow as pa

        try:
            for batch in file.iter_batches(_BATCH, groups, columns=list(columns)):
                yield from parquet_guard.rows(batch)
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise InputError(f"{self.path}: the Parquet data is damaged ({quote(str(error), 160)[1:-1]}).") from error

    def _check_row_groups(self, file: Any) -> None:
        sizes = [file.metadata.row_group(index).total_byte_size for index in range(file.metadata.num_row_groups)]
        for index, size in enumerate(sizes):
            if size > MAX_ROW_GROUP_BYTES:
                raise InputError(
                    f"{self.path}: row group {index} unpacks to {size} bytes, more than {MAX_ROW_GROUP_BYTES}. Write smaller row groups (SubmissionWriter does)."
                )
        parquet_guard.check_unpacked(sum(sizes), self.path.stat().st_size)

    def _open(self) -> Any:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            about = pq.read_metadata(plain(self.path))
            names = {about.schema.column(index).path for index in range(about.num_columns)}
            texts = [name for name in parquet_guard.TEXTS if name in names]
            # ahead of need it would read, and keep, the whole file
            return pq.ParquetFile(self.path, metadata=about, read_dictionary=texts, pre_buffer=False)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise InputError(f"{self.path}: not a readable Parquet file ({quote(str(error), 160)[1:-1]}).") from error


def _first_rows(file: Any) -> list[int]:
    """Number of the first row of each row group."""
    sizes = (file.metadata.row_group(index).num_rows for index in range(file.metadata.num_row_groups))
    return list(accumulate(sizes, initial=0))[:-1]


def _columns(track: str) -> tuple[str, ...]:
    return ("image_id", "height", "width", "label", "counts" if track == "free" else "class")


def _segments_in(group: list[dict[str, Any]], header: schema.Header) -> int:
    last = "counts" if header.track == "free" else "class"
    return 0 if len(group) == 1 and group[0]["label"] is None and group[0][last] is None else len(group)


class _Unique(dict[str, Any]):
    """An object that remembers which of its keys stood there twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        keys = [key for key, _ in pairs]
        self.duplicates = sorted({key for key in keys if keys.count(key) > 1})


def _duplicates(value: Any) -> Iterator[str]:
    if isinstance(value, _Unique):
        yield from value.duplicates
        for child in value.values():
            yield from _duplicates(child)
