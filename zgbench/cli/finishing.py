"""What every command has: an example in its help, ``-q``, ``-v`` and ``--no-progress``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from zgbench.cli.examples import EXAMPLES


class Help(argparse.HelpFormatter):
    """Wraps descriptions, and leaves examples as they are, so that they can be copied."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if text.startswith("example"):
            return "\n".join(indent + line for line in text.splitlines())
        return super()._fill_text(text, width, indent)


def parsers(parser: argparse.ArgumentParser, name: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """A parser and those below it, each with its words behind ``zgbench``."""
    yield name, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, child in action.choices.items():
                yield from parsers(child, f"{name} {word}".strip())


def finish(parser: argparse.ArgumentParser) -> None:
    """Give every command its example and the options that all have."""
    for name, p in list(parsers(parser)):
        if p.formatter_class is argparse.HelpFormatter:
            p.formatter_class = Help
        if p.epilog is None and (example := EXAMPLES.get(name)) is not None:
            lines = example.splitlines()
            p.epilog = f"example: {example}" if len(lines) == 1 else "\n  ".join(["examples:", *lines])
        if not any(isinstance(action, argparse._SubParsersAction) for action in p._actions):
            group = p.add_argument_group("what is said besides the result")
            group.add_argument("-q", "--quiet", action="store_true", help="errors only: no notes, no progress")
            group.add_argument("-v", "--verbose", action="store_true", help="steps and seconds; tracebacks of bugs")
            group.add_argument("--no-progress", action="store_true", help="no progress bars")
