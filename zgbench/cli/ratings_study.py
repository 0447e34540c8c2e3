"""``zgbench ratings study``, ``payment`` and ``exclude``, and invitations by the table."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from zgbench.cli.ratings import date_of, opened
from zgbench.errors import InputError, UsageError


def study(options: argparse.Namespace) -> int:
    """``zgbench ratings study``."""
    from zgbench.ratings.studies import list_studies

    changes = {
        "quota": options.quota, "contact": options.contact, "code": options.code, "language": options.language,
        "practice_share": options.practice, "k": options.k, "min_seconds": options.min_seconds,
        "lease_s": options.lease, "control_every": options.control_every,
        "consent": _text(options.consent) if options.consent is not None else None,
    }  # fmt: skip
    changes = {name: value for name, value in changes.items() if value is not None}
    with opened(options, create=bool(changes)) as store:
        found = store.configure(**changes) if changes else store.settings
        name = store.study.name
        others = [one.name for one in store.database.read(list_studies) if one.name != name]
    print(f"study {name}" + (f"; also in this store: {', '.join(others)}" if others else ""))
    for key, value in asdict(found).items():
        shown = value if not isinstance(value, str) else repr(value[:60]) + (" …" if len(value) > 60 else "")
        print(f"  {key:<14} {shown}")
    return 0


def _text(file: str) -> str:
    if not file:
        return ""
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"--consent {file}: cannot be read as UTF-8 text ({error}).") from error


def payment(options: argparse.Namespace) -> int:
    """``zgbench ratings payment``."""
    from zgbench.ratings import payment_csv
    from zgbench.storage.files import write_bytes

    with opened(options, create=False) as store:
        content = payment_csv(store)
    if options.target is None:
        print(content.decode(), end="")
    elif Path(options.target).suffix != ".csv":
        raise UsageError(f"{options.target}: expected a file that ends in .csv.")
    else:
        write_bytes(Path(options.target), content)
        print(f"{options.target}: {content.count(bytes([10])) - 1} raters.")
    return 0


def token_bulk(options: argparse.Namespace) -> int:
    """``zgbench ratings token bulk``."""
    from zgbench.ratings.invitations import invite, read_names
    from zgbench.storage.files import write_bytes

    source, target = Path(options.source), Path(options.target)
    if target.suffix != ".csv":
        raise UsageError(f"{target}: expected a file that ends in .csv.")
    if target.exists():
        raise UsageError(f"{target}: is there already; its links are shown nowhere else. Name another file.")
    try:
        content = source.read_bytes()
    except OSError as error:
        raise InputError(f"{source}: cannot be read ({error.strerror}).") from error
    names = read_names(content, str(source))
    with opened(options, create=True) as store:
        links = invite(store, names, options.url, days=options.days, trained=options.trained)
    write_bytes(target, links)
    print(f"{target}: {len(names)} links. Keep it safe: whoever has a link is that rater.")
    return 0


def exclude(options: argparse.Namespace) -> int:
    """``zgbench ratings exclude``."""
    from zgbench.ratings import preview, quality

    if options.preview and options.rule is None:
        raise UsageError("--preview: of which rule? Give one, such as 'controls<0.7'.")
    with opened(options, create=False) as store:
        if options.preview:
            found = preview(store, options.rule, min=options.min)
            names = ", ".join(found.raters) or "nobody"
            print(f"{found.rule} would leave out {names}: {found.ratings} of {found.of} scores. Nothing is changed.")
            for question, (now, then) in found.alpha.items():
                print(f"  {question}: Krippendorff's α {now} now, {then} with it")
            return 0
        if options.revoke is not None and not store.revoke_exclusion(options.revoke):
            raise UsageError(f"--revoke {options.revoke}: no such rule is in force.")
        if options.rule is not None:
            store.add_exclusion(options.rule, min=options.min)
        rules, people = store.exclusions(), quality(store)
    for rule in rules:
        state = "in force" if rule.revoked is None else f"revoked {date_of(rule.revoked)}"
        out = [figures.name for figures in people if rule.revoked is None and figures.excluded_by == rule.text]
        print(
            f"{rule.id}  {rule.text}  since {date_of(rule.created)}, {state}" + (f": {', '.join(out)}" if out else "")
        )
    if not rules:
        print("no rules: nobody is left out.")
    return 0
