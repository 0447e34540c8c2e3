"""``N[s, c]``: how many pixels of ground-truth class c lie in predicted segment s, for every image.

Every score, under any reassignment, threshold, rating, aggregation or resample, follows from these counts
without touching a pixel again.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, compress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zgbench.errors import DataError, UsageError
from zgbench.storage.files import replacing
from zgbench.storage.plain_arrow import plain

Int = NDArray[np.int64]
Int32 = NDArray[np.int32]
FORMAT = "zgbench-stats/1"
NOWHERE = -1
"""Segment index of pixels that lie in no segment."""
MOST = (1 << 31) - 1
"""Most segments and entries: they are numbered in 32 bits, here and in the stats file."""
PART = 4096
"""Images that are scored or written at once: what a step needs for a while does not grow with their number."""


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
        image, segment, cls, pixels: int32 [entries]; ``image`` ascends, ``segment`` counts over all images, or is
            NOWHERE. Products and sums of them need 64 bits.
        first: int64 [images], row of each image's first segment in the submission's embeddings.
        submitted: number of segments in the whole submission, counted or not.
    """

    ids: tuple[str, ...]
    sizes: tuple[tuple[int, int], ...]
    labels: tuple[str, ...]
    truth: NDArray[np.int32] | None
    offsets: Int
    image: Int32
    segment: Int32
    cls: Int32
    pixels: Int32
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

    def keys(self, stride: int) -> Int:
        """(image, class) of each entry as one number, int64 [entries], for classes below ``stride``."""
        return self.image.astype(np.int64) * stride + self.cls

    def parts(self) -> Iterator[tuple[Counts, slice, slice]]:
        """At most ``PART`` images at a time as counts of their own, with the places of their images and segments.

        There is always a part, though it be without images.
        """
        for start in range(0, max(len(self.ids), 1), PART):
            images = slice(start, min(start + PART, len(self.ids)))
            segments = slice(int(self.offsets[images.start]), int(self.offsets[images.stop]))
            if images == slice(0, len(self.ids)):
                yield self, images, segments
                return
            entries = slice(*np.searchsorted(self.image, (images.start, images.stop)).tolist())
            segment = self.segment[entries]
            yield (
                Counts(
                    ids=self.ids[images],
                    sizes=self.sizes[images],
                    labels=self.labels[segments],
                    truth=None if self.truth is None else self.truth[segments],
                    offsets=self.offsets[images.start : images.stop + 1] - segments.start,
                    image=self.image[entries] - np.int32(start),
                    segment=np.where(segment == NOWHERE, NOWHERE, segment - np.int32(segments.start)),
                    cls=self.cls[entries],
                    pixels=self.pixels[entries],
                    first=self.first[images],
                    submitted=self.submitted,
                ),
                images,
                segments,
            )

    def truth_sha256(self) -> str:
        """SHA-256 over image ids, sizes and ground-truth pixels per class: another truth, another fingerprint."""
        digest = hashlib.sha256()
        for part, _, _ in self.parts():
            part._tell_truth(digest.update)
        return digest.hexdigest()

    def _tell_truth(self, told: Callable[[bytes], None]) -> None:
        stride = int(self.cls.max(initial=0)) + 1
        keys, inverse = np.unique(self.keys(stride), return_inverse=True)
        totals = np.bincount(inverse, weights=self.pixels, minlength=len(keys)).astype(np.int64)
        bounds = np.searchsorted(keys // stride, np.arange(len(self.ids) + 1))
        for i, (image_id, size) in enumerate(zip(self.ids, self.sizes, strict=True)):
            span = slice(bounds[i], bounds[i + 1])
            found = zip((keys[span] % stride).tolist(), totals[span].tolist(), strict=True)
            told(f"{image_id} {size[0]} {size[1]} {' '.join(f'{c}:{n}' for c, n in found)}\n".encode())


class Gathered:
    """Counts of images as they come, kept as bare numbers: what stays of an image is some hundred bytes.

    Args:
        place: id of each image that may come → its place in the split's order, 0 to images − 1.
    """

    def __init__(self, place: dict[str, int]) -> None:
        self._place = place
        self._places = array("i")
        self._sizes, self._segments_in, self._entries_in = array("i"), array("i"), array("i")
        self._names: dict[str, int] = {}  # each distinct label once
        self._labels, self._truth = array("i"), array("i")
        self._segments, self._classes, self._pixels = array("i"), array("i"), array("i")
        self._first = array("q")
        self._oracle = False

    def __len__(self) -> int:
        return len(self._places)

    def add(self, image: ImageCounts) -> None:
        """Take in an image, each once."""
        names = self._names
        self._places.append(self._place[image.id])
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
            kept.frombytes(np.ascontiguousarray(new, dtype=np.int32).tobytes())
        self._first.append(image.first)

    def counts(self, submitted: int) -> Counts:
        """All of them together, in the split's order.

        Args:
            submitted: number of segments in the whole submission, counted or not.
        """
        places = _numbers(self._places)
        chosen = np.argsort(places)
        ids = list(self._place)
        segments_in, entries_in = _numbers(self._segments_in), _numbers(self._entries_in)
        of_segments, of_entries = _spans(segments_in, chosen), _spans(entries_in, chosen)
        offsets = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(segments_in[chosen], dtype=np.int64)))
        names = list(self._names)
        return Counts(
            ids=tuple([ids[at] for at in places[chosen].tolist()]),
            sizes=_pairs(_numbers(self._sizes).reshape(-1, 2)[chosen]),
            labels=tuple(map(names.__getitem__, _numbers(self._labels)[of_segments].data)),
            truth=_numbers(self._truth)[of_segments] if self._oracle else None,
            offsets=offsets,
            **_numbered(_numbers(self._segments)[of_entries], entries_in[chosen], offsets),
            cls=_numbers(self._classes)[of_entries],
            pixels=_numbers(self._pixels)[of_entries],
            first=np.frombuffer(self._first, dtype=np.int64)[chosen] if len(self) else np.zeros(0, dtype=np.int64),
            submitted=submitted,
        )


