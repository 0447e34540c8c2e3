"""Random whole numbers that are the same on every machine: splitmix64, used as a counter-based generator.

Only integers ever decide a pixel, so there is no rounding for two machines to disagree about.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

_MASK = (1 << 64) - 1
_GAMMA = 0x9E3779B97F4A7C15

T = TypeVar("T")


def mix(value: int) -> int:
    """splitmix64's output function on one 64-bit number (Steele, Lea & Flood 2014)."""
    value = (value + _GAMMA) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


class Stream:
    """A sequence of whole numbers that follows from its seed."""

    def __init__(self, seed: int) -> None:
        self._state = mix(seed)

    def below(self, n: int) -> int:
        """Next number, 0 … n − 1."""
        self._state = (self._state + _GAMMA) & _MASK
        return (mix(self._state) >> 16) % n

    def between(self, low: int, high: int) -> int:
        """Next number, low … high."""
        return low + self.below(high - low + 1)

    def chance(self, percent: int) -> bool:
        """True in this many of a hundred cases."""
        return self.below(100) < percent

    def choice(self, values: Sequence[T]) -> T:
        """One of the values."""
        return values[self.below(len(values))]

    def sample(self, values: Sequence[T], k: int) -> list[T]:
        """``k`` different ones, in random order."""
        left = list(values)
        return [left.pop(self.below(len(left))) for _ in range(k)]

    def key(self) -> int:
        """A seed for something else."""
        return self.below(1 << 48)


def noise(key: int, size: tuple[int, int], amplitude: int) -> NDArray[np.int64]:
    """White noise, int64 [h, w], −amplitude … amplitude."""
    h, w = size
    value = np.arange(h * w, dtype=np.uint64) + np.uint64(key & _MASK)
    value = value * np.uint64(_GAMMA)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    value = (value ^ (value >> np.uint64(31))) >> np.uint64(40)
    return ((value % np.uint64(2 * amplitude + 1)).astype(np.int64) - amplitude).reshape(h, w)
