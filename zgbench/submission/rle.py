"""COCO run-length masks without ever materialising a mask: check first, decode second.

A mask of height h and width w is read column by column. Its *counts* are the lengths of alternating runs,
background first; COCO's compressed form writes each count (from the fourth on: its difference to the count two
before) as a little-endian base-32 number, five bits and a continuation bit a character, offset by 48.

Masks come from strangers. :func:`parse` looks only at characters and arithmetic, in memory proportional to the text:
nothing of the size that a mask claims is allocated before the claim has been compared with the truth's size.

Sound texts are read by a small compiled kernel (``_runs.c``) where it was built. What it does not take, and everything
where it is not there, is read and judged by numpy here, so that a refusal has one author.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

try:
    from zgbench.submission import _runs
except ImportError:  # no C compiler where zgbench was installed
    _kernel = None
else:
    _kernel = _runs.parse

Int = NDArray[np.int64]

_MAX_CHARACTERS_PER_NUMBER = 7  # 35 bits: above any run of a picture that zgbench accepts, below any overflow
_MAX_RUN = np.uint64(1 << 31)  # differences can add up to far more than their characters; sums of these cannot overflow

_UNSIGNED = np.arange(64, dtype=np.int64) & 31  # the five bits of a character
_SIGNED = _UNSIGNED - ((_UNSIGNED & 16) << 1)  # of a number's last one


@dataclass(frozen=True)
class Runs:
    """The runs of many masks, one after the other.

    Attributes:
        counts: int64 [total], run lengths ≥ 0 wherever ``errors`` has no entry for the mask.
        offsets: int64 [masks + 1]; mask ``i`` owns ``counts[offsets[i]:offsets[i + 1]]``.
        errors: mask index → what is wrong with its text.
    """

    counts: Int
    offsets: Int
    errors: dict[int, str]

    @cached_property
    def _ends(self) -> Int:
        """Running sum of all counts, from 0 on, int64 [total + 1]."""
        return np.concatenate(([0], np.cumsum(self.counts)))

    def sums(self) -> Int:
        """Number of pixels that each mask covers in all (background and foreground), int64 [masks]."""
        return np.asarray(self._ends[self.offsets[1:]] - self._ends[self.offsets[:-1]])

    def foreground(self) -> tuple[Int, Int, Int]:
        """Start, length (pixels, column-major) and mask index of every non-empty foreground run, int64 each."""
        per_mask = np.diff(self.offsets) >> 1  # every second run is foreground
        before = np.cumsum(per_mask) - per_mask
        chosen = 2 * np.arange(int(per_mask.sum())) + np.repeat(self.offsets[:-1] + 1 - 2 * before, per_mask)
        starts = self._ends.take(chosen) - np.repeat(self._ends[self.offsets[:-1]], per_mask)
        lengths, owner = self.counts.take(chosen), np.repeat(np.arange(len(per_mask)), per_mask)
        filled = lengths > 0
        return (starts, lengths, owner) if filled.all() else (starts[filled], lengths[filled], owner[filled])


def parse(texts: Sequence[bytes]) -> Runs:
    """Parse compressed counts of several masks at once.

    Args:
        texts: one byte string a mask, as in COCO's ``counts``.

    Returns:
        The runs; a mask whose text is bad owns no runs and has an entry in ``errors``.
    """
    if _kernel is not None and (sound := _kernel(list(texts))) is not None:
        counts, offsets = (np.frombuffer(numbers, dtype=np.int64) for numbers in sound)
        return Runs(counts, offsets, {})
    return parse_by_numpy(texts)


def parse_by_numpy(texts: Sequence[bytes]) -> Runs:
    """:func:`parse` without the kernel: the same runs, and all that is wrong."""
    errors: dict[int, str] = {}
    numbers = _Numbers(texts)
    if not numbers.sound():
        numbers = _Numbers(_drop_malformed(texts, errors))
    counts, offsets = numbers.decode()
    wrong = np.flatnonzero(counts.view(np.uint64) > _MAX_RUN)  # seen as unsigned, a negative count is a huge one
    if len(wrong):
        bad = np.unique(np.searchsorted(offsets, wrong, side="right") - 1)
        for index in bad.tolist():
            at = int(wrong[np.searchsorted(wrong, offsets[index])] - offsets[index])
            length = int(counts[offsets[index] + at])
            kind = "has a negative length" if length < 0 else "is too long for any picture"
            errors[index] = f"run {at} {kind} ({length})"
        keep = ~np.isin(np.repeat(np.arange(len(texts)), np.diff(offsets)), bad)
        per_mask = np.diff(offsets)
        per_mask[bad] = 0
        counts, offsets = counts[keep], np.concatenate(([0], np.cumsum(per_mask)))
    return Runs(counts, offsets, errors)


def _drop_malformed(texts: Sequence[bytes], errors: dict[int, str]) -> list[bytes]:
    """Replace texts with a bad character, a cut-off end or an overlong number by empty ones, noting why."""
    joined = np.frombuffer(b"".join(texts), dtype=np.uint8)
    bounds = np.concatenate(([0], np.cumsum([len(text) for text in texts], dtype=np.int64)))
    value = joined - np.uint8(48)  # wraps below 48, so one comparison finds both sides of the alphabet

    def blame(position: int) -> tuple[int, int]:
        index = int(np.searchsorted(bounds, position, side="right") - 1)
        return index, int(position - bounds[index])

    for position in np.flatnonzero(value > 63).tolist():
        index, at = blame(position)
        errors.setdefault(index, f"character {at} is {bytes(joined[position : position + 1])!r}, outside '0'…'o'")
    more = (value & 32) != 0
    filled = np.flatnonzero(bounds[1:] > bounds[:-1])
    for index in filled[more[bounds[filled + 1] - 1]].tolist():
        errors.setdefault(index, "the text ends in the middle of a number")
    # a number of 8 or more characters shows as 7 or more continuation characters between two last ones
    ends = ~more
    ends[bounds[filled + 1] - 1] = True  # a number ends with its text
    last = np.flatnonzero(ends)
    for place in np.flatnonzero(np.diff(last, prepend=-1) > _MAX_CHARACTERS_PER_NUMBER).tolist():
        index, at = blame(int(last[place - 1]) + 1 if place else 0)
        errors.setdefault(index, f"the number at character {at} is too large for any picture")
    for index in np.flatnonzero(bounds[1:] == bounds[:-1]).tolist():
        errors.setdefault(index, "the text is empty")
    return [b"" if i in errors else text for i, text in enumerate(texts)] if errors else list(texts)


class _Numbers:
    """Where the numbers of many texts begin and end."""

    def __init__(self, texts: Sequence[bytes]) -> None:
        self.value = np.frombuffer(b"".join(texts), dtype=np.uint8) - np.uint8(48)  # wraps below 48
        self.bounds = np.concatenate(([0], np.cumsum([len(text) for text in texts], dtype=np.int64)))
        self.ends = np.flatnonzero(self.value < 32)
        self.length = np.diff(self.ends, prepend=-1)

    def sound(self) -> bool:
        """Whether :func:`_drop_malformed` would find nothing."""
        if not len(self.ends) or (self.bounds[1:] == self.bounds[:-1]).any():
            return False
        whole = bool((self.value[self.bounds[1:] - 1] < 32).all())  # each text ends with a number
        return whole and int(self.value.max()) < 64 and int(self.length.max()) <= _MAX_CHARACTERS_PER_NUMBER

    def decode(self) -> tuple[Int, Int]:
        """Counts and offsets, int64 each, of well-formed texts."""
        value, ends, length = self.value, self.ends, self.length
        offsets = np.searchsorted(ends, self.bounds)
        if not len(ends):
            return np.zeros(0, dtype=np.int64), offsets
        number = _SIGNED.take(value.take(ends))
        many = np.flatnonzero(length > 1)
        size = length[many]
        first = ends[many] - size + 1
        high = number[many] << (5 * (size - 1))
        for k in range(int(length.max()) - 1):
            longer = size > k + 1 if k else slice(None)
            high[longer] |= _UNSIGNED.take(value[first[longer] + k]) << (5 * k)
        number[many] = high
        return _undo_differences(number, offsets), offsets


def _undo_differences(number: Int, offsets: Int) -> Int:
    """Run ``count[i] += count[i - 2]`` for i > 2 within every mask."""
    # running sums over every second number of all masks, less what they held where the mask began: at its first
    # number, or at the one before
    first = offsets[:-1][np.diff(offsets) > 0]
    heads = number[first]
    totals = np.zeros(len(number) + 1, dtype=np.int64)  # totals[i + 1] belongs to number i
    np.cumsum(number[0::2], out=totals[1::2])
    np.cumsum(number[1::2], out=totals[2::2])
    total = totals[1:]
    here, previous = totals[first + 1], totals[first]
    for parity in (0, 1):
        base = np.where((first & 1) == parity, here, previous)
        until = np.append(first[1:], len(number))
        share = ((until + 1 - parity) >> 1) - ((first + 1 - parity) >> 1)  # how many of a mask's numbers lie here
        total[parity::2] -= np.repeat(base, share)
    total[first] = heads
    return total


def encode(counts: NDArray[np.integer]) -> str:
    """Compressed COCO text of run lengths (background first).

    Args:
        counts: integer [runs], each ≥ 0.
    """
    return encode_many(np.asarray(counts, dtype=np.int64), np.array([0, len(counts)]))[0]


def encode_many(counts: Int, offsets: Int) -> list[str]:
    """Compressed COCO texts of many masks at once.

    Args:
        counts: int64 [total] ≥ 0, of one mask after the other, background first.
        offsets: int64 [masks + 1]; mask ``i`` owns ``counts[offsets[i]:offsets[i + 1]]``.
    """
    number = counts.copy()
    number[2:] -= counts[:-2]
    for nth in range(3):  # the first three stand as they are
        at = offsets[:-1][np.diff(offsets) > nth] + nth
        number[at] = counts[at]
    places, characters = [], []
    alive = np.arange(len(number))
    while len(alive):
        low = number & 31
        number = number >> 5
        done = ((number == 0) & (low & 16 == 0)) | ((number == -1) & (low & 16 != 0))
        places.append(alive)
        characters.append((low + 48 + np.where(done, 0, 32)).astype(np.uint8))
        alive, number = alive[~done], number[~done]
    if not places:
        return [""] * (len(offsets) - 1)
    place = np.concatenate(places)
    order = np.argsort(place, kind="stable")
    text = np.concatenate(characters)[order].tobytes().decode("ascii")
    cuts = np.searchsorted(place[order], offsets).tolist()
    return [text[a:b] for a, b in pairwise(cuts)]


def runs_of(mask: NDArray[np.bool_]) -> Int:
    """Run lengths of a mask, bool [h, w], column by column, background first."""
    flat = np.asarray(mask, dtype=bool).T.ravel()
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    bounds = np.concatenate(([0], edges, [flat.size]))
    counts = np.diff(bounds)
    return np.concatenate(([0], counts)) if flat.size and flat[0] else counts


def mask_of(counts: NDArray[np.integer], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Mask, bool [h, w], of run lengths whose sum the caller has checked to be h·w."""
    value = (np.arange(len(counts)) & 1).astype(bool)
    return np.repeat(value, counts).reshape(size[1], size[0]).T
