"""Labels as people give them, checked where they are given; and messages that say which label or value is missing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from zgbench.errors import UsageError
from zgbench.submission.problems import quote

Tags = Literal["first", "join"]
TAGS: tuple[Tags, ...] = ("first", "join")
_MAX_SPANS = 60
Classes = Mapping[int, str] | Sequence[str]


def spans(values: Iterable[int]) -> str:
    """Whole numbers as people write them: ``1–6, 8``; past a line's length, how many there are."""
    ordered = sorted(set(values))
    if not ordered:
        return "none"
    cuts = [0, *(k + 1 for k, (a, b) in enumerate(pairwise(ordered)) if b != a + 1), len(ordered)]
    parts = []
    for a, b in pairwise(cuts):
        first, last = ordered[a], ordered[b - 1]
        parts.append(f"{first}" if a == b - 1 else f"{first}, {last}" if b - a == 2 else f"{first}–{last}")
    if len(parts) > _MAX_SPANS:
        return f"{', '.join(parts[:_MAX_SPANS])}, … ({len(ordered)} values up to {ordered[-1]})"
    return ", ".join(parts)


def one_text(value: Any, where: str, tags: Tags | None) -> str:
    """One label of a segment that may have several tags.

    Raises:
        UsageError: no text; or several tags, and it was not told what to do with them.
    """
    if isinstance(value, (list, tuple)) and value and all(isinstance(tag, str) for tag in value):
        if tags is None and len(value) > 1:
            raise UsageError(
                f"{where}: {len(value)} tags for one segment, {quote(list(value), 120)}. Say what to do with them: the first counts, or "
                'all are joined with commas (tags="first" or "join"; zgbench convert --tags).'
            )
        return ", ".join(value) if tags == "join" else str(value[0])
    if not isinstance(value, str):
        raise UsageError(f"{where}: expected a text as label, found {type(value).__name__} {quote(value)}.")
    return str(value)


def text_list(labels: Any, where: str, tags: Tags | None) -> list[str]:
    """Labels in an order.

    Raises:
        UsageError: one text in place of a list, a set or another thing without order, or no texts.
    """
    if isinstance(labels, (str, bytes)):
        raise UsageError(
            f"{where}: labels are one text, {quote(labels)}. Give a list with a label for each segment: [{quote(labels)}]."
        )
    if isinstance(labels, (set, frozenset)):
        raise UsageError(f"{where}: labels are a set, which has no order. Give a list.")
    if isinstance(labels, np.ndarray):
        labels = labels.tolist()
    if not isinstance(labels, Sequence):
        raise UsageError(f"{where}: labels are {type(labels).__name__}. Give a list of texts (list(...)).")
    return [one_text(label, f"{where}, label {index}", tags) for index, label in enumerate(labels)]


def text_mapping(labels: Mapping[Any, Any], where: str, tags: Tags | None) -> dict[int, str]:
    """Labels by value or id.

    Raises:
        UsageError: keys that are no whole numbers, or labels that are no texts.
    """
    found = {}
    for key, label in labels.items():
        if isinstance(key, (bool, np.bool_)) or not isinstance(key, (int, np.integer)):
            mend = " Mend: {int(k): v for k, v in labels.items()}." if isinstance(key, str) else ""
            raise UsageError(
                f"{where}: labels have the key {quote(key)}, a {type(key).__name__}; expected the map's values, whole numbers.{mend}"
            )
        found[int(key)] = one_text(label, f"{where}, label of {int(key)}", tags)
    return found


def of_classes(classes: Classes, ids: Collection[int], where: str) -> dict[int, str]:
    """Names of class ids: a mapping from ids, or a list that counts from 0.

    Raises:
        UsageError: an id that the classes lack.
    """
    if isinstance(classes, Mapping):
        named = text_mapping(classes, f"{where}, classes", None)
    else:
        named = dict(enumerate(text_list(classes, f"{where}, classes", None)))
    lacking = [i for i in ids if i not in named]
    if lacking:
        raise UsageError(f"{where}: no class has the id {spans(lacking)}; the classes have {spans(named)}.")
    return {i: named[i] for i in ids}


def mismatch(values: Collection[int], named: Collection[int]) -> str | None:
    """What does not fit between a map's values (without those that lie in no segment) and the labels' keys, in full."""
    held, given = set(values), set(named)
    if held == given:
        return None
    message = f"labels are given for {spans(given)}; the map holds "
    if held < given:
        message += f"{len(held)} of them; {spans(given - held)} {'is' if len(given - held) == 1 else 'are'} missing"
    else:
        message += f"{spans(held)}; no label for {spans(held - given)}"
        if given - held:
            message += f", and {spans(given - held)} lies nowhere in the map"
    hints = []
    if {value + 1 for value in given} == held or (0 in given and {value + 1 for value in given} >= held):
        hints.append("The labels count from 0, the map's segments from 1.")
    if held & set(range(-128, 0)):
        hints.append("Negative values: background=-1 says that they lie in no segment.")
    if 255 in held - given:
        hints.append("255 is often a border: background=(0, 255) says that it lies in no segment.")
    return ". ".join([f"{message}. Give one label for each value but 0", *[hint.rstrip(".") for hint in hints]]) + "."
