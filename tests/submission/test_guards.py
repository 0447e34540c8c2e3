"""Bounds on what a stranger's file may cost, where they are set: spans of a Parquet file, long texts in JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import zgbench
from tests.submission.sample import sound, write
from zgbench.datasets import open_dataset
from zgbench.datasets.catalogue import SPECS
from zgbench.datasets.opening import split_ids
from zgbench.pixels import ray_engine
from zgbench.pixels.outcome_blocks import unpack
from zgbench.submission import json_reader, parquet_guard, parquet_reader
from zgbench.submission.parquet_reader import ParquetReader
from zgbench.submission.problems import Report
from zgbench.submission.schema import MAX_DESCRIPTION, MAX_SEGMENTS, MAX_SIDE, check_image


def parquet(path: Path, columns: dict[str, Any], rows: int) -> Path:
    head = {key: value for key, value in sound().items() if key != "images"} | {"dataset": "mini"}
    table = pa.table(columns).replace_schema_metadata({"zgbench": json.dumps(head)})
    pq.write_table(table, path, row_group_size=rows)
    return path


def many_rows(path: Path) -> Path:
    """One image of more segments than there may be, in row groups small enough each."""
    n = MAX_SEGMENTS + 1
    columns = {"image_id": ["mini_000"] * n, "height": [4] * n, "width": [6] * n, "label": ["a"] * n, "counts": ["0"] * n}  # fmt: skip
    return parquet(path, columns, 4000)


def much_text(path: Path) -> Path:
    """One text of 1 MiB, once in the file and in 300 rows."""
    label = pa.DictionaryArray.from_arrays(pa.array([0] * 300, pa.int32()), pa.array(["x" * (1 << 20)]))
    columns = {"image_id": [f"i{k}" for k in range(300)], "height": [4] * 300, "width": [6] * 300, "label": label}
    return parquet(path, columns | {"counts": ["0"] * 300}, 300)


@pytest.mark.parametrize(
    ("make", "says"), [(many_rows, "more than 10000 segments"), (much_text, "more than 256 MiB of text")]
)
def test_a_span_is_guarded_as_the_whole_file(make: Any, says: str, tmp_path: Path) -> None:
    """On a cluster, each task reads a span of its own."""
    reader = ParquetReader(make(tmp_path / "mine.parquet"))
    header = reader.header(Report())
    assert header is not None
    with pytest.raises(zgbench.InputError, match=says):
        list(reader.images(header, Report()))
    spans = reader.spans(1)
    with pytest.raises(zgbench.InputError, match=says):
        list(reader.images(header, Report(), spans[0]))
    dataset = open_dataset("mini", subset="first:2")
    task = ray_engine.CountSpan(reader, header, dataset, frozenset(dataset.ids), reader.path.stat().st_size)
    *_, last = unpack(task.counted(pa.table({"part": [0], "start": [spans[0].start], "stop": [spans[0].stop]})))
    assert type(last.error) is zgbench.InputError and says in str(last.error)


def test_as_many_segments_as_there_may_be(tmp_path: Path) -> None:
    group = [{"image_id": "a"}] * MAX_SEGMENTS
    parquet_guard.check_group(group)
    with pytest.raises(parquet_guard.TooMuch):
        parquet_guard.check_group([*group, group[0]])


def test_a_row_group_that_unpacks_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Judged by what the file says of itself, before it is unpacked."""
    columns = {"image_id": ["a"], "height": [4], "width": [6], "label": ["a"], "counts": ["0"]}
    reader = ParquetReader(parquet(tmp_path / "mine.parquet", columns, 1))
    header = reader.header(Report())
    assert header is not None
    assert len(list(reader.images(header, Report()))) == 1
    monkeypatch.setattr(parquet_reader, "MAX_ROW_GROUP_BYTES", 100)
    for read in (lambda: list(reader.images(header, Report())), lambda: reader.spans(1)):
        with pytest.raises(
            zgbench.InputError, match=r"row group 0 unpacks to \d+ bytes, more than 100\. Write smaller"
        ):
            read()


