"""The picture that a rater sees: a photo with one segment marked, as JPEG bytes.

The mark is yellow beside black, so that it shows on any photo and to any colour vision. It lies around the segment,
never on it, and the photo gets a margin for it: a segment that fills the photo is outlined as well.
"""

from __future__ import annotations

import io
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from zgbench.errors import DataError, UsageError

View = Literal["outline", "dimmed", "zoom"]
VIEWS: tuple[View, ...] = get_args(View)

LONG_SIDE = (640, 960)
"""Pixels: smaller photos are enlarged to the first, larger ones reduced to the second."""

_YELLOW, _BLACK, _MARGIN = (255, 221, 0), (0, 0, 0), (128, 128, 128)
_LINE = 3  # pixels of each of the two lines
_VEILED = 0.7  # of the surround's brightness under an outline, so that it is plain which side is meant
_DIMMED = 0.35
_ROOM = 0.25  # around a segment that is zoomed to, in parts of its longer side
_LEAST = 1 / 6  # of the photo's longer side is shown at least: a segment of few pixels keeps some context


def draw(photo: Any, mask: NDArray[np.bool_], view: View, *, marked: bool = True) -> bytes:
    """Mark a segment on its photo.

    Args:
        photo: PIL image, any mode.
        mask: bool [h, w], the photo's size, with at least one pixel.
        view: ``outline``: a line around it and its surround a little darker; ``dimmed``: its surround dark and grey;
            ``zoom``: as ``outline``, cut to its neighbourhood.
        marked: false: the same part of the photo in the same place, without any mark.

    Returns:
        A JPEG file, sRGB, its longer side 640–960 pixels and a margin.

    Raises:
        UsageError: no such view.
        DataError: mask and photo differ in size, or the mask is empty.
    """
    from PIL import Image

    if view not in VIEWS:
        raise UsageError(f"there is no view {view!r}. Known: {', '.join(VIEWS)}.")
    if mask.shape != (photo.height, photo.width):
        raise DataError(
            f"the photo has {photo.height} × {photo.width} pixels, the segment's mask {' × '.join(map(str, mask.shape))}. "
            "Are these the photos that belong to the data set?"
        )
    if not mask.any():
        raise DataError("the segment has no pixels.")
    box = _neighbourhood(mask) if view == "zoom" else (0, 0, photo.width, photo.height)
    size = _shown_size(box[2] - box[0], box[3] - box[1])
    pixels = np.asarray(photo.convert("RGB").resize(size, Image.Resampling.BICUBIC, box=box))
    inside = _enlarged(mask, box, size)
    out = 2 * _LINE
    canvas = np.full((pixels.shape[0] + 2 * out, pixels.shape[1] + 2 * out, 3), _MARGIN, dtype=np.uint8)
    canvas[out:-out, out:-out] = _dim(pixels, inside, view) if marked else pixels
    if marked:
        segment = np.pad(inside, out)
        near, far = _grown(segment, _LINE), _grown(segment, out)
        canvas[far & ~near] = _BLACK
        canvas[near & ~segment] = _YELLOW
    file = io.BytesIO()
    Image.fromarray(canvas).save(file, "JPEG", quality=85, subsampling=0)
    return file.getvalue()


def _shown_size(width: int, height: int) -> tuple[int, int]:
    longer = max(width, height)
    scale = min(max(longer, LONG_SIDE[0]), LONG_SIDE[1]) / longer
    return max(round(width * scale), 1), max(round(height * scale), 1)


def _neighbourhood(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what is shown of the photo."""
    least = _LEAST * max(mask.shape)
    bounds = []
    longer = max(int(np.ptp(np.flatnonzero(mask.any(axis=axis)))) + 1 for axis in (0, 1))
    for axis, length in ((0, mask.shape[1]), (1, mask.shape[0])):
        filled = np.flatnonzero(mask.any(axis=axis))
        first, last = int(filled[0]), int(filled[-1]) + 1
        room = max(_ROOM * longer, (least - (last - first)) / 2)
        bounds.append((max(int(first - room), 0), min(int(np.ceil(last + room)), length)))
    (left, right), (top, bottom) = bounds
    return left, top, right, bottom


def _enlarged(mask: NDArray[np.bool_], box: tuple[int, int, int, int], size: tuple[int, int]) -> NDArray[np.bool_]:
    """The mask as it lies on the picture, bool [h, w]; a segment too thin to survive reduction keeps what it touches."""
    from PIL import Image

    grey = Image.fromarray(mask.astype(np.uint8) * 255).resize(size, Image.Resampling.BILINEAR, box=box)
    covered = np.asarray(grey)
    half = covered >= 128
    return np.asarray(half if half.any() else covered > 0)


def _dim(pixels: NDArray[np.uint8], inside: NDArray[np.bool_], view: View) -> NDArray[np.uint8]:
    from PIL import Image

    photo = Image.fromarray(pixels)
    photo, share = (photo.convert("L"), _DIMMED) if view == "dimmed" else (photo, _VEILED)
    dark = photo.point(lambda value: value * share).convert("RGB")
    return np.where(inside[..., None], pixels, np.asarray(dark))


def _grown(mask: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
    """Every pixel within ``by`` pixels of the mask, along both axes."""
    from scipy.ndimage import maximum_filter

    return np.asarray(maximum_filter(mask.view(np.uint8), size=2 * by + 1, mode="constant").astype(bool))
