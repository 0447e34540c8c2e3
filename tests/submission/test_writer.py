"""SubmissionWriter and convert: what goes in comes out, in every format, and nothing is ever half-written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import zgbench
from tests.conftest import VOC_IDS, HashedText
from tests.oracle.rle import decompress
from tests.submission.sample import oracle, sound, write

SUFFIXES = (".json", ".json.gz", ".parquet")
MAP = np.array([[1, 1, 0, 2, 2, 2]] * 4)


def content(path: Path) -> tuple[Any, list[Any]]:
    """Header and images as the reader sees them."""
    from zgbench.submission.problems import Report
    from zgbench.submission.reader import open_submission

    report = Report()
    reader = open_submission(path)
    header = reader.header(report)
    assert header is not None
    images = [(i.id, i.size, i.labels, i.counts, i.classes, i.first) for i in reader.images(header, report)]
    assert not report.kinds
    return header, images


@pytest.mark.parametrize("document", [sound(), oracle()], ids=["free", "oracle"])
def test_every_format_holds_the_same(document: Any, tmp_path: Path) -> None:
    original = write(document, tmp_path / "a.json")
    for first in SUFFIXES:
        there = zgbench.convert(original, tmp_path / f"b{first}")
        assert (there.images, there.segments) == (3, sum(len(i["segments"]) for i in document["images"]))
        for second in SUFFIXES:
            back = zgbench.convert(there.path, tmp_path / f"c{second}")
            assert content(back.path) == content(original)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_equal_input_gives_equal_bytes(suffix: str, tmp_path: Path) -> None:
    original = write(sound(), tmp_path / "a.json")
    one, two = (zgbench.convert(original, tmp_path / name / f"a{suffix}").path.read_bytes() for name in ("x", "y"))
    assert one == two


def test_label_maps_and_masks_are_the_same_segments(tmp_path: Path) -> None:
    ways: list[tuple[Any, Any]] = [
        (MAP, ["a", "b"]),
        (MAP, {1: "a", 2: "b"}),
        (np.stack([MAP == 1, MAP == 2]), ["a", "b"]),
    ]
    written = []
    for k, (segments, labels) in enumerate(ways):
        path = tmp_path / f"{k}.json"
        with zgbench.SubmissionWriter(path, name="m", dataset="pas20") as submission:
            submission.add(VOC_IDS[0], segments, labels)
        written.append(json.loads(path.read_text()))
    assert written[0] == written[1] == written[2]
    (image,) = written[0]["images"]
    for value, segment in enumerate(image["segments"], start=1):
        assert (decompress(segment["counts"], (4, 6)) == (value == MAP)).all()


@pytest.mark.parametrize(
    ("segments", "labels", "message"),
    [
        (MAP, ["a"], "Give one label for each value but 0"),
        (MAP, {1: "a", 3: "b"}, "Give one label for each value but 0"),
        (MAP.astype(float), ["a", "b"], "expected an integer label map"),
        (np.stack([MAP == 1, MAP >= 1]), ["a", "b"], "masks overlap"),
        (np.stack([MAP == 1, MAP == 9]), ["a", "b"], "segment 1 has no pixel"),
        (np.stack([MAP == 1]), ["a", "b"], "1 masks want a list of 1 labels"),
        (MAP, ["a", "b\n"], "control character"),
    ],
)
def test_a_mistake_is_told_at_once(segments: Any, labels: Any, message: str, tmp_path: Path) -> None:
    with (
        pytest.raises((zgbench.UsageError, zgbench.SubmissionError), match=message),
        zgbench.SubmissionWriter(tmp_path / "m.json", name="m", dataset="pas20") as submission,
    ):
        submission.add(VOC_IDS[0], segments, labels)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_interruption_leaves_the_old_file(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"m{suffix}"
    path.write_text("old")
    with (
        pytest.raises(KeyboardInterrupt),
        zgbench.SubmissionWriter(path, name="m", dataset="pas20") as submission,
    ):
        submission.add(VOC_IDS[0], MAP, ["a", "b"])
        raise KeyboardInterrupt
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert path.read_text() == "old"


def test_the_same_image_twice(tmp_path: Path) -> None:
    with (
        pytest.raises(zgbench.UsageError, match="was added before"),
        zgbench.SubmissionWriter(tmp_path / "m.json", name="m", dataset="pas20") as submission,
    ):
        for _ in range(2):
            submission.add(VOC_IDS[0], MAP, ["a", "b"])


def test_embeddings_lie_beside_in_order(tmp_path: Path, tiny_voc: Path) -> None:
    from zgbench.scores.segment_embeddings import read_embeddings

    rng = np.random.RandomState(0)
    vectors = [rng.standard_normal((n, 5)).astype(np.float32) for n in (2, 2, 0)]
    for suffix in SUFFIXES:
        with zgbench.SubmissionWriter(tmp_path / f"m{suffix}", name="m", dataset="pas20") as submission:
            for image_id, found in zip(VOC_IDS, vectors, strict=True):
                shown = MAP if len(found) else np.zeros_like(MAP)
                submission.add(image_id, shown, ["a", "b"] if len(found) else [], embeddings=found.reshape(-1, 5))
        assert (read_embeddings(tmp_path / "m.safetensors", 4) == np.concatenate(vectors)).all()
        assert zgbench.validate(tmp_path / f"m{suffix}", data=tiny_voc).header.embeddings == "m.safetensors"
    assert content(zgbench.convert(tmp_path / "m.json", tmp_path / "n.parquet").path)[0].embeddings == "m.safetensors"
    with pytest.raises(zgbench.UsageError, match="write the target into the same folder"):
        zgbench.convert(tmp_path / "m.json", tmp_path / "elsewhere/n.parquet")
    assert not list((tmp_path / "elsewhere").glob("*"))


def test_embeddings_for_all_or_none(tmp_path: Path) -> None:
    for first, second in (([[1.0]], None), (None, [[1.0]])):
        with (
            pytest.raises(zgbench.UsageError, match="for all or for none"),
            zgbench.SubmissionWriter(tmp_path / "m.json", name="m", dataset="pas20") as submission,
        ):
            submission.add(VOC_IDS[0], np.ones((4, 6), int), ["a"], embeddings=first)
            submission.add(VOC_IDS[1], np.ones((4, 6), int), ["a"], embeddings=second)
    assert not list(tmp_path.iterdir())


def coco_panoptic(folder: Path) -> None:
    """Three PNGs in a folder of their own and a JSON, as COCO's panoptic tools write them."""
    (folder / "panoptic").mkdir(parents=True)
    annotations = []
    for image_id in VOC_IDS:
        ids = np.where(MAP == 1, 7, np.where(MAP == 2, 70_000, 0))
        rgb = np.stack([ids % 256, ids // 256 % 256, ids // 65536], axis=-1).astype(np.uint8)
        Image.fromarray(rgb).save(folder / f"panoptic/{image_id}.png")
        info = [{"id": 7, "label": "plane", "category_id": 1, "area": 8}, {"id": 70_000, "label": "bike"}]
        annotations.append({"image_id": 5, "file_name": f"{image_id}.png", "segments_info": info})
    (folder / "panoptic.json").write_text(json.dumps({"annotations": annotations, "categories": []}))


def test_from_coco_panoptic(tmp_path: Path, tiny_voc: Path) -> None:
    coco_panoptic(tmp_path / "coco")
    found = zgbench.convert(tmp_path / "coco", tmp_path / "m.parquet", name="m", dataset="pas20")
    assert (found.images, found.segments) == (3, 6)
    assert zgbench.validate(found.path, data=tiny_voc).images == 3
    _, images = content(found.path)
    assert images[0][2] == ["plane", "bike"]
    assert (decompress(images[0][3][1].decode(), (4, 6)) == (MAP == 2)).all()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda a: a[0]["segments_info"].pop(), r"holds the ids 70000, which segments_info lacks \(it has 7\)"),
        (
            lambda a: a[1]["segments_info"][0].pop("label"),
            r"annotations\[1\]\.segments_info\[0\]\.category_id: 1 has no name",
        ),
        (lambda a: a[0].update(file_name="../2007_000033.png"), "expected a bare file name"),
        (lambda a: a[0].update(file_name="2007_000123.png"), "there is no '2007_000123.png' in"),
    ],
)
def test_bad_coco_panoptic(spoil: Any, message: str, tmp_path: Path) -> None:
    coco_panoptic(tmp_path / "coco")
    manifest = tmp_path / "coco/panoptic.json"
    whole = json.loads(manifest.read_text())
    spoil(whole["annotations"])
    manifest.write_text(json.dumps(whole))
    with pytest.raises(zgbench.InputError, match=message):
        zgbench.convert(tmp_path / "coco", tmp_path / "m.json", name="m", dataset="pas20")
    assert not list(tmp_path.glob("*m.json*"))


