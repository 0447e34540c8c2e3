"""Counts of images as they come, from which the counts of all are made at the end."""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zgbench.pixels.counts import Counts, ImageCounts, Int, Int32, numbered


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
        self._void = array("i")
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
        void = np.zeros(len(image.labels)) if image.void is None else image.void
        self._void.frombytes(np.ascontiguousarray(void, dtype=np.int32).tobytes())
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
        void = _numbers(self._void)
        return Counts(
            ids=tuple([ids[at] for at in places[chosen].tolist()]),
            sizes=_pairs(_numbers(self._sizes).reshape(-1, 2)[chosen]),
            labels=tuple(map(names.__getitem__, _numbers(self._labels)[of_segments].data)),
            truth=_numbers(self._truth)[of_segments] if self._oracle else None,
            offsets=offsets,
            **numbered(_numbers(self._segments)[of_entries], entries_in[chosen], offsets),
            cls=_numbers(self._classes)[of_entries],
            pixels=_numbers(self._pixels)[of_entries],
            first=np.frombuffer(self._first, dtype=np.int64)[chosen] if len(self) else np.zeros(0, dtype=np.int64),
            submitted=submitted,
            void=void[of_segments] if void.any() else None,
        )


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
