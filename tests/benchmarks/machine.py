"""What a benchmark ran on, and how its figures are told."""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

NOT_MEASURED = 77
"""Exit status of a benchmark that lacks something: data, a peer, a browser, a database."""


def describe() -> str:
    """Processor, cores, memory and Python in one line."""
    info = Path("/proc/cpuinfo")
    names = (
        [line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        if info.exists()
        else []
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{names[0] if names else platform.processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}"


def spread(values: Sequence[float], unit: str = "") -> str:
    """Median with the range."""
    return f"{shown(statistics.median(values))}{unit} [{shown(min(values))}–{shown(max(values))}]"


def shown(value: float) -> str:
    """Three digits, never as a power of ten."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def row(
    what: str,
    unit: str,
    ours: Sequence[float],
    against: str | None = None,
    theirs: Sequence[float] | None = None,
    goal: float | None = None,
    note: str | None = None,
) -> None:
    """Print one row of the table as a line of JSON.

    Args:
        what: is measured.
        unit: of the numbers.
        ours: one number a run, at least five.
        against, theirs: the other side and its number in each of the same runs.
        goal: ours is to stay under this.
        note: a few words.
    """
    assert len(ours) >= 5 and (theirs is None or len(theirs) == len(ours)), what
    found: dict[str, Any] = {"what": what, "unit": unit, "ours": list(ours)}
    found |= {"against": against, "theirs": list(theirs)} if theirs is not None else {}
    found |= {"goal": {"under": goal}} if goal is not None else {}
    found |= {"note": note} if note else {}
    print(json.dumps(found, ensure_ascii=False), flush=True)


def not_measured(why: str) -> NoReturn:
    """End a benchmark that lacks something."""
    print(why, file=sys.stderr)
    sys.exit(NOT_MEASURED)
