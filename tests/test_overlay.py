"""Labels and colours drawn on a photo."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from zgbench.overlay import GREY, draw

PHOTO = Image.fromarray(np.full((60, 90, 3), 128, dtype=np.uint8))
LEFT = np.tile(np.arange(90) < 40, (60, 1))
RIGHT = np.tile(np.arange(90) >= 50, (60, 1))


def test_equal_numbers_have_equal_colours() -> None:
    found = np.asarray(draw(PHOTO, [LEFT, RIGHT], ["", ""], [3, 3]))
    assert found.shape == (480, 720, 3)
    np.testing.assert_array_equal(found[240, 100], found[240, 600])
    np.testing.assert_array_equal(found[240, 360], [128, 128, 128])  # in no segment: the photo
    unlike = np.asarray(draw(PHOTO, [LEFT, RIGHT], ["", ""]))
    assert (unlike[240, 100] != unlike[240, 600]).any()
    grey = np.asarray(draw(PHOTO, [LEFT], [""], [GREY]))[240, 100]
    assert len(set(grey.tolist())) == 1 and grey[0] != 128


def test_a_label_stands_on_its_segment() -> None:
    plain, labelled = (np.asarray(draw(PHOTO, [LEFT, RIGHT], ["", text])) for text in ("", "**sky** <b>"))
    rows, columns = np.nonzero((plain != labelled).any(axis=2))
    assert len(rows) > 500
    assert columns.min() >= 400 and 120 < rows.mean() < 360


def test_a_long_label_is_cut_to_the_picture() -> None:
    assert draw(PHOTO, [LEFT], ["x" * 200]).size == (720, 480)


@pytest.mark.parametrize("side", [60, 480, 1200])
def test_labels_are_a_share_of_the_width_whatever_the_photo_is(side: int) -> None:
    mask = np.ones((side, side), bool)
    picture = np.asarray(draw(Image.new("RGB", (side, side), (0, 0, 0)), [mask], ["Hxy"], text=12 / 288))
    letters = (picture > 120).all(axis=2)  # from the top of H to the foot of y: 0.9 of the font's size
    assert 288 / picture.shape[1] * int(letters.any(axis=1).sum()) >= 0.85 * 12  # where the picture is 288 pixels wide
