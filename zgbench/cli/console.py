"""What a command says besides its result, and on what kind of terminal: ``-q``, ``-v``, ``--no-progress``, 80 columns, ASCII."""

from __future__ import annotations

import argparse
import codecs
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

ASCII = {
    "−": "-", "–": "-", "—": "-", "…": "...", "τ": "tau", "α": "alpha", "κ": "kappa", "ρ": "rho", "Σ": "sum", "∪": "or", "≠": "!=", "µ": "u", "≥": ">=", "≤": "<=",
    "×": "x", "→": "->", "·": "*", "±": "+-", "’": "'", "“": '"', "”": '"',
}  # fmt: skip
"""What stands for zgbench's own signs where the terminal has none; any other character is escaped."""


@dataclass
class _Level:
    """Of this process: one command, one level."""

    quiet: bool = False
    verbose: bool = False
    bars: bool = True


level = _Level()


def set_up(options: argparse.Namespace) -> None:
    """Take over ``-q``, ``-v`` and ``--no-progress``, and let nothing that is printed fail on a terminal without Unicode."""
    level.quiet = getattr(options, "quiet", False)
    level.verbose = getattr(options, "verbose", False)
    level.bars = not (level.quiet or getattr(options, "no_progress", False))
    json = getattr(options, "format", None) == "json" or getattr(options, "json", False)
    for stream in (sys.stdout, sys.stderr):
        encoding = getattr(stream, "encoding", None) or "utf-8"
        if hasattr(stream, "reconfigure") and not codecs.lookup(encoding).name.startswith("utf"):
            stream.reconfigure(errors="zgbench-json" if json and stream is sys.stdout else "zgbench-ascii")


def note(text: str) -> None:
    """Say something that is no result and no error, on standard error; ``-q`` leaves it out."""
    if not level.quiet:
        print(text, file=sys.stderr)


def console() -> Console:
    """Where tables go: as wide as the terminal; without one, as wide as ``COLUMNS`` says, or 80."""
    from rich.console import Console

    return Console(width=shutil.get_terminal_size((80, 24)).columns, highlight=False)


class Progress:
    """Progress bars on standard error, silent when that is not a terminal; with ``-v`` a line for each step that ends."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._bars: Any = None
        self._steps: list[tuple[str, int | None, float]] = []

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.close()
        self._end()

    def __call__(self, title: str, total: int | None) -> Callable[[int], None]:
        """Start a bar; the function that it gives takes a number of steps."""
        self._end()
        self._steps = [(title, total, time.perf_counter())]
        if not level.bars or not sys.stderr.isatty():
            return lambda _: None
        if self._bars is None:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"),
                TimeRemainingColumn(),
            )
            self._bars = self._stack.enter_context(Progress(*columns, console=Console(stderr=True), transient=True))
        task = self._bars.add_task(title, total=total, rate="")

        def step(n: int) -> None:
            self._bars.advance(task, n)
            speed = self._bars.tasks[task].speed
            self._bars.update(task, rate=f"{speed:.1f}/s" if speed else "")

        return step

    def _end(self) -> None:
        if level.verbose:
            for title, total, started in self._steps:
                of = "" if total is None else f", {total:,}"
                print(f"zgbench: {title}{of}: {time.perf_counter() - started:.1f} s", file=sys.stderr)
        self._steps = []


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    return "".join(ASCII.get(c, c.encode("unicode_escape").decode("ascii")) for c in lost), error.end


def _escaped(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4)), error.end


codecs.register_error("zgbench-ascii", _plain)
codecs.register_error("zgbench-json", _escaped)
