"""The optional keys of a submission's ``method`` object that make up its card on a leaderboard."""

from __future__ import annotations

from typing import Any

from zgbench.submission.schema import text_problem

CARD_KEYS = ("authors", "year", "paper", "code", "licence", "models", "training_data", "parameters", "needed")
_LISTS = ("models", "training_data")
_ADDRESSES = ("paper", "code")
_NUMBERS = {"year": (1950, 2100), "parameters": (0, 10**15)}
MAX_TEXT = 500
MAX_LIST = 100


def wrong_value(key: str, value: object) -> str | None:
    """What was expected of one of CARD_KEYS, or None where its value is sound."""
    if key in _NUMBERS:
        low, high = _NUMBERS[key]
        return None if type(value) is int and low <= value <= high else f"a whole number from {low} to {high}"
    if key in _LISTS:
        sound = isinstance(value, list) and len(value) <= MAX_LIST and all(_is_text(one) for one in value)
        return None if sound else f"a list of at most {MAX_LIST} texts of 1–{MAX_TEXT} visible characters"
    if key in _ADDRESSES:
        sound = value == "" or (_is_text(value) and str(value).startswith("https://"))
        return None if sound else "an address that starts with https://"
    return None if value == "" or _is_text(value) else f"a text of at most {MAX_TEXT} visible characters"


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and text_problem(value, MAX_TEXT) is None
