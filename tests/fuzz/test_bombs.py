"""Small files that ask for much are refused, in bounded memory and time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fuzz.bombs import BOMBS, place
from tests.fuzz.targets import MAX_MESSAGE

ROOT = Path(__file__).resolve().parents[2]
SAID = {
    "long_keys": "unknown-key", "long_top_key": "unknown-key", "brackets": "200000 values", "brackets_at_the_top": "200000 values",
    "deep": "nested more than 8 deep", "digits": "not valid JSON", "blanks": "No honest", "long_mask": "characters of run lengths",
    "long_mask_of_a_large_picture": "wrong-size", "one_text_in_many_rows": "more than 256 MiB of text", "one_large_text": "more than 200 times its size",
    "many_rows_of_one_image": "more than 10000 segments", "packed_mat": "unpacks to more than 64 MiB",
    "nested_mat": "not a matrix of numbers", "large_png": "8200 × 8200 pixels", "program_png": "not a readable PNG",
}  # fmt: skip


@pytest.fixture(scope="module")
def read() -> dict[str, dict[str, Any]]:
    """What became of each bomb: read one after another, each in a process of its own."""
    if sys.platform != "linux":
        pytest.skip("limits of memory as Linux has them")
    paths = [place(name) for name in BOMBS]
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.bombs", *map(str, paths)], cwd=ROOT, capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}, timeout=600,
    )  # fmt: skip
    for path in paths:
        path.unlink()
    assert done.returncode == 0, done.stderr
    return dict(zip(BOMBS, map(json.loads, done.stdout.splitlines()), strict=True))


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused(name: str, read: dict[str, dict[str, Any]]) -> None:
    found = read[name]
    assert found["kind"] in ("SubmissionError", "InputError", "DataError"), found
    assert SAID[name] in found["said"]
    assert len(found["said"]) < MAX_MESSAGE
    assert found["MiB"] < 512, found
    assert found["seconds"] < 60, found
