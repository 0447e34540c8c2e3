"""Every kind of input becomes what its page says: segments with the right labels, or a message that names cause and mend."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import zgbench
from tests.conftest import VOC_IDS
from tests.submission.kinds import BAD, CLASSES, SOUND, page, put, run

PAGE = Path(__file__).resolve().parents[2] / "docs/convert-kinds.md"
pytest.importorskip("faster_coco_eval", reason="draws COCO's polygons")


@pytest.mark.parametrize("kind", SOUND)
def test_converted(kind: str, tmp_path: Path) -> None:
    make, labels = SOUND[kind]
    assert run(make, tmp_path) == labels


@pytest.mark.parametrize("kind", BAD)
def test_refused(kind: str, tmp_path: Path) -> None:
    make, says = BAD[kind]
    with pytest.raises(zgbench.ZgbenchError, match=says) as raised:
        run(make, tmp_path)
    assert raised.value.exit_status == 2
    assert not list(tmp_path.glob("out/*mine*"))
    assert all(line.isprintable() for line in str(raised.value).splitlines())


def test_the_page_says_what_happens() -> None:
    assert len(BAD) >= 60
    assert page() == PAGE.read_text(encoding="utf-8"), "python -m tests.submission.kinds > docs/convert-kinds.md"


def test_messages_are_short() -> None:
    """None needs more than a few lines on a terminal."""
    rows = PAGE.read_text(encoding="utf-8").splitlines()
    assert max(map(len, rows)) < 700
    assert not [row for row in rows if re.search(r"converted \|$", row)]


@pytest.mark.parametrize(
    ("labels", "first", "says"),
    [
        ("pc59-alphabetical", None, r"1 of 1 maps give every pixel a class, and none holds 59, .* may count classes from 0 \(0 = aeroplane\)\. If so, give --first 0"),
        ("cityscapes19", None, r"no map holds a value above 12, and cityscapes19 numbers its 19 classes from 7 to 33: .*\(0 = road\)"),
        ("pc59-alphabetical", 0, None),
        ("pc59-alphabetical", 1, None),
    ],
)  # fmt: skip
def test_maps_that_look_counted_from_0_are_told(
    labels: str, first: int | None, says: str | None, tmp_path: Path
) -> None:
    put(tmp_path / "maps", f"{VOC_IDS[0]}.png", np.array([[7, 8, 12]] * 3, np.uint8))
    done = zgbench.convert(
        tmp_path / "maps", tmp_path / "m.json", name="m", dataset="pas20", labels=labels, first=first
    )
    assert len(done.notes) == (says is not None)
    assert says is None or re.search(says, done.notes[0])


def test_what_was_left_out_is_told(tmp_path: Path) -> None:
    put(tmp_path / "maps", f"{VOC_IDS[0]}.png", CLASSES)
    named = {i: {"1": "a", "12": "b", "13": "c", "14": "d"} for i in VOC_IDS}
    labels = put(tmp_path, "labels.json", named)
    found = zgbench.convert(tmp_path / "maps", tmp_path / "m.json", name="m", dataset="pas20", labels=labels).notes
    assert found == (
        f"2 images of {labels} have no map in {tmp_path / 'maps'} (the first: {VOC_IDS[1]}).",
        f"2 labels of {labels} are for values that their map does not hold, and were left out (the first: {VOC_IDS[0]}, value 13).",
    )


def test_a_bar_knows_how_many_images_there_are(tmp_path: Path) -> None:
    for image_id in VOC_IDS:
        put(tmp_path / "maps", f"{image_id}.png", CLASSES)
    told: list[object] = []

    def progress(title: str, total: int | None) -> Callable[[int], None]:
        told.append((title, total))
        return told.append

    zgbench.convert(
        tmp_path / "maps", tmp_path / "m.json", name="m", dataset="pas20", labels="pas20", progress=progress
    )
    assert told == [("converting", 3), 1, 1, 1]
