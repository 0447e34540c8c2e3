"""``zgbench reproduce``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any


def add_reproduce(commands: Any, lazy: Callable[[str], Callable[[argparse.Namespace], int]]) -> None:
    """The options of ``reproduce``."""
    p = commands.add_parser(
        "reproduce",
        help="the command behind a signature or a result",
        description="Print the command that gives the numbers of a signature, or of all rows of a result file, and what "
        "it needs: submission, data, models. The first line is the command.",
    )
    p.add_argument("what", metavar="SIGNATURE|RESULT.json", help="put a signature in quotes, for it holds |")
    p.set_defaults(run=lazy("zgbench.cli.reproduce:run"))


def run(options: argparse.Namespace) -> int:
    """``zgbench reproduce``."""
    from zgbench.scores.reproduction import reproduce

    found = reproduce(options.what)
    print(found.command)
    width = max(map(len, found.needs))
    for name, told in found.needs.items():
        print(f"  {name.ljust(width)}  {told}")
    for note in found.notes:
        print(f"  note: {note}")
    return 0
