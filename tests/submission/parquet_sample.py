"""A Parquet submission about some drawn scenes in small row groups, and spoilt ones, for the tests of the Ray engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import zgbench
from zgbench.datasets import Dataset, open_dataset
from zgbench.pixels.collect import collect
from zgbench.submission.parquet_reader import ParquetReader
from zgbench.submission.problems import Report, SubmissionError

IMAGES = 16
SUBSET = f"first:{IMAGES}"


def rewritten(source: Path, target: Path, rows: int, change: Any = lambda rows: rows) -> Path:
    """The same submission in row groups of another size, its rows changed."""
    table = pq.read_table(source)
    header = {b"zgbench": pq.read_metadata(source).metadata[b"zgbench"]}
    kept = pa.Table.from_pylist(change(table.to_pylist()), schema=table.schema).replace_schema_metadata(header)
    pq.write_table(kept, target, row_group_size=rows)
    return target


def made(folder: Path) -> Path:
    """Truth segments of drawn scenes under the wrong names, one image without any."""
    dataset = open_dataset("mini", subset=SUBSET)
    with zgbench.SubmissionWriter(folder / "whole.parquet", name="m", dataset="mini") as writer:
        for n, image_id in enumerate(dataset.ids):
            classes = dataset.source.truth(image_id).classes().copy()
            present = [] if n == 5 else sorted({int(c) for c in classes.ravel()} - {0, -1})
            classes[classes < 0] = 0
            if not present:
                classes[:] = 0
            writer.add(image_id, classes, {c: dataset.vocabulary.name(c)[::-1] for c in present})
    return rewritten(folder / "whole.parquet", folder / "mine.parquet", 7)


def spoilt(submission: Path, folder: Path) -> dict[str, Path]:
    """Submissions with problems in many places."""

    def repeat(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return rows[:9] + rows[30:] + rows[:3]

    def mixed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for n in (1, 17, 18, 60):
            rows[n]["counts"] = "~"
        rows[25]["label"] = ""
        rows[40] |= {"height": 3}
        rows[50] |= {"counts": rows[49]["counts"]}
        last = rows[-1]["image_id"]
        return [r for r in rows if r["image_id"] != last] + [rows[0] | {"image_id": "stranger"}]

    def hopeless(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [row | {"label": "\x07", "counts": "~"} for row in rows * 12]

    return {
        change.__name__: rewritten(submission, folder / f"{change.__name__}.parquet", 11, change)
        for change in (repeat, mixed, hopeless)
    }


def report_of(path: Path, dataset: Dataset, **how: Any) -> str:
    reader, report = ParquetReader(path), Report()
    header = reader.header(report)
    assert header is not None
    with pytest.raises(SubmissionError) as caught:
        collect(reader, header, dataset, report, **how)
    return str(caught.value)
