"""``N[s, c]``: how many pixels of ground-truth class c lie in predicted segment s, for every image.

Every score, under any reassignment, threshold, rating, aggregation or resample, follows from these counts
without touching a pixel again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zgbench.errors import UsageError

Int = NDArray[np.int64]
Int32 = NDArray[np.int32]
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
        void: int32 [segments], void pixels of each segment; None where there are none.
    """

    id: str
    size: tuple[int, int]
    labels: list[str]
    truth: list[int] | None
    segments: NDArray[np.int32]
    classes: NDArray[np.int32]
    pixels: NDArray[np.int32]
    first: int = 0
    void: NDArray[np.int32] | None = None


@dataclass(frozen=True, repr=False)
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
        void: int32 [segments], void pixels of each segment: the column of N that only some rules look at. None where
            no segment has any, and where they were not counted (stats files of before).
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
    void: Int32 | None = None

    def __repr__(self) -> str:
        return f"<Counts of {len(self.ids):,} images, {len(self.labels):,} segments: {len(self.pixels):,} entries>"

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
                    void=None if self.void is None else self.void[segments],
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
        void=None if counts.void is None else counts.void[segments],
    )


def numbered(local: Int32, entries_in: NDArray[np.integer[Any]], offsets: Int) -> dict[str, Int32]:
    """Image and segment of each entry over all images, from the segment within its image.

    Raises:
        UsageError: there are more than 32 bits can number.
    """
    if max(int(offsets[-1]), len(local)) > MOST:
        raise UsageError(f"more than {MOST:,} segments or entries cannot be scored at once: split the set of images.")
    image = np.repeat(np.arange(len(entries_in), dtype=np.int32), entries_in)
    base = np.repeat(offsets[:-1].astype(np.int32), entries_in)
    return {"image": image, "segment": np.where(local == NOWHERE, np.int32(NOWHERE), local + base)}
