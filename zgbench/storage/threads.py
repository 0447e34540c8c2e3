"""How many threads a process should compute with: as many as there are processors for it, and no more.

PyTorch starts a thread for each core that it sees, and each waits for the others in a loop that keeps its core busy.
Where another process needs one of these cores, every step of a computation then waits until the system gives the
straggler a turn: tens of times slower than one thread.
"""

from __future__ import annotations

import math
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from zgbench.errors import UsageError

_CGROUPS = Path("/sys/fs/cgroup")
_NOW = Path("/proc/loadavg")
_GLANCES = 3


@dataclass(frozen=True)
class Threads:
    """How many, and why."""

    number: int
    why: str

    def __str__(self) -> str:
        return f"{self.number} thread{'s' if self.number > 1 else ''} ({self.why})"


def choose(asked: int | None = None) -> Threads:
    """Threads by what the process may really use.

    Args:
        asked: by the user; else the environment variable ``OMP_NUM_THREADS``; else the processors that it may run on
            (affinity, and the quota of its control group), less those that others keep busy.

    Raises:
        UsageError: less than one.
    """
    if asked is not None:
        if asked < 1:
            raise UsageError(f"--threads {asked}: expected at least 1.")
        return Threads(asked, "--threads")
    try:
        given = int(os.environ.get("OMP_NUM_THREADS", "").partition(",")[0])
    except ValueError:
        given = 0
    if given > 0:
        return Threads(given, "OMP_NUM_THREADS")
    cores = os.cpu_count() or 1
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else cores
    quota = _quota(_CGROUPS)
    if quota is not None:
        allowed = min(allowed, max(1, math.floor(quota)))
    load = _busy()
    number = max(1, min(allowed, round(cores - load)))
    return Threads(number, f"{allowed} of {cores} processors may be used, {load:.1f} are busy")


def limit(asked: int | None = None, *, why: str | None = None) -> Threads:
    """Make this process, and those that it starts, compute with :func:`choose`'s threads, which wait without a loop.

    To be called before PyTorch is imported, which reads the environment once.

    Args:
        why: what is said of ``asked``, where it is not the user's word.
    """
    chosen = choose(asked)
    os.environ["OMP_NUM_THREADS"] = str(chosen.number)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # GNU's and LLVM's OpenMP
    os.environ.setdefault("KMP_BLOCKTIME", "0")  # Intel's
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(chosen.number)
    return Threads(chosen.number, why or chosen.why)


def _busy() -> float:
    """Processors that others kept busy in the last minute and, where the system tells it, still do: what ran a moment
    ago may have been this user's last command."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    if load < 0.5:
        return load
    running = 0
    for _ in range(_GLANCES):
        try:
            running = max(running, int(_NOW.read_text().split()[3].partition("/")[0]) - 1)  # without this process
        except (OSError, ValueError, IndexError):
            return load
        time.sleep(0.005)
    return min(load, running)


def _quota(groups: Path) -> float | None:
    """Processors that the control group grants, None where it sets no limit: version 2, and version 1."""
    try:
        limit, period = (groups / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            limit, period = (
                (groups / "cpu" / f"cpu.cfs_{name}_us").read_text().strip() for name in ("quota", "period")
            )
        except OSError:
            return None
    try:
        return int(limit) / int(period) if int(limit) > 0 and int(period) > 0 else None
    except ValueError:  # "max"
        return None
