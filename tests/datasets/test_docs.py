"""docs/datasets.md: its example is sound, every field and every built-in data set stands in it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from zgbench.datasets import class_list, definition
from zgbench.datasets.catalogue import SPECS
from zgbench.datasets.located import ID

TEXT = (Path(__file__).resolve().parents[2] / "docs/datasets.md").read_text(encoding="utf-8")
BUILT_IN, OWN = (TEXT.partition(f"\n## {head}\n")[2].partition("\n## ")[0] for head in ("Built in", "Your own"))


def test_the_example_is_sound() -> None:
    (example,) = re.findall(r"^```toml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    found = definition.definition_of(tomllib.loads(example), Path("dataset.toml"), example)
    assert (found.key, found.images, len(found.classes)) == ("kitchens", 120, 4)


def test_every_field_is_explained() -> None:
    rows = re.findall(r"^\| (?:– )?((?:`[a-z_.]+`(?:, )?)+) \|", OWN, re.MULTILINE)
    explained = {name for row in rows for name in re.findall("`([a-z_.]+)`", row)}
    fields = {name for name in definition._TOP if name != "truth"} | {f"truth.{name}" for name in definition._TRUTH}
    assert fields | set(class_list._FIELDS) == explained


@pytest.mark.parametrize("key", SPECS)
def test_every_built_in_one_is_there(key: str) -> None:
    spec = SPECS[key]
    (row,) = re.findall(rf"^\| `{key}` \|.*$", BUILT_IN, re.MULTILINE)
    assert f"| {len(spec.vocabulary())} " in row
    place = spec.truths()[0].pattern.replace(ID, "*")
    images = f"{len(spec.official_ids()):,}"
    if key not in ("pc459", "cocostuff171"):  # "the same" as the row before
        assert f"| {images}" in row
    assert f"`{place}`" in row
