"""``N[s, c]``: how many pixels of ground-truth class c lie in predicted segment s, for every image.

Every score, under any reassignment, threshold, rating, aggregation or resample, follows from these counts
without touching a pixel again.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zgbench.errors import DataError
from zgbench.files import replacing

Int = NDArray[np.int64]
FORMAT = "zgbench-stats/1"
NOWHERE = -1
"""Segment index of pixels that lie in no segment."""


@dataclass(frozen=True)
class ImageCounts:
    """Counts of one image.

    Attributes:
        id, size: the image and its (height, width).
        labels: the segments' free-text labels.
        truth: class id of the truth segment that each segment is (track ``oracle``), else None.
        segments: int32 [entries], segment index in the image, or NOWHERE.
        classes: int32 [entries], ground-truth class id; 0 = background or unlabelled. Void pixels have no entry.
        pixels: int32 [entries], how many.
        first: row of the first segment in the submission's embeddings.
    """

    id: str
    size: tuple[int, int]
    labels: list[str]
    truth: list[int] | None
    segments: NDArray[np.int32]
    classes: NDArray[np.int32]
    pixels: NDArray[np.int32]
    first: int = 0


@dataclass(frozen=True)
class Counts:
    """Counts of many images, in the split's order.

    Attributes:
        ids, sizes: the images.
        labels: one free-text label a segment, image after image.
        truth: int32 [segments], truth class of each segment (track ``oracle``), else None.
        offsets: int64 [images + 1]; image ``i`` owns the segments ``offsets[i]:offsets[i + 1]``.
        image, segment, cls, pixels: int64 [entries]; ``segment`` counts over all images, or is NOWHERE.
        first: int64 [images], row of each image's first segment in the submission's embeddings.
        submitted: number of segments in the whole submission, counted or not.
    """

    ids: tuple[str, ...]
    sizes: tuple[tuple[int, int], ...]
    labels: tuple[str, ...]
    truth: NDArray[np.int32] | None
    offsets: Int
    image: Int
    segment: Int
    cls: Int
    pixels: Int
    first: Int
    submitted: int

    @property
    def rows(self) -> Int:
        """Row of each segment in the submission's embeddings, int64 [segments]."""
        return np.arange(len(self.labels)) - self.offsets[self.owner] + self.first[self.owner]

    @property
    def owner(self) -> Int:
        """Image index of each segment, int64 [segments]."""
        return np.repeat(np.arange(len(self.ids)), np.diff(self.offsets))

    def truth_sha256(self) -> str:
        """SHA-256 over image ids, sizes and ground-truth pixels per class: another truth, another fingerprint."""
        stride = int(self.cls.max(initial=0)) + 1
        keys, inverse = np.unique(self.image * stride + self.cls, return_inverse=True)
        totals = np.bincount(inverse, weights=self.pixels, minlength=len(keys)).astype(np.int64)
        digest = hashlib.sha256()
        bounds = np.searchsorted(keys // stride, np.arange(len(self.ids) + 1))
        for i, (image_id, size) in enumerate(zip(self.ids, self.sizes, strict=True)):
            span = slice(bounds[i], bounds[i + 1])
            found = zip((keys[span] % stride).tolist(), totals[span].tolist(), strict=True)
            digest.update(f"{image_id} {size[0]} {size[1]} {' '.join(f'{c}:{n}' for c, n in found)}\n".encode())
        return digest.hexdigest()


class Gathered:
    """Counts of images as they come, kept as bare numbers: what stays of an image is its id and some hundred bytes."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._sizes, self._segments_in, self._entries_in = array("i"), array("i"), array("i")
        self._names: dict[str, int] = {}  # each distinct label once
        self._labels, self._truth = array("i"), array("i")
        self._segments, self._classes, self._pixels = array("i"), array("i"), array("i")
        self._first = array("q")
        self._oracle = False

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, image: ImageCounts) -> None:
        """Take in an image, each once."""
        names = self._names
        self._ids.append(image.id)
        self._sizes.extend(image.size)
        self._segments_in.append(len(image.labels))
        self._entries_in.append(len(image.pixels))
        self._labels.extend([names.setdefault(label, len(names)) for label in image.labels])
        if image.truth is not None:
            self._oracle = True
            self._truth.extend(image.truth)
        for kept, new in zip(
            (self._segments, self._classes, self._pixels), (image.segments, image.classes, image.pixels), strict=True
        ):
            kept.frombytes(np.ascontiguousarray(new, dtype=np.intc).tobytes())
        self._first.append(image.first)

    def counts(self, order: Iterable[str], submitted: int) -> Counts:
        """All of them together.

        Args:
            order: ids in the split's order; those that were not taken in are passed over.
            submitted: number of segments in the whole submission, counted or not.
        """
        place = {image_id: index for index, image_id in enumerate(self._ids)}
        chosen = np.array([place[i] for i in order if i in place], dtype=np.int64)
        segments_in, entries_in = _numbers(self._segments_in), _numbers(self._entries_in)
        of_segments, of_entries = _spans(segments_in, chosen), _spans(entries_in, chosen)
        offsets = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(segments_in[chosen], dtype=np.int64)))
        image = np.repeat(np.arange(len(chosen)), entries_in[chosen])
        local = _numbers(self._segments)[of_entries].astype(np.int64)
        sizes = _numbers(self._sizes).reshape(-1, 2)[chosen]
        names = list(self._names)
        return Counts(
            ids=tuple(self._ids[i] for i in chosen.tolist()),
            sizes=tuple(zip(sizes[:, 0].tolist(), sizes[:, 1].tolist(), strict=True)),
            labels=tuple([names[code] for code in _numbers(self._labels)[of_segments].tolist()]),
            truth=_numbers(self._truth)[of_segments].astype(np.int32) if self._oracle else None,
            offsets=offsets,
            image=image,
            segment=np.where(local == NOWHERE, NOWHERE, local + offsets[image]) if len(image) else local,
            cls=_numbers(self._classes)[of_entries].astype(np.int64),
            pixels=_numbers(self._pixels)[of_entries].astype(np.int64),
            first=np.frombuffer(self._first, dtype=np.int64)[chosen] if len(self) else np.zeros(0, dtype=np.int64),
            submitted=submitted,
        )


def _numbers(kept: array[int]) -> NDArray[np.intc]:
    return np.frombuffer(kept, dtype=np.intc) if len(kept) else np.zeros(0, dtype=np.intc)


def _spans(lengths: NDArray[np.intc], chosen: Int) -> Int | slice:
    """Where the elements of the chosen images lie, one after the other, when image ``i`` owns ``lengths[i]`` elements."""
    if np.array_equal(chosen, np.arange(len(lengths))):
        return slice(None)
    starts = np.cumsum(lengths, dtype=np.int64) - lengths
    kept = lengths[chosen].astype(np.int64)
    before = np.cumsum(kept) - kept
    return np.asarray(np.arange(int(kept.sum())) + np.repeat(starts[chosen] - before, kept))


def select(counts: Counts, images: NDArray[np.bool_]) -> Counts:
    """Counts of the images where ``images``, bool [images], is true."""
    chosen = np.flatnonzero(images)
    if len(chosen) == len(counts.ids):
        return counts
    per_image = np.diff(counts.offsets)
    offsets = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(per_image[chosen])))
    segments = images[counts.owner]
    new_segment = np.cumsum(segments) - 1
    new_image = np.cumsum(images) - 1
    kept = images[counts.image]
    old = counts.segment[kept]
    return Counts(
        ids=tuple(counts.ids[i] for i in chosen),
        sizes=tuple(counts.sizes[i] for i in chosen),
        labels=tuple(label for label, keep in zip(counts.labels, segments, strict=True) if keep),
        truth=None if counts.truth is None else counts.truth[segments],
        offsets=offsets,
        image=new_image[counts.image[kept]],
        segment=np.where(old == NOWHERE, NOWHERE, new_segment[np.maximum(old, 0)]) if len(new_segment) else old,
        cls=counts.cls[kept],
        pixels=counts.pixels[kept],
        first=counts.first[chosen],
        submitted=counts.submitted,
    )


def save(counts: Counts, path: Path, about: dict[str, Any]) -> None:
    """:func:`write`, whole or not at all."""
    with replacing(path) as temporary:
        write(counts, temporary, about)


def write(counts: Counts, path: Path, about: dict[str, Any]) -> None:
    """Write ``*.stats.parquet``: one row an image; ``about`` (what the counts were made from) goes into its metadata."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    entry_offsets = np.searchsorted(counts.image, np.arange(len(counts.ids) + 1)).astype(np.int32)
    segment_offsets = counts.offsets.astype(np.int32)
    base = np.where(counts.segment == NOWHERE, 0, counts.offsets[counts.image])

    def lists(offsets: NDArray[np.int32], values: Any) -> Any:
        return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values)

    columns = {
        "id": pa.array(counts.ids, pa.string()),
        "height": pa.array([h for h, _ in counts.sizes], pa.int32()),
        "width": pa.array([w for _, w in counts.sizes], pa.int32()),
        "first": pa.array(counts.first),
        "labels": lists(segment_offsets, pa.array(counts.labels, pa.string())),
        "segment": lists(entry_offsets, pa.array((counts.segment - base).astype(np.int32))),
        "class": lists(entry_offsets, pa.array(counts.cls.astype(np.int32))),
        "pixels": lists(entry_offsets, pa.array(counts.pixels.astype(np.int32))),
    }
    if counts.truth is not None:
        columns["truth"] = lists(segment_offsets, pa.array(counts.truth))
    table = pa.table(columns).replace_schema_metadata(
        {"zgbench": json.dumps({"format": FORMAT, "submitted": counts.submitted, **about}, sort_keys=True)}
    )
    pq.write_table(table, path, compression="zstd", row_group_size=4096, write_page_checksum=True)


