"""Takes fields from a table that somebody wrote, and notes everything that is wrong with them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

MOST_SHOWN = 40
MISSING = "no such field"
_NO_DEFAULT = object()


def found(value: object) -> str:
    """A value as it may be shown."""
    text = ascii(value) if not isinstance(value, str) or not value.isprintable() else repr(value)
    return text if len(text) <= 80 else text[:77] + "…"


class Fields:
    """The fields of one table.

    Attributes:
        content: the table.
        where: what stands before a field's name in messages.
        problems: what was found so far; shared with the table above.
    """

    def __init__(self, content: dict[str, Any], where: str, problems: list[str] | None = None) -> None:
        self.content, self.where = content, where
        self.problems: list[str] = [] if problems is None else problems

    def problem(self, name: str, expected: str, shown: str, mend: str = "") -> None:
        """Note what is wrong with a field; ``shown`` is what was found, as it may be printed."""
        self.problems.append(f"{self.where}{name}: expected {expected}, found {shown}.{' ' + mend if mend else ''}")

    def known(self, names: Iterable[str]) -> None:
        """Note fields that have another name."""
        allowed = tuple(names)
        for name in self.content:
            if name not in allowed:
                close = difflib.get_close_matches(name[:80], allowed, 1)
                mend = f"Did you mean {close[0]}?" if close else "Remove it."
                self.problem(found(name)[1:-1], f"only {', '.join(allowed)}", found(name), mend)

    def text(self, name: str, limit: int, *, default: Any = _NO_DEFAULT, lines: bool = False) -> str | None:
        """A text that people can see, or the default; None after a problem."""
        value = self.content.get(name, default)
        if value is default and default is not _NO_DEFAULT:
            return None if default is None else str(default)
        if value is _NO_DEFAULT:
            self.problem(name, "a text", MISSING, f'Add {name} = "…".')
            return None
        if not isinstance(value, str):
            self.problem(name, "a text in quotes", found(value))
            return None
        seen = value.replace("\n", " ").replace("\t", " ") if lines else value
        if len(value) > limit:
            self.problem(name, f"at most {limit} characters", f"{len(value)} characters", "Shorten it.")
        elif not seen.isprintable():
            self.problem(name, "a text without control characters", found(value))
        elif not lines and (not value or value.strip() != value):
            self.problem(name, "a text without blanks at its ends", found(value))
        else:
            return value
        return None

    def number(self, name: str, least: int, most: int) -> int | None:
        """A whole number, or None."""
        value = self.content.get(name)
        if value is None or (type(value) is int and least <= value <= most):
            return value
        self.problem(name, f"a whole number {least}–{most}", found(value))
        return None

    def flag(self, name: str) -> bool:
        """True or false; false where it is not said."""
        value = self.content.get(name, False)
        if not isinstance(value, bool):
            self.problem(name, "true or false", found(value))
        return value is True

    def report(self, place: str) -> str:
        """All problems, the first of them in full."""
        n = len(self.problems)
        lines = [
            f"{place}: rejected, {n} problem{'s' if n != 1 else ''}",
            *(f"  {p}" for p in self.problems[:MOST_SHOWN]),
        ]
        return "\n".join(lines + ([f"  … and {n - MOST_SHOWN} more"] if n > MOST_SHOWN else []))
