"""Adding a submission: only what zgbench worked out itself gets onto a board."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.board.shipped import BOARD, copied
from tests.end_to_end.command import here
from zgbench.board import method
from zgbench.board.add import add
from zgbench.board.checks import violations
from zgbench.board.inside import segment_table
from zgbench.board.store import load_board
from zgbench.errors import UsageError
from zgbench.submission.problems import SubmissionError

ROOT = Path(__file__).resolve().parents[2]
WHOLE = ROOT / "submissions/baseline-whole-image.parquet"
DEMO: dict[str, Any] = json.loads((ROOT / "submissions/demo.json").read_text())


def test_the_same_submission_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = (add(WHOLE, tmp_path / name, reassign=["tt"]).parent for name in ("a", "b"))
    files = sorted(path.name for path in first.iterdir())
    assert files == [
        f"baseline-whole-image.mini{end}" for end in (".result.json", ".segments.parquet", ".stats.parquet")
    ]
    assert all((first / name).read_bytes() == (second / name).read_bytes() for name in files)


def test_numbers_that_somebody_reports_are_not_taken(tmp_path: Path) -> None:
    board = tmp_path / "board"

    def perfect(result: dict[str, Any]) -> None:
        for row in result["scores"]:
            row["iou_image"] = {"value": 1.0, "ci95": [1.0, 1.0]}

    # a result and statistics of another method lie beside the submission and on the board, under its very name
    copied(tmp_path / "sent", "demo.mini", "mine", perfect)
    shutil.copyfile(WHOLE, tmp_path / "sent/mine.parquet")
    copied(board, "demo.mini", "mine", perfect)
    with pytest.raises(UsageError, match=r"has another submission as mine\.mini"):
        add(tmp_path / "sent/mine.parquet", board, reassign=["tt"])
    add(tmp_path / "sent/mine.parquet", board, reassign=["tt"], replace=True)
    entry = load_board(board).entry("mine.mini")
    told = BOARD.entry("baseline-whole-image.mini")
    assert entry.rows[0].scores["iou_image"] == told.rows[0].scores["iou_image"]
    assert violations(entry.stored()) == []
    # in the submission itself, scores are an unknown key
    (tmp_path / "scores.json").write_text(json.dumps(DEMO | {"scores": {"iou_image": 1.0}}))
    with pytest.raises(SubmissionError, match="scores"):
        add(tmp_path / "scores.json", board)
    # and a result is no submission
    _, err = here("leaderboard", "add", tmp_path / "sent/mine.mini.result.json", "--board", board, status=2)
    assert "unknown" in err


def test_one_content_counts_once_and_a_part_is_refused(tmp_path: Path) -> None:
    add(WHOLE, tmp_path, reassign=["tt"])
    with pytest.raises(UsageError, match=r"has this very submission already, as baseline-whole-image\.mini"):
        add(WHOLE, tmp_path, stem="again", reassign=["tt"])
    (tmp_path / "part.json").write_text(json.dumps(DEMO | {"images": DEMO["images"][:3]}))
    with pytest.raises(SubmissionError, match="197 missing"):
        add(tmp_path / "part.json", tmp_path)
    for stem in ("../up", ".hidden", "a/b", "x" * 81):
        with pytest.raises(UsageError, match="--stem"):
            add(WHOLE, tmp_path, stem=stem)
    assert [entry.id for entry in load_board(tmp_path).entries] == ["baseline-whole-image.mini"]


def test_ratings_are_shown(tmp_path: Path) -> None:
    table = segment_table(BOARD, "demo.mini", next(g for g in BOARD.groups("mini") if g.reassign == "TT").key)
    lines = ["image_id,segment,label,rater,score"]
    rows = zip(table["image_id"], table["segment"], table["class"], strict=True)
    lines += [f"{image},{segment},{label},anna,{k % 4}" for k, (image, segment, label) in enumerate(rows)]
    (tmp_path / "ratings.csv").write_text("\n".join(lines) + "\n")
    board_folder = tmp_path / "board"
    here("leaderboard", "add", ROOT / "submissions/demo.json", "--board", board_folder, "--reassign", "tt",
         "--ratings", tmp_path / "ratings.csv")  # fmt: skip
    board = load_board(board_folder)
    entry = board.entry("demo.mini")
    assert [row.verify for row in entry.rows] == ["cos>=0.5", "h>=1", "h>=2", "h>=3"]
    assert violations(entry.stored()) == []
    found = method.ratings(board, "demo.mini")
    assert [row["rating"] for row in found] == [0, 1, 2, 3]
    assert sum(row["segments"] for row in found) == len(table)
    assert all(abs(row["share"] - 0.25) < 0.001 for row in found)
    people = entry.rows[1].group
    assert method.threshold_curve(board, "demo.mini", people) == []
    assert set(segment_table(board, "demo.mini", people)["why"]) == {
        "rated 0, below 1", "rated 1, at least 1", "rated 2, at least 1", "rated 3, at least 1",
    }  # fmt: skip