def about(path: Path) -> dict[str, Any] | None:
    """What a stats file says that it was made from; None when it is missing, damaged or of another version."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        found: dict[str, Any] = json.loads(pq.read_metadata(path).metadata[b"zgbench"])
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError):
        return None
    return found if isinstance(found, dict) and found.get("format") == FORMAT else None


def load(path: Path) -> Counts:
    """Read ``*.stats.parquet``.

    Raises:
        DataError: missing or damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path, use_threads=False, page_checksum_verification=True).combine_chunks()

        def column(name: str) -> Any:
            chunked = table[name]
            return chunked.chunk(0) if chunked.num_chunks else pa.array([], chunked.type)

        labels, segment = column("labels"), column("segment")
        offsets = labels.offsets.to_numpy().astype(np.int64)
        image = np.repeat(np.arange(len(table)), np.diff(segment.offsets.to_numpy()))
        local = segment.values.to_numpy().astype(np.int64)
        found = Counts(
            ids=tuple(column("id").to_pylist()),
            sizes=tuple(zip(column("height").to_pylist(), column("width").to_pylist(), strict=True)),
            labels=tuple(labels.values.to_pylist()),
            truth=column("truth").values.to_numpy() if "truth" in table.column_names else None,
            offsets=offsets if len(offsets) else np.zeros(1, dtype=np.int64),
            image=image,
            segment=np.where(local == NOWHERE, NOWHERE, local + offsets[image]) if len(image) else local,
            cls=column("class").values.to_numpy().astype(np.int64),
            pixels=column("pixels").values.to_numpy().astype(np.int64),
            first=column("first").to_numpy(),
            submitted=int(json.loads(table.schema.metadata[b"zgbench"])["submitted"]),
        )
        _check(found)
        return found
    except (OSError, pa.ArrowException, LookupError, ValueError, TypeError, AttributeError, RecursionError) as error:
        shown = ascii(str(error)[:120])[1:-1]
        raise DataError(f"{path}: missing or damaged ({shown}). Run zgbench evaluate again.") from error


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
