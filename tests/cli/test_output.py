"""What is printed, where, in which width and on which terminal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.command import call, here
from zgbench.cli.console import Progress, level
from zgbench.encoders.text import SentenceBert
from zgbench.storage.cache_folder import PARTS

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "submissions/demo.json"
STORED = ROOT / "leaderboard/results"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """The demo's first three images."""
    content = json.loads(DEMO.read_text(encoding="utf-8"))
    path = tmp_path / "small.json"
    path.write_text(json.dumps(content | {"images": content["images"][:3]}), encoding="utf-8")
    return path


@pytest.fixture
def rejected(tmp_path: Path) -> Path:
    """A submission with two things wrong, one of them a name outside of ASCII."""
    images = [{"id": "é→😀", "size": [3, 3], "segments": []}]
    content = {"format": "zgbench/1", "name": "x", "dataset": "mini", "track": "free", "images": images}
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_several_submissions_share_one_load_of_the_models_and_one_output(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[str] = []
    load = SentenceBert._load
    monkeypatch.setattr(SentenceBert, "_load", lambda self: (loads.append(self._key), load(self))[1])
    other = tmp_path / "other.json"
    other.write_text(small.read_text().replace('"demo"', '"other"').replace("apple", "ripe apple"), encoding="utf-8")
    common = ("--partial", "--reassign", "tt", "--resamples", "10", "--out", tmp_path / "out")
    out, _ = here("evaluate", small, other, *common, "--json", ZGBENCH_CACHE=str(tmp_path / "cache"))
    assert [found["submission"]["name"] for found in json.loads(out)] == ["demo", "other"]
    assert loads == ["all-MiniLM-L6-v2"]
    alone, _ = here("evaluate", small, *common, "--json", ZGBENCH_CACHE=str(tmp_path / "cache"))
    assert json.loads(alone)["scores"] == json.loads(out)[0]["scores"]
    table, _ = here("evaluate", small, other, *common, "--format", "csv", ZGBENCH_CACHE=str(tmp_path / "cache"))
    assert [line.split(",")[0] for line in table.splitlines()] == ["submission", "demo", "other"]


def test_one_of_several_that_is_rejected_leaves_the_others(small: Path, rejected: Path, tmp_path: Path) -> None:
    common = ("--reassign", "lt", "--partial", "--resamples", "10", "--out", tmp_path / "out")
    out, err = here("evaluate", rejected, small, *common, "--json", status=2)
    first, second = json.loads(out)
    assert (first["format"], second["submission"]["name"]) == ("zgbench-rejection/1", "demo")
    assert "bad.json: rejected" in err


def test_validate_as_json(small: Path, rejected: Path) -> None:
    out, _ = here("validate", small, "--partial", "--json")
    assert json.loads(out) == {
        "format": "zgbench-validation/1", "valid": True, "name": "demo", "dataset": "mini", "track": "free", "images": 3,
        "against_truth": True,
    }  # fmt: skip
    out, err = here("validate", rejected, "--json", status=2)
    found = json.loads(out)
    assert found["kinds"] == {"unknown-image": 1, "missing-images": 1}
    assert found["problems"][0]["image"] == "é→😀"
    assert found["complete"]
    assert "Remove it" in err


def test_any_refusal_is_json_where_json_was_asked_for(tmp_path: Path) -> None:
    out, err = here("compare", tmp_path / "a", tmp_path / "b", "--json", status=2)
    assert json.loads(out)["error"] == "InputError"
    assert err.startswith("zgbench: ")


def test_quiet_and_verbose(small: Path, tmp_path: Path) -> None:
    command = ("evaluate", small, "--reassign", "lt", "--partial", "--resamples", "10", "--out", tmp_path / "out")
    _, said = here(*command)
    assert "note: of fewer than" in said
    out, said = here(*command, "-q")
    assert "mIoU image" in out
    assert not said
    _, said = here(*command, "-v", "--out", tmp_path / "again")
    assert "counting pixels, 200: " in said


def test_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr(level, "bars", False)
    with Progress() as progress:
        progress("images", 3)(1)
        assert progress._bars is None


@pytest.mark.parametrize(
    "command",
    [
        ("compare", *(STORED / f"{name}.mini.result.json" for name in ("reference", "reference-crop"))),
        ("evaluate", DEMO, "--reassign", "lt", "--resamples", "10"),
        ("mapping", "sensitivity", *(STORED / f"{name}.mini.result.json" for name in ("reference", "reference-crop"))),
    ],
    ids=lambda command: " ".join(map(str, command[:2]))[:20],
)
def test_tables_fit_80_columns(command: tuple[Any, ...], tmp_path: Path) -> None:
    if command[0] == "evaluate":
        command = (*command, "--out", tmp_path)
    out, _ = here(*command, COLUMNS="80")
    rows = [line for line in out.splitlines() if "  " in line.strip() or "━" in line]
    assert len(rows) > 5
    assert max(map(len, (line for line in rows if "|" not in line))) <= 80
    assert "…" not in "".join(rows), "something was cut off"


def test_a_terminal_without_unicode(rejected: Path) -> None:
    results = [STORED / f"{name}.mini.result.json" for name in ("reference", "reference-crop")]
    out, _ = call("compare", *results, PYTHONIOENCODING="ascii")
    assert out.isascii()
    assert "A - B" in out
    out, err = call("validate", rejected, "--json", status=2, PYTHONIOENCODING="ascii")
    assert out.isascii() and err.isascii()
    assert json.loads(out)["problems"][0]["image"] == "é→😀"
    assert "\\xe9->\\U0001f600" in err


def test_cache(tmp_path: Path) -> None:
    for name in ("embeddings.sqlite", "board/ab/x.npz", "models/m/model.safetensors"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * 1000)
    (tmp_path / "mine.txt").write_text("not of zgbench")
    out, _ = here("cache", "info", "--json", ZGBENCH_CACHE=str(tmp_path))
    found = json.loads(out)
    assert {name: part["bytes"] for name, part in found["parts"].items()} == {
        "embeddings": 1000, "board": 1000, "hashes": 0, "models": 1000,
    }  # fmt: skip
    out, _ = here("cache", "info", ZGBENCH_CACHE=str(tmp_path))
    assert str(tmp_path) in out
    here("cache", "clear", ZGBENCH_CACHE=str(tmp_path))
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["mine.txt", "models"]
    out, _ = here("cache", "clear", "models", ZGBENCH_CACHE=str(tmp_path))
    assert [entry.name for entry in tmp_path.iterdir()] == ["mine.txt"]
    _, err = here("cache", "clear", "nothing", status=2)
    assert all(name in err for name in PARTS)


def test_doctor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    out, _ = here("doctor", "--json", ZGBENCH_CACHE=str(tmp_path))
    found = json.loads(out)
    assert found["zgbench"] in out
    assert found["data"]["sets"]["mini"] == "drawn by zgbench"
    assert found["models"]["zgbench-mini"].endswith("(package zgbench)")
    monkeypatch.setattr("zgbench.cli.doctor.missing", lambda name: ["numba"] if name == "reference" else [])
    out, _ = here("doctor", ZGBENCH_CACHE=str(tmp_path))
    assert "MISSING the reference method" in out
    assert "numba: pip install 'zgbench[reference]'" in out
    assert not list(tmp_path.iterdir())
