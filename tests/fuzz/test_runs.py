"""Short coverage-guided runs, from the kept inputs on: some seconds a target in CI, one elsewhere.

A long run: ``python -m tests.fuzz.run TARGET… --seconds 600 --work DIR``.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 2 if os.environ.get("CI") else 1


@pytest.fixture(autouse=True)
def atheris() -> None:
    """Has wheels for Linux only; CI runs there, and must have it."""
    if not os.environ.get("CI"):
        pytest.importorskip("atheris", reason="coverage-guided fuzzing needs atheris, which is not installed")


def run(targets: Iterable[str], work: Path, seconds: int) -> tuple[int, str]:
    """Exit status and what was printed: one process for all, which imports and instruments once."""
    command = ["tests.fuzz.run", *targets, "--seconds", str(seconds), "--work", str(work), "--first"]
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def inputs(target: str, said: str) -> int:
    """How many inputs were run."""
    counted = re.search(rf"^{target}: (\d+) inputs", said, re.MULTILINE)
    return int(counted[1]) if counted else 0


def test_nothing_is_found(tmp_path: Path) -> None:
    status, said = run(TARGETS, tmp_path, SECONDS)
    findings = [path.read_text(errors="replace") for path in tmp_path.glob("*/findings/*.txt")]
    assert status == 0, f"{said}\n{findings}"
    for target in TARGETS:
        assert inputs(target, said) > 0, f"{said}\n{(tmp_path / target / 'log.txt').read_text()[-2000:]}"


def test_what_is_there_is_found(tmp_path: Path) -> None:
    """A defect behind two bytes: guided by coverage it takes thousands of inputs, by chance tens of thousands."""
    status, said = run(["planted"], tmp_path, 60)
    assert status == 1, said
    assert "1 findings ['Broken-targets-" in said
    (found,) = [path for path in (tmp_path / "planted/findings").iterdir() if path.suffix != ".txt"]
    assert found.read_bytes().startswith(b"zg")
    assert inputs("planted", said) > 0
