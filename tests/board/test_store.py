"""Reading a board: what is a group, what is left out, what is noticed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.board.shipped import BOARD, copied, group_of
from tests.end_to_end.command import here
from zgbench.board import store, verdicts
from zgbench.board.static import export_static
from zgbench.board.store import load_board
from zgbench.errors import UsageError
from zgbench.scores.result import Stored


def test_unlike_signatures_are_never_in_one_group() -> None:
    for dataset in BOARD.datasets():
        groups = BOARD.groups(dataset)
        assert len({group.signature for group in groups}) == len(groups)
        for group in groups:
            assert {BOARD.entry(i).row(group.key).signature for i in group.ids} == {group.signature}
            assert len({BOARD.entry(i).track for i in group.ids}) == 1  # own segments and the truth's are unlike


def test_a_signature_that_differs_makes_a_group_of_its_own(tmp_path: Path) -> None:
    copied(tmp_path, "demo.mini", "one")

    def other_seed(result: dict) -> None:
        for row in result["scores"]:
            row["signature"] = row["signature"].replace("mini", "other", 1)

    copied(tmp_path, "demo.mini", "two", other_seed)
    board = load_board(tmp_path)
    assert [len(group.ids) for group in board.groups("mini")] == [
        1
    ] * 2 * 8  # TT, ST, and LT by level and with text, of either


def test_what_is_no_result_is_left_out_and_told(tmp_path: Path) -> None:
    copied(tmp_path, "demo.mini", "good")
    (tmp_path / "cut.mini.result.json").write_text('{"format": "zgbench-result/1"')
    (tmp_path / "other.mini.result.json").write_text('{"format": "another"}')

    def not_a_number(result: dict) -> None:
        result["scores"][0]["iou_image"]["value"] = "<b>99</b>"

    copied(tmp_path, "demo.mini", "text", not_a_number)
    board = load_board(tmp_path)
    assert [entry.id for entry in board.entries] == ["good.mini"]
    assert len(board.problems) == 3
    assert all("not a readable result file" in problem for problem in board.problems)


def _best(result: dict) -> None:
    result["scores"][0]["iou_image"] = {"value": 0.99, "ci95": [0.98, 1.0]}


def test_a_number_that_somebody_touched_is_never_shown(tmp_path: Path) -> None:
    copied(tmp_path, "demo.mini", "good")
    path = copied(tmp_path, "reference.mini", "touched", _best)
    board = load_board(tmp_path)
    assert [entry.id for entry in board.entries] == ["good.mini"]
    assert [entry.id for entry in board.hidden] == ["touched.mini"]
    (problem,) = board.problems
    assert problem.startswith(
        "touched.mini.result.json: not shown, as its cross-checks fail: TT cos>=0.5: iou_image is"
    )
    page = export_static(board, tmp_path / "out")[0].read_text(encoding="utf-8")
    assert "reference method" not in page
    _, err = here("leaderboard", "export", tmp_path / "out", "--board", tmp_path)
    assert "left out: touched.mini.result.json" in err
    copied(tmp_path, "reference.mini", "touched")  # mended while the board is shown
    assert [entry.id for entry in load_board(tmp_path).entries] == ["good.mini", "touched.mini"]
    with path.with_name("touched.mini.stats.parquet").open("r+b") as file:  # and spoilt, beside the result
        file.seek(2000)
        file.write(b"\x00\x01")
    assert [entry.id for entry in load_board(tmp_path).entries] == ["good.mini"]


def test_a_result_is_checked_once_for_each_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZGBENCH_CACHE", str(tmp_path / "cache"))
    asked: list[str] = []
    plain = verdicts.violations

    def counted(stored: Stored) -> list[str]:
        asked.append(stored.path.name)
        return plain(stored)

    monkeypatch.setattr(verdicts, "violations", counted)
    board = tmp_path / "board"
    copied(board, "demo.mini", "one")
    copied(board, "demo.mini", "two", _best)
    for _ in range(2):
        monkeypatch.setattr(store, "_known", {})  # as another process begins
        assert [entry.id for entry in load_board(board).entries] == ["one.mini"]
        assert sorted(asked) == ["one.mini.result.json", "two.mini.result.json"]
    copied(board, "demo.mini", "one", lambda r: r["submission"].update(name="another content"))
    load_board(board)
    assert asked[2:] == ["one.mini.result.json"]
    load_board(board, anew=True)  # as leaderboard check does
    assert sorted(asked[3:]) == ["one.mini.result.json", "two.mini.result.json"]


def test_changes_are_noticed(tmp_path: Path) -> None:
    path = copied(tmp_path, "demo.mini", "one")
    first = load_board(tmp_path)
    assert load_board(tmp_path).version == first.version
    result = json.loads(path.read_text())
    result["submission"]["name"] = "renamed"
    path.write_text(json.dumps(result))
    second = load_board(tmp_path)
    assert second.version != first.version
    assert second.entry("one.mini").name == "renamed"
    path.unlink()
    assert load_board(tmp_path).entries == ()


def test_stale_ids_are_told() -> None:
    with pytest.raises(UsageError, match="no entry 'gone'"):
        BOARD.entry("gone")
    with pytest.raises(UsageError, match="no protocol 'gone'"):
        BOARD.group("gone")
    with pytest.raises(UsageError, match="has no row"):
        BOARD.entry("demo.mini").row(group_of("TGQ", "oracle").key)
