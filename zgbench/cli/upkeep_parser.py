"""Options of ``zgbench doctor``, ``zgbench cache`` and ``zgbench completion``."""

from __future__ import annotations

from typing import Any

from zgbench.cli.options import Lazy
from zgbench.storage.cache_folder import PARTS


def add_upkeep(commands: Any, lazy: Lazy) -> None:
    """The commands about this installation."""
    doctor = commands.add_parser(
        "doctor",
        help="what is installed, what is where, what is missing for which command",
        description="Tell versions, device, packages, models, data and cache of this installation, and for each command "
        "that cannot run what to install. Put its output into a report of a bug. Nothing is fetched or changed.",
    )
    doctor.add_argument("--json", action="store_true", help="print JSON")
    doctor.set_defaults(run=lazy("zgbench.cli.doctor:run"))
    cache = commands.add_parser("cache", help="what zgbench keeps so that it need not be made again")
    actions = cache.add_subparsers(title="actions", metavar="ACTION", required=True)
    info = actions.add_parser("info", help="where it is and how much")
    info.add_argument("--json", action="store_true", help="print JSON")
    info.set_defaults(run=lazy("zgbench.cli.cache:info"))
    clear = actions.add_parser("clear", help="remove it: all but the models, or what is named")
    clear.add_argument("parts", nargs="*", metavar="PART", type=_part, help=f"some of {', '.join(PARTS)}")
    clear.set_defaults(run=lazy("zgbench.cli.cache:clear"))
    completion = commands.add_parser(
        "completion",
        help="a script that completes commands and options in your shell",
        description="Print a completion script. bash: see the example; zsh: write it as _zgbench into a folder of $fpath.",
    )
    completion.add_argument("shell", choices=("bash", "zsh"))
    completion.set_defaults(run=lazy("zgbench.cli.completion:run"))


def _part(text: str) -> str:
    import argparse

    if text not in PARTS:
        raise argparse.ArgumentTypeError(f"there is no part {text!r}; known: {', '.join(PARTS)}")
    return text
