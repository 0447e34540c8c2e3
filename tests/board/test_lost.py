"""Which step loses a segment, and which pixels only one of two methods gets right."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.board.shipped import BOARD, group_of
from zgbench.board.correctness import SIDES, class_map, compared, drawn, shares
from zgbench.board.inside import search, segment_table
from zgbench.board.lost import STEPS
from zgbench.board.pictures import pictures


@pytest.mark.parametrize("reassign", ["TT", "ST"])
def test_each_segment_is_lost_by_the_first_step_that_fails(reassign: str) -> None:
    table = segment_table(BOARD, "reference.mini", group_of(reassign).key)
    assert set(table["lost"]) <= {"", *STEPS} and {"", "masks"} <= set(table["lost"])
    sound = table["lost"] == ""
    right = table["kept"] & (table["class"] == table["covers"]) & (table["covers_iou"] > 0.5)
    assert (sound == right).all()
    assert (table.loc[table["lost"] == "masks", "covers_iou"] <= 0.5).all()
    good = table["covers_iou"] > 0.5
    wrong = good & (table["class"] != table["covers"])
    assert (wrong == table["lost"].isin(["names", "mapping"])).all()
    assert ((table["lost"] == "threshold") == (good & ~wrong & ~table["kept"])).all()
    assert reassign == "TT" or not (table["lost"] == "names").any()  # ST does not look at labels


def test_names_are_lost_where_the_label_stands_for_another_class() -> None:
    table = segment_table(BOARD, "reference-crop.mini", group_of().key)
    lost = search(table, lost="names")
    assert len(lost) and set(lost["lost"]) == {"names"}
    assert len(search(table, lost="names")) == (table["lost"] == "names").sum()
    both = search(table, str(lost["label"].iloc[0]), "label", "names")
    assert 0 < len(both) <= len(lost)


def test_pixels_by_hand() -> None:
    truth = np.array([[1, 1, 2], [2, 0, -1]], dtype=np.int32)
    first = np.array([[1, 1, 1], [2, 0, 2]])
    second = np.array([[1, 2, 2], [1, 3, 2]])
    codes = compared(truth, first, second, "count")
    assert codes.tolist() == [[0, 1, 2], [1, 1, 255]]
    assert shares(codes) == {"both right": 1 / 5, "gained": 3 / 5, "lost": 1 / 5, "both wrong": 0.0}
    assert compared(truth, first, second, "ignore")[1, 1] == 255
    swapped = shares(compared(truth, second, first, "count"))
    assert (swapped["gained"], swapped["lost"]) == (1 / 5, 3 / 5)
    assert class_map([truth == 1, truth == 2], [4, 0], (2, 3)).tolist() == [[4, 4, 0], [0, 0, 0]]


def test_each_side_has_its_own_look() -> None:
    codes = np.repeat(np.arange(4, dtype=np.uint8)[None], 3, axis=0)
    picture = np.asarray(drawn(Image.new("RGB", (400, 300), (100, 100, 100)), codes)).astype(int)
    looks = [picture[:, 100 * k + 20 : 100 * k + 80].reshape(-1, 3) for k in range(4)]
    means = [look.mean(axis=0) for look in looks]
    assert all(np.abs(means[a] - means[b]).max() > 40 for a in range(4) for b in range(a))
    assert len(np.unique(looks[SIDES.index("lost")], axis=0)) == 2  # striped


def test_pictures_of_two_methods() -> None:
    group = group_of()
    ids = ("reference.mini", "reference-crop.mini")
    image_id = BOARD.entry(ids[0]).stored().counts.ids[57]
    found = pictures(BOARD, ids[0], image_id, None, group.key, ids[1])
    assert found.missing == () and found.other is not None and found.difference is not None
    assert sum(found.shares.values()) == pytest.approx(1)
    assert list(found.alt) == ["photo", "truth", "prediction", "other", "difference"]
    assert found.alt["truth"].startswith("Ground truth: ") and "segments: " in found.alt["other"]
    turned = pictures(BOARD, ids[1], image_id, None, group.key, ids[0])
    assert turned.shares["gained"] == found.shares["lost"]
    same = pictures(BOARD, ids[0], image_id, None, group.key, ids[0])
    assert same.shares["gained"] == same.shares["lost"] == 0
    small, large = (pictures(BOARD, ids[0], image_id, None, group.key, large=x).prediction for x in (False, True))
    assert small is not None and large is not None and min(large.size) >= 2 * min(small.size)
