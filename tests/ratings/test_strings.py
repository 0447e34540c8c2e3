"""The texts of the rater's page: each language says the same things, and names the same values."""

from __future__ import annotations

import string
import tomllib
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "human_eval/rater/strings"


def flat(file: Path) -> dict[str, str]:
    """Key → text."""
    found: dict[str, str] = {}
    for name, value in tomllib.loads(file.read_text(encoding="utf-8")).items():
        found |= {name: value} if isinstance(value, str) else {f"{name}.{k}": v for k, v in value.items()}
    return found


def names(text: str) -> set[str]:
    """The values that a text is filled with."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.toml")), ids=lambda file: file.stem)
def test_every_language_says_the_same(file: Path) -> None:
    english, other = flat(FOLDER / "en.toml"), flat(file)
    assert len(file.stem) == 2 and other.keys() == english.keys()
    assert [key for key in english if names(english[key]) != names(other[key])] == []
    assert all(text.strip() for text in other.values())


def test_there_are_two() -> None:
    assert {"en", "de"} <= {file.stem for file in FOLDER.glob("*.toml")}
    assert flat(FOLDER / "en.toml")["rate.undo"] != flat(FOLDER / "de.toml")["rate.undo"]
