"""What the room of pixels refuses, and how it says so: images out of place, workers that die, counts that contradict."""

from __future__ import annotations

import importlib.util
import json
import sys
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import zgbench.pixels
import zgbench.submission
from tests.conftest import VOC_IDS
from tests.pixels.test_counts import drawn, equal
from tests.submission.sample import oracle, sound, write
from zgbench.datasets import open_dataset
from zgbench.datasets.truth import Truth, table
from zgbench.errors import DataError, InternalError
from zgbench.pixels import counts_file, joint_histograms, pixel_pass
from zgbench.pixels.collect import check_alone, collect
from zgbench.submission import rle
from zgbench.submission.json_reader import JsonReader
from zgbench.submission.problems import Report, SubmissionError

Document = dict[str, Any]


def collected(document: Document, data: Path, path: Path, **how: Any) -> Any:
    reader, report = JsonReader(write(document, path / "mine.json")), Report()
    header = reader.header(report)
    assert header is not None
    return collect(reader, header, open_dataset("pas20", data, subset=how.pop("subset", None)), report, **how)


def test_images_outside_of_a_subset_are_passed_over(tiny_voc: Path, tmp_path: Path) -> None:
    """Their segments stay counted, as embeddings have a row for each."""
    found = collected(sound(), tiny_voc, tmp_path, subset="first:1")
    assert found.ids == VOC_IDS[:1] and len(found.labels) == 2 and found.submitted == 4


def test_none_of_the_images_that_are_asked_for(tiny_voc: Path, tmp_path: Path) -> None:
    document = sound()
    del document["images"][0]
    with pytest.raises(SubmissionError, match=r"\[missing-images\] \$\.images: expected images of pas20 .*; found none\. Add images"):  # fmt: skip
        collected(document, tiny_voc, tmp_path, subset="first:1", partial=True)


@pytest.mark.parametrize("track", ["free", "oracle"])
def test_without_the_data(track: str, tmp_path: Path) -> None:
    """An image that stands there twice, a stranger, bad masks (of track free) and what is missing: each is told once."""
    document = sound() if track == "free" else oracle()
    first, second, third = document["images"]
    if track == "free":
        second["segments"][0]["counts"] = "~"
    document["images"] = [first, second, first, third | {"id": "stranger"}]
    reader, report = JsonReader(write(document, tmp_path / "mine.json")), Report()
    header, steps = reader.header(report), list[int]()
    assert header is not None
    assert check_alone(reader, header, frozenset(VOC_IDS), report, progress=steps.append) == 3
    assert steps == [1] * 4
    kinds = {"duplicate-id": 1, "unknown-image": 1, "missing-images": 1}
    assert report.kinds == (kinds | {"bad-rle": 1} if track == "free" else kinds)
    assert [p.image for p in report.problems if p.kind == "duplicate-id"] == [VOC_IDS[0]]


def test_a_size_that_is_not_the_truth_s_on_track_oracle(tiny_voc: Path, tmp_path: Path) -> None:
    document = oracle()
    document["images"][1]["size"] = [6, 4]
    with pytest.raises(SubmissionError, match=rf"\[wrong-size\] image '{VOC_IDS[1]}' .*expected \[4, 6\] \(height, width of the truth\); found \[6, 4\]"):  # fmt: skip
        collected(document, tiny_voc, tmp_path)


def test_a_truth_with_an_undefined_value_names_its_image(tiny_voc: Path, tmp_path: Path) -> None:
    dataset = open_dataset("pas20", tiny_voc)

    class Damaged:
        def truth(self, image_id: str) -> Truth:
            pixels = np.full((4, 6), 7 if image_id == VOC_IDS[1] else 1, np.uint8)
            return Truth(pixels, table({1: 1}, background=0))

    reader, report = JsonReader(write(sound(), tmp_path / "mine.json")), Report()
    header = reader.header(report)
    assert header is not None
    images = list(reader.images(header, report))
    with pytest.raises(DataError, match=rf"{VOC_IDS[1]}: the truth holds the value 7, .*zgbench datasets check"):
        list(pixel_pass.count_all(images, Damaged(), dataset.vocabulary))  # type: ignore[arg-type]


