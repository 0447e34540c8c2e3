"""Writes a submission from label maps, masks or what segmentation libraries give, one image at a time.

Above 300 lines: half of them are the checks and docstrings of one public class.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zgbench.datasets import Dataset, known_ids, open_dataset
from zgbench.errors import InputError, UsageError
from zgbench.storage.files import replacing
from zgbench.storage.text import bare_id
from zgbench.submission import header_checks, rle, schema
from zgbench.submission.masks.arrays import to_numpy
from zgbench.submission.masks.labels import TAGS, Classes, Tags
from zgbench.submission.masks.objects import Background, Naming, segments_of
from zgbench.submission.masks.segments import OVERLAPS, Overlap, Segments, runs_by_value
from zgbench.submission.problems import Report, quote
from zgbench.submission.reader import suffix_of
from zgbench.submission.sinks import JsonSink, ParquetSink, Sink


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
        method: ``description``, ``url``, ``text_guidance``, ``segmentation_labels``, and what makes up its card on a
            leaderboard (:mod:`zgbench.submission.method_keys`).
        data: the data folder, or an open data set: then sizes are compared with the truth's when an image is added.

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
        data: str | os.PathLike[str] | Dataset | None = None,
    ) -> None:
        self.path = Path(path)
        self._suffix = suffix_of(self.path)
        self.header = schema.Header(name, dataset, track, dict(method or {}))
        report = Report()
        header_checks.check_header(self.header.to_dict(), report)
        report.raise_if_any(str(path))
        self._data = open_dataset(dataset, data) if data is not None and not isinstance(data, Dataset) else data
        self._known = self._data.known_ids if self._data is not None else known_ids(dataset)
        self._ids: set[str] = set()
        self._vectors: list[NDArray[np.float32]] = []
        self._segments = 0
        self._sink: Sink | None = None
        self._changes = _Changes()

    def __enter__(self) -> SubmissionWriter:
        with ExitStack() as stack:
            temporary = stack.enter_context(replacing(self.path))
            sink: Sink = (
                ParquetSink(temporary, self)
                if self._suffix == ".parquet"
                else JsonSink(temporary, self, packed=self._suffix == ".json.gz")
            )
            self._sink = stack.enter_context(sink)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        self._sink = None
        if error[0] is None:
            try:
                self._finish_embeddings()
            except BaseException as failure:
                self._stack.__exit__(type(failure), failure, failure.__traceback__)
                raise
        self._stack.__exit__(*error)
        if error[0] is None:
            for note in self.notes:
                warnings.warn(f"{self.path}: {note}", stacklevel=2)

    @property
    def segments(self) -> int:
        """Number of segments added so far."""
        return self._segments

    @property
    def notes(self) -> list[str]:
        """What was changed on the way, one sentence each; given as warnings when the file is written."""
        return self._changes.notes()

    def add(
        self,
        image_id: str,
        segments: Any,
        labels: Sequence[str] | Mapping[int, str] | None = None,
        *,
        classes: Classes | None = None,
        scores: ArrayLike | None = None,
        background: Background = "default",
        overlap: Overlap = "error",
        resize: bool = False,
        tags: Tags | None = None,
        embeddings: ArrayLike | None = None,
    ) -> None:
        """Add an image of track ``free``.

        Args:
            image_id: as in the data set: the file name without folder and ending.
            segments: a label map, integer [h, w], 0 = in no segment; or masks [n, h, w] of any type that says yes or
                no, arrays of numpy, torch, jax or a list of them, on any device; or what a library gives: a list of
                segment-anything's dictionaries or of COCO run lengths, ``supervision.Detections``, detectron2's
                ``panoptic_seg`` or ``Instances``, a result of transformers' ``post_process_*_segmentation``.
            labels: one text a segment: a list (value k of the map, or mask k − 1, has ``labels[k − 1]``; with
                ``segments_info`` in its order), or for a label map a mapping from its values. Not needed where
                ``classes`` names them or the object brings names along.
            classes: names of class ids, where the values of the map or the objects' class ids are such: a mapping from
                ids, or a list that counts from 0.
            scores: one number a segment, for ``overlap="score"``; by default what the object brings along.
            background: value of a label map that lies in no segment, several, or None: all lie in one. Default 0; with
                classes that name 0 it must be said.
            overlap: who keeps the pixels that masks share: nobody (an error), the one with the higher ``score``, the
                first in ``order``, or the ``smallest``.
            resize: bring masks of another size to the truth's, nearest neighbour; needs ``data`` (but for mini).
            tags: where a segment's label is a list: the ``first`` counts, or ``join`` them with commas.
            embeddings: optional [n, d], the method's own CLIP embedding of each segment, in the order of ``labels``.

        Raises:
            UsageError: shapes, labels, scores or options do not fit each other; an image that the data set lacks.
            InputError: run lengths that are bad.
            SubmissionError: a label or id that the contract does not allow.
        """
        self._check_open(image_id)
        if self.header.track != "free":
            raise UsageError(f"{image_id}: the submission's track is oracle; add images with add_oracle.")
        if overlap not in OVERLAPS or tags not in (None, *TAGS):
            raise UsageError(
                f"{image_id}: overlap={overlap!r}, tags={tags!r}: expected one of {', '.join(OVERLAPS)}; None or one of {', '.join(TAGS)}."
            )
        found = segments_of(image_id, segments, Naming(labels, classes, background, tags), scores)
        _refuse_empty(image_id, found)
        found, before = self._fitted(image_id, found, resize)
        label_map = found.flattened(overlap, image_id)
        n = len(found.labels)
        counts, offsets = runs_by_value(label_map, n)
        masks = rle.encode_many(counts, offsets)
        kept = [k for k in range(n) if masks[k]]
        self._changes.lost += n - len(kept)
        if before is not None:
            self._changes.resize(image_id, before, label_map.shape)
        if embeddings is not None:
            vectors = to_numpy(embeddings, f"{image_id}: embeddings")
            embeddings = vectors[kept] if len(kept) < n == len(vectors) else vectors
        self.add_raw(
            image_id,
            (label_map.shape[0], label_map.shape[1]),
            [{"label": found.labels[k], "counts": masks[k]} for k in kept],
            embeddings=embeddings,
        )

    def add_oracle(
        self, image_id: str, size: tuple[int, int], labels: Mapping[str, str], *, embeddings: ArrayLike | None = None
    ) -> None:
        """Add an image of track ``oracle``: the truth's class name → the label that the method gave its segment."""
        self._check_open(image_id)
        if not isinstance(labels, Mapping):
            raise UsageError(
                f"{image_id}: expected a mapping from the truth's class names to labels, got {type(labels).__name__}."
            )
        self.check_id(image_id)
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
        self._check_open(image_id)
        vectors = self._checked_embeddings(image_id, embeddings, len(segments))
        report = Report()
        image = {"id": image_id, "size": [int(size[0]), int(size[1])], "segments": segments}
        schema.check_image(image, f"$.images[{len(self._ids)}]", self._segments, self.header.track, report)
        report.raise_if_any(str(self.path))
        if image_id in self._ids:
            raise UsageError(f"{image_id} was added before. Add every image once.")
        assert self._sink is not None
        if vectors is not None:
            self._vectors.append(vectors)
        self._ids.add(image_id)
        self._segments += len(segments)
        self._sink.write(image)

    def check_id(self, image_id: str) -> None:
        """Refuse an image that the data set lacks.

        Raises:
            UsageError: it does.
        """
        if not isinstance(image_id, str):
            raise UsageError(f"expected an image id, a text, got {type(image_id).__name__} {quote(image_id)}.")
        if self._known is not None and image_id not in self._known:
            bare = bare_id(image_id)
            some = quote(min(self._known))
            mend = f"Write {quote(bare)}." if bare in self._known else f"Its ids look like {some}."
            raise UsageError(
                f"{quote(image_id)}: {self.header.dataset} has no such image. Ids are file names without folder and ending. {mend}"
            )

    def name_embeddings(self, file: str) -> None:
        """Refer to an embeddings file that already lies beside the submission, in this order of segments."""
        self.header = replace(self.header, embeddings=file)

    def _check_open(self, image_id: str) -> None:
        if self._sink is None:
            raise UsageError(
                f"{image_id}: the submission is not open. Write: with SubmissionWriter(…) as submission: submission.add(…)"
            )

    def _fitted(self, image_id: str, found: Segments, resize: bool) -> tuple[Segments, tuple[int, int] | None]:
        """Segments at the truth's size where it is known, and their size before when it was another."""
        self.check_id(image_id)
        if resize and self._data is None:
            if self.header.dataset != "mini":
                raise UsageError(
                    f"{image_id}: resize needs the truth's sizes. Give SubmissionWriter(…, data=DIR) (zgbench convert --data DIR)."
                )
            self._data = open_dataset("mini")
        size = found.size
        if self._data is None:
            if size is None:
                raise UsageError(
                    f"{image_id}: no segments, so the image's size is not known. Add an all-zero map: add({image_id!r}, np.zeros((height, width), int), []), or give data."
                )
            return found, None
        try:
            wanted = self._data.source.truth(image_id).size
        except InputError:
            if size is None or resize or self._data.source.has(image_id):
                raise
            return found, None  # an image that the data at hand lacks
        if size is None:
            return Segments([], label_map=np.zeros(wanted, dtype=np.int32)), None
        if size == wanted:
            return found, None
        if not resize:
            turned = " They lie transposed: height comes first." if size == wanted[::-1] else ""
            raise UsageError(
                f"{image_id}: the masks are {size[0]} × {size[1]}, the image is {wanted[0]} × {wanted[1]} (height × width).{turned} "
                "Masks of another size can be resized: resize=True (zgbench convert --resize nearest)."
            )
        return found.resized(wanted), size

    def _checked_embeddings(
        self, image_id: str, embeddings: ArrayLike | None, segments: int
    ) -> NDArray[np.float32] | None:
        if embeddings is None:
            if self._vectors:
                raise UsageError(
                    f"{image_id}: earlier images came with embeddings, this one without. Give them for all or for none."
                )
            return None
        if self._segments and not self._vectors:
            raise UsageError(f"{image_id}: earlier images came without embeddings. Give them for all or for none.")
        given = to_numpy(embeddings, f"{image_id}: embeddings")
        with np.errstate(over="ignore"):
            vectors = given.astype(np.float32)
        if vectors.ndim == 1 and not len(vectors) and not segments:
            width = self._vectors[0].shape[1] if self._vectors else 1
            vectors = vectors.reshape(0, width)
        if vectors.ndim != 2 or len(vectors) != segments or not np.isfinite(vectors).all():
            wrong = "" if np.isfinite(vectors).all() else " with NaN or infinity"
            raise UsageError(f"{image_id}: expected finite embeddings [{segments}, d], got {vectors.shape}{wrong}.")
        if self._vectors and vectors.shape[1] != self._vectors[0].shape[1] and segments:
            raise UsageError(
                f"{image_id}: embeddings of width {vectors.shape[1]}, earlier ones of {self._vectors[0].shape[1]}. Embed all with one model."
            )
        return vectors

    def _finish_embeddings(self) -> None:
        if not self._vectors:
            return
        from safetensors.numpy import save_file

        target = self.path.with_name(self.path.name.removesuffix(self._suffix) + ".safetensors")
        filled = [vectors for vectors in self._vectors if len(vectors)] or self._vectors[:1]
        with replacing(target) as temporary:
            save_file({"embeddings": np.concatenate(filled)}, str(temporary))
        self.name_embeddings(target.name)


@dataclass
class _Changes:
    """What happened to segments on the way, told once for all images."""

    lost: int = 0
    resized: int = 0
    first: str = field(default="")

    def resize(self, image_id: str, before: tuple[int, int], after: tuple[int, ...]) -> None:
        self.resized += 1
        self.first = self.first or f"{image_id}: {before[0]} × {before[1]} → {after[0]} × {after[1]}"

    def notes(self) -> list[str]:
        found = []
        if self.resized:
            found.append(f"{self.resized} images were resized to the truth's size, nearest neighbour ({self.first}).")
        if self.lost:
            found.append(
                f"{self.lost} segments had no pixel left (they lay under others, or vanished when resized) and were left out."
            )
        return found


def _refuse_empty(image_id: str, found: Segments) -> None:
    if found.masks is not None:
        empty = np.flatnonzero(~found.masks.any(axis=(1, 2)))
        if len(empty):
            raise UsageError(
                f"{image_id}: segment {empty[0]} has no pixel{f' ({len(empty)} such segments)' if len(empty) > 1 else ''}. Leave it out."
            )
