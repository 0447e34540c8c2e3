"""The readers' own bounds, each crossed by one small file, and what a broken disk gives; the writer's refusals beside."""

from __future__ import annotations

import builtins
import gzip
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import zgbench
from tests.conftest import VOC_IDS
from tests.submission import kinds
from tests.submission.sample import oracle, sound, write
from tests.submission.test_objects import BOTH, MAP
from zgbench.datasets import open_dataset
from zgbench.errors import InputError, ModelUnavailable, UsageError
from zgbench.submission import json_reader, problems, writer
from zgbench.submission.convert import map_files
from zgbench.submission.json_reader import JsonReader
from zgbench.submission.masks import coco
from zgbench.submission.parquet_reader import ParquetReader
from zgbench.submission.problems import Problem, Report, SubmissionError, rejection
from zgbench.submission.schema import check_image


def read(path: Path, report: Report) -> int:
    """The number of sound images."""
    reader = JsonReader(path)
    header = reader.header(report)
    return 0 if header is None else len(list(reader.images(header, report)))


LAST = {"embeddings": "mine.safetensors"}  # with it every key of a header is there before the images


@pytest.mark.parametrize("whole_header", [False, True])
@pytest.mark.parametrize(
    ("bound", "value", "spoil", "says"),
    [
        ("MAX_IMAGE_BYTES", 1000, {"description": "x" * 3000}, "the part before the images, takes more than 0 MiB"),
        ("MAX_IMAGE_VALUES", 20, {"description": ["x"] * 30}, "comes after 20 values in one image, or before the images"),
        ("_MAX_DEPTH", 4, {"description": [[[[["x"]]]]]}, "is nested more than 4 deep"),
    ],
)  # fmt: skip
def test_bounds_on_the_header(
    bound: str, value: int, spoil: Any, says: str, whole_header: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = {"method": spoil, **(LAST if whole_header else {}), **sound()}
    document["method"] = spoil
    path = write(document, tmp_path / "mine.json")
    monkeypatch.setattr(json_reader, bound, value)
    with pytest.raises(InputError, match=says):
        read(path, Report())


@pytest.mark.parametrize("whole_header", [False, True])
def test_an_image_of_too_many_values(whole_header: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted from anew in each image, also where the images are passed over on the way to the rest of the header."""
    document = (LAST if whole_header else {}) | sound()
    document = {key: value for key, value in document.items() if key != "images"} | {"images": document["images"] * 30}
    monkeypatch.setattr(json_reader, "MAX_IMAGE_VALUES", 20)
    assert read(write(document, tmp_path / "many.json"), Report()) == 90
    document["images"][1]["segments"] = document["images"][0]["segments"] * 20
    with pytest.raises(InputError, match=r"20 values"):
        read(write(document, tmp_path / "one.json"), Report())


def test_a_gzip_that_unpacks_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(sound() | {"method": {"description": "x" * 200_000}}, tmp_path / "mine.json.gz")
    assert path.stat().st_size < 2000
    monkeypatch.setattr(json_reader, "MAX_UNPACKED", 100_000)
    monkeypatch.setattr(json_reader, "MAX_RATIO", 10)
    with pytest.raises(InputError, match=r"unpacks to more than 10 times its size\. No honest submission does"):
        read(path, Report())


def test_keys_before_and_after_the_images(tmp_path: Path) -> None:
    """Where the header is whole before the images, it is not read on for; a stray key after them is still told."""
    document = LAST | sound() | {"note": 1}
    report = Report()
    assert read(write(document, tmp_path / "after.json"), report) == 3
    assert [(p.kind, p.path) for p in report.problems] == [("unknown-key", "$.note")]
    report = Report()
    assert read(write({"images": document["images"]} | document, tmp_path / "first.json"), report) == 3
    assert [(p.kind, p.path) for p in report.problems] == [("unknown-key", "$.note")]
    nothing = Report()
    without = {key: value for key, value in sound().items() if key != "images"}
    assert read(write(without, tmp_path / "none.json"), nothing) == 0
    assert nothing.kinds == {"missing-key": 1}


def test_what_follows_the_object_is_told(tmp_path: Path) -> None:
    path = write(sound(), tmp_path / "mine.json")
    path.write_bytes(path.read_bytes() + b" {}")
    with pytest.raises(InputError, match="not valid JSON"):
        read(path, Report())


def test_reading_stops_when_so_much_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = sound()
    document["images"] = [{"id": f"a{k}", "size": [0, 0], "segments": []} for k in range(9)] + document["images"]
    monkeypatch.setattr(problems, "COLLECTED", 3)
    report = Report()
    assert read(write(document, tmp_path / "mine.json"), report) < 3
    assert 3 <= report.kinds.total() < 9 and report.full


@pytest.mark.parametrize("name", ["mine.json", "mine.json.gz", "mine.parquet"])
def test_a_disk_that_fails(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the file is opened, and in the middle of it."""
    with zgbench.SubmissionWriter(tmp_path / name, name="m", dataset="pas20") as submission:
        submission.add(VOC_IDS[0], MAP, BOTH)
    with pytest.raises(InputError, match=r"none: cannot be read|No such file|not a readable"):
        (ParquetReader if name == "mine.parquet" else JsonReader)(tmp_path / "none").header(Report())
    if name == "mine.parquet":
        return

    class Failing(io.BytesIO):
        def read(self, _: Any = -1) -> bytes:
            raise OSError(5, "Input/output error")

        def fileno(self) -> int:
            return 0

    monkeypatch.setattr(json_reader.gzip, "open", lambda _: Failing())
    monkeypatch.setattr(json_reader.Path, "open", lambda *_: Failing())
    with pytest.raises(InputError, match=rf"{name}: cannot be read \(Input/output error\)"):
        JsonReader(tmp_path / name).header(Report())


def test_a_parquet_header_that_holds_images_and_columns_twice(tmp_path: Path) -> None:
    head = json.dumps(sound() | {"images": []})
    columns = ["image_id", "height", "width", "label", "counts", "label"]
    arrays = [pa.array(v) for v in (["a"], [4], [6], ["x"], ["0"], ["y"])]
    path = tmp_path / "mine.parquet"
    pq.write_table(pa.Table.from_arrays(arrays, names=columns).replace_schema_metadata({"zgbench": head}), path)
    report = Report()
    with pytest.raises(SubmissionError):
        ParquetReader(path).header(report)
    assert report.kinds == {"unknown-key": 1, "duplicate-key": 1}
    assert [p.path for p in report.problems] == ["metadata zgbench, images", "columns"]


def test_a_rejection_as_json(tmp_path: Path) -> None:
    """With every problem of a submission; of any other error what it says."""
    report = Report()
    for n in range(3):
        report.add(Problem("label", "x" * 400, "a", "b", "c", image="y" * 400, segment=n))
    told = json.loads(json.dumps(rejection(SubmissionError("mine.json", report))))
    assert (told["format"], told["error"], told["exit_status"]) == ("zgbench-rejection/1", "SubmissionError", 2)
    assert told["kinds"] == {"label": 3} and told["complete"] is True
    assert [p["segment"] for p in told["problems"]] == [0, 1, 2]
    assert {len(p[key]) for p in told["problems"] for key in ("path", "image")} == {301}  # cut, with a sign that it was
    report.problems.pop()
    assert rejection(SubmissionError("mine.json", report))["complete"] is False
    plain = rejection(UsageError("no"))
    assert plain["message"] == "no" and "problems" not in plain


def test_more_run_lengths_than_a_picture_has(tmp_path: Path) -> None:
    report = Report()
    image = {"id": "a", "size": [2, 2], "segments": [{"label": "a", "counts": "1" * 10_000}]}
    check_image(image, "$", 0, "free", report)
    assert report.kinds == {"bad-rle": 1}
    assert "characters of run lengths for 1 masks of 2 × 2" in report.problems[0].expected


def test_polygons_at_their_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    square = [[0, 0, 2, 0, 2, 4, 0, 4]]
    monkeypatch.setattr(coco, "_MAX_POINTS", 3)
    with pytest.raises(InputError, match="4 points, more than 3"):
        coco.mask_of(square, "here", (4, 6))
    monkeypatch.undo()
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "faster_coco_eval":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ModelUnavailable, match=r"pip install 'zgbench\[convert\]'"):
        coco.mask_of(square, "here", (4, 6))
    with pytest.raises(InputError, match=r"expected run lengths .* or polygons .*, found 5"):
        coco.mask_of(5, "here")


def test_maps_that_cannot_be_listed_or_are_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = kinds.put(tmp_path, "a.tif", kinds.tiff(MAP.astype(np.uint8)))
    with pytest.raises(InputError, match=r"a\.tif: cannot be read \(Not a directory\)"):
        map_files.map_files(file)
    monkeypatch.setattr(map_files, "MAX_PIXELS", 23)
    with pytest.raises(InputError, match="4 × 6 pixels, more than 23"):
        map_files.read_map(file, "auto")


def test_an_archive_that_is_encrypted(tmp_path: Path) -> None:
    """Its names can be read, its arrays cannot."""
    archive = bytearray(kinds.zipped(**{"a.npy": kinds.npy(MAP)}))
    archive[6] |= 1  # the flag, in the member's header and in the directory
    archive[archive.index(b"PK\1\2") + 8] |= 1
    path = kinds.put(tmp_path, "a.npz", bytes(archive))
    with pytest.raises(InputError, match=r"a\.npz: not a readable \.npz file \(File .* is encrypted"):
        map_files.read_map(path, "auto")


def test_sizes_from_the_data(tmp_path: Path, tiny_voc: Path) -> None:
    """Polygons do not say how large the image is; the data does."""
    pytest.importorskip("faster_coco_eval", reason="draws COCO's polygons")
    source = kinds.put(tmp_path, "r.json", [kinds.result(kinds.POLYGONS, label="a plane")])
    done = zgbench.convert(source, tmp_path / "m.json", name="m", dataset="pas20", data=tiny_voc)
    (image,) = json.loads(done.path.read_text())["images"]
    assert image["size"] == [4, 6] and [s["label"] for s in image["segments"]] == ["a plane"]


@pytest.mark.parametrize(
    ("document", "options", "says"),
    [
        (oracle(), {"overlap": "order"}, "--resize and --overlap are about masks; the submission's track is oracle"),
        (sound() | LAST, {"overlap": "order"}, r"names embeddings, a row a segment: segments cannot be changed here"),
        (sound(), {"overlap": "order", "spoil": "~"}, r"segments\[0\]\.counts: bad run lengths, character 0 is b'~'"),
        (sound(), {"overlap": "order", "spoil": "0"}, r"segments\[0\]\.counts: bad run lengths, the runs sum to 0, expected 24"),
    ],
)  # fmt: skip
def test_what_convert_cannot_change(document: Any, options: dict[str, Any], says: str, tmp_path: Path) -> None:
    spoil = options.pop("spoil", None)
    if spoil is not None:
        document["images"][0]["segments"][0]["counts"] = spoil
    source = write(document, tmp_path / "mine.json")
    with pytest.raises(zgbench.ZgbenchError, match=says):
        zgbench.convert(source, tmp_path / "out.json", **options)
    assert not (tmp_path / "out.json").exists()


def test_track_oracle(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    with zgbench.SubmissionWriter(path, name="m", dataset="pas20", track="oracle") as submission:
        submission.add_oracle(VOC_IDS[0], (4, 6), {"aeroplane": "a plane", "bicycle": "a bike"})
        with pytest.raises(UsageError, match="expected a mapping from the truth's class names to labels, got list"):
            submission.add_oracle(VOC_IDS[1], (4, 6), ["a plane"])  # type: ignore[arg-type]
        with pytest.raises(UsageError, match="the submission's track is oracle; add images with add_oracle"):
            submission.add(VOC_IDS[1], MAP, BOTH)
    (image,) = json.loads(path.read_text())["images"]
    assert image["segments"] == [{"label": "a plane", "class": "aeroplane"}, {"label": "a bike", "class": "bicycle"}]


def test_embeddings_of_images_without_segments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from safetensors.numpy import load_file

    path = tmp_path / "mine.json"
    nothing = np.zeros((4, 6), int)
    with zgbench.SubmissionWriter(path, name="m", dataset="pas20") as submission:
        submission.add(VOC_IDS[0], nothing, [], embeddings=[])
        submission.add(VOC_IDS[1], MAP, BOTH, embeddings=[[1.0], [2.0]])
        submission.add(VOC_IDS[2], nothing, [], embeddings=[])
    assert load_file(tmp_path / "mine.safetensors")["embeddings"].tolist() == [[1.0], [2.0]]
    before = path.read_bytes()
    with (
        pytest.raises(UsageError, match="embeddings of width 2, earlier ones of 1"),
        zgbench.SubmissionWriter(path, name="m", dataset="pas20") as submission,
    ):
        submission.add(VOC_IDS[0], MAP, BOTH, embeddings=[[1.0], [2.0]])
        submission.add(VOC_IDS[1], MAP, BOTH, embeddings=[[1.0, 2.0], [2.0, 3.0]])
    assert path.read_bytes() == before

    def full(_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writer.SubmissionWriter, "_finish_embeddings", full)
    with (
        pytest.raises(
            zgbench.ZgbenchError, match=r"cannot write .*mine\.json: No space left on device\. Free some space"
        ),
        zgbench.SubmissionWriter(path, name="n", dataset="pas20") as submission,
    ):
        submission.add(VOC_IDS[0], MAP, BOTH, embeddings=[[1.0], [2.0]])
    assert path.read_bytes() == before and sorted(p.name for p in tmp_path.iterdir()) == [
        "mine.json",
        "mine.safetensors",
    ]


def test_the_truth_s_sizes_where_they_are_known(tmp_path: Path, tiny_voc: Path) -> None:
    """mini brings its own; an image that the data at hand lacks keeps its size, but cannot be resized."""
    image_id = open_dataset("mini").ids[0]
    size = open_dataset("mini").source.truth(image_id).size
    with pytest.warns(UserWarning, match=rf"resized .* 4 × 6 → {size[0]} × {size[1]}"):  # noqa: SIM117
        with zgbench.SubmissionWriter(tmp_path / "m.json", name="m", dataset="mini") as submission:
            submission.add(image_id, MAP, BOTH, resize=True)
    (tiny_voc / "VOCdevkit/VOC2012/SegmentationClass" / f"{VOC_IDS[2]}.png").unlink()
    with zgbench.SubmissionWriter(tmp_path / "m.json", name="m", dataset="pas20", data=tiny_voc) as submission:
        submission.add(VOC_IDS[2], np.ones((2, 2), int), ["a"])
        with pytest.raises(InputError, match=VOC_IDS[2]):
            submission.add(VOC_IDS[2], np.ones((2, 2), int), ["a"], resize=True)
    (image,) = json.loads((tmp_path / "m.json").read_text())["images"]
    assert image["size"] == [2, 2]


def test_gzip_is_packed(tmp_path: Path) -> None:
    with zgbench.SubmissionWriter(tmp_path / "m.json.gz", name="m", dataset="pas20") as submission:
        submission.add(VOC_IDS[0], MAP, BOTH)
    assert json.loads(gzip.decompress((tmp_path / "m.json.gz").read_bytes()))["images"][0]["id"] == VOC_IDS[0]
