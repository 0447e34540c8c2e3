"""Every kind of bad input: one complete, readable report, exit status 2, nothing written."""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import zgbench
from tests.conftest import VOC_IDS
from tests.oracle.rle import compress
from tests.submission.sample import oracle, sound, write
from zgbench.cli import main

Document = dict[str, Any]
Spoil = Callable[[Document], Any]


def put(*path: Any) -> Spoil:
    """Replace the value at a path (the last argument)."""

    def spoil(document: Document) -> None:
        *way, last, value = path
        place: Any = document
        for step in way:
            place = place[step]
        place[last] = value

    return spoil


def drop(*path: Any) -> Spoil:
    """Remove the key at a path."""

    def spoil(document: Document) -> None:
        place: Any = document
        for step in path[:-1]:
            place = place[step]
        del place[path[-1]]

    return spoil


def segment(key: str, value: Any) -> Spoil:
    return put("images", 0, "segments", 0, key, value)


def image(key: str, value: Any) -> Spoil:
    return put("images", 0, key, value)


def swap_size(d: Document) -> None:
    for item in d["images"]:
        item["size"] = [6, 4]


def again(d: Document) -> None:
    d["images"].append(copy.deepcopy(d["images"][0]))


def overlapping(d: Document) -> None:
    d["images"][0]["segments"][1]["counts"] = compress(np.arange(6)[None].repeat(4, axis=0) > 0)


FULL = compress(np.ones((4, 6), bool))
WHERE = r"image '2007_000033', segment 0 \(\$\.images\[0\]\.segments\[0\]"

