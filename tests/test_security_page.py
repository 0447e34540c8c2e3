"""SECURITY.md and docs/advisories.md say what the code does: every limit has the number that is in force, every test that it names is there."""

from __future__ import annotations

import importlib
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
ADVISORIES = (ROOT / "docs/advisories.md").read_text(encoding="utf-8")
FAULTS = (ROOT / "docs/faults.md").read_text(encoding="utf-8")
LIMITS = re.findall(r"^\| `(zgbench[\w.]+)` \| ([\d,]+)( [KMG]iB)? \|", PAGE, re.MULTILINE)
UNITS = {"": 1, " KiB": 1 << 10, " MiB": 1 << 20, " GiB": 1 << 30}


def there(name: str) -> bool:
    """Whether the package of a module of a constant is part of this copy."""
    place = ROOT.joinpath(*name.split(".")[:2])
    return place.is_dir() or place.with_suffix(".py").is_file()


def value(name: str) -> Any:
    """What a dotted name stands for."""
    words = name.split(".")
    for length in range(len(words) - 1, 0, -1):
        try:
            found = importlib.import_module(".".join(words[:length]))
        except ModuleNotFoundError:
            continue
        for word in words[length:]:
            found = getattr(found, word)
        return found
    raise AssertionError(f"no module for {name}")


@pytest.mark.parametrize(("name", "number", "unit"), [limit for limit in LIMITS if there(limit[0])])
def test_a_limit_is_the_code_s(name: str, number: str, unit: str) -> None:
    assert int(value(name)) == int(number.replace(",", "")) * UNITS[unit]


def test_no_limit_is_left_out() -> None:
    assert len(LIMITS) >= 29
    named = {name.rpartition(".")[2] for name, _, _ in LIMITS}
    for path in (ROOT / "zgbench").rglob("*.py"):
        for constant in re.findall(r"^_?MAX_\w+(?= = )", path.read_text(encoding="utf-8"), re.MULTILINE):
            assert constant in named, f"{path}: {constant}"


def test_what_it_names_is_there() -> None:
    folders = {"tests/board/": "zgbench.board", "tests/ratings/": "zgbench.ratings"}
    tests = set(re.findall(r"`(tests/[\w/]+\.py)`", PAGE + FAULTS))
    assert len(tests) >= 14
    for test in tests:
        package = next((package for folder, package in folders.items() if test.startswith(folder)), "zgbench")
        assert (ROOT / test).is_file() or not there(f"{package}.x"), test
    for target in TARGETS:
        assert f"`{target}`" in PAGE


def versions(text: str) -> list[Version]:
    """Versions in a cell, one an advisory."""
    return [Version(found) for found in re.findall(r"\d+(?:\.\d+)+", text)]


def test_every_known_hole_is_mended_in_the_pinned_version_and_in_the_lowest_that_is_allowed() -> None:
    rows = re.findall(r"^\| `([\w-]+)` ([\d.]+) \| (.*) \| ([\d.; ]+) \|$", ADVISORIES, re.MULTILINE)
    assert len(rows) >= 11
    pins = dict(re.findall(r"^([\w-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [*project["dependencies"], *(line for lines in project["optional-dependencies"].values() for line in lines)]
    lowest = {wanted.name: wanted.specifier for wanted in map(Requirement, named)}
    for package, pinned, what, mended in rows:
        assert pins[package] == pinned, package
        assert len(re.findall(r"(?:CVE|PYSEC)-\d{4}-\d+", what)) >= len(versions(mended)), package
        assert Version(pinned) >= max(versions(mended)), package
        if package in lowest:
            floor = next(Version(one.version) for one in lowest[package] if one.operator == ">=")
            assert floor >= max(versions(mended)), f"{package}: pyproject.toml allows {floor}"
