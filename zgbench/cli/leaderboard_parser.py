"""Options of ``zgbench leaderboard``."""

from __future__ import annotations

import argparse
from typing import Any

from zgbench.cli.models_parser import models_option
from zgbench.cli.options import PROTOCOLS, Lazy, add_address, add_data, add_workers
from zgbench.cli.scores_parser import scores_option


def add_leaderboard(commands: Any, lazy: Lazy) -> None:
    """``zgbench leaderboard``."""
    p = commands.add_parser("leaderboard", help="fill, check, show or export a leaderboard")
    actions = p.add_subparsers(title="actions", metavar="ACTION", required=True)
    add = actions.add_parser(
        "add",
        help="score a submission and put it on the board",
        description="Score a submission and store result, statistics and segments. Numbers that somebody reports of "
        "himself are never taken.",
    )
    add.add_argument("submission", metavar="SUBMISSION")
    add_data(add)
    models_option(add)
    add.add_argument("--protocol", choices=PROTOCOLS, help="preset of rules (default: v1, on mini: mini)")
    add.add_argument("--reassign", metavar="tt,st", help="reassignments to score (default: what is possible)")
    add.add_argument("--ratings", metavar="FILE", help="human ratings, a .csv or .parquet file")
    add.add_argument("--stem", metavar="NAME", help="begins the stored files' names (default: as SUBMISSION)")
    add.add_argument(
        "--kind", choices=("method", "baseline", "ceiling"), help="the last two are not ranked (default: method)"
    )
    add.add_argument(
        "--replace", action="store_true", help="replace all results of another submission of the same name"
    )
    scores_option(add, similarity=False)
    add.add_argument("--unofficial", action="store_true", help="take a part of the official split, and mark it")
    add.add_argument("--no-copy", action="store_true", help="keep no copy of the submission to look inside")
    _board(add, "those of the checkout of zgbench that one works in")
    add_workers(add)
    add.set_defaults(run=lazy("zgbench.cli.leaderboard:add"))
    check = actions.add_parser("check", help="cross-check every stored result")
    check.add_argument("--rescore", action="store_true", help="score the stored submissions again as well")
    models_option(check)
    check.add_argument(
        "--data", metavar="DIR", help="folder of the data sets (default: $ZGBENCH_DATA); mini needs none"
    )
    _board(check)
    check.set_defaults(run=lazy("zgbench.cli.leaderboard:check"))
    export = actions.add_parser(
        "export", help="write the board as files for any web server: HTML, Markdown, CSV, JSON, badges"
    )
    export.add_argument(
        "folder", metavar="DIR", help="index.html, leaderboard.md, leaderboard.json, data/ and badges/ are written here"
    )
    _board(export)
    export.set_defaults(run=lazy("zgbench.cli.leaderboard:export"))
    _summary(actions, lazy)
    serve = actions.add_parser("serve", help="show the board in a browser")
    add_address(serve, 8502)
    serve.add_argument("--data", metavar="DIR", help="folder of the data sets, to look inside (default: $ZGBENCH_DATA)")
    serve.add_argument("--submit", metavar="DIR", help="take uploads from whoever has a token, and keep them here")
    serve.add_argument(
        "--protocol", choices=PROTOCOLS, help="preset that uploads are scored under (default: v1, on mini: mini)"
    )
    serve.add_argument("--upload-mb", type=int, default=50, metavar="N", help="largest upload, MB (default: 50)")
    _board(serve)
    serve.set_defaults(run=lazy("zgbench.cli.leaderboard:serve"), needs="apps")
    token = actions.add_parser("token", help="make a token for uploads; it is printed once")
    token.add_argument("name", metavar="NAME", help="of the person or group, shown in the queue")
    token.add_argument("--submit", required=True, metavar="DIR", help="folder of the uploads")
    token.set_defaults(run=lazy("zgbench.cli.leaderboard:token"))


def _summary(actions: Any, lazy: Lazy) -> None:
    p = actions.add_parser(
        "summary",
        help="methods over data sets: Borda rank and mean",
        description="Methods x data sets under one protocol family: signatures that differ in nothing but the data set. "
        "Only methods that have all of the chosen data sets are ranked.",
        epilog="example: zgbench leaderboard summary --datasets pas20,pc59 --score iou_dataset --format markdown",
    )
    p.add_argument("--datasets", metavar="KEY,KEY…", help="(default: all that the family has)")
    p.add_argument("--score", metavar="NAME", help="see zgbench scores list (default: iou_image, or tgq)")
    p.add_argument("--family", metavar="KEY", help="of protocols (default: the one of most data sets, then methods)")
    p.add_argument("--families", action="store_true", help="list the families and end")
    p.add_argument("--unofficial", action="store_true", help="take results of parts of an official split as well")
    p.add_argument("--format", choices=("table", "markdown", "csv", "json"), default="table", help="(default: table)")
    _board(p)
    p.set_defaults(run=lazy("zgbench.cli.leaderboard_summary:summary"))


def _board(p: argparse.ArgumentParser, default: str = "those that ship with zgbench") -> None:
    p.add_argument("--board", metavar="DIR", help=f"folder of stored results (default: {default})")
