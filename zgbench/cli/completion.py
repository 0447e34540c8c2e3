"""``zgbench completion SHELL``: a script that completes commands, options, choices and files on the Tab key."""

from __future__ import annotations

import argparse

_FILES = ("FILE", ".json", ".csv", "SUBMISSION", "IN", "OUT", "PHOTO", "URL")


def run(options: argparse.Namespace) -> int:
    """Print the script."""
    import shtab

    from zgbench.cli.finishing import parsers
    from zgbench.cli.parser import build_parser

    parser = build_parser()
    for _, p in parsers(parser):
        for action in p._actions:
            told = str(action.metavar or "")
            if told == "DIR":
                action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
            elif any(word in told for word in _FILES):
                action.complete = shtab.FILE  # type: ignore[attr-defined]
    print(shtab.complete(parser, options.shell))
    return 0
