"""One version, stated once, and what goes with a release: citation, changelog, licences, addresses."""

from __future__ import annotations

import hashlib
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

import zgbench
from tests.end_to_end.command import here
from zgbench.models import CATALOGUE

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_version_stands_in_one_place() -> None:
    out, _ = here("--version")
    assert out.split() == ["zgbench", zgbench.__version__]
    assert PROJECT["dynamic"] == ["version"]
    code = [file for folder in ("zgbench", "reference_method") for file in (ROOT / folder).rglob("*.py")]
    assert [f.name for f in code if f'"{zgbench.__version__}"' in f.read_text(encoding="utf-8")] == ["version.py"]


def test_citation() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["cff-version"] == "1.2.0"
    assert cited["version"] == zgbench.__version__
    assert cited["license"] == PROJECT["license"]
    assert {"message", "title", "authors"} <= set(cited)
    assert cited["references"][0]["url"] in PROJECT["urls"].values()


def test_changelog_keeps_its_form() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    parts = re.findall(r"^## \[(.+?)\](?: - (\d{4}-\d\d-\d\d))?$", text, re.MULTILINE)
    assert parts[0] == ("Unreleased", "")
    assert all(date for name, date in parts[1:])
    assert set(re.findall(r"^### (.+)$", text, re.MULTILINE)) <= {
        "Protocol", "Added", "Changed", "Deprecated", "Removed", "Fixed", "Security",
    }  # fmt: skip


def test_every_tagged_version_is_in_the_changelog() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("needs the repository: an unpacked sdist has no tags")
    tags = subprocess.run(["git", "tag", "--list", "v*"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert [tag for tag in tags.split() if f"## [{tag[1:]}]" not in text] == []


def test_model_cards_are_of_the_models_that_are_shipped() -> None:
    cards = (ROOT / "docs/model-cards.md").read_text(encoding="utf-8")
    places = {
        "zgbench-mini": "zgbench/encoders/mini_clip", "zgbench-mini-dino": "reference_method/mini/dino",
        "zgbench-mini-gpt2": "reference_method/mini/gpt2",
    }  # fmt: skip
    for name, place in places.items():
        weights = CATALOGUE[name].weights
        assert hashlib.sha256((ROOT / place / weights.path).read_bytes()).hexdigest() == weights.sha256
        assert f"`{name}`" in cards
        assert str(weights.sha256) in cards


def test_data_card_is_of_the_data_set_that_is_drawn() -> None:
    card = (ROOT / "docs/data-card-mini.md").read_text(encoding="utf-8")
    dataset = zgbench.open_dataset("mini")
    assert f"{len(dataset.ids)} scenes drawn by code, 96 × 96" in card
    assert f"| classes | {len(dataset.vocabulary)}: " in card
    assert all(name in card for name in dataset.vocabulary.names)


def test_the_licences_of_what_is_shipped_are_shipped() -> None:
    assert set(PROJECT["license-files"]) == {"LICENSE", "LICENSES/*"}
    told = (ROOT / "LICENSES/README.md").read_text(encoding="utf-8")
    for file in (ROOT / "LICENSES").iterdir():
        assert file.name == "README.md" or f"({file.name})" in told
    assert "WordNet" in (ROOT / "LICENSES/WordNet.txt").read_text(encoding="utf-8")
