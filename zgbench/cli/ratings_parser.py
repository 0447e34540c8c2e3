"""Options of ``zgbench ratings`` and ``zgbench rate``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from zgbench.cli.options import add_address

Lazy = Callable[[str], Callable[[argparse.Namespace], int]]
_HERE = "zgbench.cli.ratings:"
_STUDY = "zgbench.cli.ratings_study:"


def add_rate(commands: Any, lazy: Lazy) -> None:
    """``zgbench rate``."""
    p = commands.add_parser(
        "rate",
        help="start the page on which people rate",
        description="Start the rating page, until it is stopped. Raters sign in with a token: zgbench ratings token make NAME.",
    )
    _store(p)
    add_address(p, 8501)
    p.add_argument(
        "--data", metavar="DIR", help="folder of the photos, as for evaluate (default: $ZGBENCH_DATA); mini needs none"
    )
    p.set_defaults(run=lazy(_HERE + "rate"), needs="apps")


def add_ratings(commands: Any, lazy: Lazy, data: Callable[[argparse.ArgumentParser], None]) -> None:
    """``zgbench ratings …``."""
    p = commands.add_parser("ratings", help="ratings by people: draw items, invite raters, see how it goes, export")
    p.set_defaults(needs="ratings")
    actions = p.add_subparsers(title="actions", metavar="ACTION", required=True)
    _sample(actions, lazy, data)
    status = actions.add_parser("status", help="progress, ratings an hour, agreement, quality of each rater")
    _store(status)
    _json(status)
    status.add_argument("--images", action="store_true", help="image by image, too")
    status.set_defaults(run=lazy(_HERE + "status"))
    export = actions.add_parser(
        "export",
        help="write every rating to a table",
        description="Write every rating to a .csv or .parquet file, which evaluate --ratings and ratings import read. CSV cells are safe in a spreadsheet.",
    )
    export.add_argument("target", metavar="FILE")
    _store(export)
    export.set_defaults(run=lazy(_HERE + "export"))
    imported = actions.add_parser(
        "import",
        help="put exported ratings into a store",
        description="Put ratings that ratings export has written into a store; rows that are there already are passed over.",
    )
    imported.add_argument("source", metavar="FILE")
    _store(imported)
    imported.set_defaults(run=lazy(_HERE + "import_"))
    _token(actions, lazy)
    _exclude(actions, lazy)
    _study(actions, lazy)
    paid = actions.add_parser(
        "payment", help="what each rater did: answers, minutes, controls right",
        description="A row for each rater: answers, minutes, controls right, what their link called them. As CSV, safe in a spreadsheet.",
    )  # fmt: skip
    paid.add_argument("target", nargs="?", metavar="FILE.csv", help="(default: print it)")
    _store(paid)
    paid.set_defaults(run=lazy(_STUDY + "payment"))


def _sample(actions: Any, lazy: Lazy, data: Callable[[argparse.ArgumentParser], None]) -> None:
    p = actions.add_parser(
        "sample",
        help="draw segments of a submission to be rated",
        description="Draw segments of a submission and put them into a store, with hidden control items and a training round. "
        "Two methods that show the same label on the same segment share an item, and raters never see whose it is.",
    )
    p.add_argument("submission", metavar="SUBMISSION")
    _store(p)
    p.add_argument("--n", type=int, default=500, metavar="N", help="items to draw (default: 500)")
    p.add_argument(
        "--per-image", type=int, metavar="N",
        help="segments of an image; 0: all, and only whole images (default: 3 for T, 0 for T*, as h>=k needs whole images)",
    )  # fmt: skip
    p.add_argument(
        "--question", choices=("T", "T*"), default="T",
        help="T: the submission's own labels; T*: the classes that they are reassigned to, for evaluate (default: T)",
    )  # fmt: skip
    p.add_argument("--reassign", choices=("tt", "st"), default="tt", help="how, for T* (default: tt)")
    p.add_argument("--protocol", choices=("v1", "iccv2023", "offline", "mini"), help="whose models reassign, for T*")
    p.add_argument("--seed", type=int, default=0, metavar="N", help="of the draw (default: 0)")
    p.add_argument("--k", type=int, metavar="N", help="raters for each item (default: 3)")
    p.add_argument(
        "--controls", type=int, metavar="N", help="control items (default: 1 for each image drawn, at least 20)"
    )
    p.add_argument("--name", metavar="NAME", help="of the method, in your own figures (default: the submission's)")
    _giving_out(p)
    data(p)
    p.set_defaults(run=lazy(_HERE + "sample"))


def _giving_out(p: argparse.ArgumentParser) -> None:
    p.add_argument("--min-seconds", type=float, metavar="S", help="shortest time to look at an item (default: 1)")
    p.add_argument("--lease", type=float, metavar="S", help="seconds until an unanswered item goes on (default: 600)")
    p.add_argument("--control-every", type=int, metavar="N", help="one item in N is a control; 0: none (default: 20)")


def _study(actions: Any, lazy: Lazy) -> None:
    p = actions.add_parser(
        "study", help="what raters are told and asked for; show or change it",
        description="Show the settings of a study, or change those that are given. An empty text takes one back.",
    )  # fmt: skip
    _store(p)
    p.add_argument("--consent", metavar="FILE", help="plain text that raters agree to first")
    p.add_argument("--contact", metavar="TEXT", help="of the organiser, shown to raters")
    p.add_argument("--code", metavar="TEXT", help="shown to a rater who is done, as crowd platforms want it")
    p.add_argument("--quota", type=int, metavar="N", help="answers that one rater may give; 0: any number (default: 0)")
    p.add_argument("--practice", type=float, metavar="SHARE", help="of practice that must be right (default: 0.75)")
    p.add_argument("--language", metavar="CODE", help="of the page, such as de (default: the browser's)")
    p.add_argument("--k", type=int, metavar="N", help="raters for each item that is added from now on (default: 3)")
    _giving_out(p)
    p.set_defaults(run=lazy(_STUDY + "study"))


def _token(actions: Any, lazy: Lazy) -> None:
    token = actions.add_parser("token", help="invite raters, see and revoke invitations")
    what = token.add_subparsers(title="actions", metavar="ACTION", required=True)
    make = what.add_parser("make", help="invite somebody; the token is printed this once")
    make.add_argument("name", metavar="NAME", help="of a new rater, or of one who needs another token")
    make.add_argument("--admin", action="store_true", help="for the admin page")
    make.add_argument(
        "--open",
        type=int,
        metavar="N",
        help="an invitation for up to N strangers; each who comes with it is a new rater",
    )
    make.add_argument("--url", metavar="URL", help="of the rating page: print a link to it that signs in at once")
    bulk = what.add_parser("bulk", help="invite many: a CSV of names in, a CSV of links out")
    bulk.add_argument("source", metavar="NAMES.csv", help="with a column 'name'")
    bulk.add_argument("target", metavar="LINKS.csv", help="to write, with the columns 'name' and 'link'")
    bulk.add_argument("--url", metavar="URL", required=True, help="of the rating page")
    _store(bulk)
    bulk.set_defaults(run=lazy(_STUDY + "token_bulk"))
    for p in (make, bulk):
        p.add_argument("--days", type=float, metavar="N", help="valid for so long (default: until revoked)")
        p.add_argument("--trained", action="store_true", help="without practice: for those who rated before")
    listed = what.add_parser("list", help="all invitations, without their secrets")
    revoke = what.add_parser("revoke", help="end an invitation")
    revoke.add_argument("token", metavar="TOKEN|ID", help="the token, or its id as token list shows it")
    for parser, name in ((make, "token_make"), (listed, "token_list"), (revoke, "token_revoke")):
        _store(parser)
        parser.set_defaults(run=lazy(_HERE + name))


def _exclude(actions: Any, lazy: Lazy) -> None:
    p = actions.add_parser(
        "exclude",
        help="leave raters out by a stated rule",
        description="Leave out, whenever ratings are read, the raters of whom a rule is true; nothing is deleted. Measures: "
        "controls (share of control items answered within 1 of what is known), seconds (median for an item), agreement "
        "(share of ratings within 1 of the median of the others), cannot_tell (share). Without a rule: list the rules.",
    )
    p.add_argument("rule", nargs="?", metavar="RULE", help="such as 'controls<0.7' or 'seconds<1.5'")
    p.add_argument("--min", type=int, metavar="N", help="observations that a rater must have (default: 5)")
    p.add_argument("--preview", action="store_true", help="say whom the rule would leave out, and change nothing")
    p.add_argument("--revoke", type=int, metavar="ID", help="take a rule out of force")
    _store(p)
    p.set_defaults(run=lazy(_STUDY + "exclude"))


def _store(p: argparse.ArgumentParser) -> None:
    p.add_argument(
        "--ratings", metavar="URL",
        help="the store: a SQLite file or postgresql+psycopg://USER@HOST/DATABASE (default: $ZGBENCH_RATINGS)",
    )  # fmt: skip
    p.add_argument("--study", metavar="NAME", help="one of the store's studies (default: $ZGBENCH_STUDY, else main)")


def _json(p: argparse.ArgumentParser) -> None:
    p.add_argument("--json", action="store_true", help="print JSON")
