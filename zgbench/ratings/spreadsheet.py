"""CSV cells that a spreadsheet takes for text: no cell can become a formula.

A cell that begins with = + - @, a tab or a carriage return gets an apostrophe in front, and so does one that begins
with an apostrophe before one of these, so that reading undoes it exactly.
"""

from __future__ import annotations

import re

_ARMED = re.compile(r"'*[=+\-@\t\r]")
_SHIELDED = re.compile(r"''*[=+\-@\t\r]")


def shield(cell: str) -> str:
    """The cell as it is written."""
    return f"'{cell}" if _ARMED.match(cell) else cell


def unshield(cell: str) -> str:
    """The cell as it was before :func:`shield`."""
    return cell[1:] if _SHIELDED.match(cell) else cell
