"""The site, built strictly: nothing is loaded from elsewhere, every command and public name has its place.

Notebooks are shown but not run here; ``make site``, which CI runs, runs them.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import zgbench
from tests.docs.pages import PAGES, ROOT
from tests.docs.test_code import parsers
from tests.docs.test_navigation import NOT_ON_THE_SITE
from zgbench.cli.parser import build_parser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("site")
    command = [
        "-W",
        "--keep-going",
        "-q",
        "-b",
        "html",
        "-D",
        "nb_execution_mode=off",
        "-c",
        "docs",
        "-d",
        place / "trees",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *map(str, command), ".", str(place / "html")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return place / "html"


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        loaded = re.findall(r'<(?:script|img|iframe|source)[^>]* src="([^"]*)"', text)
        loaded += [tag for tag in re.findall(r"<link [^>]*>", text) if "https:" in tag or "http:" in tag]
        assert not [address for address in loaded if re.match(r"(?:https?:)?//|<link", address)], path.name
    for path in [*site.rglob("*.css"), *site.rglob("*.html")]:
        assert not re.search(r"@import|url\(\s*[\"']?(?:https?:)?//", path.read_text(encoding="utf-8")), path.name


def test_every_page_is_there_and_the_front_leads_in(site: Path) -> None:
    for page in PAGES:
        if not page.startswith(NOT_ON_THE_SITE):
            assert (site / page).with_suffix(".html").is_file(), page
    assert "url=docs/index.html" in (site / "index.html").read_text()
    assert (site / "searchindex.js").is_file()
    assert len(list((site / "docs/notebooks").glob("*.html"))) == 3


def test_every_command_and_every_public_name_has_its_place(site: Path) -> None:
    commands = (site / "docs/command-line.html").read_text(encoding="utf-8")
    for parser in parsers(build_parser()):
        assert f'id="{parser.prog.replace(" ", "-")}' in commands, parser.prog
    names = (site / "docs/python.html").read_text(encoding="utf-8")
    for name in zgbench.__all__:
        assert name == "__version__" or f'id="zgbench.{name}"' in names, name


def test_no_page_says_where_it_was_made(site: Path) -> None:
    for path in site.rglob("*.html"):
        assert str(ROOT) not in path.read_text(encoding="utf-8"), path.name
