"""Reads a submission from JSON or gzipped JSON as a stream: one image in memory at a time."""

from __future__ import annotations

import gzip
import os
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import ijson

from zgbench.errors import InputError
from zgbench.storage.text import MARK, refuse_wide
from zgbench.submission import header_checks, schema
from zgbench.submission.problems import Problem, Report, cut, quote

MAX_IMAGE_BYTES = 64 << 20
MAX_IMAGE_VALUES = 200_000
"""Values in one image: 10,000 segments of two texts make 50,000. Brackets cost two bytes in a file, some 60 in memory."""
MAX_UNPACKED = 1 << 30
MAX_RATIO = 200
"""A gzipped submission may unpack to ``MAX_UNPACKED`` bytes, and beyond that to ``MAX_RATIO`` times its size."""
_MAX_DEPTH = 8
_CHUNK, _MAX_CHUNK = 1 << 16, 1 << 22
_DEEPER = {"start_map": 1, "start_array": 1, "end_map": -1, "end_array": -1}
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class _Limited:
    """A file that refuses to be read further when one image (or the header) grows past all reason."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._file, self._path, self._since = file, path, 0
        self._total, self._most = 0, max(MAX_UNPACKED, MAX_RATIO * os.fstat(file.fileno()).st_size)

    def read(self, size: int = -1) -> bytes:
        # ijson goes through an unfinished text again with every chunk, so chunks grow with what is unfinished
        size = max(_CHUNK if size < 0 else size, min(self._since // 4, _MAX_CHUNK))
        try:
            data = self._file.read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise InputError(f"{self._path}: the gzip data is damaged ({error}). Compress the file again.") from error
        except OSError as error:
            raise InputError(f"{self._path}: cannot be read ({error.strerror or error}).") from error
        if self._total == 0:
            refuse_wide(data, str(self._path))
            data = data.removeprefix(MARK)
        self._since += len(data)
        self._total += len(data)
        if self._total > self._most:
            raise InputError(
                f"{self._path}: unpacks to more than {MAX_RATIO} times its size. No honest submission does; write it as .json or .parquet."
            )
        if self._since > MAX_IMAGE_BYTES:
            raise InputError(
                f"{self._path}: one image, or the part before the images, takes more than {MAX_IMAGE_BYTES >> 20} MiB. No honest image does."
            )
        return data

    def restart_count(self) -> None:
        self._since = 0


class JsonReader:
    """Header first, then images one by one.

    Raises (on reading):
        InputError: the file cannot be read at all (no file, damaged gzip, not JSON).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._unread = False  # whether header() stopped at the images, having found every key that there can be
        self._backend: Any = None
        self._values = 0  # in the image at hand

    def header(self, report: Report) -> schema.Header | None:
        """The checked header; its keys may stand before or after the images."""
        return header_checks.check_header(self._top_level(), report)

    def images(self, header: schema.Header, report: Report) -> Iterator[schema.Image]:
        """Images of sound structure, in file order; problems of the others go to ``report``."""
        first = 0
        for index, raw in enumerate(self._elements(report)):
            image = schema.check_image(raw, f"$.images[{index}]", first, header.track, report)
            segments = raw.get("segments") if isinstance(raw, dict) else None
            first += len(segments) if isinstance(segments, list) else 0
            if image is not None:
                yield image
            if report.full:
                return

    def _open(self) -> tuple[IO[bytes], _Limited]:
        try:
            file: Any = gzip.open(self.path) if self.path.suffix == ".gz" else self.path.open("rb")  # noqa: SIM115
        except OSError as error:
            raise InputError(f"{self.path}: cannot be read ({error.strerror}).") from error
        return file, _Limited(file, self.path)

    def _parser(self) -> Any:
        """ijson's quickest backend; its Python one for a file with escaped surrogates, which yajl turns into "?"."""
        if self._backend is None:
            file, limited = self._open()
            end, found = b"", False
            with file:
                while not found and (data := limited.read(_CHUNK)):
                    found = _SURROGATE.search(end + data) is not None
                    end = data[-3:]
                    limited.restart_count()
            self._backend = ijson.get_backend("python") if found else ijson
        return self._backend

    def _raw(self, limited: _Limited) -> Iterator[tuple[str, Any]]:
        """Events as ijson gives them."""
        with self._telling():
            found: Iterator[tuple[str, Any]] = self._parser().basic_parse(limited, use_float=True, buf_size=_CHUNK)
            return found

    def _events(self, raw: Iterator[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
        with self._telling():
            yield from raw

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Errors of ijson as ours; those of the file come so from :class:`_Limited`."""
        try:
            yield
        except (ijson.JSONError, ValueError, UnicodeError) as error:
            detail = " ".join(str(error).split())
            raise InputError(
                f"{self.path}: not valid JSON: {quote(detail, 200)[1:-1]}. Expected one object as in submissions/README.md "
                "(NaN and Infinity are not JSON; text is UTF-8)."
            ) from error

    def _top_level(self) -> dict[str, Any]:
        """Values of the top-level keys; ``images`` only says what kind of thing it is. Duplicates are noted by images()."""
        file, limited = self._open()
        with file:
            raw = self._raw(limited)
            events = self._events(raw)
            if next(events, ("", None))[0] != "start_map":
                raise InputError(f"{self.path}: expected a JSON object at the top, see submissions/README.md.")
            self._values = 0
            found: dict[str, Any] = {}
            throwaway = Report()
            for event, value in events:
                if event == "end_map":
                    break
                kind, content = next(events)
                if value == "images" and kind == "start_array":
                    if all(key in found for key in schema.HEADER_KEYS):
                        self._unread = True
                        break
                    self._skip(raw, limited)
                    found["images"] = []
                else:
                    built = self._build(kind, content, events, "", throwaway, 1)
                    found.setdefault(value, built)
            return found

    def _elements(self, report: Report) -> Iterator[Any]:
        """Elements of ``images``; duplicate keys and stray top-level keys are noted."""
        file, limited = self._open()
        with file:
            events = self._events(self._raw(limited))
            next(events)
            self._values = 0
            seen: set[str] = set()
            after = False
            for event, key in events:
                if event == "end_map":
                    break
                if key in seen:
                    report.add(_duplicate(f"$.{key}", key))
                seen.add(key)
                kind, content = next(events)
                if key != "images":
                    self._build(kind, content, events, f"$.{key}", report, 1)
                    if after and self._unread and key not in schema.HEADER_KEYS:
                        report.add(Problem("unknown-key", f"$.{key}", "no further key", quote(key), "Remove it."))
                elif kind != "start_array":
                    value = self._build(kind, content, events, "$.images", report, 1)
                    report.add(
                        Problem("type", "$.images", "a list of images", quote(value), "See submissions/README.md.")
                    )
                else:
                    after = True
                    for index, (item, scalar) in enumerate(events):
                        if item == "end_array":
                            break
                        self._values = 0
                        yield self._build(item, scalar, events, f"$.images[{index}]", report, 2)
                        limited.restart_count()
            if "images" not in seen:
                report.add(Problem("missing-key", "$.images", "the key images", "no such key", 'Add "images".'))
            for _ in events:  # whatever follows the object is not JSON, and ijson says so
                pass

    def _build(
        self, kind: str, content: Any, events: Iterator[tuple[str, Any]], path: str, report: Report, depth: int
    ) -> Any:
        """The Python value that starts with this event; duplicate keys are noted, the first one counts."""
        if depth > _MAX_DEPTH:
            raise InputError(f"{self.path}: {cut(path)} is nested more than {_MAX_DEPTH} deep. A submission is not.")
        self._values += 1
        if self._values > MAX_IMAGE_VALUES:
            raise InputError(
                f"{self.path}: {cut(path)} comes after {MAX_IMAGE_VALUES} values in one image, or before the images. No honest submission has so many."
            )
        if kind == "start_map":
            found: dict[str, Any] = {}
            for event, key in events:
                if event == "end_map":
                    break
                item_kind, item = next(events)
                value = self._build(item_kind, item, events, f"{path}.{key}", report, depth + 1)
                if key in found:
                    report.add(_duplicate(f"{path}.{key}", key))
                else:
                    found[key] = value
            return found
        if kind == "start_array":
            items = []
            for index, (event, scalar) in enumerate(events):
                if event == "end_array":
                    break
                items.append(self._build(event, scalar, events, f"{path}[{index}]", report, depth + 1))
            return items
        return content

    def _skip(self, raw: Iterator[tuple[str, Any]], limited: _Limited) -> None:
        """Read past the array that has just begun; straight from ijson, as this is most of what a header costs."""
        depth, seen, most = 1, 0, 3 * MAX_IMAGE_VALUES  # a value is at most a beginning, an end and a key
        with self._telling():
            for event, _ in raw:
                seen += 1
                if event in _DEEPER:
                    depth += _DEEPER[event]
                    if depth == 1:
                        seen = 0
                        limited.restart_count()
                    elif depth == 0:
                        return
                if seen > most:
                    break
            else:
                return
        raise InputError(f"{self.path}: an image holds more than {MAX_IMAGE_VALUES} values. No honest one does.")


def _duplicate(path: str, key: str) -> Problem:
    return Problem("duplicate-key", path, "each key once", f"{quote(key)} twice", "Remove one of them.")
