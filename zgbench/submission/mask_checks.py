"""Checks masks by arithmetic on runs alone, and lays their runs out for counting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zgbench.submission import rle
from zgbench.submission.problems import Problem
from zgbench.submission.schema import Image

Int = NDArray[np.int64]
Places = NDArray[Any]
"""uint32, or uint64 where 32 bits are too few."""


@dataclass(frozen=True)
class Strip:
    """The segments' foreground runs in a strip of images, one after the other, each read column by column.

    Owners are numbered over all images: first of an image comes nobody, to whom belong the pixels in no segment, then
    its segments. Each image begins with an empty run of nobody's.

    Attributes:
        starts, ends: places [runs], each ascending; the runs do not overlap, unless ``overlapping`` says so.
        owners: places [runs], of the run that starts there.
        bases: int64 [images + 1], where each image begins, and the end.
        nobody: int64 [images + 1], the number of each image's nobody, and of all owners.
    """

    starts: Places
    ends: Places
    owners: Places
    bases: Int
    nobody: Int

    def overlapping(self) -> set[int]:
        """Images of which a pixel is in several runs: one starts before as many have ended as had started."""
        at = np.flatnonzero(self.starts[1:] < self.ends[:-1])
        return set((np.searchsorted(self.bases, self.starts[at].astype(np.int64), side="right") - 1).tolist())


def lay_out(areas: Sequence[int], masks_in: Sequence[int], starts: Int, lengths: Int, masks: Int) -> Strip:
    """Runs in a strip.

    Args:
        areas: pixels of each image.
        masks_in: number of segments of each image.
        starts, lengths: int64 [runs], of runs of at least a pixel that lie in their image, counted from its begin.
        masks: int64 [runs], number of each run's segment, over all images.
    """
    bases = np.array([0, *accumulate(areas)], dtype=np.int64)
    nobody = np.array([0, *accumulate(n + 1 for n in masks_in)], dtype=np.int64)
    image = np.repeat(np.arange(len(areas)), masks_in)  # of each mask
    # a run's start and owner are one number, so that one sort brings both in order; starts and ends of runs that do not
    # overlap come in the same order
    bits = int(nobody[-1]).bit_length()
    kind = np.uint32 if int(bases[-1]).bit_length() + bits <= 32 else np.uint64
    starts = starts + bases[image].take(masks)
    keys = np.concatenate(
        (bases[:-1] << bits | nobody[:-1], starts << bits | (np.arange(len(image)) + image + 1).take(masks))
    )
    keys = keys.astype(kind)
    keys.sort()
    ends = np.concatenate((bases[:-1], starts + lengths)).astype(kind)
    ends.sort()
    return Strip(keys >> bits, ends, keys & ((1 << bits) - 1), bases, nobody)


def check_masks(images: Sequence[Image], sizes: Sequence[tuple[int, int] | None]) -> tuple[list[list[Problem]], Strip]:
    """Parse and check the masks of several images at once (track ``free``).

    Args:
        images: of sound structure.
        sizes: the truth's (height, width) of each, or None to trust the submission's own.

    Returns:
        For each image what is wrong with it; and the runs of those with which nothing is.
    """
    # masks of a wrong size are not even parsed: how long their text may be was judged by the size that they claim
    fits = [size in (None, image.size) for image, size in zip(images, sizes, strict=True)]
    texts = [text if fit else b"" for image, fit in zip(images, fits, strict=True) for text in image.counts or ()]
    runs = rle.parse(texts)
    starts, lengths, masks = runs.foreground()
    cuts = np.searchsorted(masks, np.arange(len(texts) + 1))
    areas = [image.size[0] * image.size[1] for image in images]
    masks_in = [len(image.labels) for image in images]
    sums = runs.sums()
    wrong = np.flatnonzero((sums != np.repeat(areas, masks_in)) | (cuts[1:] == cuts[:-1])).tolist()
    overlapping: set[int] = set()
    if not wrong and all(fits):
        strip = lay_out(areas, masks_in, starts, lengths, masks)
        overlapping = strip.overlapping()
        if not overlapping:
            return [[] for _ in images], strip

    problems: list[list[Problem]] = []
    for index, (first, last) in enumerate(pairwise([0, *accumulate(masks_in)])):
        image, size = images[index], sizes[index]
        if size is not None and not fits[index]:
            found = [_wrong_size(image, size)]
        else:
            found = [
                _mask_problem(image, mask - first, runs.errors.get(mask), int(sums[mask]))
                for mask in wrong
                if first <= mask < last
            ]
        if index in overlapping:
            span = slice(int(cuts[first]), int(cuts[last]))
            found = _overlaps(image, starts[span], lengths[span], masks[span] - first)
        problems.append(found)
    sound = [index for index, found in enumerate(problems) if not found]
    again, strip = check_masks([images[index] for index in sound], [sizes[index] for index in sound])
    for index, found in zip(sound, again, strict=True):
        problems[index] = found
    return problems, strip


def _wrong_size(image: Image, size: tuple[int, int]) -> Problem:
    swapped = image.size == (size[1], size[0])
    return Problem(
        "wrong-size",
        f"{image.path}.size" if image.path.startswith("$") else image.path,
        f"[{size[0]}, {size[1]}] (height, width of the truth)",
        f"[{image.size[0]}, {image.size[1]}]",
        "Height comes first; the masks are read column by column."
        if swapped
        else "Resize the masks to the truth (nearest neighbour).",
        image=image.id,
    )


def _mask_problem(image: Image, index: int, error: str | None, total: int) -> Problem:
    """What is wrong with the runs of one segment, which sum to ``total``."""
    height, width = image.size
    if error is not None:
        kind, expected, found = "bad-rle", "COCO compressed RLE", error
        mend = "Write masks with SubmissionWriter, or pycocotools.mask.encode(...)['counts'].decode()."
    elif total != height * width:
        kind, expected = "bad-rle", f"runs that sum to {height} × {width} = {height * width}"
        found, mend = f"a sum of {total}", "Encode the mask at the truth's size."
    else:
        kind, expected, found = "empty-segment", "a segment of at least one pixel", "none"
        mend = "Leave the segment out."
    return Problem(kind, f"{image.where(index)}.counts", expected, found, mend, image.id, index)


def _overlaps(image: Image, starts: Int, lengths: Int, segments: Int) -> list[Problem]:
    """One problem for the image: how many pixels lie in several segments, and which pair shares most of them."""
    bounds = np.unique(np.concatenate((starts, starts + lengths)))
    change = np.zeros(len(bounds) + 1, dtype=np.int64)
    np.add.at(change, np.searchsorted(bounds, starts), 1)
    np.add.at(change, np.searchsorted(bounds, starts + lengths), -1)
    pixels = int(np.diff(bounds)[np.cumsum(change)[: len(bounds) - 1] > 1].sum())
    order = np.argsort(starts, kind="stable")
    starts, segments = starts[order], segments[order]
    ends = starts + lengths[order]
    reach = np.maximum.accumulate(ends)
    owner = segments[np.maximum.accumulate(np.where(ends == reach, np.arange(len(ends)), 0))]
    meets = np.flatnonzero(starts[1:] < reach[:-1]) + 1
    pairs: dict[tuple[int, int], int] = {}
    for at in meets.tolist():
        a, b = sorted((int(owner[at - 1]), int(segments[at])))
        shared = int(min(ends[at], reach[at - 1]) - starts[at])
        pairs[a, b] = pairs.get((a, b), 0) + shared
    (a, b), most = max(pairs.items(), key=lambda item: (item[1], -item[0][0], -item[0][1]))
    return [
        Problem(
            "overlap",
            image.where(b),
            "each pixel in at most one segment",
            f"{pixels} pixels in more than one (segment {b} shares at least {most} with segment {a})",
            "Give each pixel to one segment; zgbench convert IN OUT --overlap order or smallest does it.",
            image.id,
            b,
        )
    ]
