"""The parts of ``--engine ray`` without a cluster: a file in spans, the order of problems, tables of outcomes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import zgbench
from tests.conftest import HashedText
from tests.submission.parquet_sample import IMAGES, report_of, rewritten, spoilt
from zgbench.datasets import Dataset
from zgbench.errors import UsageError
from zgbench.pixels import ray_engine
from zgbench.pixels.counts import ImageCounts
from zgbench.pixels.outcome_blocks import Found, pack, unpack
from zgbench.pixels.pixel_pass import Rejected
from zgbench.submission.parquet_reader import ParquetReader
from zgbench.submission.problems import Problem, Report


@pytest.mark.parametrize("rows", [1, 2, 7, 30, 1000])
@pytest.mark.parametrize("span", [1, 25])
def test_parts_of_a_file_are_the_file(submission: Path, tmp_path: Path, rows: int, span: int) -> None:
    """Also where an image lies in several row groups, or in spans of its own."""
    path = rewritten(submission, tmp_path / "cut.parquet", rows)
    reader, report = ParquetReader(path), Report()
    header = reader.header(report)
    assert header is not None
    whole = list(reader.images(header, report))
    assert len(whole) == IMAGES
    spans = reader.spans(span)
    assert [s.start for s in spans[1:]] == [s.stop for s in spans[:-1]] and spans[0].start == 0
    parts, first = [], 0
    for one in spans:
        for image in reader.images(header, report, one):
            parts.append(replace(image, first=first))
            first += len(image.labels)
    assert parts == whole and not report.kinds


@pytest.mark.parametrize("name", ["repeat", "mixed", "hopeless"])
def test_the_order_of_problems_is_the_file_s(submission: Path, tmp_path: Path, dataset: Dataset, name: str) -> None:
    path = spoilt(submission, tmp_path)[name]
    reader, report = ParquetReader(path), Report()
    header = reader.header(report)
    assert header is not None
    task = ray_engine.CountSpan(reader, header, dataset, frozenset(dataset.ids), path.stat().st_size)

    def in_parts(gate: Any) -> Iterator[Any]:
        for n, span in enumerate(reader.spans(1)):
            spans = pa.table({"part": [n], "start": [span.start], "stop": [span.stop]})
            yield from ray_engine._admitted(unpack(task.counted(spans)), gate)

    alone = report_of(path, dataset)
    assert alone == report_of(path, dataset, outcomes=in_parts)
    if name == "mixed":
        for kind in ("bad-rle", "label", "size", "overlap", "unknown-image", "missing-images"):
            assert f"[{kind}]" in alone, alone


def test_outcomes_as_a_table() -> None:
    three = pa.array([1, 2, 3], pa.int32()).to_numpy()
    counted = ImageCounts("b", (3, 4), ["x", "y"], [1, 2], three, three, three, void=np.array([0, 5], dtype=np.int32))
    bad = Rejected([Problem("kind", "$", "a", "b", "c", "image", 3), Problem("k", "$", "a", "b", "c")])
    found = [
        Found(outcome=bad), Found("a", "$[0]", 4), Found("b", "$[1]", 2, counted), Found("c", "$[2]", 1, bad),
        Found(error=zgbench.DataError("gone")),
    ]  # fmt: skip
    back = list(unpack(pack(3, found)))
    assert [(f.id, f.path, f.segments) for f in back] == [(f.id, f.path, f.segments) for f in found]
    assert [f.outcome for f in back[:2]] == [bad, None] and back[3].outcome == bad
    again = back[2].outcome
    assert isinstance(again, ImageCounts) and (again.id, again.size, again.labels, again.truth) == ("b", (3, 4), ["x", "y"], [1, 2])  # fmt: skip
    assert again.void is not None and again.void.tolist() == [0, 5] and again.void.dtype == np.int32
    assert again.pixels.tolist() == [1, 2, 3] and again.pixels.dtype == counted.pixels.dtype
    assert type(back[4].error) is zgbench.DataError and str(back[4].error) == "gone"
    assert list(unpack(pack(0, []))) == []


def test_another_file_on_a_node_is_told(submission: Path, dataset: Dataset) -> None:
    reader = ParquetReader(submission)
    header = reader.header(Report())
    assert header is not None
    task = ray_engine.CountSpan(reader, header, dataset, frozenset(dataset.ids), 12)
    (found,) = unpack(task.counted(pa.table({"part": [0], "start": [0], "stop": [5]})))
    assert "a node of the cluster sees" in str(found.error) and "not 12" in str(found.error)


def test_json_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    with zgbench.SubmissionWriter(path, name="m", dataset="mini"):
        pass
    with pytest.raises(UsageError, match=r"zgbench convert .*mine\.json mine\.parquet"):
        zgbench.evaluate(path, reassign=["tt"], text_encoder=HashedText(), engine="ray", partial=True)