class Pool:
    """Stands in for processes: a batch is counted when its result is asked for."""

    most, dies = 0, False

    def __init__(self, workers: int, initializer: Any, initargs: Any, **_: Any) -> None:
        self.left = 0
        initializer(*initargs)
        Pool.most = 0

    def submit(self, task: Any, batch: Any) -> Any:
        pool = self
        pool.left += 1
        Pool.most = max(Pool.most, pool.left)

        class Later(Future):  # type: ignore[type-arg]
            def result(self, timeout: float | None = None) -> Any:
                pool.left -= 1
                if Pool.dies:
                    raise BrokenProcessPool("killed")
                return task(batch)

        return Later()

    def shutdown(self, **_: Any) -> None:
        assert not self.left or Pool.dies


@pytest.mark.parametrize("dies", [False, True])
def test_workers(dies: bool, tiny_voc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bounded number of batches is in flight, in order; of a worker that was killed the likely cause is told."""
    document = sound()
    document["images"] = [document["images"][k % 3] | {"id": VOC_IDS[k % 3]} for k in range(30)]
    dataset, reader = open_dataset("pas20", tiny_voc), JsonReader(write(document, tmp_path / "mine.json"))
    header = reader.header(Report())
    assert header is not None
    images, steps = list(reader.images(header, Report())), list[int]()
    monkeypatch.setattr(pixel_pass, "BATCH", 2)
    monkeypatch.setattr(pixel_pass, "ProcessPoolExecutor", Pool)
    monkeypatch.setattr(pixel_pass, "begin_worker", lambda: None)
    monkeypatch.setattr(Pool, "dies", dies)
    counting = pixel_pass.count_all(images, dataset.source, dataset.vocabulary, workers=2, progress=steps.append)
    if dies:
        with pytest.raises(InternalError, match=r"a worker process was killed .*Nothing was written\. .*--workers 1"):
            list(counting)
        return
    found = list(counting)
    alone = list(pixel_pass.count_all(images, dataset.source, dataset.vocabulary))
    assert [o.id for o in found if isinstance(o, pixel_pass.ImageCounts)] == [image.id for image in images]
    for one, other in zip(found, alone, strict=True):
        assert isinstance(one, pixel_pass.ImageCounts) and isinstance(other, pixel_pass.ImageCounts)
        assert one.pixels.tolist() == other.pixels.tolist() and one.segments.tolist() == other.segments.tolist()
    assert steps == [2] * 15 and Pool.most == 3 * 2 + 1


def test_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that this process may use; all of them where a system does not say."""
    monkeypatch.setattr(pixel_pass.os, "sched_getaffinity", lambda _: {3, 5}, raising=False)
    assert pixel_pass.default_workers() == 2
    monkeypatch.delattr(pixel_pass.os, "sched_getaffinity")
    monkeypatch.setattr(pixel_pass.os, "cpu_count", lambda: 7)
    assert pixel_pass.default_workers() == 7
    monkeypatch.setattr(pixel_pass.os, "cpu_count", lambda: None)
    assert pixel_pass.default_workers() == 1


@pytest.mark.parametrize(
    ("module", "kernel", "room"), [(rle, "_runs", zgbench.submission), (joint_histograms, "_tally", zgbench.pixels)]
)
def test_where_no_compiler_was(
    module: ModuleType, kernel: str, room: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The module is imported anew, with a kernel that cannot be: it counts by numpy."""
    monkeypatch.delattr(room, kernel, raising=False)
    monkeypatch.setitem(sys.modules, f"{room.__name__}.{kernel}", None)  # type: ignore[arg-type]
    spec = importlib.util.spec_from_file_location(f"{module.__name__}_anew", str(module.__file__))
    assert spec is not None and spec.loader is not None
    anew = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, anew)
    spec.loader.exec_module(anew)
    assert anew._kernel is None
    if module is rle:
        assert anew.parse([b"042", b"~"]).counts.tolist() == [0, 4, 2]
        assert list(anew.parse([b"042", b"~"]).errors) == [1]
    else:
        assert anew.joint_counts([], None) == []


def test_counts_as_people_and_embeddings_see_them() -> None:
    counts = drawn(np.random.RandomState(0), 30, 4)
    n = len(counts.labels)
    assert repr(counts) == f"<Counts of 30 images, {n} segments: {len(counts.pixels)} entries>"
    image = counts.owner.tolist()
    expected = [int(counts.first[i]) + k - int(counts.offsets[i]) for k, i in enumerate(image)]
    assert counts.rows.tolist() == expected


def test_what_a_stats_file_was_made_from(tmp_path: Path) -> None:
    counts, path = drawn(np.random.RandomState(0), 30, 4), tmp_path / "x.stats.parquet"
    counts_file.save(counts, path, {"submission": "abc"})
    assert counts_file.about(path) == {
        "format": counts_file.FORMAT, "submitted": 10_000, "submission": "abc", "void": False,
    }  # fmt: skip
    with_void = zgbench.pixels.counts.Counts(**{**vars(counts), "void": np.arange(len(counts.labels), dtype=np.int32)})
    counts_file.save(with_void, path, {})
    assert counts_file.about(path) == {"format": counts_file.FORMAT, "submitted": 10_000, "void": True}
    assert equal(counts_file.load(path), with_void)
    for told in (None, {b"zgbench": b"{"}, {b"zgbench": b"[]"}, {b"zgbench": b'{"format": "zgbench-stats/0"}'}):
        pq.write_table(pa.table({"id": ["a"]}).replace_schema_metadata(told), path)
        assert counts_file.about(path) is None, told
    assert counts_file.about(tmp_path / "none.parquet") is None
    path.write_bytes(b"PAR1")
    assert counts_file.about(path) is None


def changed(path: Path, name: str, value: Any) -> None:
    """One cell of the first image's row."""
    old = pq.read_table(path)
    rows = old.to_pylist()
    rows[0][name] = value(rows[0][name])
    schema = old.schema
    if name == "pixels":  # a number may be too large for the type that zgbench writes
        schema = schema.set(schema.get_field_index(name), pa.field(name, pa.list_(pa.int64())))
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)


SPOILT: dict[str, tuple[str, Any, str]] = {
    "pixels past 32 bits": ("pixels", lambda old: [2**31, *old[1:]], "a number is out of range"),
    "pixels below −1": ("pixels", lambda old: [-2, *old[1:]], "a number is out of range"),
    "no pixel": ("pixels", lambda old: [0, *old[1:]], "contradict"),
    "a pixel too few": ("pixels", lambda old: old[1:], "contradict"),
    "void that is negative": ("void", lambda old: [-1, *old[1:]], "contradict"),
    "a void too few": ("void", lambda old: old[1:], "contradict"),
    "a segment of no label": ("segment", lambda old: [*old[:-1], 99_999], "contradict"),
    "a segment of another image": ("segment", lambda old: [*old[:-1], 8], "contradict"),
    "a class below 0": ("class", lambda old: [-1, *old[1:]], "contradict"),
    "an id twice": ("id", lambda _: "image 1", "contradict"),
    "no height": ("height", lambda _: None, "contradict"),
    "a width of 0": ("width", lambda _: 0, "contradict"),
    "a row before the first": ("first", lambda _: -1, "contradict"),
    "a row past the last": ("first", lambda _: 10_000, "contradict"),
    "a label that is none": ("labels", lambda old: [None, *old[1:]], "contradict"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_counts_that_contradict_one_another(name: str, tmp_path: Path) -> None:
    counts, path = drawn(np.random.RandomState(0), 30, 4), tmp_path / "x.stats.parquet"
    assert len(counts.labels[: counts.offsets[1]]) > 0
    void = np.arange(len(counts.labels), dtype=np.int32)
    counts_file.save(zgbench.pixels.counts.Counts(**{**vars(counts), "void": void}), path, {})
    column, value, says = SPOILT[name]
    changed(path, column, value)
    with pytest.raises(DataError, match=rf"missing or damaged \(.*{says}.*\)\. Run zgbench evaluate again"):
        counts_file.load(path)


def test_a_stats_file_that_does_not_say_how_much_was_submitted(tmp_path: Path) -> None:
    path = tmp_path / "x.stats.parquet"
    counts_file.save(drawn(np.random.RandomState(0), 30, 4), path, {})
    told = json.dumps({"format": counts_file.FORMAT})
    pq.write_table(pq.read_table(path).replace_schema_metadata({"zgbench": told}), path)
    with pytest.raises(DataError, match=r"missing or damaged .*submitted"):
        counts_file.load(path)