# name: (what is done to a sound document, kind in the report, what the message says)
FREE: dict[str, tuple[Spoil, str, str]] = {
    "no format": (drop("format"), "missing-key", r"\$\.format: expected the key format; found no such key\. Add"),
    "no name": (drop("name"), "missing-key", r"\$\.name: expected the key name"),
    "no data set": (drop("dataset"), "missing-key", r"\$\.dataset: expected the key dataset"),
    "no images": (drop("images"), "missing-key", r"\$\.images: expected the key images"),
    "other format": (put("format", "zgbench/2"), "format", r"expected \"zgbench/1\"; found 'zgbench/2'\. Write the format of this version"),
    "unknown data set": (put("dataset", "coco"), "dataset", r"expected one of pas20, pc59, .*; found 'coco'\. Did you mean coco133\? .*give --data the folder with its dataset\.toml"),
    "data set is a list": (put("dataset", ["pas20"]), "dataset", r"found \['pas20'\]"),
    "unknown track": (put("track", "guided"), "track", r"expected free or oracle; found 'guided'"),
    "name is a number": (put("name", 7), "type", r"\$\.name: expected a text; found 7"),
    "empty name": (put("name", " "), "name", r"expected a name of 1–200 visible characters; found only blanks"),
    "long name": (put("name", "x" * 201), "name", r"found 201 characters"),
    "misspelt key": (put("datset", "pas20"), "unknown-key", r"\$\.datset.*Did you mean dataset\?"),
    "unknown method key": (put("method", "author", "me"), "unknown-key", r"\$\.method\.author"),
    "a year in words": (put("method", "year", "2023"), "card", r"method\.year: expected a whole number from 1950 to 2100"),
    "a paper that is a script": (put("method", "paper", "javascript:alert(1)"), "card", r"paper: expected an address that starts"),
    "models that are no list": (put("method", "models", "CLIP"), "card", r"models: expected a list of at most 100 texts"),
    "parameters true": (put("method", "parameters", True), "card", r"parameters: expected a whole number"),
    "bidi in the authors": (put("method", "authors", "a\u202eb"), "card", r"authors: expected a text"),
    "method is a text": (put("method", "mine"), "type", r"\$\.method: expected an object; found 'mine'"),
    "flag is a number": (put("method", "text_guidance", 1), "type", r"text_guidance: expected true or false; found 1"),
    "script for an address": (put("method", "url", "javascript:alert(1)"), "url", r"expected an address that starts with https"),
    "control in the description": (put("method", "description", "a\x1b[2Jb"), "text", r"control character U\+001B"),
    "embeddings elsewhere": (put("embeddings", "../x.safetensors"), "embeddings", r"found '\.\./x\.safetensors'\. Put the file beside"),
    "embeddings of another kind": (put("embeddings", "x.pkl"), "embeddings", r"the name of a \.safetensors file"),
    "images is an object": (put("images", {}), "type", r"\$\.images: expected a list of images; found \{\}"),
    "image is a text": (put("images", 0, "2007_000033"), "type", r"\$\.images\[0\]: expected an object with id, size and segments"),
    "unknown image key": (image("path", "x"), "unknown-key", r"only id, size and segments; found 'path'"),
    "no id": (drop("images", 0, "id"), "missing-key", r"\$\.images\[0\]\.id: expected the key id"),
    "id is a number": (image("id", 2007), "id", r"\$\.images\[0\]\.id: expected an image id.*found 2007"),
    "image with an ending": (image("id", f"JPEGImages/{VOC_IDS[0]}.jpg"), "unknown-image", r"found 'JPEGImages/2007_000033\.jpg'\. Write '2007_000033'; ids are"),
    "unknown image": (image("id", "cat.jpg"), "unknown-image", r"expected an image of pas20 val; found 'cat\.jpg'\. Remove it; ids are file names without"),
    "image that is not at hand": (image("id", "2007_000129"), "image-not-at-hand", r"one of the 3 images of the data at hand.*--partial"),
    "image twice": (again, "duplicate-id", r"\$\.images\[3\]\.id.*found '2007_000033' again"),
    "image missing": (drop("images", 1), "missing-images", r"expected all 3 images; found 1 missing: 2007_000042\. Add them.*--partial"),
    "no size": (drop("images", 0, "size"), "missing-key", r"\$\.images\[0\]\.size"),
    "size in words": (image("size", "4x6"), "size", r"expected \[height, width\], two whole numbers; found '4x6'"),
    "size of three": (image("size", [4, 6, 3]), "size", r"found \[4, 6, 3\]"),
    "size with a fraction": (image("size", [4.5, 6]), "size", r"found \[4\.5, 6\]"),
    "size of nothing": (image("size", [0, 6]), "size", r"sides of 1–65535.*found 0 × 6"),
    "size of a bomb": (image("size", [60000, 60000]), "size", r"at most 268435456 pixels; found 60000 × 60000"),
    "size swapped": (swap_size, "wrong-size", r"expected \[4, 6\] \(height, width of the truth\); found \[6, 4\]\. Height comes first"),
    "size of another scale": (image("size", [8, 12]), "wrong-size", r"found \[8, 12\]\. Resize the masks to the truth"),
    "segments is null": (image("segments", None), "type", r"segments\): expected a list; found None\. An image without segments has an empty list"),
    "too many segments": (image("segments", [{"label": "a", "counts": "0"}] * 10_001), "too-many-segments", r"at most 10000; found 10001"),
    "segment is a list": (put("images", 0, "segments", 0, []), "type", WHERE + r"\): expected an object with label and counts"),
    "unknown segment key": (segment("score", 0.5), "unknown-key", WHERE + r"\.score\): expected only label and counts"),
    "class in the free track": (segment("class", "dog"), "unknown-key", r"Track free wants counts"),
    "no label": (drop("images", 0, "segments", 0, "label"), "missing-key", WHERE + r"\.label\)"),
    "label is null": (segment("label", None), "type", r"expected a text; found None"),
    "empty label": (segment("label", ""), "label", WHERE + r"\.label\): expected 1–200 visible characters; found an empty text"),
    "blank label": (segment("label", "  "), "label", r"found only blanks"),
    "long label": (segment("label", "a" * 201), "label", r"found 201 characters"),
    "control in a label": (segment("label", "cat\x00"), "label", r"control character U\+0000 at position 3"),
    "newline in a label": (segment("label", "cat\ndog"), "label", r"control character U\+000A"),
    "bidi in a label": (segment("label", "cat\u202egod"), "label", r"bidirectional control character U\+202E"),
    "half a surrogate": (segment("label", "\ud800"), "label", r"unpaired surrogate character U\+D800"),
    "no mask": (drop("images", 0, "segments", 0, "counts"), "missing-key", WHERE + r"\.counts\)"),
    "uncompressed mask": (segment("counts", [0, 24]), "type", r"expected a text; found \[0, 24\]\. Uncompressed RLE"),
    "empty mask text": (segment("counts", ""), "bad-rle", r"expected COCO compressed RLE; found the text is empty"),
    "mask with a stranger": (segment("counts", "0~0"), "bad-rle", r"character 1 is b'~', outside '0'…'o'"),
    "mask cut short": (segment("counts", "0h"), "bad-rle", r"the text ends in the middle of a number"),
    "negative run": (segment("counts", "0O"), "bad-rle", r"run 1 has a negative length \(-1\)"),
    "number past all bounds": (segment("counts", "ooooooooo0"), "bad-rle", r"too large for any picture"),
    "mask of another size": (segment("counts", "0:"), "bad-rle", r"expected runs that sum to 4 × 6 = 24; found a sum of 10"),
    "empty segment": (segment("counts", "h0"), "empty-segment", r"expected a segment of at least one pixel; found none\. Leave the segment out"),
    "overlap": (overlapping, "overlap", r"segment 1 .*expected each pixel in at most one segment; found 4 pixels in more than one \(segment 1 shares at least 4 with segment 0\).*--overlap order or smallest"),
}  # fmt: skip

