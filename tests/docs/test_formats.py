"""docs/formats.md names every key and column of the files that zgbench writes, and no others."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import zgbench
from tests.conftest import HashedText
from tests.docs.pages import text_of
from tests.submission.sample import oracle, sound, write
from zgbench.board import kinds
from zgbench.datasets import store
from zgbench.ratings import exporting
from zgbench.scores import given_mapping, human_scores
from zgbench.scores.result_types import Result, ScoreRow

PAGE = text_of("docs/formats.md")


def first_column(begin: str, end: str = "\n\n") -> set[str]:
    """Names in the first cells of the table that follows a text."""
    table = PAGE.partition(begin)[2].partition("\n|")[2].partition(end)[0]
    rows = re.findall(r"^\|? ?(`.*?) \|", table, re.MULTILINE)
    assert rows, begin
    return {name for cell in rows for name in re.findall("`([^`]+)`", cell)}


def test_keys_of_a_result() -> None:
    assert first_column("`*.result.json`, format") == set(Result.__annotations__) - {"format"}
    row = re.search(r"A row of `scores`: (.*?)\n\n", PAGE, re.DOTALL)
    assert row is not None
    assert set(ScoreRow.__annotations__) <= set(re.findall("`([^`]+)`", row[1]))


@pytest.mark.parametrize("make", [sound, oracle])
def test_columns_of_the_files_beside_it(make: object, tiny_voc: Path, tmp_path: Path) -> None:
    mine = write(make(), tmp_path / "mine.json")  # type: ignore[operator]
    found = zgbench.evaluate(
        mine, data=tiny_voc, protocol="offline", reassign=["tt", "lt"], text_encoder=HashedText(), out=tmp_path / "out"
    )
    stats = set(pq.read_schema(tmp_path / "out/mine.pas20.stats.parquet").names)
    told = first_column("`*.stats.parquet`, the pixel")
    assert stats | {"void", "truth"} == told and ("truth" in stats) == (make is oracle)
    segments = set(pq.read_schema(tmp_path / "out/mine.pas20.segments.parquet").names)
    others = {f"{how}_{what}" for how in ("st", "map") for what in ("class", "similarity", "level")} | {
        f"{how}_rated" for how in ("tt", "st", "lt", "map")
    }
    told = first_column("`*.segments.parquet`, a row")
    assert segments <= told <= segments | others
    with (tmp_path / "out/mine.pas20.per_class.csv").open() as file:
        assert set(next(csv.reader(file))) == first_column("`*.per_class.csv`, a row")
    table = PAGE.partition("`found.table` has")[2].partition("##")[0]
    plain = {name for name in found.table.columns if not name.endswith(("_low", "_high"))}
    assert plain <= set(re.findall("`([^`]+)`", table))


def test_columns_of_tables() -> None:
    assert first_column("`zgbench ratings export` writes") == set(exporting.COLUMNS)
    assert first_column("takes a store") == {*human_scores.COLUMNS, "time"}
    assert first_column("## Mapping") - {"none"} == set(given_mapping.COLUMNS)
    assert first_column("## A board") == set(kinds._COLUMNS)
    assert first_column("A prepared store") == store._COLUMNS
