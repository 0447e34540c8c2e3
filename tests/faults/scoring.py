"""A quick evaluation for the tests of this folder: in this process, or as a command in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import zgbench
from tests.conftest import HashedText
from tests.submission.sample import sound, write

ROOT = Path(__file__).resolve().parents[2]
PROTOCOL = replace(zgbench.PRESETS["offline"], resamples=5)
FILES = {f"mine.pas20.{ending}" for ending in ("result.json", "stats.parquet", "segments.parquet", "per_class.csv")}


def score(data: Path, submission: Path, out: Path | None, **options: Any) -> zgbench.Evaluation:
    """Score a submission to the drawn images with the stand-in for the text model."""
    chosen = {"protocol": PROTOCOL, "reassign": ["tt"], "text_encoder": HashedText()} | options
    return zgbench.evaluate(submission, data=data, out=out, **chosen)


def submission(folder: Path) -> Path:
    """The sound submission, as ``mine.json``."""
    return write(sound(), folder / "mine.json")


def contents(out: Path) -> dict[str, bytes]:
    """Every file of a folder, hidden ones too, the result without its timing."""
    found = {path.name: path.read_bytes() for path in out.iterdir()} if out.is_dir() else {}
    for name in [name for name in found if name.endswith(".result.json")]:
        result = json.loads(found[name])
        result.pop("timing_s")
        found[name] = json.dumps(result).encode()
    return found


SCRIPT = """
import sys
from pathlib import Path
from tests.faults.scoring import score
from zgbench.cli.stopping import Stopped, stopping
if __name__ == "__main__":
    data, submission, out, workers, body = sys.argv[1:6]
    exec(body)  # what the test does to this process
    try:
        with stopping():
            print("started", flush=True)
            score(Path(data), Path(submission), Path(out), workers=int(workers))
            print("done", flush=True)
    except Stopped as stop:
        sys.exit(128 + stop.number)
    except KeyboardInterrupt:
        sys.exit(130)
"""


def start(
    data: Path, mine: Path, out: Path, script: Path, *, workers: int = 1, body: str = ""
) -> subprocess.Popen[str]:
    """The same in a process of its own, which prints ``started`` and ``done``."""
    script.write_text(SCRIPT)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(script), str(data), str(mine), str(out), str(workers), body]
    return subprocess.Popen(
        command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
