"""COCO's ways to write a mask: compressed run lengths (text or bytes), plain run lengths, polygons. Checked first, decoded second."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zgbench.errors import InputError, ModelUnavailable
from zgbench.submission import rle
from zgbench.submission.problems import quote
from zgbench.submission.schema import MAX_PIXELS, MAX_SIDE

_MAX_POINTS = 100_000


def is_rle(value: Any) -> bool:
    """Whether it looks like run lengths: an object with ``size`` and ``counts``."""
    return isinstance(value, Mapping) and "counts" in value and "size" in value


def mask_of(value: Any, where: str, size: tuple[int, int] | None = None) -> NDArray[np.bool_]:
    """Mask, bool [h, w], of run lengths or polygons.

    Args:
        value: ``{"size": [h, w], "counts": text, bytes or list}``, or polygons ``[[x, y, x, y, …], …]``.
        size: height and width of the image; needed for polygons, and compared with that of run lengths.

    Raises:
        InputError: neither; bad run lengths or points; a size that is not the image's.
        ModelUnavailable: polygons without faster-coco-eval.
    """
    if is_rle(value):
        return _of_rle(value, where, size)
    if isinstance(value, list) and value and isinstance(value[0], (list, tuple)):
        return _of_polygons(value, where, size)
    if isinstance(value, list) and not value:
        raise InputError(f"{where}: an empty list of polygons. Leave the segment out.")
    raise InputError(
        f'{where}: expected run lengths ({{"size": [h, w], "counts": …}}) or polygons ([[x, y, …], …]), found {quote(value)}.'
    )


def _of_rle(value: Mapping[str, Any], where: str, size: tuple[int, int] | None) -> NDArray[np.bool_]:
    raw = value["size"]
    if not (
        isinstance(raw, (list, tuple)) and len(raw) == 2 and all(isinstance(side, (int, np.integer)) for side in raw)
    ):
        raise InputError(f"{where}.size: expected [height, width], found {quote(raw)}.")
    height, width = int(raw[0]), int(raw[1])
    check_size(height, width, f"{where}.size")
    if size is not None and (height, width) != size:
        swapped = " Height comes first." if (width, height) == size else ""
        raise InputError(
            f"{where}.size: {height} × {width}, but the image is {size[0]} × {size[1]} (height × width).{swapped}"
        )
    counts = value["counts"]
    if isinstance(counts, (list, tuple)):
        if not all(type(n) is int and 0 <= n <= MAX_PIXELS for n in counts):
            bad = next(n for n in counts if type(n) is not int or not 0 <= n <= MAX_PIXELS)
            raise InputError(f"{where}.counts: expected run lengths, whole numbers ≥ 0, found {quote(bad)}.")
        runs = np.array(counts, dtype=np.int64)
    elif isinstance(counts, (str, bytes)):
        text = counts if isinstance(counts, bytes) else counts.encode("utf-8", "surrogatepass")
        parsed = rle.parse([text])
        if parsed.errors:
            raise InputError(f"{where}.counts: bad run lengths, {parsed.errors[0]}.")
        runs = parsed.counts
    else:
        raise InputError(f"{where}.counts: expected a text or a list of whole numbers, found {quote(counts)}.")
    if int(runs.sum()) != height * width:
        raise InputError(
            f"{where}.counts: the runs sum to {int(runs.sum())}, expected {height} × {width} = {height * width}."
        )
    return rle.mask_of(runs, (height, width))


def check_size(height: int, width: int, where: str) -> None:
    """Refuse a size that no photo has, before anything of it is allocated.

    Raises:
        InputError: it is one.
    """
    if not (1 <= height <= MAX_SIDE and 1 <= width <= MAX_SIDE and height * width <= MAX_PIXELS):
        raise InputError(
            f"{where}: expected sides of 1–{MAX_SIDE} and at most {MAX_PIXELS} pixels, found {height} × {width}."
        )


def _of_polygons(polygons: list[Any], where: str, size: tuple[int, int] | None) -> NDArray[np.bool_]:
    if size is None:
        raise InputError(
            f"{where}: polygons do not say the image's size. Give it under images (height, width), or the data (--data)."
        )
    points = 0
    for index, polygon in enumerate(polygons):
        place = f"{where}[{index}]"
        if not isinstance(polygon, (list, tuple)) or len(polygon) < 6 or len(polygon) % 2:
            found = f"{len(polygon)} numbers" if isinstance(polygon, (list, tuple)) else quote(polygon)
            raise InputError(f"{place}: expected at least three points, x and y in turn, found {found}.")
        points += len(polygon) // 2
        for number in polygon:
            sound = isinstance(number, (int, float)) and not isinstance(number, bool) and math.isfinite(number)
            if not sound or not -MAX_SIDE <= number <= 2 * MAX_SIDE:
                raise InputError(f"{place}: expected coordinates in pixels, found {quote(number)}.")
    if points > _MAX_POINTS:
        raise InputError(f"{where}: {points} points, more than {_MAX_POINTS}.")
    try:
        from faster_coco_eval import mask as coco_mask
    except ImportError as error:
        raise ModelUnavailable(
            f"{where}: polygons are drawn by the package faster-coco-eval, which is not here: pip install 'zgbench[convert]'."
        ) from error
    height, width = size
    inside = [
        np.clip(np.asarray(p, dtype=np.float64), 0, np.tile([width, height], len(p) // 2)).tolist() for p in polygons
    ]
    drawn = coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(inside, height, width)))
    return np.asarray(drawn, dtype=bool)