def test_a_file_that_unpacks_to_much_more_than_it_has() -> None:
    parquet_guard.check_unpacked(128 << 20, 100)
    parquet_guard.check_unpacked(200 << 20, 1 << 20)
    for size, packed in (((128 << 20) + 1, 100), ((200 << 20) + 1, 1 << 20)):
        with pytest.raises(parquet_guard.TooMuch, match="more than 200 times its size"):
            parquet_guard.check_unpacked(size, packed)


@pytest.mark.parametrize(("length", "found"), [(MAX_DESCRIPTION, 0), (MAX_DESCRIPTION + 1, 1)])
def test_a_description_of_a_method(length: int, found: int, tmp_path: Path) -> None:
    report, document = Report(), sound() | {"method": {"description": "x" * length}}
    json_reader.JsonReader(write(document, tmp_path / "mine.json")).header(report)
    assert report.kinds.total() == found


@pytest.mark.parametrize(("size", "found"), [([1, MAX_SIDE], 0), ([1, MAX_SIDE + 1], 1), ([1 << 14, 1 << 14], 0), ([1 << 14, (1 << 14) + 1], 1)])  # fmt: skip
def test_sizes_that_an_image_may_claim(size: list[int], found: int) -> None:
    report = Report()
    check_image({"id": "a", "size": size, "segments": []}, "$", 0, "free", report)
    assert report.kinds.total() == found


def test_a_long_list_of_image_ids(tmp_path: Path) -> None:
    place = tmp_path / str(SPECS["pas20"].split_list)
    place.parent.mkdir(parents=True)
    with place.open("wb") as file:
        file.truncate((16 << 20) + 1)
    with pytest.raises(zgbench.DataError, match=r"more than 16 MiB\. Restore"):
        split_ids(SPECS["pas20"], tmp_path, [])


@pytest.mark.parametrize("change", ["column", "type"])
def test_a_file_replaced_between_header_and_rows(change: str, tmp_path: Path) -> None:
    """Its columns were checked with its header."""
    sound_columns: dict[str, Any] = {"image_id": ["a"], "height": [4], "width": [6], "label": ["a"], "counts": ["0"]}
    reader = ParquetReader(parquet(tmp_path / "mine.parquet", sound_columns, 1))
    header, report = reader.header(Report()), Report()
    assert header is not None
    if change == "column":
        parquet(reader.path, {("class" if k == "counts" else k): v for k, v in sound_columns.items()}, 1)
        with pytest.raises(zgbench.InputError, match="changed while it was being read"):
            list(reader.images(header, report))
    else:
        parquet(reader.path, sound_columns | {"label": [[1, 2]], "height": ["tall"]}, 1)
        assert list(reader.images(header, report)) == []
        assert report.kinds


@pytest.mark.parametrize("mebibytes", [4, 16])
def test_a_long_text_is_read_in_few_steps(mebibytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ijson goes through an unfinished text again with every chunk: chunks of one size made 200 passes of 50 MiB."""
    document = sound()
    document["images"][0]["segments"][0]["label"] = "x" * (mebibytes << 20)
    reader = json_reader.JsonReader(write(document, tmp_path / "mine.json"))
    asked: list[int] = []
    read = json_reader._Limited.read

    def counted(self: Any, size: int = -1) -> bytes:
        data = read(self, size)
        asked.append(len(data))
        return data

    header = reader.header(Report())
    assert header is not None
    reader._parser()
    monkeypatch.setattr(json_reader._Limited, "read", counted)
    report = Report()
    assert len(list(reader.images(header, report))) == 2
    assert report.kinds == {"label": 1}
    assert sum(asked) == reader.path.stat().st_size
    assert len(asked) < 40
    assert max(asked) <= 4 << 20
