"""Writing on systems that lack what POSIX has: no locks, folders that cannot be opened, no O_NOFOLLOW (Windows)."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from zgbench.storage import files
from zgbench.storage.files import PART, new_folder, replacing, replacing_all


@pytest.fixture(params=["posix", "windows"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """This system, and one like Windows: there a file that is open can be neither renamed nor removed."""
    monkeypatch.setattr(files, "_swept", set())
    if request.param == "windows":
        opens, renames = os.open, Path.replace

        def refuse_folders(path: Any, flags: int, *more: Any, **named: Any) -> int:
            if Path(path).is_dir():
                raise PermissionError(13, "Permission denied", str(path))
            return opens(path, flags, *more, **named)

        def refuse_open(self: Path, target: Any) -> Path:
            if str(self) in _open_files():
                raise PermissionError(13, "The process cannot access the file", str(self))
            return renames(self, target)

        monkeypatch.setattr(os, "open", refuse_folders)
        monkeypatch.delattr(os, "O_NOFOLLOW")
        monkeypatch.setattr("shutil._use_fd_functions", False)  # removes folders as it does there
        monkeypatch.setattr(Path, "replace", refuse_open)
        monkeypatch.setitem(sys.modules, "fcntl", None)
    yield request.param


def _open_files() -> set[str]:
    return {str(entry.readlink()) for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()}


def test_writing(system: str, tmp_path: Path) -> None:
    with replacing(tmp_path / "a.txt") as temporary:
        temporary.write_text("new")
    with replacing_all(tmp_path / "a.txt", tmp_path / "b.txt") as temporaries:
        for part in temporaries:
            part.write_text("newer")
    assert [(tmp_path / name).read_text() for name in ("a.txt", "b.txt")] == ["newer", "newer"]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.txt", "b.txt"]


def test_what_fails_leaves_all_as_it_was(system: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(RuntimeError), replacing(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert [(entry.name, entry.read_text()) for entry in tmp_path.iterdir()] == [("a.txt", "old")]


def test_a_folder(system: str, tmp_path: Path) -> None:
    for content in ("old", "new"):
        with new_folder(tmp_path / "store") as temporary:
            (temporary / "rows").write_text(content)
    assert (tmp_path / "store/rows").read_text() == "new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["store"]


def test_only_what_a_killed_process_left_is_swept(system: str, tmp_path: Path) -> None:
    left, precious = tmp_path / f".left{PART}", tmp_path / "precious.txt"
    left.write_text("half")
    precious.write_text("kept")
    (tmp_path / f".link{PART}").symlink_to(precious)
    with replacing(tmp_path / "a.txt") as temporary:
        temporary.write_text("new")
    assert precious.read_text() == "kept"
    assert left.exists() == (system == "windows")  # without locks nobody knows whether it is still being written


def test_a_demo_is_scored_and_stored(system: str, tmp_path: Path) -> None:
    import zgbench

    demo = Path(__file__).resolve().parents[2] / "submissions/demo.json"
    found = zgbench.evaluate(demo, reassign=["lt"], resamples=10, out=tmp_path)
    assert found.path is not None
    assert found.path.is_file()
    assert len(list(tmp_path.iterdir())) == 4
