"""Options of ``zgbench scores``, and ``--scores`` of the commands that take it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

_Lazy = Callable[[str], Callable[[argparse.Namespace], int]]


def add_scores(commands: Any, lazy: _Lazy) -> None:
    """``zgbench scores list``."""
    p = commands.add_parser("scores", help="every score: definition, source, what it needs")
    actions = p.add_subparsers(title="actions", metavar="ACTION", required=True)
    listed = actions.add_parser("list", help="every score: definition, source, what it needs")
    listed.add_argument("--json", action="store_true", help="as JSON")
    listed.set_defaults(run=lazy("zgbench.cli.scores:list_all"))


def scores_option(p: argparse.ArgumentParser, *, similarity: bool = True) -> None:
    """``--scores``, and ``--similarity`` for those that need one."""
    p.add_argument(
        "--scores",
        metavar="all|default|NAME,…",
        help="which scores, such as default,pq (default: default; names: zgbench scores list)",
    )
    if not similarity:
        return
    p.add_argument(
        "--similarity",
        metavar="FILE.csv",
        help="how alike two classes are, for open_miou: a table with the class names in its first row (true) and column "
        "(predicted) (default: WordNet's path similarity)",
    )
