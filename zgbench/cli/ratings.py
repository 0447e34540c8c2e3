"""``zgbench ratings …`` and ``zgbench rate``."""

from __future__ import annotations

import argparse
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zgbench.errors import InputError, UsageError

if TYPE_CHECKING:
    from zgbench.ratings import RaterQuality, Status, Store


def _open(options: argparse.Namespace, *, create: bool) -> Store:
    from zgbench.ratings import open_store

    return open_store(options.ratings, create=create)


def sample(options: argparse.Namespace) -> int:
    """``zgbench ratings sample``."""
    from zgbench.cli.commands import Progress
    from zgbench.sampling import sample as run

    with _open(options, create=True) as store, Progress() as progress:
        if options.k is not None and options.k < 1:
            raise UsageError(f"--k {options.k}: expected at least 1.")
        store.configure(
            min_seconds=options.min_seconds, lease_s=options.lease, control_every=options.control_every
        )  # fmt: skip
        found = run(
            store, options.submission, n=options.n, per_image=options.per_image, question=options.question,
            reassign=options.reassign, seed=options.seed, k=options.k, controls=options.controls, data=options.data,
            protocol=options.protocol, truth_dir=options.truth_dir, png_order=options.png_order, progress=progress,
        )  # fmt: skip
        name, k = store.database.name, store.settings.k
    print(
        f"{name}: {found.items} items from {found.images} images ({found.new} of them new), {k} raters each; "
        f"{found.controls} new control and {found.training} new training items."
    )
    print("Invite raters with: zgbench ratings token make NAME; start the page with: zgbench rate")
    return 0


def status(options: argparse.Namespace) -> int:
    """``zgbench ratings status``."""
    from zgbench.ratings import quality
    from zgbench.ratings import status as run

    with _open(options, create=False) as store:
        found, people = run(store), quality(store)
        name = store.database.name
    if options.json:
        content = found.to_dict() | {"quality": [figures.__dict__ for figures in people]}
        print(json.dumps(content, indent=1, ensure_ascii=False))
    else:
        _print_status(name, found, people)
    return 0


def _print_status(name: str, found: Status, people: list[RaterQuality]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=None if os.isatty(1) else 120, highlight=False)

    def line(text: str) -> None:
        console.print(Text(text), soft_wrap=True)

    share = f" ({found.answers_given / found.answers_wanted:.0%})" if found.answers_wanted else ""
    line(f"{name}: {found.items} items, {found.controls} control items, {found.training} training items")
    line(f"answers: {found.answers_given} of {found.answers_wanted}{share}; {found.items_done} items are done")
    pace = f", median {found.seconds_median:.1f} s an item" if found.seconds_median is not None else ""
    line(
        f"raters: {found.raters}, {found.raters_active} in the last hour; {found.per_hour} answers in the last hour{pace}"
    )
    if found.rules:
        line(f"rules: {'; '.join(found.rules)}; {len(found.excluded)} raters are left out below")
    for question, about in found.by_question.items():
        what = "predicted labels" if question == "T" else "reassigned labels"
        line(
            f"\n{question} ({what}): {about.ratings} ratings of {about.items} items, {about.cannot_tell} × cannot tell"
        )
        line(f"  Krippendorff's α, ordinal: {about.alpha}")
        line(f"  weighted κ, mean over pairs: {about.kappa}")
        for score, part in enumerate(about.distribution):
            line(f"  rated {score}: {part}")
    if people:
        table = Table(box=box.SIMPLE_HEAVY, pad_edge=False)
        for column in (
            "rater",
            "ratings",
            "cannot tell",
            "skipped",
            "controls",
            "agreement",
            "bias",
            "seconds",
            "left out by",
        ):
            table.add_column(column, justify="left" if column in ("rater", "left out by") else "right")
        for figures in people:
            table.add_row(*map(Text, _cells(figures)))
        console.print(table)


