"""What every command has in common, and the pages that list it: examples, exit statuses, environment variables."""

from __future__ import annotations

import importlib
import pkgutil
import re
import shlex
import subprocess
from pathlib import Path

import pytest

import zgbench
from tests.end_to_end.command import here
from zgbench.cli.examples import EXAMPLES
from zgbench.cli.finishing import parsers
from zgbench.cli.parser import build_parser
from zgbench.errors import ZgbenchError

ROOT = Path(__file__).resolve().parents[2]
NAMES = [name for name, _ in parsers(build_parser())]


@pytest.mark.parametrize("name", NAMES)
def test_help_has_an_example_that_parses_and_no_doubled_percent_sign(name: str) -> None:
    text = dict(parsers(build_parser()))[name].format_help()
    assert "%%" not in text
    _, found, examples = text.rpartition("\nexample")
    assert found, "no example"
    commands = [line.strip() for line in examples.split(":", 1)[1].splitlines() if line.strip()]
    for command in commands:
        words = shlex.split(command.partition(" > ")[0], comments=True)
        assert words[0] == "zgbench"
        build_parser().parse_args(words[1:])
    assert " ".join(commands).startswith(f"zgbench {name}") or not set(name.split()) <= {"", "mapping"} or not name


def test_no_example_is_of_a_command_that_is_gone() -> None:
    assert set(EXAMPLES) <= set(NAMES)


def test_every_command_takes_what_is_said_besides() -> None:
    for name, parser in parsers(build_parser()):
        if not parser._subparsers:
            assert {"--quiet", "--verbose", "--no-progress"} <= set(parser._option_string_actions), name


def test_environment_page_lists_every_variable_and_no_other() -> None:
    folders = ("zgbench", "reference_method", "human_eval", "leaderboard", "tests", "submissions")
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.py")]
    files += [ROOT / "Makefile", ROOT / ".ci/run", *(ROOT / ".github").rglob("*.yml*")]
    name = re.compile(r"\bZGBENCH_[A-Z_]*[A-Z]\b")
    used = {found for file in files for found in name.findall(file.read_text(encoding="utf-8"))}
    page = (ROOT / "docs/environment.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(ZGBENCH_[A-Z_]+)`", page, re.MULTILINE)) == used


def test_exit_status_page_is_what_the_errors_say() -> None:
    for module in pkgutil.walk_packages(zgbench.__path__, "zgbench."):
        if module.name.startswith(("zgbench.submission", "zgbench.ratings.database", "zgbench.models")):
            importlib.import_module(module.name)

    def below(kind: type[ZgbenchError]) -> dict[str, int]:
        found = {kind.__name__: kind.exit_status} if kind.__module__.startswith("zgbench.") else {}
        for child in kind.__subclasses__():
            if not child.__name__.startswith("_"):
                found |= below(child)
        return found

    page = (ROOT / "docs/exit-codes.md").read_text(encoding="utf-8")
    told = {name: int(status) for name, status in re.findall(r"^\| `(\w+)` \| (\d) \|", page, re.MULTILINE)}
    public = {name: status for name, status in below(ZgbenchError).items() if name in told or name in zgbench.__all__}
    assert told == public


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_knows_every_command(shell: str, tmp_path: Path) -> None:
    out, _ = here("completion", shell)
    for name in NAMES:
        assert name.rpartition(" ")[2] in out
    assert "--no-progress" in out
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=out, text=True, check=True)
        ask = f"{out}\nCOMP_WORDS=(zgbench cac); COMP_CWORD=1; COMP_LINE='zgbench cac'; COMP_POINT=11; _shtab_zgbench; echo \"${{COMPREPLY[@]}}\""
        done = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, check=True)
        assert done.stdout.split() == ["cache"]


def test_every_public_name_is_there_and_has_a_type() -> None:
    for name in zgbench.__all__:
        assert getattr(zgbench, name) is not None
    for name in ("evaluate", "validate", "convert", "compare", "open_dataset"):
        assert isinstance(getattr(zgbench, name).__annotations__["return"], str)
