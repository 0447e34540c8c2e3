"""The table of all benchmarks, made from small stand-ins of them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
FINE = """
from machine import row
row("a | b", "ms", [1, 2, 4, 2, 2], "a peer", [10, 20, 20, 20, 20], note="the same")
row("latency", "ms", [150] * 5, goal=100)
"""
LACKS = "from machine import not_measured\nnot_measured('chromium')\n"
FAILS = "assert 1 == 2, 'differs by 1'\n"


def table(folder: Path, *options: str, **scripts: str) -> subprocess.CompletedProcess[str]:
    """Run it over these scripts."""
    place = folder / "tests" / "benchmarks"
    place.mkdir(parents=True)
    for name in ("run_all.py", "machine.py"):
        shutil.copy(HERE / name, place / name)
    for name, text in scripts.items():
        (place / f"bench_{name}.py").write_text(text)
    return subprocess.run([sys.executable, str(place / "run_all.py"), *options], capture_output=True, text=True)


def test_rows_ratios_goals_and_what_could_not_be_measured(tmp_path: Path) -> None:
    done = table(tmp_path, fine=FINE, lacks=LACKS)
    assert done.returncode == 0, done.stderr
    *_, first, second, third = done.stdout.splitlines()
    assert first == r"| a \| b | 2 ms [1–4] | a peer: 20 ms | 10× [5–10] | the same |"
    assert second == "| latency | 150 ms [150–150] |  |  | goal < 100 ms: **missed** |"
    assert third == "| bench_lacks.py | not measured: chromium | | | |"
    assert done.stdout.startswith("`python tests/benchmarks/run_all.py`: ")


def test_a_benchmark_that_fails_is_told_and_gives_status_1(tmp_path: Path) -> None:
    done = table(tmp_path, "--only", "fails", fine=FINE, fails=FAILS)
    assert done.returncode == 1
    assert "| bench_fails.py | **failed**: AssertionError: differs by 1 |" in done.stdout
    assert "latency" not in done.stdout and "--only fails" in done.stdout
