"""Joint histograms of segments and truth classes, of several images at once, without a mask or a label map.

The images lie in one strip, one after the other, each read column by column. Along it, segment and class are constant
between two neighbouring events: a run begins or ends, or the truth changes. So the events are sorted, and what lies
between them is counted. Several images at once, because numpy's calls cost more than their work on one of usual size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zgbench.datasets.truth import INVALID, VOID, Truth
from zgbench.submission.mask_checks import Strip

try:
    from zgbench.pixels import _tally
except ImportError:  # no C compiler where zgbench was installed
    _kernel = None
else:
    _kernel = _tally.count

Entries = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]
Int = NDArray[np.int64]
_Places = NDArray[np.uint32]
_1 = np.uint32(1)


class UndefinedValue(ValueError):
    """The truth of image number ``image`` holds a stored value that its table does not define."""

    def __init__(self, image: int, value: int) -> None:
        super().__init__(f"the truth holds the value {value}, which the data set does not define")
        self.image = image


def joint_counts(truths: Sequence[Truth], strip: Strip) -> list[Entries]:
    """``N[s, c]`` of some images.

    Args:
        truths: one an image, of less than 2³¹ pixels in all.
        strip: foreground runs of these images, which do not overlap.

    Returns:
        For each image: segment index (or NOWHERE), class id (0 = unlabelled; void has no entry) and pixels,
        int32 [entries] each, ordered by segment, then class; and the void pixels of each segment, int32 [segments].

    Raises:
        UndefinedValue: the truth holds a stored value that its table does not define.
    """
    if not truths:
        return []
    if _kernel is not None and (walked := _walked(_kernel, truths, strip)) is not None:
        return walked
    return counts_by_numpy(truths, strip)


def _walked(kernel: Callable[..., Any], truths: Sequence[Truth], strip: Strip) -> list[Entries] | None:
    """By the kernel, image by image; None where a truth has a value that its table does not define."""
    cuts = np.searchsorted(strip.starts, strip.bases.astype(strip.starts.dtype)).tolist()
    runs = [np.ascontiguousarray(part, dtype=np.uint32) for part in (strip.starts, strip.ends, strip.owners)]
    bases, nobody = strip.bases.tolist(), strip.nobody.tolist()
    found: list[Entries] = []
    for index, truth in enumerate(truths):
        span = slice(cuts[index], cuts[index + 1])
        height, width = truth.pixels.shape
        walked = kernel(
            np.ascontiguousarray(truth.pixels), height, width, np.ascontiguousarray(truth.table),
            *(part[span] for part in runs), bases[index], nobody[index], nobody[index + 1] - nobody[index],
        )  # fmt: skip
        if walked is None:
            return None
        segments, classes, counts, void = (np.frombuffer(part, dtype=np.int32) for part in walked)
        found.append((segments, classes, counts, void))
    return found


def counts_by_numpy(truths: Sequence[Truth], strip: Strip) -> list[Entries]:
    """:func:`joint_counts` without the kernel."""
    pixels: list[NDArray[Any]] = [np.ascontiguousarray(truth.pixels) for truth in truths]
    bounds, owners = _owners(strip)
    # one sorted list of both sides' events, the lowest bit telling the side
    events = np.concatenate((bounds[:-1] << _1 | _1, _changes(pixels, strip.bases[:-1]) << _1, bounds[-1:] << _1))
    events.sort()
    spans, ours = np.diff(events >> _1), events[:-1] & _1
    classes = _classes(truths, pixels, events[:-1] >> _1, strip.bases[:-1])
    stride = int(classes.max()) + 2
    owners *= stride
    owners -= VOID
    joint = owners.take(np.cumsum(ours, dtype=np.int64) - 1)
    joint += classes
    per_key = np.bincount(joint, weights=spans)
    keys = np.flatnonzero(per_key)
    keys = keys[keys % stride > 0]  # void
    owner, found_classes = np.divmod(keys, stride)
    cuts = np.searchsorted(owner, strip.nobody)
    segments = (owner - np.repeat(strip.nobody[:-1] + 1, np.diff(cuts))).astype(np.int32)
    void = np.zeros(int(strip.nobody[-1]), dtype=np.int32)
    in_void = per_key[::stride]
    void[: len(in_void)] = in_void
    columns = (segments, (found_classes + VOID).astype(np.int32), per_key[keys].astype(np.int32))
    return [
        (*(column[a:b] for column in columns), void[nobody + 1 : end])  # type: ignore[misc]
        for (a, b), (nobody, end) in zip(pairwise(cuts.tolist()), pairwise(strip.nobody.tolist()), strict=True)
    ]


def _owners(strip: Strip) -> tuple[_Places, Int]:
    """Where the strip's owner changes, and its end, uint32 [n + 1]; who owns it from there on, int64 [n]."""
    # run, gap, run, gap, … tile the strip, as each image begins with an empty run
    bounds = np.empty(2 * len(strip.starts) + 1, dtype=np.uint32)
    bounds[:-1:2], bounds[1::2], bounds[-1] = strip.starts, strip.ends, strip.bases[-1]
    runs_in = np.diff(np.searchsorted(strip.starts, strip.bases.astype(strip.starts.dtype)))
    owners = np.empty(2 * len(strip.starts), dtype=np.int64)
    owners[::2], owners[1::2] = strip.owners, np.repeat(strip.nobody[:-1], runs_in)
    filled = np.flatnonzero(bounds[1:] > bounds[:-1])
    return bounds.take(np.append(filled, -1)), owners.take(filled)


def _changes(pixels: list[NDArray[Any]], bases: Int) -> _Places:
    """Where in the strip a pixel differs from the one before in its image, uint32; not sorted."""
    # counted row by row from a row above the image on, in which a column's last pixel stands before the next one's first
    parts = [
        part
        for p in pixels
        for part in (
            np.flatnonzero(p[0, 1:] != p[-1, :-1]) + 1,
            np.flatnonzero(p[1:] != p[:-1]) + p.shape[1],
        )
    ]
    per_image = [len(above) + len(inside) for above, inside in zip(parts[::2], parts[1::2], strict=True)]
    at = np.concatenate(parts).astype(np.uint32)
    heights, widths = np.array([p.shape for p in pixels], dtype=np.uint32).T
    width = np.repeat(widths, per_image)
    row = at // width
    at *= np.repeat(heights, per_image)  # column · height + row, modulo 2³² on the way
    row *= np.repeat(heights * widths - _1, per_image)
    at -= row
    at += np.repeat(bases.astype(np.uint32), per_image)
    return at


def _classes(truths: Sequence[Truth], pixels: list[NDArray[Any]], places: _Places, bases: Int) -> NDArray[np.int32]:
    """Class id at sorted places of the strip, int32 [places]."""
    cuts = [*np.searchsorted(places, bases.astype(np.uint32)).tolist(), len(places)]
    parts = []
    for index, (truth, values) in enumerate(zip(truths, pixels, strict=True)):
        height, width = map(np.uint32, values.shape)
        at = places[cuts[index] : cuts[index + 1]] - np.uint32(bases[index])
        column = at // height
        at *= width  # row · width + column, modulo 2³² on the way
        column *= height * width - _1
        at -= column
        stored = values.ravel().take(at)
        classes = truth.table.take(stored)
        if classes.min() == INVALID:
            raise UndefinedValue(index, int(stored[classes.argmin()]))
        parts.append(classes)
    return np.concatenate(parts)