ORACLE: dict[str, tuple[Spoil, str, str]] = {
    "mask in the oracle track": (segment("counts", FULL), "unknown-key", r"Track oracle wants class"),
    "no such class": (
        segment("class", "unicorn"),
        "class",
        r"expected a class that this image's truth shows: aeroplane, bicycle; found 'unicorn'",
    ),
    "class that the image lacks": (
        segment("class", "train"),
        "class",
        r"found 'train'\. Name each truth segment by its class",
    ),
    "class twice": (segment("class", "bicycle"), "duplicate-class", r"'bicycle'"),
}


def rejected(path: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The report of ``validate`` and ``evaluate``: exit 2, nothing on stdout, no traceback, nothing written."""
    before = sorted(p.name for p in path.parent.iterdir())
    reports = []
    for command in (
        ["validate"],
        ["evaluate", "--protocol", "offline", "--reassign", "tt", "--out", str(path.parent / "out")],
    ):
        status = main([command[0], str(path), "--data", str(data), "--workers", "1", *command[1:]])
        printed = capsys.readouterr()
        assert status == 2
        assert printed.out == ""
        assert "Traceback" not in printed.err
        reports.append(printed.err)
    assert sorted(p.name for p in path.parent.iterdir()) == before
    assert reports[0] == reports[1]
    return reports[0]


@pytest.mark.parametrize("name", [*FREE, *ORACLE])
def test_spoilt_json(name: str, tmp_path: Path, tiny_voc: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import re

    document = sound() if name in FREE else oracle()
    spoil, kind, message = (FREE | ORACLE)[name]
    spoil(document)
    report = rejected(write(document, tmp_path / "mine.json"), tiny_voc, capsys)
    assert f"[{kind}]" in report
    assert re.search(message, report), report


def test_there_are_enough_kinds() -> None:
    assert len(FREE) + len(ORACLE) >= 60
    assert len({kind for _, kind, _ in (FREE | ORACLE).values()}) >= 20


@pytest.mark.parametrize("document", [sound(), oracle()], ids=["free", "oracle"])
@pytest.mark.parametrize("suffix", [".json", ".json.gz", ".parquet"])
def test_the_sound_ones_are_accepted(document: Document, suffix: str, tmp_path: Path, tiny_voc: Path) -> None:
    path = write(document, tmp_path / "mine.json")
    if suffix != ".json":
        path = zgbench.convert(path, tmp_path / f"other{suffix}").path
    assert zgbench.validate(path, data=tiny_voc).images == 3


def test_all_problems_in_one_report(tmp_path: Path, tiny_voc: Path) -> None:
    document = sound()
    document["images"][0]["segments"][0]["label"] = ""
    document["images"][0]["id"] = "nowhere"
    document["images"][1]["segments"][1]["counts"] = "0:"
    document["name"] = ""
    document["nmae"] = "x"
    with pytest.raises(zgbench.SubmissionError) as caught:
        zgbench.validate(write(document, tmp_path / "mine.json"), data=tiny_voc)
    kinds = caught.value.report.kinds
    assert {"label", "bad-rle", "name", "unknown-key", "missing-images"} <= set(kinds)
    assert str(caught.value).splitlines()[0].endswith(f"rejected, {kinds.total()} problems")


def test_a_report_is_capped(tmp_path: Path, tiny_voc: Path) -> None:
    document = sound()
    document["images"] = [document["images"][0] | {"id": f"no{i}"} for i in range(3000)]
    with pytest.raises(zgbench.SubmissionError) as caught:
        zgbench.validate(write(document, tmp_path / "mine.json"), data=tiny_voc)
    lines = str(caught.value).splitlines()
    assert len(lines) < 60
    assert "by kind: unknown-image × 1000" in lines[-2]
    assert "stopped after 1000" in lines[-1]


RAW: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "not valid JSON"),
    "text": (b"hello", "not valid JSON"),
    "a list": (b"[]", "expected a JSON object at the top"),
    "NaN": (json.dumps(sound()).replace("[4, 6]", "[NaN, 6]", 1).encode(), "NaN and Infinity are not JSON"),
    "infinity": (json.dumps(sound()).replace("[4, 6]", "[1e999, 6]", 1).encode(), r"\[size\]|not valid JSON"),
    "cut": (json.dumps(sound()).encode()[:-30], "not valid JSON"),
    "two objects": (json.dumps(sound()).encode() * 2, "not valid JSON"),
    "not UTF-8": (json.dumps(sound()).replace("plane", "pl\xe9ne", 1).encode("latin-1").replace(b"\\u00e9", b"\xe9"), "not valid JSON|UTF-8"),
    "nested": (json.dumps(sound()).replace("[4, 6]", "[" * 500 + "]" * 500, 1).encode(), "nested more than"),
    "duplicate key at the top": (json.dumps(sound()).replace('"name"', '"name": "x", "name"', 1).encode(), r"\[duplicate-key\] \$\.name: expected each key once; found 'name' twice"),
    "duplicate key in the method": (json.dumps(sound()).replace('"url"', '"url": "", "url"', 1).encode(), r"\[duplicate-key\] \$\.method\.url"),
    "duplicate key in an image": (json.dumps(sound()).replace('"id"', '"id": "x", "id"', 1).encode(), r"\[duplicate-key\] \$\.images\[0\]\.id"),
    "duplicate key in a segment": (json.dumps(sound()).replace('"label"', '"label": "x", "label"', 1).encode(), r"\[duplicate-key\] \$\.images\[0\]\.segments\[0\]\.label"),
    "images twice": (json.dumps(sound()).replace('"images"', '"images": [], "images"', 1).encode(), r"\[duplicate-key\] \$\.images"),
}  # fmt: skip


@pytest.mark.parametrize("name", RAW)
def test_spoilt_bytes(name: str, tmp_path: Path, tiny_voc: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import re

    content, message = RAW[name]
    (tmp_path / "mine.json").write_bytes(content)
    report = rejected(tmp_path / "mine.json", tiny_voc, capsys)
    assert re.search(message, report), report


@pytest.mark.parametrize("damage", ["not gzip", "cut", "wrong sum"])
def test_spoilt_gzip(damage: str, tmp_path: Path, tiny_voc: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = gzip.compress(json.dumps(sound()).encode())
    content = {"not gzip": b"{}", "cut": whole[:-40], "wrong sum": whole[:-8] + b"\0" * 8}[damage]
    (tmp_path / "mine.json.gz").write_bytes(content)
    assert "gzip data is damaged" in rejected(tmp_path / "mine.json.gz", tiny_voc, capsys)


def table(**changes: Any) -> pa.Table:
    """The sound submission as a Parquet table, some columns replaced (None: left out)."""
    rows = [
        (i["id"], *i["size"], s["label"], s["counts"])
        for i in sound()["images"]
        for s in i["segments"] or [{"label": None, "counts": None}]
    ]
    columns: dict[str, Any] = dict(
        zip(("image_id", "height", "width", "label", "counts"), map(list, zip(*rows, strict=True)), strict=True)
    )
    columns |= changes
    head = {k: v for k, v in sound().items() if k != "images"}
    return pa.table({k: v for k, v in columns.items() if v is not None}).replace_schema_metadata(
        {"zgbench": json.dumps(head)}
    )


IDS = [VOC_IDS[0]] * 2 + [VOC_IDS[1]] * 2 + [VOC_IDS[2]]
LABELS = ["plane", "bicycle", "plane", "bicycle", None]

PARQUET: dict[str, tuple[pa.Table, str]] = {
    "no metadata": (table().replace_schema_metadata({}), "metadata holds no key 'zgbench'"),
    "bad metadata": (table().replace_schema_metadata({"zgbench": "{"}), "'zgbench' is not valid JSON"),
    "list for metadata": (table().replace_schema_metadata({"zgbench": "[]"}), "should be a JSON object"),
    "duplicate in metadata": (table().replace_schema_metadata({"zgbench": '{"name": "a", "name": "b"}'}), r"\[duplicate-key\] metadata zgbench, name"),
    "missing column": (table(counts=None), r"\[missing-key\] column counts: expected the columns image_id, height, width, label, counts"),
    "extra column": (table(score=[0.5] * 5), r"\[unknown-key\] column score"),
    "sizes differ": (table(height=[4, 5, 4, 4, 4]), r"\[size\] rows 0–1|one height and width an image"),
    "id is a number": (table(image_id=[1, 1, 2, 2, 3]), r"\[id\]|\[type\]"),
    "null label": (table(label=[None, "b", "c", "d", None]), r"\[type\].*expected a text; found None"),
    "image in two places": (table(image_id=[IDS[0], IDS[2], IDS[0], IDS[2], IDS[4]]), r"\[duplicate-id\]"),
    "bad mask": (table(counts=["0:", *table()["counts"].to_pylist()[1:]]), r"image '2007_000033', segment 0 \(rows 0–1, segment 0\.counts\): expected runs that sum to 4 × 6 = 24; found a sum of 10"),
    "bad label": (table(label=["a\x07", *LABELS[1:]]), r"control character U\+0007"),
}  # fmt: skip


@pytest.mark.parametrize("name", PARQUET)
def test_spoilt_parquet(name: str, tmp_path: Path, tiny_voc: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import re

    content, message = PARQUET[name]
    pq.write_table(content, tmp_path / "mine.parquet")
    report = rejected(tmp_path / "mine.parquet", tiny_voc, capsys)
    assert re.search(message, report), report


@pytest.mark.parametrize("damage", ["text", "cut", "flipped"])
def test_damaged_parquet(damage: str, tmp_path: Path, tiny_voc: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.parquet"
    pq.write_table(table(), path, use_dictionary=False, compression="none", write_page_checksum=True)
    whole = bytearray(path.read_bytes())
    if damage == "flipped":
        at = bytes(whole).index(b"bicycle")
        whole[at - 8 : at] = b"\xff" * 8
    path.write_bytes({"text": b"no parquet", "cut": bytes(whole[:-20]), "flipped": bytes(whole)}[damage])
    report = rejected(path, tiny_voc, capsys)
    assert "mine.parquet" in report


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (None, "there is no such file, though the submission names it"),
        (np.zeros((3, 8), np.float32), r"expected shape \[4, d\]"),
        (np.ones(4, np.float32), r"expected shape \[4, d\]"),
        (np.ones((4, 8), np.int64), "expected bfloat16, float16, float32 or float64"),
        (np.full((4, 8), np.nan, np.float32), "NaN or infinity in row 0"),
        (np.zeros((4, 8), np.float32), "all zeros in row 0"),
    ],
    ids=["missing", "rows", "shape", "type", "nan", "zero"],
)
def test_spoilt_embeddings(tensor: Any, message: str, tmp_path: Path, tiny_voc: Path) -> None:
    from safetensors.numpy import save_file

    if tensor is not None:
        save_file({"embeddings": tensor}, str(tmp_path / "mine.safetensors"))
    path = write(sound() | {"embeddings": "mine.safetensors"}, tmp_path / "mine.json")
    with pytest.raises(zgbench.InputError, match=message):
        zgbench.validate(path, data=tiny_voc)


def test_wrong_names_of_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(tmp_path / "none.json")]) == 2
    assert "there is no such file" in capsys.readouterr().err
    (tmp_path / "mine.txt").write_text("{}")
    assert main(["validate", str(tmp_path / "mine.txt")]) == 2
    assert "ends in .json, .json.gz, .parquet" in capsys.readouterr().err
    (tmp_path / "dir.json").mkdir()
    assert main(["validate", str(tmp_path / "dir.json")]) == 2


def test_without_data_all_but_the_truth_is_checked(tmp_path: Path) -> None:
    document = sound()
    document["images"][0]["segments"][0]["counts"] = "0:"
    with pytest.raises(zgbench.SubmissionError) as caught:
        zgbench.validate(write(document, tmp_path / "mine.json"))
    assert dict(caught.value.report.kinds) == {"bad-rle": 1, "missing-images": 1}  # 1,446 of the official split
    found = zgbench.validate(write(sound(), tmp_path / "mine.json"), partial=True)
    assert (found.images, found.against_truth) == (3, False)


def test_a_byte_order_mark_is_no_part_of_a_submission(tmp_path: Path, tiny_voc: Path) -> None:
    path = write(sound(), tmp_path / "m.json")
    content = path.read_bytes()
    for name, data in (("m.json", b"\xef\xbb\xbf" + content), ("m.json.gz", gzip.compress(b"\xef\xbb\xbf" + content))):
        (tmp_path / name).write_bytes(data)
        assert zgbench.validate(tmp_path / name, data=tiny_voc).images == 3
        assert zgbench.convert(tmp_path / name, tmp_path / "n.json").images == 3
    path.write_text(content.decode(), encoding="utf-16")
    with pytest.raises(zgbench.InputError, match="the text is UTF-16"):
        zgbench.validate(path, data=tiny_voc)


def test_convert_mends_overlaps_and_sizes_of_a_submission(tmp_path: Path, tiny_voc: Path) -> None:
    document = sound()
    overlapping(document)
    path = write(document, tmp_path / "m.json")
    with pytest.raises(zgbench.SubmissionError, match="zgbench convert IN OUT --overlap order or smallest"):
        zgbench.validate(path, data=tiny_voc)
    for overlap in ("order", "smallest"):
        done = zgbench.convert(path, tmp_path / "n.json", overlap=overlap)  # type: ignore[arg-type]
        assert zgbench.validate(done.path, data=tiny_voc).images == 3
    small = sound()
    small["images"] = [
        {"id": VOC_IDS[0], "size": [2, 3], "segments": [{"label": "a", "counts": compress(np.eye(2, 3) > 0)}]}
    ]
    done = zgbench.convert(write(small, path), tmp_path / "n.json", resize="nearest", data=tiny_voc)
    assert json.loads(done.path.read_text())["images"][0]["size"] == [4, 6]
    assert done.notes == (
        f"1 images were resized to the truth's size, nearest neighbour ({VOC_IDS[0]}: 2 × 3 → 4 × 6).",
    )
