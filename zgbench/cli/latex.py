"""Texts from files and verifications, as LaTeX takes them."""

from __future__ import annotations

_ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
}  # fmt: skip
_SYMBOLS = {"cos>=": r"$\cos \geq ", "cos>": r"$\cos > ", "h>=": r"$h \geq ", "level<=": r"$\mathrm{level} \leq "}


def escaped(text: str) -> str:
    """A text that LaTeX sets as it stands."""
    return "".join(_ESCAPES.get(c, c) for c in text)


def verification(verify: str) -> str:
    """``cos>=0.5`` in mathematics; ``level<=4+text`` is *level ≤ 4 or text*."""
    alone, _, more = verify.partition("+")
    start = next((key for key in _SYMBOLS if alone.startswith(key)), None)
    told = escaped(alone) if start is None else f"{_SYMBOLS[start]}{alone.removeprefix(start)}$"
    return f"{told} or {escaped(more)}" if more else told