def test_from_label_maps(tmp_path: Path, tiny_voc: Path) -> None:
    folder = tmp_path / "maps"
    folder.mkdir()
    for image_id in VOC_IDS:
        Image.fromarray(np.where(MAP == 2, 12, MAP).astype(np.uint8)).save(folder / f"{image_id}.png")
    named = tmp_path / "labels.json"
    named.write_text(json.dumps({i: {"1": "a plane", "12": "a dog"} for i in VOC_IDS}))
    texts = []
    for labels in (named, "pas20", "pc59-official", "pc59-alphabetical"):
        found = zgbench.convert(folder, tmp_path / "m.json", name="m", dataset="pas20", labels=labels)
        assert zgbench.validate(found.path, data=tiny_voc).images == 3
        texts.append(content(found.path)[1][0][2])
    assert texts == [["a plane", "a dog"], ["aeroplane", "dog"], ["aeroplane", "dog"], ["aeroplane", "bus"]]
    with pytest.raises(zgbench.UsageError, match=r"holds label maps: give --labels"):
        zgbench.convert(folder, tmp_path / "m.json", name="m", dataset="pas20")
    with pytest.raises(zgbench.UsageError, match=r"give --name"):
        zgbench.convert(folder, tmp_path / "m.json")
    named.write_text(json.dumps({i: {"1": "a plane"} for i in VOC_IDS}))
    with pytest.raises(zgbench.InputError, match=r"holds the values 1, 12; .* has labels for 1: no label for 12"):
        zgbench.convert(folder, tmp_path / "m.json", name="m", dataset="pas20", labels=named)