def _numbered(local: Int32, entries_in: NDArray[np.integer[Any]], offsets: Int) -> dict[str, Int32]:
    """Image and segment of each entry over all images, from the segment within its image.

    Raises:
        UsageError: there are more than 32 bits can number.
    """
    if max(int(offsets[-1]), len(local)) > MOST:
        raise UsageError(f"more than {MOST:,} segments or entries cannot be scored at once: split the set of images.")
    image = np.repeat(np.arange(len(entries_in), dtype=np.int32), entries_in)
    base = np.repeat(offsets[:-1].astype(np.int32), entries_in)
    return {"image": image, "segment": np.where(local == NOWHERE, np.int32(NOWHERE), local + base)}


def _pairs(sizes: NDArray[np.integer[Any]]) -> tuple[tuple[int, int], ...]:
    """(height, width) of each image; equal ones are one object."""
    known: dict[tuple[int, int], tuple[int, int]] = {}
    return tuple([known.setdefault((h, w), (h, w)) for h, w in zip(*sizes.T.tolist(), strict=True)])


def _numbers(kept: array[int]) -> Int32:
    return np.frombuffer(kept, dtype=np.int32) if len(kept) else np.zeros(0, dtype=np.int32)


def _spans(lengths: Int32, chosen: Int) -> Int | slice:
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
    new_segment = np.cumsum(segments, dtype=np.int32) - np.int32(1)
    new_image = np.cumsum(images, dtype=np.int32) - np.int32(1)
    kept = images[counts.image]
    old = counts.segment[kept]
    return Counts(
        ids=tuple(counts.ids[i] for i in chosen),
        sizes=tuple(counts.sizes[i] for i in chosen),
        labels=tuple(compress(counts.labels, segments.tolist())),
        truth=None if counts.truth is None else counts.truth[segments],
        offsets=offsets,
        image=new_image[counts.image[kept]],
        segment=np.where(old == NOWHERE, np.int32(NOWHERE), new_segment[np.maximum(old, 0)])
        if len(new_segment)
        else old,
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
    import pyarrow.parquet as pq

    told = {"zgbench": json.dumps({"format": FORMAT, "submitted": counts.submitted, **about}, sort_keys=True)}
    tables = (_table(part).replace_schema_metadata(told) for part, _, _ in counts.parts())
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
    return pa.table(columns)


def about(path: Path) -> dict[str, Any] | None:
    """What a stats file says that it was made from; None when it is missing, damaged or of another version."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        found: dict[str, Any] = json.loads(pq.read_metadata(plain(path)).metadata[b"zgbench"])
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
        table = pq.read_table(plain(path), use_threads=False, page_checksum_verification=True).combine_chunks()

        def column(name: str) -> Any:
            chunked = table[name]
            return chunked.chunk(0) if chunked.num_chunks else pa.array([], chunked.type)

        labels, segment = column("labels"), column("segment")
        offsets = labels.offsets.to_numpy().astype(np.int64) if len(table) else np.zeros(1, dtype=np.int64)
        found = Counts(
            ids=tuple(column("id").to_pylist()),
            sizes=tuple(zip(column("height").to_pylist(), column("width").to_pylist(), strict=True)),
            labels=tuple(labels.values.to_pylist()),
            truth=column("truth").values.to_numpy() if "truth" in table.column_names else None,
            offsets=offsets,
            **_numbered(_int32(segment.values), np.diff(segment.offsets.to_numpy()), offsets),
            cls=_int32(column("class").values),
            pixels=_int32(column("pixels").values),
            first=column("first").to_numpy(),
            submitted=int(json.loads(table.schema.metadata[b"zgbench"])["submitted"]),
        )
        _check(found)
        return found
    except (OSError, pa.ArrowException, LookupError, ValueError, TypeError, AttributeError, RecursionError) as error:
        shown = ascii(str(error)[:120])[1:-1]
        raise DataError(f"{path}: missing or damaged ({shown}). Run zgbench evaluate again.") from error


def _int32(values: Any) -> Int32:
    """Numbers from a file, −1 or more and within 32 bits."""
    found = values.to_numpy()
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