def _cells(figures: RaterQuality) -> list[str]:
    def plain(value: float | None, form: str) -> str:
        return "–" if value is None else format(value, form)

    return [
        figures.name, str(figures.ratings), str(figures.cannot_tell), str(figures.skipped),
        f"{figures.controls_right}/{figures.controls_seen}", plain(figures.agreement, ".0%"), plain(figures.bias, "+.2f"),
        plain(figures.median_seconds, ".1f"), figures.excluded_by,
    ]  # fmt: skip


def export(options: argparse.Namespace) -> int:
    """``zgbench ratings export``."""
    from zgbench.ratings import export_csv, export_parquet
    from zgbench.storage.files import write_bytes

    target = Path(options.target)
    if target.suffix not in (".csv", ".parquet"):
        raise UsageError(f"{target}: expected a file that ends in .csv or .parquet.")
    with _open(options, create=False) as store:
        content = export_csv(store) if target.suffix == ".csv" else export_parquet(store)
    write_bytes(target, content)
    print(f"{target}: {len(content):,} bytes. Score with it: zgbench evaluate SUBMISSION --ratings {target}")
    return 0


def import_(options: argparse.Namespace) -> int:
    """``zgbench ratings import``."""
    from zgbench.ratings import import_table

    source = Path(options.source)
    if not source.is_file():
        raise InputError(f"{source}: there is no such file.")
    with _open(options, create=True) as store:
        new, total = import_table(store, source)
    print(f"{source}: {total} rows, {new} of them new.")
    return 0


def token_make(options: argparse.Namespace) -> int:
    """``zgbench ratings token make``."""
    with _open(options, create=True) as store:
        print(store.make_token(options.name, role="admin" if options.admin else "rater", days=options.days))
    return 0


def token_list(options: argparse.Namespace) -> int:
    """``zgbench ratings token list``."""
    with _open(options, create=False) as store:
        found, now = store.tokens(), store.clock()
    for token in found:
        state = (
            f"revoked {_date(token.revoked)}"
            if token.revoked is not None
            else "valid until revoked"
            if token.expires is None
            else f"{'expired' if token.expires <= now else 'valid until'} {_date(token.expires)}"
        )
        print(f"{token.id}  {token.role:5}  made {_date(token.created)}, {state}  {token.name}")
    return 0


def token_revoke(options: argparse.Namespace) -> int:
    """``zgbench ratings token revoke``."""
    with _open(options, create=False) as store:
        if not store.revoke_token(options.token):
            raise UsageError("no valid invitation has this token or id. See: zgbench ratings token list")
    print("revoked.")
    return 0


def exclude(options: argparse.Namespace) -> int:
    """``zgbench ratings exclude``."""
    from zgbench.ratings import quality

    with _open(options, create=False) as store:
        if options.revoke is not None and not store.revoke_exclusion(options.revoke):
            raise UsageError(f"--revoke {options.revoke}: no such rule is in force.")
        if options.rule is not None:
            store.add_exclusion(options.rule, min=options.min)
        rules, people = store.exclusions(), quality(store)
    for rule in rules:
        state = "in force" if rule.revoked is None else f"revoked {_date(rule.revoked)}"
        out = [figures.name for figures in people if rule.revoked is None and figures.excluded_by == rule.text]
        print(f"{rule.id}  {rule.text}  since {_date(rule.created)}, {state}" + (f": {', '.join(out)}" if out else ""))
    if not rules:
        print("no rules: nobody is left out.")
    return 0


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


def rate(options: argparse.Namespace) -> int:
    """``zgbench rate``."""
    from zgbench.pages import serve

    with _open(options, create=False) as store:  # a wrong place is told here, not on the page
        url = store.database.engine.url
    environment = {"ZGBENCH_RATINGS": url.render_as_string(hide_password=False)}
    data: Any = options.data or os.environ.get("ZGBENCH_DATA")
    if data:
        environment["ZGBENCH_DATA"] = str(Path(data).absolute())
    return serve("human_eval", options.port, environment, address=options.address)
