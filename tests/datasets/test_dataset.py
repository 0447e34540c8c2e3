"""Data sets: vocabularies, splits, subsets, the class-order trap, the prepared store, and clear errors."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from tests.conftest import SHARED, VOC_IDS
from tests.oracle.png import png, voc_colour
from zgbench import DataError, UsageError, open_dataset
from zgbench.datasets import store, vocabulary
from zgbench.datasets.catalogue import KEYS, SPECS

LISTS = SHARED.parent / "lists"
CONTEXT_IDS = ("2008_000002", "2008_000003", "2008_000007")


def test_sizes_of_vocabularies_and_splits() -> None:
    assert {key: len(spec.vocabulary()) for key, spec in SPECS.items()} == {
        "pas20": 20, "pc59": 59, "pc459": 458, "ade150": 150, "ade847": 847, "cityscapes19": 19, "coco133": 133,
        "cocostuff171": 171,
    }  # fmt: skip
    assert {key: len(set(spec.official_ids())) for key, spec in SPECS.items()} == {
        "pas20": 1449, "pc59": 5104, "pc459": 5104, "ade150": 2000, "ade847": 2000, "cityscapes19": 500, "coco133": 5000,
        "cocostuff171": 5000,
    }  # fmt: skip
    assert set(KEYS) == {*SPECS, "mini"}
    assert "2010_001606" not in SPECS["pc59"].official_ids()  # the 5,105th that also circulates
    assert vocabulary.pc459().id("unknown") is None
    assert 431 not in vocabulary.pc459().ids


def test_three_frequent_classes_have_another_name() -> None:
    pc59 = vocabulary.pc59()
    assert [pc59.name(pc59.id(alias)) for alias in ("diningtable", "clothes", "bedcloth")] == [
        "table",
        "cloth",
        "bedclothes",
    ]  # type: ignore[arg-type]
    for rare, frequent in vocabulary.pc59_of_459().items():
        assert vocabulary.pc459().name(rare) == pc59.name(frequent)


def test_both_class_orders() -> None:
    pc59 = vocabulary.pc59()
    alphabetical, official = (vocabulary.pc59_of_png(order) for order in ("alphabetical", "official"))  # type: ignore[arg-type]
    assert [pc59.name(alphabetical[k]) for k in (1, 2, 59)] == ["aeroplane", "bag", "wood"]
    assert [pc59.name(official[k]) for k in (1, 2, 20, 21, 59)] == ["aeroplane", "bicycle", "tvmonitor", "bag", "wood"]
    assert sorted(official.values()) == sorted(alphabetical.values()) == list(range(1, 60))


@pytest.mark.skipif(not LISTS.is_dir(), reason="needs the published lists beside the project")
def test_lists_are_the_published_ones() -> None:
    rows = list(csv.DictReader((LISTS / "pc59.tsv").read_text().splitlines(), delimiter="\t"))
    assert [(int(r["alphabetical_index"]), r["name_in_459"]) for r in rows] == list(
        zip(vocabulary.pc59().ids, vocabulary.pc59().names, strict=True)
    )
    assert (LISTS / "voc20.txt").read_text().split() == list(vocabulary.pas20().names)
    assert tuple((LISTS / "voc2012_val_1449.txt").read_text().split()) == SPECS["pas20"].official_ids()
    assert tuple((LISTS / "pc_val_5104.txt").read_text().split()) == SPECS["pc459"].official_ids()
    published = {
        int(r["id"]): r["name"] for r in csv.DictReader((LISTS / "pc459.tsv").read_text().splitlines(), delimiter="\t")
    }
    assert {i: n for i, n in published.items() if n != "unknown"} == dict(
        zip(vocabulary.pc459().ids, vocabulary.pc459().names, strict=True)
    )


def test_voc_reads_background_classes_and_void(tiny_voc: Path) -> None:
    dataset = open_dataset("pas20", tiny_voc)
    assert dataset.ids == VOC_IDS
    assert not dataset.official
    assert "3 of the 1449" in dataset.notes[0]
    assert (
        dataset.source.truth(VOC_IDS[1]).classes().tolist() == [[1, 1, -1, 2, 2, 2]] * 2 + [[1, 1, -1, 12, 12, 12]] * 2
    )
    assert dataset.source.photo(VOC_IDS[0]).size == (6, 4)


def context(data: Path, order: vocabulary.PngOrder, *, mat: bool = True, png: bool = True) -> Path:
    """PASCAL Context as PNG and .mat: bag, sky, table and one rare class (accordion)."""
    classes = vocabulary.pc59()
    png_dir, mat_dir = data / "VOCdevkit/VOC2010/SegmentationClassContext", data / "pascal-context/trainval"
    png_dir.mkdir(parents=True)
    mat_dir.mkdir(parents=True)
    full = {v: k for k, v in vocabulary.pc59_of_459().items()}
    of_png = {v: k for k, v in vocabulary.pc59_of_png(order).items()}
    for image_id in CONTEXT_IDS:
        frequent = np.zeros((5, 8), dtype=np.int64)
        for place, name in ((slice(0, 2), "bag"), (slice(2, 4), "sky"), (slice(4, 6), "table")):
            frequent[:, place] = classes.id(name)
        label_map = np.vectorize(lambda c: full.get(c, 0))(frequent).astype(np.uint16)
        label_map[0, 7] = 1  # accordion: unlabelled for PC-59
        label_map[1, 7] = 431  # unknown
        if mat:
            savemat(str(mat_dir / f"{image_id}.mat"), {"LabelMap": label_map})
        if png:
            Image.fromarray(np.vectorize(lambda c: of_png.get(c, 0))(frequent).astype(np.uint8)).save(
                png_dir / f"{image_id}.png"
            )
    listed = data / "VOCdevkit/VOC2010/ImageSets/SegmentationContext"
    listed.mkdir(parents=True)
    (listed / "val.txt").write_text("\n".join(CONTEXT_IDS))
    return data


def test_context_from_png_and_mat_agree(tmp_path: Path) -> None:
    from_png = open_dataset("pc59", context(tmp_path / "a", "alphabetical", mat=False))
    from_mat = open_dataset("pc59", context(tmp_path / "b", "alphabetical", png=False))
    assert (from_png.source.truth(CONTEXT_IDS[0]).classes() == from_mat.source.truth(CONTEXT_IDS[0]).classes()).all()
    full = open_dataset("pc459", tmp_path / "b").source.truth(CONTEXT_IDS[0]).classes()
    assert full[0, 7] == 1
    assert full[1, 7] == -1  # 431, unknown
    assert full[2, 7] == -1  # not annotated


def test_the_other_class_order_is_noticed(tmp_path: Path) -> None:
    data = context(tmp_path, "official")
    with pytest.raises(DataError, match=r"contradict the \.mat files.*--png-order official"):
        open_dataset("pc59", data)
    told = open_dataset("pc59", data, png_order="official")
    assert set(np.unique(told.source.truth(CONTEXT_IDS[0]).classes())) == {
        0,
        *(vocabulary.pc59().id(n) for n in ("bag", "sky", "table")),
    }


def test_a_folder_of_unknown_order_must_be_told(tmp_path: Path) -> None:
    data = context(tmp_path, "official", mat=False)
    folder = data / "VOCdevkit/VOC2010/SegmentationClassContext"
    with pytest.raises(UsageError, match=r"two class orders.*--png-order"):
        open_dataset("pc59", truth_dir=folder)
    assert open_dataset("pc59", data, truth_dir=folder, png_order="official").source.truth(CONTEXT_IDS[0]).classes()[
        0, 0
    ] == vocabulary.pc59().id("bag")


def test_missing_data_names_archive_and_place(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--data DIR or set ZGBENCH_DATA"):
        open_dataset("pas20")
    with pytest.raises(UsageError, match="no such folder"):
        open_dataset("pas20", tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"VOC2012/SegmentationClass.*VOCtrainval_11-May-2012\.tar"):
        open_dataset("pas20", tmp_path)
    with pytest.raises(DataError, match=r"pascal-context/trainval.*trainval\.tar\.gz"):
        open_dataset("pc459", tmp_path)
    with pytest.raises(UsageError, match="no data set 'voc'"):
        open_dataset("voc", tmp_path)


def test_environment_names_the_data_folder(tiny_voc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZGBENCH_DATA", str(tiny_voc))
    assert open_dataset("pas20").ids == VOC_IDS


@pytest.mark.parametrize("damage", ["not a picture", "colour", "value", "cut"])
def test_damaged_truth_is_told(tiny_voc: Path, damage: str) -> None:
    from zgbench.pixels.pixel_pass import count_batch
    from zgbench.submission.schema import Image as Submitted

    file = tiny_voc / f"VOCdevkit/VOC2012/SegmentationClass/{VOC_IDS[0]}.png"
    if damage == "not a picture":
        file.write_text("no")
    elif damage == "colour":
        Image.new("RGB", (6, 4)).save(file)
    elif damage == "value":
        Image.fromarray(np.full((4, 6), 77, dtype=np.uint8)).save(file)
    else:
        file.write_bytes(file.read_bytes()[:60])
    dataset = open_dataset("pas20", tiny_voc)
    expected = {
        "not a picture": "not a readable PNG",
        "colour": "found RGB",
        "value": "holds the value 77",
        "cut": "not a readable PNG",
    }
    with pytest.raises(DataError, match=expected[damage]) as caught:
        count_batch([Submitted("$.images[0]", VOC_IDS[0], (4, 6), [], [], None, 0)], dataset.source, dataset.vocabulary)
    assert VOC_IDS[0] in str(caught.value)


def test_ids_that_are_not_official_are_not_scored(tiny_voc: Path) -> None:
    (tiny_voc / "VOCdevkit/VOC2012/ImageSets/Segmentation/val.txt").write_text("\n".join((*VOC_IDS, "2010_001606x")))
    dataset = open_dataset("pas20", tiny_voc)
    assert dataset.ids == VOC_IDS
    assert "2010_001606x" in dataset.notes[1]


def test_subsets(tiny_voc: Path) -> None:
    first = open_dataset("pas20", tiny_voc, subset="first:2")
    assert first.ids == VOC_IDS[:2]
    assert first.split == "val[first:2]"
    mini = {seed: open_dataset("mini", subset=f"random:20:{seed}").ids for seed in (0, 1)}
    assert len(set(mini[0])) == 20
    assert mini[0] != mini[1]
    assert mini[0] == tuple(sorted(mini[0]))
    for bad in ("first:0", "first:4", "last:1", "random:2", "first:x"):
        with pytest.raises(UsageError, match=f"--subset {bad}"):
            open_dataset("pas20", tiny_voc, subset=bad)


def test_store_gives_the_same_data_without_raw_files(tiny_voc: Path, tmp_path: Path) -> None:
    import pickle

    import datasets as hf

    raw = open_dataset("pas20", tiny_voc)
    ticks: list[int] = []
    place = store.prepare(raw, tmp_path / "prepared", ticks.append)
    assert sum(ticks) == 3
    hidden = {i: raw.source.truth(i).classes() for i in raw.ids}
    pixels = np.asarray(raw.source.photo(VOC_IDS[2]))
    shutil.rmtree(tiny_voc)
    found = open_dataset("pas20", tmp_path / "prepared")
    source = pickle.loads(pickle.dumps(found.source))  # as worker processes get it
    assert (found.ids, found.split, found.official) == (raw.ids, raw.split, raw.official)
    for image_id in raw.ids:
        assert (source.truth(image_id).classes() == hidden[image_id]).all()
    assert (np.asarray(source.photo(VOC_IDS[2])) == pixels).all()
    assert hf.load_from_disk(str(place / "rows")).num_rows == 3
    assert not list((tmp_path / "prepared/zgbench-store").glob(".*"))


def test_a_failed_store_leaves_nothing(tiny_voc: Path, tmp_path: Path) -> None:
    (tiny_voc / f"VOCdevkit/VOC2012/SegmentationClass/{VOC_IDS[2]}.png").write_text("no")
    with pytest.raises(DataError, match=VOC_IDS[2]):
        store.prepare(open_dataset("pas20", tiny_voc), tmp_path / "prepared")
    assert not list((tmp_path / "prepared/zgbench-store").iterdir())
    assert not store.exists(tmp_path / "prepared", "pas20")


def test_a_damaged_store_is_told(tiny_voc: Path, tmp_path: Path) -> None:
    place = store.prepare(open_dataset("pas20", tiny_voc), tmp_path)
    about = place / "zgbench.json"
    about.write_text(about.read_text().replace(VOC_IDS[0], VOC_IDS[0] + "x"))
    with pytest.raises(DataError, match="prepare again"):
        open_dataset("pas20", tmp_path)


@pytest.mark.parametrize("key", ["pas20", "pc59", "pc459"])
def test_real_truth_is_read_like_the_independent_reader(shared_data: Path, key: str) -> None:
    from tests.oracle import readers

    dataset = open_dataset(key, shared_data)
    assert len(dataset.ids) == (300 if key == "pas20" else 47)
    for image_id in dataset.ids[:40]:
        assert (dataset.source.truth(image_id).classes() == readers.truth(key, image_id)).all()


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + "\r\n".join(VOC_IDS).encode(),
        "\r".join(VOC_IDS).encode(),
        "".join(f"{i}.jpg\n" for i in VOC_IDS).encode(),
        "".join(f"/JPEGImages/{i}.jpg /SegmentationClassAug/{i}.png\n" for i in VOC_IDS).encode(),
    ],
    ids=["byte order mark", "line ending of old", "file names", "paths"],
)
def test_a_list_of_images_as_tools_write_it(content: bytes, tiny_voc: Path) -> None:
    (tiny_voc / "VOCdevkit/VOC2012/ImageSets/Segmentation/val.txt").write_bytes(content)
    found = open_dataset("pas20", tiny_voc)
    assert found.ids == VOC_IDS
    assert len(found.notes) == 1  # not the official number of images, and nothing else


def test_a_list_in_utf_16_is_told(tiny_voc: Path) -> None:
    (tiny_voc / "VOCdevkit/VOC2012/ImageSets/Segmentation/val.txt").write_text("\n".join(VOC_IDS), encoding="utf-16")
    with pytest.raises(DataError, match=r"val\.txt: the text is UTF-16.*Save it as UTF-8"):
        open_dataset("pas20", tiny_voc)


def test_companions_are_no_truth(tmp_path: Path, tiny_voc: Path) -> None:
    place = tiny_voc / "VOCdevkit/VOC2012/SegmentationClass"
    for name in (f"._{VOC_IDS[0]}.png", ".DS_Store", "Thumbs.db"):
        (place / name).write_bytes(b"\0\5\x16\7")
    assert open_dataset("pas20", tiny_voc).source.truth(VOC_IDS[0]).size == (4, 6)
    (tmp_path / "only").mkdir()
    (tmp_path / "only/._a.png").write_bytes(b"\0\5\x16\7")
    with pytest.raises(DataError, match="found none"):
        open_dataset("pas20", truth_dir=tmp_path / "only")


def test_a_palette_in_another_order_scores_the_same(tiny_voc: Path) -> None:
    """What lossless optimisers make of the archive's files."""
    before = [open_dataset("pas20", tiny_voc).source.truth(i).classes() for i in VOC_IDS]
    for image_id, classes in zip(VOC_IDS, before, strict=True):
        values = np.where(classes < 0, 255, classes)
        used = np.unique(values)[::-1]
        indices = (len(used) - 1) - np.searchsorted(np.unique(values), values)
        content = png(indices, 3, 4, [voc_colour(int(value)) for value in used])
        (tiny_voc / f"VOCdevkit/VOC2012/SegmentationClass/{image_id}.png").write_bytes(content)
    for image_id, classes in zip(VOC_IDS, before, strict=True):
        assert (open_dataset("pas20", tiny_voc).source.truth(image_id).classes() == classes).all()
