"""Every fenced block of every page is run as a reader would: page by page, from top to bottom, in a folder with what he has.

A block whose reason not to run stands above it is read all the same: its commands and options must exist.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.desk import AFTER, Desk, laid
from tests.docs.pages import PAGES, ROOT, Block, blocks, text_of
from zgbench.cli.parser import build_parser

ELSEWHERE = {"docs/convert.md": "tests/submission/test_recipes.py"}
"""Pages whose blocks have a test of their own, which brings the objects of other libraries along."""
MOST_NOT_RUN = 16
TO_READ = {"text", "nginx", "dockerfile", "ini", "yaml"}
"""Languages that are shown and not run."""
COMMANDS = [(page, block) for page in PAGES for block in blocks(page)]


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """A parser and those of all its commands, whole depth."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for child in action.choices.values():
                yield from parsers(child)


def words_of(line: str) -> tuple[dict[str, str], list[str]]:
    """Variables set for a command, and its words."""
    words = shlex.split(line, comments=True)
    given: dict[str, str] = {}
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        name, _, value = words.pop(0).partition("=")
        given[name] = value
    return given, words


def lines_of(block: Block) -> list[str]:
    """Commands, without comments and empty lines; one that ends in a backslash goes on."""
    joined = block.code.replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def known(words: list[str]) -> None:
    """Whether a command is one that there is; what is no command of ours is not looked at."""
    if words[0] == "zgbench":
        build_parser().parse_args(words[1:])
    elif words[0] == "make":
        assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE), words
    elif words[:2] in (["pip", "install"], ["pip", "download"]):
        extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
        for asked in re.findall(r"zgbench\[(.*?)\]", " ".join(words)):
            assert set(asked.split(",")) <= set(extras), asked


def run(desk: Desk, page: str, line: str) -> None:
    """Run a line of a page."""
    given, words = words_of(line)
    known(words)
    if words[0] == "zgbench":
        desk.zgbench(words[1:], given)
        AFTER.get((page, " ".join(words[1:])), lambda _: None)(desk)
    elif words[0] == "export":
        name, _, value = words[1].partition("=")
        desk.environment[name] = value
    elif words[0] in ("printf", "echo"):
        subprocess.run(["bash", "-c", line], cwd=desk.folder, check=True)
    elif words[0] in ("cp", "mkdir", "python"):
        program = sys.executable if words[0] == "python" else words[0]
        subprocess.run([program, *map(desk.expanded, words[1:])], cwd=desk.folder, check=True)
    elif words[0] == "python3":
        assert words[1:3] == ["-m", "venv"]
    else:
        assert words[0] in ("make", "pip", "."), f"{line}: what is this? Say above the block why it is not run"


@pytest.mark.parametrize("page", [page for page in PAGES if page not in ELSEWHERE and blocks(page)])
def test_blocks_run(page: str, tmp_path: Path, tiny_voc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = laid(page, tmp_path / "desk", tiny_voc, monkeypatch)
    names: dict[str, object] = {}
    for block in blocks(page):
        where = f"{page}:{block.line}"
        if block.not_run:
            for line in lines_of(block):
                known(words_of(line)[1])
        elif block.language == "python":
            with desk.inside():
                exec(compile(block.code, where, "exec"), names | desk.names)
        elif block.language == "toml":
            assert tomllib.loads(block.code), where
        elif block.language == "json":
            assert json.loads(block.code), where
        elif block.language in ("", "sh", "bash", "shell"):
            for line in lines_of(block):
                run(desk, page, line)
        else:
            assert block.language in TO_READ, where


@pytest.mark.parametrize("page", ELSEWHERE)
def test_pages_tested_elsewhere_are(page: str) -> None:
    assert page in (ROOT / ELSEWHERE[page]).read_text(encoding="utf-8")


def test_few_blocks_are_not_run() -> None:
    reasons = [f"{page}:{block.line}: {block.not_run}" for page, block in COMMANDS if block.not_run]
    assert len(reasons) <= MOST_NOT_RUN, reasons


@pytest.mark.parametrize("page", PAGES)
def test_commands_and_options_that_a_page_mentions_exist(page: str) -> None:
    text = text_of(page)
    for mention in re.findall(r"`zgbench ([^`\n]+)`", text.replace("\n", " ")):  # not always with all that it needs
        with pytest.raises(SystemExit, match=r"^0$"):
            build_parser().parse_args([*shlex.split(mention.replace("…", "")), "--help"])
    ours = {option for parser in parsers(build_parser()) for option in parser._option_string_actions}
    others = r"(pip|pip-audit|python|git|docker|make|apt-get|chromium|uv|pytest) [^`\n]*"
    told = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", re.sub(others, "", text.replace("<!--", "").replace("-->", ""))))
    assert told <= ours | {"--help"}, told - ours
