"""Names that owners give their methods afterwards."""

from __future__ import annotations

from pathlib import Path

from zgbench.board.names import read_names, rename
from zgbench.board.store import load_board

A, B = "a" * 64, "b" * 64


def test_a_name_is_kept_changed_and_given_back(tmp_path: Path) -> None:
    assert read_names(tmp_path) == ({}, [])
    rename(tmp_path, A, "")
    assert not list(tmp_path.iterdir())
    rename(tmp_path, A, 'Ours, "v2"')
    rename(tmp_path, B, "=1+1")
    assert read_names(tmp_path) == ({A: 'Ours, "v2"', B: "=1+1"}, [])
    rename(tmp_path, A, "v3")
    rename(tmp_path, B, "")
    assert read_names(tmp_path) == ({A: "v3"}, [])


def test_what_is_wrong_with_the_file_is_told_and_the_rest_holds(tmp_path: Path) -> None:
    (tmp_path / "names.csv").write_text(f"submission_sha256,name\n{A},fine\n{B},a\u202eb\nx,y\n{B}\n")
    names, wrong = read_names(tmp_path)
    assert names == {A: "fine"}
    assert [line.partition(":")[0] for line in wrong] == [f"names.csv, line {k}" for k in (3, 4, 5)]
    assert load_board(tmp_path).problems == tuple(wrong)
    (tmp_path / "names.csv").write_bytes(b"\xff")
    assert "cannot be read" in load_board(tmp_path).problems[0]
