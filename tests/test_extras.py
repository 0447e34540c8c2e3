"""Where an optional package is missing, the command says which extra brings it, before any work."""

from __future__ import annotations

import importlib.util
import tomllib
from pathlib import Path

import pytest

from tests.end_to_end.command import here
from zgbench.errors import ModelUnavailable
from zgbench.extras import EXTRAS, missing, need

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Modules that seem not to be installed."""
    hidden: list[str] = []
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name in hidden else find(name, *a))
    return hidden


def test_every_extra_is_one_of_the_package() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(declared) - set(EXTRAS) == {"dev", "docs", "all"}
    assert set(EXTRAS) <= set(declared)


def test_need_names_what_is_missing_and_the_extra(without: list[str]) -> None:
    need("apps", "the page")
    without += ["altair", "streamlit"]
    assert missing("apps") == ["streamlit", "altair"]
    with pytest.raises(ModelUnavailable, match=r"the page needs streamlit, altair, .* pip install 'zgbench\[apps\]'"):
        need("apps", "the page")


@pytest.mark.parametrize(
    ("command", "module", "extra"),
    [
        (["reference", "run", "--dataset", "mini", "--out", "r.json"], "numba", "reference"),
        (["reference", "bench"], "timm", "reference"),
        (["evaluate", ROOT / "submissions/demo.json", "--reassign", "st"], "open_clip", "models"),
        (["evaluate", ROOT / "submissions/demo.json", "--engine", "ray"], "ray", "ray"),
        (["ratings", "status", "--ratings", "s.db"], "sqlalchemy", "ratings"),
        (["rate", "--ratings", "s.db"], "streamlit", "apps"),
        (["leaderboard", "serve"], "altair", "apps"),
        (["datasets", "prepare", "mini", "--out", "d"], "datasets", "store"),
    ],
)
def test_a_command_says_which_extra_is_missing(
    command: list[object], module: str, extra: str, without: list[str], tmp_path: Path
) -> None:
    without.append(module)
    out, err = here(*command, status=1, cwd=tmp_path, ZGBENCH_CACHE=str(tmp_path / "cache"))
    assert not out
    assert f"pip install 'zgbench[{extra}]'" in err
    assert module in err
    assert not [entry for entry in tmp_path.iterdir() if entry.name != "cache"]


def test_fetching_from_the_hub_without_its_client(without: list[str]) -> None:
    from zgbench.models import CATALOGUE
    from zgbench.models.hub import Unreachable, download

    without.append("huggingface_hub")
    with pytest.raises(Unreachable, match=r"pip install 'zgbench\[fetch\]'"):
        download(CATALOGUE["all-mpnet-base-v2"], print)