@pytest.mark.slow
def test_reading_is_a_stream(tmp_path: Path) -> None:
    """24,000 segments are read one image at a time: the reader never holds more than a few."""
    import tracemalloc

    from zgbench.submission.problems import Report
    from zgbench.submission.reader import open_submission

    image = sound()["images"][0]
    image["segments"] = image["segments"] * 6
    for suffix in SUFFIXES:
        peaks = []
        for n in (200, 2000):
            document = sound() | {"images": [image | {"id": f"i{k}"} for k in range(n)]}
            path = write(document, tmp_path / "big.json")
            if suffix != ".json":
                path = zgbench.convert(path, tmp_path / f"big{suffix}").path
            reader = open_submission(path)
            header = reader.header(Report())
            assert header is not None
            tracemalloc.start()
            assert sum(len(i.labels) for i in reader.images(header, Report())) == 12 * n
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        assert peaks[1] < 2 * peaks[0] + 500_000


def test_scores_do_not_depend_on_the_format(tmp_path: Path, tiny_voc: Path) -> None:
    original = write(sound(), tmp_path / "a.json")
    found = []
    for suffix in SUFFIXES:
        path = zgbench.convert(original, tmp_path / f"b{suffix}").path
        found.append(
            zgbench.evaluate(path, data=tiny_voc, protocol="offline", reassign=["tt"], text_encoder=HashedText()).scores
        )
    assert found[0] == found[1] == found[2]
