"""Two sides that do the same work in turn, and their ratio."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

Side = Callable[[], tuple[float, Any]]
"""Gives seconds and a result."""


def timed(work: Callable[[], Any]) -> Side:
    """A side from work that is done in this process."""

    def side() -> tuple[float, Any]:
        begin = clock()
        found = work()
        return clock() - begin, found

    return side


def in_turn(
    ours: Side, theirs: Side, runs: int, difference: Callable[[Any, Any], Any], *, warm: bool = True
) -> tuple[str, str, str, Any]:
    """Run both so often, after one run of each if ``warm``.

    Returns:
        our and their seconds, median with the smallest and largest; the ratio of a run's two, likewise; and the
        difference of the last results.
    """
    times: tuple[list[float], list[float]] = ([], [])
    results: list[Any] = [None, None]
    for run in range(runs + warm):
        for number, side in enumerate((ours, theirs)):
            seconds, results[number] = side()
            if run >= warm:
                times[number].append(seconds)
    ratios = [b / a for a, b in zip(*times, strict=True)]
    shown = f"{statistics.median(ratios):.1f}× [{min(ratios):.1f}, {max(ratios):.1f}]"
    mine, plain = (f"{statistics.median(t):.2f} s [{min(t):.2f}, {max(t):.2f}]" for t in times)
    return mine, plain, shown, difference(*results)


def differing(a: list[str], b: list[str]) -> int:
    """How many of as many texts."""
    return sum(x != y for x, y in zip(a, b, strict=True))


def clock() -> float:
    """Seconds: with a GPU of the wall, when it has done all work, else of the processor."""
    if not torch.cuda.is_available():
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()
