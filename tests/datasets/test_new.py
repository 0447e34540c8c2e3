"""``zgbench datasets new``: what it sees, guesses and asks, for layouts that people have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.datasets.drawn import SIZE, panoptic, photo, save, stripes
from zgbench import DataError, open_dataset
from zgbench.cli import main
from zgbench.datasets.definition import read_definition
from zgbench.datasets.guess import Guess, new
from zgbench.datasets.truth import VOID

IDS = ("one", "two", "three", "four")


def plain(folder: Path, mask: str = "masks/{}.png", picture: str = "photos/{}.jpg", *values: int) -> None:
    for image_id in IDS:
        save(folder / mask.format(image_id), stripes(*(values or (0, 1, 2, 255))).astype(np.uint8))
        photo(folder / picture.format(image_id))


def voc(folder: Path) -> None:
    place = folder / "VOCdevkit/VOC2012"
    plain(place, "SegmentationClass/{}.png", "JPEGImages/{}.jpg")
    photo(place / "JPEGImages/five.jpg")
    (place / "ImageSets/Segmentation").mkdir(parents=True)
    (place / "ImageSets/Segmentation/train.txt").write_text("four\n")
    (place / "ImageSets/Segmentation/val.txt").write_text("one\ntwo\nthree\n")


def splits(folder: Path) -> None:
    for split in ("train", "val"):
        plain(folder, f"masks/{split}/{split}_{{}}.png", f"images/{split}/{split}_{{}}.jpg")


def cities(folder: Path) -> None:
    for city in ("aachen", "bonn", "koeln"):
        for k in range(2):
            base = f"{city}_{k:06d}"
            save(folder / f"gt/val/{city}/{base}_gtFine_labelIds.png", stripes(0, 1, 2).astype(np.uint8))
            save(folder / f"gt/val/{city}/{base}_gtFine_color.png", np.zeros((*SIZE, 3), np.uint8))
            save(folder / f"gt/val/{city}/{base}_gtFine_instanceIds.png", stripes(0, 1, 2001).astype(np.uint16))
            photo(folder / f"pictures/val/{city}/{base}_leftImg8bit.png")


def beside(folder: Path) -> None:
    """Photos and masks in one folder, told apart by the end of the name."""
    plain(folder, "{}_mask.png", "{}.jpg")


def arrays(folder: Path) -> None:
    for image_id in IDS:
        save(folder / f"labels/{image_id}.npy", stripes(0, 1, 2).astype(np.int64))
        photo(folder / f"images/{image_id}.png")


def coco(folder: Path) -> None:
    categories = [{"id": 1, "name": "cat", "isthing": 1}, {"id": 7, "name": "grass", "isthing": 0}]
    (folder / "annotations").mkdir(parents=True)
    panoptic(folder / "annotations", "panoptic_val", {i: [(1, 1), (2, 7)] for i in IDS}, categories)
    for image_id in IDS:
        photo(folder / f"val/{image_id}.jpg")


LAYOUTS: dict[str, tuple[Callable[[Path], None], str, str | None, int, str]] = {
    "voc": (voc, "VOCdevkit/VOC2012/SegmentationClass/{id}.png", "VOCdevkit/VOC2012/JPEGImages/{id}.jpg", 3, "val"),
    "plain": (plain, "masks/{id}.png", "photos/{id}.jpg", 4, "val"),
    "splits": (splits, "masks/val/{id}.png", "images/val/{id}.jpg", 4, "val"),
    "cities": (cities, "gt/val/*/{id}_gtFine_labelIds.png", "pictures/val/*/{id}_leftImg8bit.png", 6, "val"),
    "beside": (beside, "{id}_mask.png", "{id}.jpg", 4, "val"),
    "arrays": (arrays, "labels/{id}.npy", "images/{id}.png", 4, "val"),
    "coco": (coco, "annotations/panoptic_val/{id}.png", "val/{id}.jpg", 4, "val"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(layout: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw, truth, photos, images, split = LAYOUTS[layout]
    draw(tmp_path / "data")
    assert main(["datasets", "new", str(tmp_path / "data"), "--key", "mine"]) == 0
    out = capsys.readouterr().out
    assert "To fill in:\n" in out
    assert f"Then: zgbench datasets check --data {tmp_path / 'data'}" in out
    found = read_definition(tmp_path / "data/dataset.toml")
    assert (found.truth.pattern, found.photos, found.images, found.split) == (truth, photos, images, split)
    dataset = open_dataset("mine", tmp_path / "data")
    assert (len(dataset.ids), dataset.official) == (images, True)
    for image_id in dataset.ids:
        dataset.source.photo(image_id)
        assert (dataset.source.truth(image_id).classes() >= VOID).all()  # every value has a meaning
    assert main(["datasets", "check", "--data", str(tmp_path / "data")]) == 0
    assert capsys.readouterr().out.startswith("mine: complete")


def guessed(folder: Path) -> tuple[Guess, list[tuple[int, str]]]:
    found = new(folder, "mine")
    return found, [(one["id"], one["name"]) for one in found.classes]


def test_no_names(tmp_path: Path) -> None:
    plain(tmp_path, "masks/{}.png", "photos/{}.jpg", 0, 3, 9, 255)
    found, classes = guessed(tmp_path)
    assert classes == [(3, "class 3"), (9, "class 9")]
    assert (found.background, found.void, found.offset) == ([0], [255], 0)
    assert any(line.startswith("255 is void") for line in found.guessed)
    assert any(line.startswith("0 is background") for line in found.guessed)
    assert found.missing[0] == "names of 2 classes, called class 3 and so on"


@pytest.mark.parametrize(("name", "content"), [
    ("classes.txt", "cat\ndog\n"),
    ("labels.txt", "0: background\n1: cat\n2: dog\n255: void"),
    ("class_names.txt", "\ufeff_background_\r\ncat\r\ndog\r\n"),
    ("classes.csv", "id,name\n1,cat\n2,dog\n"),
    ("objectInfo150.csv", "Idx,Ratio,Train,Val,Stuff,Name\n1,0.1,3,4,0,cat;kitty\n2,0.1,2,3,0,dog\n"),
    ("classes.json", '["background", "cat", "dog"]'),
    ("categories.json", '[{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]'),
    ("labels.json", '{"0": "unlabeled", "1": "cat", "2": "dog"}'),
])  # fmt: skip
def test_names_from_a_file(name: str, content: str, tmp_path: Path) -> None:
    plain(tmp_path)
    (tmp_path / name).write_bytes(content.encode())
    found, classes = guessed(tmp_path)
    assert classes == [(1, "cat"), (2, "dog")]
    assert (found.background, found.void) == ([0], [255])
    assert found.missing == ["title, citation and licence"]


def test_classes_counted_from_nought(tmp_path: Path) -> None:
    """A list that names the value 0 makes it a class."""
    plain(tmp_path)
    (tmp_path / "classes.txt").write_text("0 cat\n1 dog\n2 cow\n")
    found, classes = guessed(tmp_path)
    assert (classes, found.offset, found.background) == ([(1, "cat"), (2, "dog"), (3, "cow")], 1, [])
    assert open_dataset("mine", tmp_path).source.truth("one").classes().tolist() == stripes(1, 2, 3, VOID).tolist()


def test_values_that_the_names_lack(tmp_path: Path) -> None:
    plain(tmp_path, "masks/{}.png", "photos/{}.jpg", 0, 1, 2, 7)
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    found, classes = guessed(tmp_path)
    assert classes == [(1, "cat"), (2, "dog"), (7, "class 7")]
    assert "names of 1 classes" in found.missing[0]


def test_a_palette_of_its_own(tmp_path: Path) -> None:
    plain(tmp_path)
    for image_id in IDS:
        picture = Image.fromarray(stripes(0, 1, 2).astype(np.uint8))
        picture.putpalette([0, 0, 0, 200, 10, 30, 7, 80, 9])
        picture.save(tmp_path / f"masks/{image_id}.png")
    assert guessed(tmp_path)[0].palette == "index"
    assert open_dataset("mine", tmp_path).source.truth("one").classes().tolist() == stripes(0, 1, 2).tolist()


def test_it_does_not_overwrite(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain(tmp_path)
    new(tmp_path, "mine")
    before = (tmp_path / "dataset.toml").read_bytes()
    assert main(["datasets", "new", str(tmp_path)]) == 2
    assert "is there already. Edit it" in capsys.readouterr().err
    assert (tmp_path / "dataset.toml").read_bytes() == before


def test_the_folders_name_is_the_key(tmp_path: Path) -> None:
    for name, key in (("My Kitchens (v2)", "my-kitchens-v2"), ("pas20", "my-pas20"), ("…", "mine")):
        plain(tmp_path / name)
        assert new(tmp_path / name).key == key


def test_photos_of_several_endings(tmp_path: Path) -> None:
    plain(tmp_path)
    (tmp_path / "photos/two.jpg").rename(tmp_path / "photos/two.JPG")
    assert new(tmp_path, "mine").photos == "photos/{id}.*"
    assert open_dataset("mine", tmp_path).source.photo("two").size == (8, 6)


@pytest.mark.parametrize(("key", "message"), [("pas20", "no key that is built in"), ("A b", "lower-case letters")])
def test_keys_that_cannot_be(key: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain(tmp_path)
    assert main(["datasets", "new", str(tmp_path), "--key", key]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "dataset.toml").exists()


def test_folders_without_truth(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="found no ground truth"):
        new(tmp_path)
    photo(tmp_path / "photos/a.jpg")
    save(tmp_path / "coloured/a.png", np.zeros((*SIZE, 3), np.uint8))
    with pytest.raises(DataError, match=r"no folder of grey or palette PNGs or \.npy files"):
        new(tmp_path)
    (tmp_path / "p.json").write_text('{"annotations": [{"file_name": "zz.png", "segments_info": []}]}')
    with pytest.raises(DataError, match=r"found no PNGs of the images that it lists, such as zz\.png"):
        new(tmp_path)
    assert not (tmp_path / "dataset.toml").exists()
