"""A photo with its segments coloured, outlined and labelled."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

_SHORT_SIDE = 480
"""Smaller photos are enlarged for the labels' sake."""


GREY = -1
"""Colour number of a segment that is drawn without a colour of its own."""


def draw(
    photo: Image.Image, masks: Sequence[NDArray[np.bool_]], labels: Sequence[str], colours: Sequence[int] | None = None,
    *, text: float | None = None, short: int = _SHORT_SIDE,
) -> Image.Image:  # fmt: skip
    """Colour, outline and label the segments of an RGB photo.

    Each label stands on a dark plate inside its segment, at the pixel farthest from the segment's border, so that it
    is legible on light and dark regions alike.

    Args:
        masks: bool [h, w] each, of the photo's size; at least one pixel.
        labels: one a mask; "" writes none.
        colours: a number for each mask: equal numbers have equal colours, GREY has none. Default: all unlike.
        short: photos whose short side is smaller are enlarged.
        text: size of the labels as a share of the picture's width. Default: by its short side.

    Returns:
        An RGB picture of the photo's proportions, with a short side of at least ``short`` pixels (but for very long ones).
    """
    factor = min(max(1, -(-short // min(photo.size))), max(1, 4096 // max(photo.size)))
    size = photo.width * factor, photo.height * factor
    picture = np.asarray(photo.resize(size, Image.Resampling.BICUBIC), dtype=np.float32)
    thick = max(1, min(size) // 300)
    large = [mask.repeat(factor, axis=0).repeat(factor, axis=1) for mask in masks]
    shades = [_colour(k) for k in (colours if colours is not None else range(len(large)))]
    for mask, shade in zip(large, shades, strict=True):
        picture[mask] = 0.6 * picture[mask] + 0.4 * np.array(shade, np.float32)
    for mask, shade in zip(large, shades, strict=True):
        border = mask & ~ndimage.binary_erosion(mask, iterations=thick, border_value=1)
        picture[border] = shade
    found = Image.fromarray(picture.astype(np.uint8))
    canvas = ImageDraw.Draw(found)
    font = ImageFont.load_default(max(11, min(size) // 30 if text is None else round(text * size[0])))
    taken: list[tuple[float, float, float, float]] = []
    for k in sorted(range(len(large)), key=lambda k: -int(large[k].sum())):
        if labels[k]:
            _label(canvas, font, labels[k], _centre(large[k]), shades[k], size, taken)
    return found


def palette(count: int) -> list[int]:
    """Colours of ``draw`` for segments 0 … count − 1, as Pillow's palettes have them: R, G, B, R, …"""
    return [value for k in range(count) for value in _colour(k)]


def _label(
    canvas: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, text: str, centre: tuple[int, int],
    colour: tuple[int, int, int], size: tuple[int, int], taken: list[tuple[float, float, float, float]],
) -> None:  # fmt: skip
    text = _shown(text, font, 0.9 * size[0])
    left, top, right, bottom = canvas.textbbox((0, 0), text, font=font)
    pad = (bottom - top) // 3 + 2
    width, height = right - left + 2 * pad, bottom - top + 2 * pad
    x = min(max(0, centre[0] - width / 2), max(0, size[0] - width))
    best = min(max(0, centre[1] - height / 2), max(0, size[1] - height))
    # the free place nearest to where the label should stand
    for away in range(2 * int(size[1] / height) + 2):
        y = best + (away + 1) // 2 * height * (1 if away % 2 else -1)
        free = all(x >= r or x + width <= le or y >= b or y + height <= t for le, t, r, b in taken)
        if 0 <= y <= size[1] - height and free:
            best = y
            break
    box = (x, best, x + width, best + height)
    taken.append(box)
    canvas.rounded_rectangle(box, radius=pad, fill=(20, 20, 22), outline=colour, width=2)
    canvas.text((x + pad - left, best + pad - top), text, font=font, fill=(255, 255, 255))


def _shown(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, limit: float) -> str:
    """The text, cut with an ellipsis where it is wider than ``limit`` pixels."""
    if font.getlength(text) <= limit:
        return text
    while len(text) > 1 and font.getlength(text + "…") > limit:
        text = text[:-1]
    return text + "…"


def _centre(mask: NDArray[np.bool_]) -> tuple[int, int]:
    """Column and row of the mask's pixel that is farthest from its border."""
    step = max(1, max(mask.shape) // 1000)
    inside = np.pad(mask[::step, ::step], 1)
    if not inside.any():
        inside, step = np.pad(mask, 1), 1
    row, column = np.unravel_index(ndimage.distance_transform_edt(inside).argmax(), inside.shape)
    return (int(column) - 1) * step, (int(row) - 1) * step


def _colour(k: int) -> tuple[int, int, int]:
    """Colours far apart: the golden angle around the wheel."""
    if k == GREY:
        return 150, 150, 150
    r, g, b = colorsys.hsv_to_rgb(k * 0.618034 % 1, 0.75, 0.95)
    return int(255 * r), int(255 * g), int(255 * b)
