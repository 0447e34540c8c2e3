"""Checks the masks of one image, by arithmetic on runs alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zgbench import rle
from zgbench.submission.problems import Problem
from zgbench.submission.schema import Image

Int = NDArray[np.int64]


@dataclass(frozen=True)
class Foreground:
    """Foreground runs of the segments of one image, sorted by start, not overlapping.

    Attributes:
        starts, lengths: int64 [runs], pixels in column-major order.
        segments: int64 [runs], index of the segment in its image.
    """

    starts: Int
    lengths: Int
    segments: Int


def check_masks(images: list[Image], sizes: list[tuple[int, int] | None]) -> list[Foreground | list[Problem]]:
    """Parse and check the masks of several images at once (track ``free``).

    Args:
        images: of sound structure.
        sizes: the truth's (height, width) of each, or None to trust the submission's own.

    Returns:
        For each image its foreground runs, or what is wrong with it.
    """
    # masks of a wrong size are not even parsed: how long their text may be was judged by the size that they claim
    fits = [size in (None, image.size) for image, size in zip(images, sizes, strict=True)]
    texts = [text if fit else b"" for image, fit in zip(images, fits, strict=True) for text in image.counts or ()]
    runs = rle.parse(texts)
    sums = runs.sums()
    starts, lengths, owners = runs.foreground()
    run_bounds = np.searchsorted(owners, np.arange(len(texts) + 1))
    areas = [image.size[0] * image.size[1] for image in images for _ in image.labels]
    wrong = np.flatnonzero((sums != areas) | (run_bounds[1:] == run_bounds[:-1])).tolist()
    result: list[Foreground | list[Problem]] = []
    first = 0
    for image, fit, size in zip(images, fits, sizes, strict=True):
        last = first + len(image.labels)
        if size is not None and not fit:
            result.append([_wrong_size(image, size)])
        elif wrong and (masks := [mask for mask in wrong if first <= mask < last]):
            result.append(
                [_mask_problem(image, mask - first, runs.errors.get(mask), int(sums[mask])) for mask in masks]
            )
        else:
            begin, end = int(run_bounds[first]), int(run_bounds[last])
            found = _sorted(starts[begin:end], lengths[begin:end], owners[begin:end] - first)
            result.append(_overlaps(image, found) or found)
        first = last
    return result


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


def _sorted(starts: Int, lengths: Int, segments: Int) -> Foreground:
    order = np.argsort(starts, kind="stable")
    return Foreground(starts[order], lengths[order], segments[order])


def _overlaps(image: Image, found: Foreground) -> list[Problem]:
    """One problem for each pair of segments whose runs meet, with the number of pixels in more than one segment."""
    ends = found.starts + found.lengths
    if not (found.starts[1:] < ends[:-1]).any():
        return []
    reach = np.maximum.accumulate(ends)
    owner = found.segments[np.maximum.accumulate(np.where(ends == reach, np.arange(len(ends)), 0))]
    meets = np.flatnonzero(found.starts[1:] < reach[:-1]) + 1
    pairs: dict[tuple[int, int], int] = {}
    for at in meets.tolist():
        a, b = sorted((int(owner[at - 1]), int(found.segments[at])))
        shared = int(min(ends[at], reach[at - 1]) - found.starts[at])
        pairs[a, b] = pairs.get((a, b), 0) + shared
    return [
        Problem(
            "overlap",
            image.where(b),
            f"no pixel in common with segment {a}",
            f"at least {shared} shared pixels",
            "Give each pixel to one segment.",
            image.id,
            b,
        )
        for (a, b), shared in sorted(pairs.items())[:20]
    ]
