"""``zgbench leaderboard summary``: methods over data sets, as seen from a terminal."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zgbench.board.families import Family
    from zgbench.board.over_datasets import OverDatasets


def summary(options: argparse.Namespace) -> int:
    """``zgbench leaderboard summary``."""
    from zgbench.board import over_datasets_text as text
    from zgbench.board.families import families, family_of
    from zgbench.board.over_datasets import over_datasets
    from zgbench.board.store import load_board
    from zgbench.cli.console import Progress
    from zgbench.cli.leaderboard import _board, _tell_left_out

    with Progress() as progress:
        board = load_board(_board(options), progress=progress)
    _tell_left_out(board)
    if options.families:
        _print_families(families(board, unofficial=options.unofficial))
        return 0
    family = family_of(board, options.family, unofficial=options.unofficial)
    datasets = None if options.datasets is None else [key.strip() for key in options.datasets.split(",")]
    found = over_datasets(board, family, datasets, options.score)
    if options.format == "json":
        print(json.dumps(text.record(found), indent=1, ensure_ascii=False, allow_nan=False))
    elif options.format == "csv":
        print(text.as_csv(found), end="")
    elif options.format == "markdown":
        print(text.as_markdown(found), end="")
    else:
        _print_table(found)
        return 0
    if not any(row.rank for row in found.rows):
        print(f"note: {_nobody(found)}", file=sys.stderr)
    return 0


def _nobody(found: OverDatasets) -> str:
    return f"no method has a score on all of {', '.join(found.datasets)}. Choose some of them with --datasets."


def _print_families(found: list[Family]) -> None:
    for family in found:
        there = ", ".join(f"{key} {group.ranked}" for key, group in family.groups.items())
        shared = "|".join(f"{name}:{value}" for name, value in family.shared.items())
        print(f"{family.key}  {family.title}\n              {shared}\n              methods: {there}")


def _print_table(found: OverDatasets) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from zgbench.board import over_datasets_text as text
    from zgbench.board.ranking_text import plain
    from zgbench.cli.console import console

    screen = console()
    table = Table(box=box.SIMPLE_HEAVY, pad_edge=False)
    for title in text.head(found):
        table.add_column(title, justify="left" if title in ("rank", "method") else "right")
    for row in found.rows:
        rank, name, *rest = text.cells(found, row)
        table.add_row(Text(rank), Text(plain(name)), *(Text(cell.replace(" [", "\n[")) for cell in rest))
    screen.print(table)
    if not any(row.rank for row in found.rows):
        screen.print(Text(_nobody(found)), soft_wrap=True)
    for note in text.notes(found):
        screen.print(Text(note), soft_wrap=True, style="dim")
