"""``zgbench scores list``, as seen from a terminal."""

from __future__ import annotations

import argparse
import json
import shutil
import textwrap

_WIDEST = 116


def list_all(options: argparse.Namespace) -> int:
    """``zgbench scores list``."""
    from zgbench.scores.registry import SCORES

    if options.json:
        print(json.dumps([score.to_dict() for score in SCORES.values()], indent=1, ensure_ascii=False))
        return 0
    width = min(_WIDEST, shutil.get_terminal_size((80, 24)).columns)
    for score in SCORES.values():
        marks = ["default"] if score.default else []
        marks += [f"from {score.low:g} to {score.high:g}"] if (score.low, score.high) != (0, 1) else []
        marks += ["lower is better"] if score.better == "lower" else []
        told = f" ({', '.join(marks)})" if marks else ""
        print(f"{score.name}  {score.title}{told}")
        for line in (
            f"{score.definition}. Needs {', '.join(score.needs)}.",
            f"Nothing to score: {score.when_empty}.",
            f"Source: {score.source}.",
        ):
            print(textwrap.fill(line, width, initial_indent="    ", subsequent_indent="    "))
    print("All are fractions, shown in %. Work them out with: zgbench evaluate SUBMISSION --scores all|NAME,…")
    return 0
