"""Options of ``zgbench ratings`` and ``zgbench rate``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from zgbench.cli.options import add_address

Lazy = Callable[[str], Callable[[argparse.Namespace], int]]
_HERE = "zgbench.cli.ratings:"


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


def _sample(actions: Any, lazy: Lazy, data: Callable[[argparse.ArgumentParser], None]) -> None:
    p = actions.add_parser(
        "sample",
        help="draw segments of a submission to be rated",
        description="Draw segments of a submission and put them into a store, with hidden control items and a training round. "
        "The store does not keep whose they are: two methods that show the same label on the same segment share an item.",
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
    p.add_argument("--controls", type=int, metavar="N", help="control items (default: 1 for 20 items, at least 20)")
    p.add_argument("--min-seconds", type=float, metavar="S", help="shortest time to look at an item (default: 1)")
    p.add_argument("--lease", type=float, metavar="S", help="seconds until an unanswered item goes on (default: 600)")
    p.add_argument("--control-every", type=int, metavar="N", help="one item in N is a control; 0: none (default: 20)")
    data(p)
    p.set_defaults(run=lazy(_HERE + "sample"))


def _token(actions: Any, lazy: Lazy) -> None:
    p = actions.add_parser("token", help="invite raters, see and revoke invitations")
    what = p.add_subparsers(title="actions", metavar="ACTION", required=True)
    make = what.add_parser("make", help="invite somebody; the token is printed this once")
    make.add_argument("name", metavar="NAME", help="of a new rater, or of one who needs another token")
    make.add_argument("--admin", action="store_true", help="for the admin page")
    make.add_argument("--days", type=float, metavar="N", help="valid for so long (default: until revoked)")
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
    p.add_argument("--revoke", type=int, metavar="ID", help="take a rule out of force")
    _store(p)
    p.set_defaults(run=lazy(_HERE + "exclude"))


def _store(p: argparse.ArgumentParser) -> None:
    p.add_argument(
        "--ratings", metavar="URL",
        help="the store: a SQLite file or postgresql+psycopg://USER@HOST/DATABASE (default: $ZGBENCH_RATINGS)",
    )  # fmt: skip


def _json(p: argparse.ArgumentParser) -> None:
    p.add_argument("--json", action="store_true", help="print JSON")
