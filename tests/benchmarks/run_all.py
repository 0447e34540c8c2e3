"""All benchmarks beside this one, in one Markdown table.

    python tests/benchmarks/run_all.py [--only rle --only evaluate]

Every ``bench_*.py`` is run with ``--json`` in a process of its own, one after the other, and prints a line of JSON for
each row (see :func:`machine.row`). One that lacks something ends with status 77 and says what.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from machine import NOT_MEASURED, describe, shown, spread

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TIMEOUT_S = 1800


def main() -> int:
    """Run, print, and give the exit status: 1 if a benchmark failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    scripts = {path.stem.removeprefix("bench_"): path for path in sorted(HERE.glob("bench_*.py"))}
    parser.add_argument("--only", action="append", choices=list(scripts), help="may be given more than once")
    chosen = parser.parse_args().only or list(scripts)
    lines, failed, began = [], False, time.perf_counter()
    load = os.getloadavg()[0]
    for name in chosen:
        found, fine = run(scripts[name])
        lines += found
        failed |= not fine
    command = " ".join(["python tests/benchmarks/run_all.py", *(f"--only {name}" for name in chosen)][: None if len(chosen) < len(scripts) else 1])  # fmt: skip
    print(f"`{command}`: {describe()}; load before {load:.1f}; {(time.perf_counter() - began) / 60:.0f} minutes.")
    print("Median [least–most] over the runs; ratios pair the runs of both sides, which took turns in one process.\n")
    print("| | zgbench | against | ratio | |\n|---|---:|---|---:|---|")
    print("\n".join(lines))
    return int(failed)


def run(script: Path) -> tuple[list[str], bool]:
    """Rows of one benchmark, and whether it did not fail."""
    began = time.perf_counter()
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))}
    try:
        done = subprocess.run(
            [sys.executable, str(script), "--json"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S
        )  # fmt: skip
        status, out, err = done.returncode, done.stdout, done.stderr
    except subprocess.TimeoutExpired:
        status, out, err = 1, "", f"not finished after {TIMEOUT_S} s"
    print(f"{script.name}: {time.perf_counter() - began:.0f} s, status {status}", file=sys.stderr, flush=True)
    why = (err.strip().splitlines() or ["no reason was given"])[-1].replace("|", "\\|")
    if status == NOT_MEASURED:
        return [f"| {script.name} | not measured: {why} | | | |"], True
    if status:
        print(err, file=sys.stderr)
        return [f"| {script.name} | **failed**: {why} | | | |"], False
    return [line_of(json.loads(text)) for text in out.splitlines() if text.strip()], True


def line_of(row: dict[str, Any]) -> str:
    """One row of the table."""
    ours, theirs, goal = row["ours"], row.get("theirs"), row.get("goal")
    unit = f" {row['unit']}" if row["unit"] else ""
    against, ratio, notes = "", "", []
    if theirs is not None:
        against = f"{row['against']}: {shown(statistics.median(theirs))}{unit}"
        ratio = spread([b / a for a, b in zip(ours, theirs, strict=True)], "×")
    if goal is not None:
        met = statistics.median(ours) < goal["under"]
        notes.append(f"goal < {shown(goal['under'])}{unit}{'' if met else ': **missed**'}")
    notes += [row["note"]] if row.get("note") else []
    cells = [row["what"], spread(ours, unit), against, ratio, "; ".join(notes)]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    sys.exit(main())
