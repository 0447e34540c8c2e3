"""Files that a submission is written to, one image at a time."""

from __future__ import annotations

import gzip
import json
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from zgbench.submission import schema
from zgbench.submission.parquet_reader import METADATA_KEY

_ROW_GROUP = 4096


class Source(Protocol):
    """What a sink asks when the file ends: only then is it known whether there are embeddings."""

    @property
    def header(self) -> schema.Header:
        """The header as it is to be written."""
        ...


class Sink(AbstractContextManager["Sink"], ABC):
    """Where images go; finishes the file when the block ends without an exception."""

    @abstractmethod
    def write(self, image: dict[str, Any]) -> None:
        """Append an image as it stands in a JSON submission."""


class JsonSink(Sink):
    """Images first, header last: only at the end is it known whether there are embeddings."""

    def __init__(self, path: Path, writer: Source, *, packed: bool = False) -> None:
        self._path, self._writer, self._packed = path, writer, packed
        self._first = True

    def __enter__(self) -> JsonSink:
        self._raw = self._path.open("wb")
        # no name and no time in the gzip header: the same submission gives the same bytes
        self._file: Any = gzip.GzipFile("", "wb", 6, self._raw, mtime=0) if self._packed else self._raw
        head = json.dumps(self._writer.header.to_dict(), ensure_ascii=False)
        self._file.write(f'{head[:-1]}, "images": ['.encode())
        return self

    def write(self, image: dict[str, Any]) -> None:
        text = json.dumps(image, ensure_ascii=False)
        self._file.write((("\n" if self._first else ",\n") + text).encode())
        self._first = False

    def __exit__(self, *error: Any) -> None:
        try:
            if error[0] is None:
                embeddings = self._writer.header.embeddings
                tail = f', "embeddings": {json.dumps(embeddings)}' if embeddings is not None else ""
                self._file.write(f"\n]{tail}}}\n".encode())
            self._file.close()
        finally:
            self._raw.close()


class ParquetSink(Sink):
    """Row groups of a few thousand segments."""

    def __init__(self, path: Path, writer: Source) -> None:
        self._path, self._writer = path, writer
        self._rows: list[dict[str, Any]] = []

    def __enter__(self) -> ParquetSink:
        import pyarrow as pa
        import pyarrow.parquet as pq

        mask_key = "counts" if self._writer.header.track == "free" else "class"
        self._schema = pa.schema(
            [
                ("image_id", pa.string()),
                ("height", pa.int32()),
                ("width", pa.int32()),
                ("label", pa.string()),
                (mask_key, pa.string()),
            ]
        )
        self._pa = pa
        self._mask_key = mask_key
        self._raw = pa.OSFile(str(self._path), "wb")
        self._file = pq.ParquetWriter(self._raw, self._schema, compression="zstd")
        return self

    def write(self, image: dict[str, Any]) -> None:
        base = {"image_id": image["id"], "height": image["size"][0], "width": image["size"][1]}
        segments = image["segments"] or [{"label": None, self._mask_key: None}]
        self._rows += [base | segment for segment in segments]
        if len(self._rows) >= _ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            self._file.write_table(self._pa.Table.from_pylist(self._rows, schema=self._schema))
            self._rows = []

    def __exit__(self, *error: Any) -> None:
        try:
            if error[0] is None:
                self._flush()
                self._file.add_key_value_metadata(
                    {METADATA_KEY.decode(): json.dumps(self._writer.header.to_dict(), ensure_ascii=False)}
                )
            self._file.close()
        finally:
            self._raw.close()  # on a full disk the writer fails to close, and would keep the space of a file that is gone
