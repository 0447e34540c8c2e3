"""The readers of the built-in data sets on drawn files that lie as the official archives unpack; and their vocabularies."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.datasets.drawn import SIZE, panoptic, photo, save, stripes
from zgbench import DataError, lexicon, open_dataset
from zgbench.datasets import store, vocabulary
from zgbench.datasets.catalogue import SPECS
from zgbench.datasets.truth import INVALID, VOID
from zgbench.datasets.vocabulary import Vocabulary

CITY = "frankfurt_000000_000294"
COCO = "000000000139"


def ade150(data: Path) -> tuple[str, np.ndarray]:
    """0 is what has no class; 1 wall, 3 sky, 150 flag."""
    save(
        data / "ADEChallengeData2016/annotations/validation/ADE_val_00000007.png",
        stripes(0, 1, 3, 150).astype(np.uint8),
    )
    photo(data / "ADEChallengeData2016/images/validation/ADE_val_00000007.jpg")
    return "ADE_val_00000007", stripes(VOID, 1, 3, 150)


def ade847(data: Path) -> tuple[str, np.ndarray]:
    """Object index = R // 10 · 256 + G: 2978 wall (1), 312 building (2), 3688 the last (no class of the 847); blue tells instances."""
    place = data / "ADE20K_2021_17_01/images/ADE/validation/urban/street"
    index = stripes(0, 2978, 312, 3688)
    rgb = np.stack((index // 256 * 10, index % 256, stripes(0, 7, 9, 9)), axis=2).astype(np.uint8)
    save(place / "ADE_val_00000007_seg.png", rgb)
    save(place / "ADE_val_00000007_parts_1.png", rgb)
    photo(place / "ADE_val_00000007.jpg")
    return "ADE_val_00000007", stripes(VOID, 1, 2, VOID)


def coco133(data: Path) -> tuple[str, np.ndarray]:
    """Segment ids in the colours, 1 person and 200 rug-merged in the JSON; black is no segment."""
    panoptic(data / "coco/annotations", "panoptic_val2017", {COCO: [(5, 1), (70_001, 200), (65_536, 1)]})
    photo(data / "coco/val2017" / f"{COCO}.jpg")
    return COCO, stripes(1, 200, 1, VOID)


def cocostuff171(data: Path) -> tuple[str, np.ndarray]:
    """Stored are ids less one, 255 is unlabelled: 0 person (1), 181 wood (182)."""
    save(data / f"coco/stuffthingmaps/val2017/{COCO}.png", stripes(0, 181, 91, 255).astype(np.uint8))
    photo(data / "coco/val2017" / f"{COCO}.jpg")
    return COCO, stripes(1, 182, 92, VOID)


def cityscapes19(data: Path) -> tuple[str, np.ndarray]:
    """Label ids: 7 road, 33 bicycle; 4 static and 1 ego vehicle are not scored."""
    place = data / "cityscapes/gtFine/val/frankfurt"
    save(place / f"{CITY}_gtFine_labelIds.png", stripes(7, 33, 4, 1).astype(np.uint8))
    save(place / f"{CITY}_gtFine_color.png", np.zeros((*SIZE, 3), np.uint8))
    save(place / f"{CITY}_gtFine_instanceIds.png", stripes(7, 33000, 4, 1).astype(np.uint16))
    photo(data / f"cityscapes/leftImg8bit/val/frankfurt/{CITY}_leftImg8bit.png")
    return CITY, stripes(7, 33, VOID, VOID)


LAYOUTS: dict[str, Callable[[Path], tuple[str, np.ndarray]]] = {
    f.__name__: f for f in (ade150, ade847, coco133, cocostuff171, cityscapes19)
}


@pytest.mark.parametrize("key", LAYOUTS)
def test_as_the_archives_unpack(key: str, tmp_path: Path) -> None:
    image_id, expected = LAYOUTS[key](tmp_path)
    dataset = open_dataset(key, tmp_path)
    assert image_id in dataset.known_ids
    assert dataset.source.has(image_id)
    assert not dataset.source.has(dataset.ids[-1])
    assert dataset.source.truth(image_id).classes().tolist() == expected.tolist()
    assert dataset.source.photo(image_id).size == (8, 6)
    assert dataset.ids == SPECS[key].official_ids()
    assert dataset.official


@pytest.mark.parametrize(("key", "moved"), [
    ("coco133", ("coco/annotations/panoptic_val2017", "coco/panoptic_val2017")),
    ("cocostuff171", ("coco/stuffthingmaps/val2017", "coco/annotations/val2017")),
    ("cityscapes19", ("cityscapes/gtFine", "gtFine")),
])  # fmt: skip
def test_other_places_in_use(key: str, moved: tuple[str, str], tmp_path: Path) -> None:
    image_id, expected = LAYOUTS[key](tmp_path)
    (tmp_path / moved[1]).parent.mkdir(exist_ok=True)
    shutil.move(tmp_path / moved[0], tmp_path / moved[1])
    assert open_dataset(key, tmp_path).source.truth(image_id).classes().tolist() == expected.tolist()


@pytest.mark.parametrize("key", LAYOUTS)
def test_a_store_of_it_is_the_same(key: str, tmp_path: Path) -> None:
    image_id, expected = LAYOUTS[key](tmp_path)
    raw = open_dataset(key, tmp_path).only((image_id,))
    store.prepare(raw, tmp_path / "prepared")
    stored = open_dataset(key, tmp_path / "prepared")
    assert stored.ids == (image_id,)
    assert stored.source.truth(image_id).classes().tolist() == expected.tolist()
    assert stored.source.photo_bytes(image_id) == raw.source.photo_bytes(image_id)


@pytest.mark.parametrize("key", LAYOUTS)
def test_a_value_of_no_class_is_told(key: str, tmp_path: Path) -> None:
    image_id, _ = LAYOUTS[key](tmp_path)
    source = open_dataset(key, tmp_path).source
    if key == "coco133":
        panoptic(tmp_path / "coco/annotations", "panoptic_val2017", {image_id: [(5, 12)]})  # 12 is no category
        with pytest.raises(DataError, match=r"gives 000000000139 the category ids \[12\]"):
            source.truth(image_id)
    elif key in ("ade150", "cocostuff171"):
        path = source.truths.path(image_id)  # type: ignore[attr-defined]
        save(path, stripes(200).astype(np.uint8))
        assert set(source.truth(image_id).classes().ravel()) == {INVALID}
    elif key == "ade847":
        save(source.truths.path(image_id), np.full((*SIZE, 3), (150, 0, 0), dtype=np.uint8))  # type: ignore[attr-defined]
        assert set(source.truth(image_id).classes().ravel()) == {INVALID}  # 15 · 256 = 3840: there are 3,688 objects
    else:
        save(source.truths.path(image_id), np.zeros((*SIZE, 3), np.uint8))  # type: ignore[attr-defined]
        with pytest.raises(DataError, match="expected one channel"):
            source.truth(image_id)


def test_panoptic_files_that_do_not_belong_together(tmp_path: Path) -> None:
    image_id, _ = coco133(tmp_path)
    source = open_dataset("coco133", tmp_path).source
    with pytest.raises(DataError, match=r"panoptic_val2017\.json: lists no image '000000000285'"):
        source.truth("000000000285")
    save(tmp_path / f"coco/annotations/panoptic_val2017/{image_id}.png", np.full((*SIZE, 3), 9, dtype=np.uint8))
    with pytest.raises(
        DataError, match=r"holds the segment ids \[592137\], which .* does not list"
    ):  # 9 + 256·9 + 65536·9
        source.truth(image_id)
    (tmp_path / "coco/annotations/panoptic_val2017.json").write_text('{"annotations": [{"file_name": 1}]}')
    with pytest.raises(DataError, match="not a COCO-panoptic JSON"):
        source.truth(image_id)


def test_a_panoptic_json_that_changed_is_another_truth(tmp_path: Path) -> None:
    image_id, _ = coco133(tmp_path)
    dataset = open_dataset("coco133", tmp_path)
    before = dataset.source.fingerprint((image_id,)), dataset.source.stamp((image_id,))
    panoptic(tmp_path / "coco/annotations", "panoptic_val2017", {image_id: [(5, 1), (70_001, 199), (65_536, 1)]})
    assert dataset.source.fingerprint((image_id,)) != before[0]
    assert dataset.source.stamp((image_id,)) != before[1]


@pytest.mark.parametrize(("key", "facts"), [
    ("ade150", {1: "wall", 13: "person", 90: "television", 131: "screen", 150: "flag"}),
    ("ade847", {1: "wall", 12: "person", 115: "bag", 131: "flowerpot", 189: "pot", 847: "adding machine"}),
    ("coco133", {1: "person", 90: "toothbrush", 92: "banner", 199: "wall-other-merged", 200: "rug-merged"}),
    ("cocostuff171", {1: "person", 13: "stop sign", 92: "banner", 157: "sky-other", 182: "wood"}),
    ("cityscapes19", {7: "road", 8: "sidewalk", 24: "person", 31: "train", 33: "bicycle"}),
])  # fmt: skip
def test_published_names_and_ids(key: str, facts: dict[int, str]) -> None:
    classes = SPECS[key].vocabulary()
    assert {i: classes.name(i) for i in facts} == facts
    sound(classes)


def sound(classes: Vocabulary) -> None:
    """Every text means one class."""
    assert list(classes.ids) == sorted(set(classes.ids))
    assert len(set(classes.names)) == len(set(classes.readable)) == len(classes)
    owners: dict[str, int] = {}
    for place, class_id in enumerate(classes.ids):
        for text in {classes.names[place], classes.readable[place], *classes.also[place]}:
            assert owners.setdefault(text, class_id) == class_id, text
            assert text == text.strip() != ""
            assert classes.id(text) == class_id


@pytest.mark.parametrize("key", LAYOUTS)
def test_synsets_are_in_wordnet(key: str) -> None:
    """Where the automatic choice would take another sense (*palm* of the hand), the right one is given."""
    wordnet = lexicon.load().wordnet
    given = [synset for synsets in SPECS[key].vocabulary().synsets for synset in synsets]
    assert given
    for synset in given:
        assert wordnet.definition(wordnet.synset(synset))


@pytest.mark.parametrize(
    ("key", "things"), [("ade150", 115), ("coco133", 80), ("cocostuff171", 80), ("cityscapes19", 8)]
)
def test_things_and_stuff(key: str, things: int) -> None:
    kinds = SPECS[key].vocabulary().kinds
    assert (kinds.count("thing"), kinds.count("stuff")) == (things, len(kinds) - things)


def test_objects_of_ade20k_are_the_847() -> None:
    objects = vocabulary.ade847_of_objects()
    assert sorted(objects.values()) == list(range(1, 848))
    assert {i: vocabulary.ade847().name(objects[i]) for i in (2978, 401, 1831, 3148)} == {
        2978: "wall", 401: "car", 1831: "person", 3148: "adding machine",
    }  # fmt: skip
