"""Texts from files and verifications, as LaTeX takes them."""

from __future__ import annotations

_ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
}  # fmt: skip
_SYMBOLS = {"cos>=": r"$\cos \geq ", "cos>": r"$\cos > ", "h>=": r"$h \geq "}


def escaped(text: str) -> str:
    """A text that LaTeX sets as it stands."""
    return "".join(_ESCAPES.get(c, c) for c in text)


def verification(verify: str) -> str:
    """``cos>=0.5`` in mathematics."""
    start = next(key for key in _SYMBOLS if verify.startswith(key))
    return f"{_SYMBOLS[start]}{verify.removeprefix(start)}$"
