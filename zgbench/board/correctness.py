"""Two methods on one picture: which pixels only one of them gets right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL import Image

Codes = NDArray[np.uint8]
SIDES = ("both right", "gained", "lost", "both wrong")
"""``gained``: only the first method is right; ``lost``: only the second."""
_COLOURS = {"gained": (0, 114, 178), "lost": (230, 130, 0), "both wrong": (70, 70, 78)}
"""Told apart by people who see no red or green, too; ``lost`` is striped besides."""
_LIGHT = 0.55


def class_map(masks: Sequence[NDArray[np.bool_]], classes: Sequence[int], size: tuple[int, int]) -> NDArray[np.int64]:
    """Class of every pixel, int64 [h, w]; 0 where no kept segment lies."""
    found = np.zeros(size, dtype=np.int64)
    for mask, class_id in zip(masks, classes, strict=True):
        if class_id > 0:
            found[mask] = class_id
    return found


def compared(truth: NDArray[np.int32], first: NDArray[np.int64], second: NDArray[np.int64], background: str) -> Codes:
    """Place in SIDES of every pixel, uint8 [h, w]; 255 where nothing is asked.

    Args:
        truth: class ids, 0 unlabelled, negative void.
        first, second: class maps of the two methods. A pixel is right where it has the truth's class.
        background: the protocol's rule: ``ignore`` asks nothing of unlabelled pixels; else no class is right there.
    """
    right, other = first == truth, second == truth
    codes = np.where(right, np.where(other, 0, 1), np.where(other, 2, 3)).astype(np.uint8)
    codes[(truth < 0) | ((truth == 0) & (background == "ignore"))] = 255
    return codes


def shares(codes: Codes) -> dict[str, float]:
    """Share of the pixels that are asked about, 0–1, for each of SIDES."""
    counts = np.bincount(codes.ravel(), minlength=256)[: len(SIDES)]
    return {side: float(count / max(int(counts.sum()), 1)) for side, count in zip(SIDES, counts, strict=True)}


def drawn(canvas: Image.Image, codes: Codes) -> Image.Image:
    """The canvas, light, with the pixels that not both get right coloured; of the canvas's size."""
    from PIL import Image

    scaled = Image.fromarray(codes).resize(canvas.size, Image.Resampling.NEAREST)
    code = np.asarray(scaled)
    picture = np.asarray(canvas.convert("L").convert("RGB"), dtype=np.float32)
    picture = picture * (1 - _LIGHT) + 255 * _LIGHT
    down, across = np.arange(code.shape[0])[:, None], np.arange(code.shape[1])[None, :]
    stripe = (down + across) // max(3, min(code.shape) // 80) % 2 == 0
    for side, colour in _COLOURS.items():
        where = code == SIDES.index(side)
        picture[where] = 0.25 * picture[where] + 0.75 * np.array(colour, dtype=np.float32)
        if side == "lost":
            picture[where & stripe] = 0.5 * picture[where & stripe] + 127
    return Image.fromarray(picture.astype(np.uint8))
