"""``zgbench ratings …`` and ``zgbench rate``."""

from __future__ import annotations

import argparse
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zgbench.cli.console import console
from zgbench.errors import InputError, UsageError

if TYPE_CHECKING:
    from zgbench.ratings import Part, RaterQuality, Status, Store


def opened(options: argparse.Namespace, *, create: bool) -> Store:
    """The study that the options name."""
    from zgbench.ratings import open_store

    return open_store(options.ratings, study=options.study, create=create)


def sample(options: argparse.Namespace) -> int:
    """``zgbench ratings sample``."""
    from zgbench.cli.console import Progress
    from zgbench.sampling import sample as run

    with opened(options, create=True) as store, Progress() as progress:
        if options.k is not None and options.k < 1:
            raise UsageError(f"--k {options.k}: expected at least 1.")
        store.configure(
            min_seconds=options.min_seconds, lease_s=options.lease, control_every=options.control_every
        )  # fmt: skip
        found = run(
            store, options.submission, n=options.n, per_image=options.per_image, question=options.question,
            reassign=options.reassign, seed=options.seed, k=options.k, controls=options.controls, name=options.name,
            data=options.data,
            protocol=options.protocol, truth_dir=options.truth_dir, png_order=options.png_order, progress=progress,
        )  # fmt: skip
        name, k = store.database.name, store.settings.k
    print(
        f"{name}: {found.items} items from {found.images} images ({found.new} of them new), {k} raters each; "
        f"{found.controls} new control and {found.training} new training items."
    )
    if found.short:
        print(f"{options.n} were asked for: {found.short}.")
    print("Invite raters with: zgbench ratings token make NAME; start the page with: zgbench rate")
    return 0


def status(options: argparse.Namespace) -> int:
    """``zgbench ratings status``."""
    from zgbench.ratings import by_image, by_method, quality
    from zgbench.ratings import status as run

    with opened(options, create=False) as store:
        found, people, methods = run(store), quality(store), by_method(store)
        images = by_image(store) if options.images else []
        name = store.database.name
    if options.json:
        content = found.to_dict() | {"quality": [figures.__dict__ for figures in people]}
        content |= {"methods": [part.__dict__ for part in methods]}
        content |= {"images": [part.__dict__ for part in images]} if options.images else {}
        print(json.dumps(content, indent=1, ensure_ascii=False))
    else:
        _print_status(name, found, people, methods, images)
    return 0


def _print_status(
    name: str, found: Status, people: list[RaterQuality], methods: list[Part], images: list[Part]
) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from zgbench.ratings.overview import lasting

    screen = console()

    def line(text: str) -> None:
        screen.print(Text(text), soft_wrap=True)

    share = f" ({found.answers_given / found.answers_wanted:.0%})" if found.answers_wanted else ""
    line(f"{name}: {found.items} items, {found.controls} control items, {found.training} training items")
    line(f"answers: {found.answers_given} of {found.answers_wanted}{share}; {found.items_done} items are done")
    pace = f", median {found.seconds_median:.1f} s an item" if found.seconds_median is not None else ""
    line(
        f"raters: {found.raters}, {found.raters_active} in the last hour; {found.per_hour} answers in the last hour{pace}"
    )
    if found.seconds_to_go is not None and found.answers_wanted > found.answers_given:
        line(
            f"to go: {found.answers_wanted - found.answers_given} answers, {lasting(found.seconds_to_go)} at this pace"
        )
    for one in (*methods, *images):
        line(f"  {one.name}: {one.given} of {one.wanted} answers, {one.done} of {one.items} items done")
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
        screen.print(table)


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
    with opened(options, create=False) as store:
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
    with opened(options, create=True) as store:
        new, total = import_table(store, source)
    print(f"{source}: {total} rows, {new} of them new.")
    return 0


def token_make(options: argparse.Namespace) -> int:
    """``zgbench ratings token make``."""
    from zgbench.ratings.invitations import link

    if options.url is not None:
        link(options.url, "")
    with opened(options, create=True) as store:
        token = store.make_token(
            options.name, role="admin" if options.admin else "rater", days=options.days, trained=options.trained,
            places=options.open,
        )  # fmt: skip
    print(token if options.url is None else link(options.url, token))
    return 0


def token_list(options: argparse.Namespace) -> int:
    """``zgbench ratings token list``."""
    with opened(options, create=False) as store:
        found, now = store.tokens(), store.clock()
    for token in found:
        state = (
            f"revoked {date_of(token.revoked)}"
            if token.revoked is not None
            else "valid until revoked"
            if token.expires is None
            else f"{'expired' if token.expires <= now else 'valid until'} {date_of(token.expires)}"
        )
        many = f", {token.made} of {token.places} raters came" if token.places is not None else ""
        print(f"{token.id}  {token.role:5}  made {date_of(token.created)}, {state}{many}  {token.name}")
    return 0


def token_revoke(options: argparse.Namespace) -> int:
    """``zgbench ratings token revoke``."""
    with opened(options, create=False) as store:
        if not store.revoke_token(options.token):
            raise UsageError("no valid invitation has this token or id. See: zgbench ratings token list")
    print("revoked.")
    return 0


def date_of(seconds: float) -> str:
    """A moment as it is printed, UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


def rate(options: argparse.Namespace) -> int:
    """``zgbench rate``."""
    from zgbench.pages import serve

    with opened(options, create=False) as store:  # a wrong place is told here, not on the page
        url, study = store.database.engine.url, store.study.name
    environment = {"ZGBENCH_RATINGS": url.render_as_string(hide_password=False), "ZGBENCH_STUDY": study}
    data: Any = options.data or os.environ.get("ZGBENCH_DATA")
    if data:
        environment["ZGBENCH_DATA"] = str(Path(data).absolute())
    return serve("human_eval", options.port, environment, address=options.address)
