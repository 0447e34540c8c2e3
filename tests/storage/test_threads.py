"""How many threads are chosen, by what a process may really use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from zgbench.errors import UsageError
from zgbench.storage import threads


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine of 16 cores, all allowed, nothing else running, no quota."""

    def machine(cores=16, allowed=16, load=0.0, running=None, **files):
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        monkeypatch.setattr(os, "cpu_count", lambda: cores)
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(allowed)))
        monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0))
        monkeypatch.setattr(threads, "_CGROUPS", tmp_path)
        now = tmp_path / "loadavg"
        if running is not None:
            now.write_text(f"{load} 0.00 0.00 {running}/900 12345\n")
        monkeypatch.setattr(threads, "_NOW", now)
        for name, text in files.items():
            place = tmp_path / name.replace("__", "/").replace("_dot_", ".")
            place.parent.mkdir(exist_ok=True)
            place.write_text(text)
        return threads.choose().number

    return machine


@pytest.mark.parametrize(
    ("settings", "number"),
    [
        ({}, 16),
        ({"allowed": 4}, 4),
        ({"load": 13.2}, 3),
        ({"load": 40.0}, 1),
        ({"load": 13.2, "running": 1}, 16),  # what was busy has ended
        ({"load": 13.2, "running": 9}, 8),
        ({"load": 13.2, "running": 60}, 3),  # a moment's crowd
        ({"allowed": 4, "load": 13.2}, 3),
        ({"allowed": 4, "load": 2.0}, 4),
        ({"cpu_dot_max": "250000 100000\n"}, 2),
        ({"cpu_dot_max": "50000 100000\n"}, 1),
        ({"cpu_dot_max": "max 100000\n"}, 16),
        ({"cpu_dot_max": "nonsense"}, 16),
        ({"cpu__cpu_dot_cfs_quota_us": "300000", "cpu__cpu_dot_cfs_period_us": "100000"}, 3),
        ({"cpu__cpu_dot_cfs_quota_us": "-1", "cpu__cpu_dot_cfs_period_us": "100000"}, 16),
    ],
    ids=str,
)
def test_threads_by_affinity_quota_and_load(machine, settings, number):
    assert machine(**settings) == number


def test_the_user_goes_before_the_environment_and_that_before_the_machine(machine, monkeypatch):
    machine()
    monkeypatch.setenv("OMP_NUM_THREADS", "5,2")
    assert str(threads.choose()) == "5 threads (OMP_NUM_THREADS)"
    assert str(threads.choose(1)) == "1 thread (--threads)"
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    assert threads.choose().number == 16


@pytest.mark.parametrize("number", [0, -3])
def test_less_than_one_thread(number):
    with pytest.raises(UsageError, match=r"--threads -?\d: expected at least 1"):
        threads.choose(number)


@pytest.mark.slow
def test_torch_and_worker_processes_get_them():
    """In a fresh process, as OpenMP reads its environment once."""
    code = (
        "from zgbench.storage.threads import limit; limit(3); import os, torch; limit(2);"
        "print(torch.get_num_threads(), os.environ['OMP_NUM_THREADS'], os.environ['OMP_WAIT_POLICY'])"
    )
    free = {name: value for name, value in os.environ.items() if not name.startswith("OMP_")}
    found = subprocess.run([sys.executable, "-c", code], env=free, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])  # fmt: skip
    assert found.stdout.split() == ["2", "2", "PASSIVE"]
