"""What an item is: its content decides, never the submission that it came from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zgbench.errors import InputError
from zgbench.ratings.records import Question
from zgbench.submission import rle

QUESTIONS: tuple[Question, ...] = ("T", "T*")


@dataclass(frozen=True)
class Content:
    """An item before it is in a store.

    Attributes:
        counts: canonical compressed run lengths, see :func:`canonical`.
        known, why: right answer and explanation, of control and training items.
    """

    dataset: str
    image_id: str
    size: tuple[int, int]
    counts: str
    label: str
    question: Question
    known: int | None = None
    why: str | None = None

    @property
    def id(self) -> str:
        """Hash of the content."""
        return item_id(self.dataset, self.image_id, mask_sha256(self.counts, self.size), self.label, self.question)


def canonical(runs: NDArray[np.int64]) -> str:
    """Compressed text of run lengths (background first) in which equal masks are equal texts.

    Runs of length 0 are merged away, but for a first one.
    """
    lengths = np.asarray(runs, dtype=np.int64)
    if (lengths[1:] > 0).all():
        return rle.encode(lengths)
    filled = np.flatnonzero(lengths > 0)
    value = filled & 1
    starts = np.flatnonzero(np.diff(value, prepend=-1))
    merged = np.add.reduceat(lengths[filled], starts) if len(filled) else np.zeros(0, dtype=np.int64)
    return rle.encode(np.concatenate(([0], merged)) if len(value) and value[0] else merged)


def canonical_text(counts: str, size: tuple[int, int]) -> str:
    """Check the run lengths of a stranger and bring them into canonical form.

    Raises:
        InputError: not run lengths of a mask of this size, or of an empty one.
    """
    try:
        runs = rle.parse([counts.encode("ascii")])
    except UnicodeEncodeError as error:
        raise InputError("mask: expected COCO compressed run lengths, found characters outside ASCII.") from error
    if runs.errors:
        raise InputError(f"mask: {runs.errors[0]}.")
    if size[0] < 1 or size[1] < 1 or int(runs.counts.sum()) != size[0] * size[1]:
        raise InputError(f"mask: its runs cover {int(runs.counts.sum())} pixels, not {size[0]} × {size[1]}.")
    if not runs.counts[1::2].any():
        raise InputError("mask: it is empty.")
    return canonical(runs.counts)


def mask_sha256(counts: str, size: tuple[int, int]) -> str:
    """Hexadecimal SHA-256 of a mask in canonical form."""
    return hashlib.sha256(f"{size[0]} {size[1]} {counts}".encode()).hexdigest()


def item_id(dataset: str, image_id: str, mask: str, label: str, question: str) -> str:
    """32 hexadecimal digits that stand for a data set, an image, a mask, the label shown and what is asked.

    Args:
        mask: from :func:`mask_sha256`.
    """
    parts = (dataset, image_id, mask, label, question)
    framed = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
    return hashlib.sha256(b"zgbench-item/1" + framed).hexdigest()[:32]


def position(identity: str) -> int:
    """Place of an item on the ring that raters draw from, 0 to 2³¹ − 1."""
    return int(hashlib.sha256(b"ring" + identity.encode()).hexdigest()[:8], 16) >> 1


def mirrored(place: int) -> int:
    """The same place, counted from the other end."""
    return (1 << 31) - 1 - place


def draw(seed: int, purpose: str, number: int) -> int:
    """A number from 0 to 2³¹ − 1 that follows from a seed: the same in every language and version."""
    return int(hashlib.sha256(f"{seed}:{purpose}:{number}".encode()).hexdigest()[:8], 16) >> 1
