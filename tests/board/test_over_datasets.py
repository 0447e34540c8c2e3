"""Methods over data sets: who is in the table, Borda's count by a slow second way, and never two protocols in one."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest

from tests.board.shipped import BOARD
from tests.end_to_end.command import here
from zgbench.board.entry import Entry
from zgbench.board.families import families, family_of
from zgbench.board.over_datasets import borda, over_datasets
from zgbench.board.over_datasets_text import as_csv, as_markdown, notes, record
from zgbench.board.store import Board
from zgbench.board.summary import summary
from zgbench.errors import UsageError

NAMES = {
    "reference": "reference method",
    "masked": "reference method, without global subtraction",
    "merging": "reference method, without merging",
    "crop": "reference method, crop and mask",
}
TURNED = dict(zip(NAMES.values(), [*list(NAMES.values())[1:], NAMES["reference"]], strict=True))


def elsewhere(entry: Entry, dataset: str, name: str, old: str = "", new: str = "") -> Entry:
    """The same result as if it were about another data set, under another name."""
    rows = tuple(
        replace(row, signature=row.signature.replace("data:mini", f"data:{dataset}").replace(old, new) if old else
                row.signature.replace("data:mini", f"data:{dataset}"))
        for row in entry.rows
    )  # fmt: skip
    return replace(entry, id=f"{entry.id}.{dataset}.{name}", dataset=dataset, name=name, rows=rows)


def board_of(*more: Entry) -> Board:
    """The methods of mini; on a second data set each does what the next one does on mini, and one is missing."""
    mini = [entry for entry in BOARD.entries if entry.dataset == "mini" and entry.track == "free"]
    methods = [entry for entry in mini if entry.kind == "method"]
    second = [elsewhere(e, "second", TURNED[e.name]) for e in methods if TURNED[e.name] != NAMES["crop"]]
    return Board(BOARD.folder, (*mini, *second, *more), (), (), "1")


def test_borda_by_hand() -> None:
    # best to worst on the first: A, B = C, D; undefined on the second: B
    worth = np.array([[0.9, 0.1], [0.5, np.nan], [0.5, 0.3], [0.1, 0.2]])
    assert borda(worth).tolist() == [[3, 1], [1.5, 0], [1.5, 3], [0, 2]]


@pytest.mark.parametrize("score", ["iou_image", "iou_dataset"])
def test_only_methods_that_have_all_count(score: str) -> None:
    board = board_of()
    family = family_of(board, None)
    assert set(family.groups) == {"mini", "second"} and family.shared["reassign"] == "TT"
    found = over_datasets(board, family, score=score)
    assert {row.name for row in found.rows} == set(NAMES.values()) - {NAMES["crop"]}
    assert found.left_out[NAMES["crop"]] == "not on second"
    assert found.left_out["demo"] == "not on second"
    value = {(row.name, key): row.scores[key].value for row in found.rows for key in found.datasets}
    for row in found.rows:
        others = [other.name for other in found.rows if other is not row]
        points = sum(
            (value[row.name, key] > value[other, key]) + (value[row.name, key] == value[other, key]) / 2
            for key in found.datasets
            for other in others
        )
        assert row.points == points
        assert row.rank == 1 + sum(other.points > row.points for other in found.rows)
        assert row.mean.value == pytest.approx(np.mean([value[row.name, key] for key in found.datasets]), abs=1e-15)
        samples = [
            summary(board.entry(row.entries[key]), board.entry(row.entries[key]).row(family.groups[key].key)).samples[
                score
            ]
            for key in found.datasets
        ]
        expected = np.quantile(np.mean(samples, axis=0), [0.025, 0.975])
        assert (row.mean.low, row.mean.high) == pytest.approx(tuple(expected), abs=1e-12)
        assert 1 <= row.rank_low <= row.rank_high <= len(found.rows)
    assert [row.rank for row in found.rows] == sorted(row.rank for row in found.rows)
    alone = over_datasets(board, family, ["mini"], score)
    assert NAMES["crop"] in {row.name for row in alone.rows}
    assert [row.rank for row in alone.rows if row.kind == "method"] == [1, 2, 3, 4]
    apart = [row for row in alone.rows if row.kind != "method"]
    assert apart == list(alone.rows[4:]) and all(row.rank is row.points is None for row in apart)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("|bg:count", "|bg:ignore"), ("cos>=0.5", "cos>=0.6"), ("boot:1000s0", "boot:1000s1"), ("zgbench:1", "zgbench:2"),
        ("all-MiniLM-L6-v2", "another"), ("track:free", "track:oracle"), ("scoring:v1", "scoring:iccv2023.2"),
    ],
)  # fmt: skip
def test_another_protocol_is_another_family(old: str, new: str) -> None:
    one = next(entry for entry in BOARD.entries if entry.id == "reference.mini")
    board = board_of(elsewhere(one, "third", one.name, old, new))
    for family in families(board):
        if "third" in family.groups and family.shared["reassign"] == "TT":
            assert list(family.groups) == ["third"]
        for group in family.groups.values():
            told = f"{group.signature}|".replace(",classes=514693b2", "")
            assert all(f"{key}:{value}|" in told for key, value in family.shared.items())


def test_a_data_set_without_unlabelled_pixels_fits_both_rules() -> None:
    """Its signature names no background rule."""
    one = next(entry for entry in BOARD.entries if entry.id == "reference.mini")
    board = board_of(
        elsewhere(one, "third", one.name, "|bg:count", ""),
        elsewhere(one, "fourth", one.name, "|bg:count", "|bg:ignore"),
    )
    found = {
        f.shared["bg"]: set(f.groups) for f in families(board) if f.shared["reassign"] == "TT" and "third" in f.groups
    }
    assert found == {"count": {"mini", "second", "third"}, "ignore": {"third", "fourth"}}


def test_another_truth_of_a_data_set_stays_out_and_is_told() -> None:
    one = next(entry for entry in BOARD.entries if entry.id == "reference.mini")
    truth = one.rows[0].signature.split("truth:")[1].split("|")[0]
    board = board_of(elsewhere(one, "second", "new", f"truth:{truth}", "truth:00000000"))
    family = family_of(board, None)
    assert len(family.others) == 1
    found = over_datasets(board, family)
    assert "new" not in {row.name for row in found.rows}
    assert any("another ground truth of second: 1 results" in note for note in notes(found))


def test_one_name_twice_is_not_guessed_at() -> None:
    one = next(entry for entry in BOARD.entries if entry.id == "reference.mini")
    found = over_datasets(board := board_of(elsewhere(one, "second", NAMES["masked"])), family_of(board, None))
    assert found.left_out[NAMES["masked"]] == "several entries have this name on second"


def test_parts_of_a_split_are_asked_for() -> None:
    part = [replace(entry, official=False) for entry in board_of().entries]
    board = Board(BOARD.folder, tuple(part), (), (), "2")
    with pytest.raises(UsageError, match="--unofficial"):
        family_of(board, None)
    assert set(family_of(board, None, unofficial=True).groups) == {"mini", "second"}


def test_texts() -> None:
    evil = '=1+1|"<b>'
    one, two = (next(e for e in BOARD.entries if e.id == i) for i in ("reference.mini", "reference-crop.mini"))
    board = board_of(elsewhere(one, "second", evil), replace(two, id="evil.mini", name=evil))
    found = over_datasets(board, family_of(board, None))
    rows = list(csv.DictReader(io.StringIO(as_csv(found))))
    assert len(rows) == len(found.rows) * 3
    assert {row["name"] for row in rows} >= {"'" + evil}
    means = {row["name"]: float(row["value"]) for row in rows if not row["dataset"]}
    assert means[NAMES["reference"]] == next(r.mean.value for r in found.rows if r.name == NAMES["reference"])
    table = [line for line in as_markdown(found).splitlines() if line.startswith("|")]
    assert {line.replace(r"\|", "").count("|") for line in table} == {7}
    assert "<b>" not in "".join(table)
    told = json.loads(json.dumps(record(found), allow_nan=False))
    assert told["family"]["shared"]["verify"] == "cos>=0.5"
    assert {row["name"] for row in told["rows"]} == {row.name for row in found.rows}
    assert all(group.signature in as_markdown(found) for group in found.family.groups.values())


def test_the_command() -> None:
    out, err = here("leaderboard", "summary", "--datasets", "mini", "--score", "recall.0.5", "--format", "json")
    told = json.loads(out)
    assert not err and list(told["datasets"]) == ["mini"] and told["score"] == "recall.0.5"
    assert [row["rank"] for row in told["rows"] if row["kind"] == "method"] == sorted(
        row["rank"] for row in told["rows"] if row["kind"] == "method"
    )
    out, _ = here("leaderboard", "summary")
    assert "no method has a score on all of pas20, mini" in out and "Every score here is of one protocol" in out
    listed, _ = here("leaderboard", "summary", "--families")
    assert family_of(BOARD, None).key in listed
    for wrong, says in (("pc59", "has no results on pc59"), ("mini,", "has no results on ")):
        _, err = here("leaderboard", "summary", "--datasets", wrong, status=2)
        assert says in err
