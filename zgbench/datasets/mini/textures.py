"""Textures of the stuff: a brightness for every pixel, in whole numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from zgbench.datasets.mini.stream import Stream, noise

Ints = NDArray[np.int64]
Texture = Callable[[Ints, Ints, Stream], Ints]


def triangle(position: Ints, period: int) -> Ints:
    """Triangle wave, 0 … period // 2."""
    phase = position % period
    return np.minimum(phase, period - phase)


def _size(x: Ints, y: Ints) -> tuple[int, int]:
    return y.shape[0], x.shape[1]


def _sky(x: Ints, y: Ints, s: Stream) -> Ints:
    light = 92 + y * 30 // 96 + x * 0
    for _ in range(s.between(1, 3)):  # clouds
        cx, cy, rx, ry = s.between(0, 95), s.between(4, 34), s.between(12, 24), s.between(4, 8)
        for dx in (-rx // 2, 0, rx // 2):
            light = np.where(((x - cx - dx) * ry) ** 2 + ((y - cy) * rx) ** 2 <= (rx * ry) ** 2, 150, light)
    return light + noise(s.key(), _size(x, y), 3)


def _grass(x: Ints, y: Ints, s: Stream) -> Ints:
    lean = s.between(-1, 1)
    blades = triangle(3 * x + lean * y + 5 * ((y // 5) % 3), 12) * 5
    return 80 + blades + noise(s.key(), _size(x, y), 14)


def _sand(x: Ints, y: Ints, s: Stream) -> Ints:
    grains = noise(s.key(), _size(x, y), 100)
    return (
        100
        + np.where(grains > 82, 28, 0)
        - np.where(grains < -82, 40, 0)
        + triangle(y * 2 + triangle(x, 40) // 3, 34) // 3
    )


def _water(x: Ints, y: Ints, s: Stream) -> Ints:
    period = s.between(9, 13)
    wave = triangle(y + triangle(x + s.below(40), 22) // 3, period)
    return 82 + wave * 60 // period + noise(s.key(), _size(x, y), 4)


def _road(x: Ints, y: Ints, s: Stream) -> Ints:
    line = s.between(66, 88)
    dashes = (abs(y - line) < 2) & ((x + s.below(24)) % 24 < 13)
    return np.where(dashes, 190, 90) + noise(s.key(), _size(x, y), 12)


def _wall(x: Ints, y: Ints, s: Stream) -> Ints:
    height, width = s.between(7, 9), s.between(15, 19)
    row = y // height
    column = (x + (row % 2) * width // 2) // width
    joint = (y % height < 1) | ((x + (row % 2) * width // 2) % width < 1)
    tone = (row * 7 + column * 13) % 5 * 6
    return np.where(joint, 60, 88 + tone) + noise(s.key(), _size(x, y), 5)


def _snow(x: Ints, y: Ints, s: Stream) -> Ints:
    drift = triangle(y * 3 + triangle(x + s.below(60), 64), 60) // 3
    sparkle = noise(s.key(), _size(x, y), 100)
    return 94 + drift + np.where(sparkle > 92, 12, 0) - np.where(sparkle < -92, 16, 0)


def _floor(x: Ints, y: Ints, s: Stream) -> Ints:
    plank = s.between(9, 12)
    row = y // plank
    ends = (x + row * 37) % 48 < 1
    grain = triangle(y * 5 + triangle(x + row * 29, 46) // 4, 11) * 4
    return np.where((y % plank < 1) | ends, 50, 84 + row * 5 % 3 * 6 + grain) + noise(s.key(), _size(x, y), 4)


def _carpet(x: Ints, y: Ints, s: Stream) -> Ints:
    cell = s.between(6, 9)
    checks = (x // cell + y // cell) % 2
    return 66 + checks * 66 + noise(s.key(), _size(x, y), 10)


def _curtain(x: Ints, y: Ints, s: Stream) -> Ints:
    period = s.between(10, 16)
    folds = triangle(x + triangle(y, 90) // 12 + s.below(20), period)
    return 62 + folds * 120 // period + noise(s.key(), _size(x, y), 4)


def _mountain(x: Ints, y: Ints, s: Stream) -> Ints:
    facets = triangle(2 * x + 3 * y, 37) * 2 - triangle(3 * x - 2 * y + 400, 53)
    return 96 + facets + noise(s.key(), _size(x, y), 9)


TEXTURES: dict[str, Texture] = {
    "sky": _sky, "grass": _grass, "sand": _sand, "water": _water, "road": _road, "wall": _wall, "snow": _snow,
    "floor": _floor, "carpet": _carpet, "curtain": _curtain, "mountain": _mountain,
}  # fmt: skip
"""Class name → brightness in per cent of the colour, int64 [h, w], of column numbers [1, w] and row numbers [h, 1]."""
