"""Writes a submission from label maps or masks, one image at a time."""

from __future__ import annotations

import gzip
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zgbench.errors import UsageError
from zgbench.storage.files import replacing
from zgbench.submission import rle, schema
from zgbench.submission.parquet_reader import METADATA_KEY
from zgbench.submission.problems import Report
from zgbench.submission.reader import suffix_of

_ROW_GROUP = 4096


class SubmissionWriter:
    """Writes a submission file, whole or not at all.

    >>> with SubmissionWriter("mine.json", name="my method", dataset="pas20") as submission:  # doctest: +SKIP
    ...     for image_id, label_map, labels in my_method():
    ...         submission.add(image_id, label_map, labels)

    The file appears when the block ends without an exception. The ending chooses the format: ``.json``,
    ``.json.gz`` or ``.parquet``.

    Args:
        path: the file to write.
        name: the method's name.
        dataset: ``pas20``, ``pc59``, ``pc459`` or ``mini``.
        track: ``free`` (own segments) or ``oracle`` (labels for the truth's segments).
        method: ``description``, ``url``, ``text_guidance``, ``segmentation_labels``.

    Raises:
        SubmissionError: the header is not as the contract wants it.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        name: str,
        dataset: str,
        track: Literal["free", "oracle"] = "free",
        method: Mapping[str, Any] | None = None,
    ) -> None:
        self.path = Path(path)
        self._suffix = suffix_of(self.path)
        self.header = schema.Header(name, dataset, track, dict(method or {}))
        report = Report()
        schema.check_header(self.header.to_dict(), report)
        report.raise_if_any(str(path))
        self._ids: set[str] = set()
        self._vectors: list[NDArray[np.float32]] = []
        self._segments = 0

    def __enter__(self) -> SubmissionWriter:
        sink: _Sink
        with ExitStack() as stack:
            temporary = stack.enter_context(replacing(self.path))
            sink = (_ParquetSink if self._suffix == ".parquet" else _JsonSink)(temporary, self)
            self._sink = stack.enter_context(sink)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        if error[0] is None:
            try:
                self._finish_embeddings()
            except BaseException as failure:
                self._stack.__exit__(type(failure), failure, failure.__traceback__)
                raise
        self._stack.__exit__(*error)

    def add(
        self,
        image_id: str,
        segments: ArrayLike,
        labels: Sequence[str] | Mapping[int, str],
        *,
        embeddings: ArrayLike | None = None,
    ) -> None:
        """Add an image of track ``free``.

        Args:
            image_id: as in the data set.
            segments: a label map, integer [h, w], 0 = in no segment; or masks, bool [n, h, w], that do not overlap.
            labels: one text a segment: a list (value k of the map, or mask k − 1, has ``labels[k − 1]``),
                or for a label map a mapping from its values.
            embeddings: optional [n, d], the method's own CLIP embedding of each segment, in the order of ``labels``.

        Raises:
            UsageError: shapes or labels do not fit each other.
            SubmissionError: a label or id that the contract does not allow.
        """
        array = np.asarray(segments)
        if array.ndim == 3 and array.dtype == np.bool_:
            if isinstance(labels, Mapping) or len(labels) != len(array):
                raise UsageError(f"{image_id}: {len(array)} masks want a list of {len(array)} labels.")
            if len(array) and array.sum(axis=0, dtype=np.int32).max() > 1:
                raise UsageError(f"{image_id}: masks overlap. Give each pixel to one segment.")
            masks, texts = list(array), list(labels)
            size = (array.shape[1], array.shape[2])
        elif array.ndim == 2 and array.dtype.kind in "iu":
            named = dict(labels) if isinstance(labels, Mapping) else dict(enumerate(labels, start=1))
            values = [int(v) for v in np.unique(array) if v != 0]
            if set(values) != set(named):
                raise UsageError(
                    f"{image_id}: the label map holds the values {values[:10]}, labels are given for {sorted(named)[:10]}. Give one label for each value but 0."
                )
            masks, texts = [array == v for v in named], list(named.values())
            size = (array.shape[0], array.shape[1])
        else:
            raise UsageError(
                f"{image_id}: expected an integer label map [h, w] or bool masks [n, h, w], got {array.dtype} {array.shape}."
            )
        empty = [i for i, mask in enumerate(masks) if not mask.any()]
        if empty:
            raise UsageError(f"{image_id}: segment {empty[0]} has no pixel. Leave it out.")
        self.add_raw(
            image_id,
            size,
            [{"label": t, "counts": rle.encode(rle.runs_of(m))} for t, m in zip(texts, masks, strict=True)],
            embeddings=embeddings,
        )

    def add_oracle(
        self, image_id: str, size: tuple[int, int], labels: Mapping[str, str], *, embeddings: ArrayLike | None = None
    ) -> None:
        """Add an image of track ``oracle``: the truth's class name → the label that the method gave its segment."""
        segments = [{"label": label, "class": name} for name, label in labels.items()]
        self.add_raw(image_id, size, segments, embeddings=embeddings)

    def add_raw(
        self,
        image_id: str,
        size: tuple[int, int],
        segments: list[dict[str, str]],
        *,
        embeddings: ArrayLike | None = None,
    ) -> None:
        """Add an image whose segments are already as in the file (compressed RLE, or class names)."""
        self._note_embeddings(image_id, embeddings, len(segments))
        report = Report()
        image = {"id": image_id, "size": [int(size[0]), int(size[1])], "segments": segments}
        schema.check_image(image, f"$.images[{len(self._ids)}]", self._segments, self.header.track, report)
        report.raise_if_any(str(self.path))
        if image_id in self._ids:
            raise UsageError(f"{image_id} was added before. Add every image once.")
        self._ids.add(image_id)
        self._segments += len(segments)
        self._sink.write(image)

    def name_embeddings(self, file: str) -> None:
        """Refer to an embeddings file that already lies beside the submission, in this order of segments."""
        self.header = replace(self.header, embeddings=file)

    def _note_embeddings(self, image_id: str, embeddings: ArrayLike | None, segments: int) -> None:
        if embeddings is None:
            if self._vectors:
                raise UsageError(
                    f"{image_id}: earlier images came with embeddings, this one without. Give them for all or for none."
                )
            return
        if self._segments and not self._vectors:
            raise UsageError(f"{image_id}: earlier images came without embeddings. Give them for all or for none.")
        vectors = np.asarray(embeddings, dtype=np.float32)
        if vectors.ndim != 2 or len(vectors) != segments or not np.isfinite(vectors).all():
            raise UsageError(f"{image_id}: expected finite embeddings [{segments}, d], got {vectors.shape}.")
        self._vectors.append(vectors)

    def _finish_embeddings(self) -> None:
        if not self._vectors:
            return
        from safetensors.numpy import save_file

        target = self.path.with_name(self.path.name.removesuffix(self._suffix) + ".safetensors")
        with replacing(target) as temporary:
            save_file({"embeddings": np.concatenate(self._vectors)}, str(temporary))
        self.name_embeddings(target.name)


class _Sink(AbstractContextManager["_Sink"], ABC):
    """Where images go; finishes the file when the block ends without an exception."""

    @abstractmethod
    def write(self, image: dict[str, Any]) -> None:
        """Append an image as it stands in a JSON submission."""


class _JsonSink(_Sink):
    """Images first, header last: only at the end is it known whether there are embeddings."""

    def __init__(self, path: Path, writer: SubmissionWriter) -> None:
        self._path, self._writer = path, writer
        self._first = True

    def __enter__(self) -> _JsonSink:
        self._raw = self._path.open("wb")
        # no name and no time in the gzip header: the same submission gives the same bytes
        self._file: Any = (
            gzip.GzipFile("", "wb", 6, self._raw, mtime=0) if self._writer._suffix == ".json.gz" else self._raw
        )
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


class _ParquetSink(_Sink):
    """Row groups of a few thousand segments."""

    def __init__(self, path: Path, writer: SubmissionWriter) -> None:
        self._path, self._writer = path, writer
        self._rows: list[dict[str, Any]] = []

    def __enter__(self) -> _ParquetSink:
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
