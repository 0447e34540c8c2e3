"""The picture that raters see."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

import zgbench
from zgbench.ratings.picture import LONG_SIDE, VIEWS, View, draw

PHOTO = Image.fromarray(np.full((48, 64, 3), (60, 90, 200), dtype=np.uint8))
MASK = np.zeros((48, 64), dtype=bool)
MASK[20:28, 24:40] = True


def pixels(photo: Image.Image, mask: np.ndarray, view: View) -> np.ndarray:  # type: ignore[type-arg]
    with Image.open(io.BytesIO(draw(photo, mask, view))) as image:
        assert image.format == "JPEG"
        return np.asarray(image.convert("RGB")).astype(int)


def yellow(found: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    """Where the line is, bool [h, w]."""
    return (found[..., 0] > 190) & (found[..., 1] > 160) & (found[..., 2] < 120)


@pytest.mark.parametrize("view", VIEWS)
def test_the_segment_is_outlined_and_itself_unchanged(view: View) -> None:
    found = pixels(PHOTO, MASK, view)
    assert LONG_SIDE[0] <= max(found.shape[:2]) <= LONG_SIDE[1] + 20
    rows, columns = np.nonzero(yellow(found))
    inside = found[rows.min() + 16 : rows.max() - 16, columns.min() + 16 : columns.max() - 16]
    assert np.abs(inside - (60, 90, 200)).max() < 25


def test_views_differ_as_they_say() -> None:
    outline, dimmed, zoom = (pixels(PHOTO, MASK, view) for view in VIEWS)
    corner = (slice(10, 40), slice(10, 40))
    assert dimmed[corner].mean() < outline[corner].mean() < 0.9 * np.mean((60, 90, 200))
    assert np.ptp(dimmed[corner].mean(axis=(0, 1))) < 10  # grey
    wide = [np.ptp(np.nonzero(yellow(found))[1]) for found in (outline, zoom)]
    assert wide[1] > 1.3 * wide[0]


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (2000, 3)])
def test_any_shape_and_a_segment_of_one_pixel_shows(shape: tuple[int, int]) -> None:
    mask = np.zeros(shape, dtype=bool)
    mask[0, 0] = True
    photo = Image.fromarray(np.full((*shape, 3), 128, dtype=np.uint8))
    for view in VIEWS:
        assert yellow(pixels(photo, mask, view)).any()


def test_what_cannot_be_drawn() -> None:
    with pytest.raises(zgbench.DataError, match="48 × 64 pixels, the segment's mask 64 × 48"):
        draw(PHOTO, MASK.T, "outline")
    with pytest.raises(zgbench.DataError, match="no pixels"):
        draw(PHOTO, np.zeros_like(MASK), "outline")
    with pytest.raises(zgbench.UsageError, match="no view"):
        draw(PHOTO, MASK, "sideways")  # type: ignore[arg-type]
