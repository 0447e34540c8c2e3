"""Many invitations at once: a table of names in, a table of links out."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from urllib.parse import urlencode, urlsplit

from zgbench.errors import InputError, UsageError
from zgbench.ratings.spreadsheet import shield, unshield
from zgbench.ratings.store import Store

MAX_INVITED = 10_000
"""Rows of a table of names."""


def link(url: str, token: str) -> str:
    """The address that signs its reader in.

    Args:
        url: of the page, such as ``https://rate.example.org``.

    Raises:
        UsageError: not an address of a page.
    """
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise UsageError(f"--url {url}: expected the address of the rating page, such as https://rate.example.org.")
    return f"{url.strip().rstrip('/')}/?{urlencode({'token': token})}"


def read_names(content: bytes, source: str) -> list[str]:
    """Names from a CSV file with a column ``name``; other columns are passed over.

    Raises:
        InputError: lists what is wrong with the table.
    """
    try:
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{source}: cannot be read as CSV in UTF-8 ({error}).") from error
    if not rows or "name" not in rows[0]:
        raise InputError(f"{source}: expected a column 'name' and a row for each person.")
    if len(rows) > MAX_INVITED:
        raise InputError(f"{source}: {len(rows)} rows; at most {MAX_INVITED:,} at once.")
    names = [unshield(row["name"] or "").strip() for row in rows]
    bad = [f"row {n}: no name" for n, name in enumerate(names, 1) if not name]
    bad += [f"row {n}: {name!r} once more" for n, name in enumerate(names, 1) if name and name in names[: n - 1]]
    if bad:
        raise InputError(f"{source}: " + "; ".join(bad[:20]))
    return names


def invite(store: Store, names: Sequence[str], url: str, *, days: float | None = None, trained: bool = False) -> bytes:
    """Invite people, all or none; their links as CSV with the columns ``name`` and ``link``.

    Raises:
        UsageError: not an address, or a name that cannot be.
    """
    link(url, "")
    tokens = store.make_tokens(names, days=days, trained=trained)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("name", "link"))
    writer.writerows((shield(name), link(url, token)) for name, token in zip(names, tokens, strict=True))
    return text.getvalue().encode()
