"""Options of ``zgbench mapping``."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

Lazy = Callable[[str], Callable[[argparse.Namespace], int]]
_HERE = "zgbench.cli.mapping:"


def add_mapping(commands: Any, lazy: Lazy, protocols: Sequence[str]) -> None:
    """``zgbench mapping``."""
    p = commands.add_parser("mapping", help="how free labels become classes, and whether people agree")
    actions = p.add_subparsers(title="actions", metavar="ACTION", required=True)
    check = actions.add_parser(
        "check",
        help="measure every rule against labels that people mapped",
        description="Measure every rule against labels that people mapped: agreement, precision of what is kept, right "
        "ones dropped, each with a 95 % interval, and the commonest confusions. PAIRS.csv has the columns label and class "
        "(a class name, an alias, or none).",
        epilog="example: zgbench mapping check pairs.csv --classes pas20 --protocol offline",
    )
    check.add_argument("pairs", metavar="PAIRS.csv")
    _classes(check, protocols)
    check.set_defaults(run=lazy(_HERE + "check"))
    explain = actions.add_parser(
        "explain",
        help="how labels are read, and why they become what they become",
        description="Show how each label is read: head phrase, synset with gloss, path to the class, level, nearest texts "
        "with their cosines, and the decision.",
        epilog='example: zgbench mapping explain "a woman in a red coat" coach --classes pas20 --protocol offline',
    )
    explain.add_argument("labels", nargs="+", metavar="LABEL")
    _classes(explain, protocols)
    explain.set_defaults(run=lazy(_HERE + "explain"))
    new = actions.add_parser(
        "new",
        help="an empty table of a submission's labels, for people or a language model to fill in",
        description="Write the distinct labels of a submission, commonest first, with empty classes. Filled in, it is what "
        "evaluate --mapping takes: a class name, an alias or none; level 0-3 if wanted.",
        epilog="example: zgbench mapping new mine.json mine.mapping.csv",
    )
    new.add_argument("submission", metavar="SUBMISSION")
    new.add_argument("target", metavar="OUT.csv")
    new.set_defaults(run=lazy(_HERE + "new"))
    rated = actions.add_parser(
        "rated",
        help="share of kept segments that people rate 2 or 3, by rule",
        description="From results that were evaluated with --ratings: of the segments that each rule keeps and people "
        "rated, the share that they rate 2 or 3, with a 95 % interval over images.",
        epilog="example: zgbench mapping rated results/mine.pas20.result.json",
    )
    rated.add_argument("results", nargs="+", metavar="A.result.json")
    _json(rated)
    rated.set_defaults(run=lazy(_HERE + "rated"))
    sensitivity = actions.add_parser(
        "sensitivity",
        help="whether the order of methods survives another mapper",
        description="Score stored results under every mapper and threshold, and compare the orders by Kendall's tau. Models "
        "that cannot be had are left out and told.",
        epilog="example: zgbench mapping sensitivity results/*.result.json",
    )
    sensitivity.add_argument("results", nargs="+", metavar="A.result.json")
    sensitivity.add_argument(
        "--score", choices=("iou_image", "iou_dataset"), default="iou_image", help="(default: iou_image)"
    )
    _json(sensitivity)
    sensitivity.set_defaults(run=lazy(_HERE + "sensitivity"))


def _classes(p: argparse.ArgumentParser, protocols: Sequence[str]) -> None:
    p.add_argument(
        "--classes", required=True, metavar="KEY|FILE", help="a data set's key, or a file with a class name a line"
    )
    p.add_argument("--protocol", choices=protocols, help="whose text model and threshold (default: v1, on mini: mini)")
    _json(p)


def _json(p: argparse.ArgumentParser) -> None:
    p.add_argument("--json", action="store_true", help="print JSON")
