"""What a comparison of results found, and how it stands in JSON."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from zgbench.protocol import facts_of
from zgbench.scores.shown import html_of_comparison, text_of_comparison
from zgbench.statistics.power import images_needed, smallest
from zgbench.statistics.resampling import Difference

Differences = dict[str, Difference]
Key = tuple[str, str, str]
"""Reassignment, verification, signature."""


@dataclass(frozen=True)
class Pair:
    """Differences of two results, the first − the second.

    Attributes:
        letters: of the two, in the order in which they were given.
        names: the two methods.
        rows: (reassign, verify, signature) → score name → difference with interval and p-values.
        per_class: the same → class name → difference of its data-set IoU; empty unless asked for.
        more_per_class: the same → name of a further score → class name → difference.
        refused: rows that only one side has, or whose signatures differ, each with the reason.
    """

    letters: tuple[str, str]
    names: tuple[str, str]
    rows: dict[Key, dict[str, Difference]]
    per_class: dict[Key, dict[str, Difference]]
    refused: list[str]
    more_per_class: dict[Key, dict[str, dict[str, Difference]]] = field(default_factory=dict)

    def to_dict(self, *, power: bool = False) -> dict[str, Any]:
        """As JSON; scores and differences are fractions, null where undefined.

        Args:
            power: with the standard error, the smallest difference found, and the images needed for the one seen.
        """

        def plain(found: dict[str, Difference], images: int) -> dict[str, Any]:
            return {name: _plain(d) | (_power(d, images) if power else {}) for name, d in found.items()}

        return {
            "a": self.names[0],
            "b": self.names[1],
            "rows": [
                {
                    "reassign": key[0], "verify": key[1], "signature": key[2],
                    "scores": plain(scores, images_of(key)),
                    **({"per_class": plain(self.per_class[key], images_of(key))} if self.per_class else {}),
                    **({"more_per_class": {s: plain(found, images_of(key)) for s, found in self.more_per_class[key].items()}} if self.more_per_class.get(key) else {}),
                }
                for key, scores in self.rows.items()
            ],
            "refused": self.refused,
        }  # fmt: skip


@dataclass(frozen=True, repr=False)
class Comparison:
    """Differences of every pair of results.

    Attributes:
        names: the methods, in the order in which the results were given; A, B, C, … for short.
        pairs: A − B, A − C, …, B − C, …
    """

    names: tuple[str, ...]
    pairs: tuple[Pair, ...]

    def __repr__(self) -> str:
        return text_of_comparison(self)

    def _repr_html_(self) -> str:
        return html_of_comparison(self)

    @property
    def rows(self) -> dict[Key, dict[str, Difference]]:
        """Rows of A − B."""
        return self.pairs[0].rows

    @property
    def per_class(self) -> dict[Key, dict[str, Difference]]:
        """Classes of A − B."""
        return self.pairs[0].per_class

    @property
    def refused(self) -> list[str]:
        """What could not be compared, of all pairs."""
        return [reason for pair in self.pairs for reason in pair.refused]

    def to_dict(self, *, power: bool = False) -> dict[str, Any]:
        """As JSON: of two results their pair, of more a list of pairs; ``power``: see :meth:`Pair.to_dict`."""
        form = {"format": "zgbench-comparison/1"}
        if len(self.pairs) == 1:
            return form | self.pairs[0].to_dict(power=power)
        return form | {"methods": list(self.names), "pairs": [pair.to_dict(power=power) for pair in self.pairs]}


def images_of(key: Key) -> int:
    """Over how many images a row is, as its signature says."""
    return int(facts_of(key[2])["n"])


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def _power(d: Difference, images: int) -> dict[str, Any]:
    se = d.se if not math.isnan(d.difference) else math.nan
    return {
        "standard_error": _number(se), "smallest": _number(smallest(se)),
        "images_needed": images_needed(images, d.difference, se),
    }  # fmt: skip


def _plain(d: Difference) -> dict[str, Any]:
    told = {
        "a": _number(d.a), "b": _number(d.b), "difference": _number(d.difference),
        "ci95": [_number(d.low), _number(d.high)], "p": _number(d.p),
    }  # fmt: skip
    return told if d.p_holm is None else told | {"p_holm": _number(d.p_holm)}
