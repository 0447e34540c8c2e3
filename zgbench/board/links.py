"""Addresses that a page may link to, and those of the board's own pages."""

from __future__ import annotations

import re
from urllib.parse import urlencode, urlsplit

_PLAIN = re.compile(r"[!-~]{1,500}")
"""Printable ASCII without blanks."""
_NOT_IN_A_LINK = set("\"'<>\\`{}|^")


def https_link(address: str | None) -> str | None:
    """The address where it is a plain https one, without a user or odd characters; else None: show it as text only."""
    if not address or not _PLAIN.fullmatch(address) or _NOT_IN_A_LINK & set(address):
        return None
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    host = parts.hostname or ""
    if parts.scheme != "https" or "@" in parts.netloc or port not in (None, 443):
        return None
    return address if re.fullmatch(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}", host) else None


def page_address(page: str, name: str = "", /, **chosen: str) -> str:
    """Address of one of the board's pages with what is chosen on it, relative to the board: it works behind any proxy.

    Args:
        page: such as ``method``.
        name: of what it leads to, put behind ``#``: in a table, screen readers read the address and not what is shown.
        chosen: query parameters, such as ``dataset``, ``group`` and ``method``; empty ones are left out.
    """
    query = urlencode({key: value for key, value in chosen.items() if value})
    if not name:
        return f"{page}?{query}"
    return f"{page}?{query}#{name.replace('%', '%25').replace('+', '%2B')}"  # what is decoded to the name again
