"""Paired comparison of results, row by row; rows of unlike signatures are refused."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from zgbench.datasets import KEYS, builtin_vocabulary
from zgbench.datasets.catalogue import SPECS
from zgbench.datasets.class_list import vocabulary_of_records
from zgbench.datasets.vocabulary import Vocabulary
from zgbench.errors import UsageError
from zgbench.protocol import Pixels, facts_of, meaning, outdated
from zgbench.scores import metrics
from zgbench.scores.result import Stored, load_result
from zgbench.scores.verification import Row, background_of, verified
from zgbench.statistics import resampling
from zgbench.statistics.power import images_needed, smallest
from zgbench.statistics.resampling import Difference

DRAWS = 10_000
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

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
        refused: rows that only one side has, or whose signatures differ, each with the reason.
    """

    letters: tuple[str, str]
    names: tuple[str, str]
    rows: dict[Key, dict[str, Difference]]
    per_class: dict[Key, dict[str, Difference]]
    refused: list[str]

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
                }
                for key, scores in self.rows.items()
            ],
            "refused": self.refused,
        }  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """Differences of every pair of results.

    Attributes:
        names: the methods, in the order in which the results were given; A, B, C, … for short.
        pairs: A − B, A − C, …, B − C, …
    """

    names: tuple[str, ...]
    pairs: tuple[Pair, ...]

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


def compare(
    a: str | os.PathLike[str], b: str | os.PathLike[str], *others: str | os.PathLike[str], per_class: bool = False
) -> Comparison:
    """Compare two or more result files, each with each.

    Every score of every row that both have: paired difference over images, its 95 % percentile bootstrap interval,
    and the two-sided p-value of a sign-flip permutation test with 10,000 draws. With more than two results p is also
    corrected by Holm's method for the number of pairs (of one score of one row).

    Args:
        per_class: the data-set IoU of each class as well; p corrected for the number of classes and pairs.

    Raises:
        UsageError: no row of any two has the same signature; says in what they differ.
        InputError, DataError: a file is damaged or missing.
    """
    paths = [Path(path) for path in (a, b, *others)]
    if len(paths) > len(LETTERS):
        raise UsageError(f"{len(paths)} results: expected 2 to {len(LETTERS)}.")
    sides = [_Side(letter, load_result(path)) for letter, path in zip(LETTERS, paths, strict=False)]
    pairs = [_pair(one, other, per_class) for one, other in combinations(sides, 2)]
    if not any(pair.rows for pair in pairs):
        raise UsageError(
            "these results cannot be compared, their signatures differ:\n  "
            + "\n  ".join(reason for pair in pairs for reason in pair.refused)
            + "\nEvaluate all on the same data under the same protocol."
        )
    return Comparison(tuple(side.name for side in sides), tuple(_corrected(pairs)))


@dataclass
class _Side:
    """One of the results, and the statistics of its rows once they were needed."""

    letter: str
    stored: Stored
    _statistics: dict[tuple[str, str], metrics.Statistics] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return str(self.stored.result["submission"]["name"])

    @property
    def signatures(self) -> dict[tuple[str, str], str]:
        return {(r["reassign"], r["verify"]): r["signature"] for r in self.stored.result["scores"]}

    def statistics(self, key: tuple[str, str]) -> metrics.Statistics:
        if key not in self._statistics:
            vocabulary = vocabulary_of(self.stored)
            self._statistics[key] = statistics_of(self.stored, row_of(self.stored, key), vocabulary)
        return self._statistics[key]


def _pair(one: _Side, other: _Side, per_class: bool) -> Pair:
    left, right = one.signatures, other.signatures
    refused = []
    rows: dict[Key, dict[str, Difference]] = {}
    classes: dict[Key, dict[str, Difference]] = {}
    protocol = one.stored.protocol
    for how, verify in dict.fromkeys((*left, *right)):
        a, b = left.get((how, verify)), right.get((how, verify))
        why = unlike(a, b, one.letter, other.letter)
        if why is not None or a is None:
            refused.append(f"{how} {verify}: {why}")
            continue
        sides = (one.statistics((how, verify)), other.statistics((how, verify)))
        resamples = resampling.Resamples(sides[0].per_image.shape[0], protocol.resamples, protocol.seed)
        rows[how, verify, a] = resampling.compare(*sides, resamples, draws=DRAWS, seed=protocol.seed)
        if per_class:
            names = vocabulary_of(one.stored).names
            by_class = (_Classes.of(sides[0], names), _Classes.of(sides[1], names))
            found = resampling.compare(*by_class, resamples, draws=DRAWS, seed=protocol.seed)
            classes[how, verify, a] = {name: d for name, d in found.items() if not np.isnan([d.a, d.b]).all()}
    return Pair((one.letter, other.letter), (one.name, other.name), rows, classes, refused)


@dataclass(frozen=True)
class _Classes:
    """The data-set IoU of each class as a score of its own."""

    per_image: sparse.csr_matrix
    names: tuple[str, ...]

    @classmethod
    def of(cls, statistics: metrics.Statistics, names: tuple[str, ...]) -> _Classes:
        return cls(statistics.per_image[:, statistics.layout["I"] :].tocsr(), names)

    def scores(self, sums: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        n = len(self.names)
        with np.errstate(divide="ignore", invalid="ignore"):
            iou = sums[..., :n] / sums[..., n:]
        return {name: iou[..., k] for k, name in enumerate(self.names)}


def _corrected(pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs with Holm's p-values, where there is more than one comparison to correct for."""
    keys = {key for pair in pairs for key in pair.rows}
    found = [replace(pair, rows=dict(pair.rows), per_class=dict(pair.per_class)) for pair in pairs]
    for key in keys:
        within = [pair for pair in found if key in pair.rows]
        if len(pairs) > 1:
            for score in within[0].rows[key]:
                adjusted = holm([pair.rows[key][score].p for pair in within])
                for pair, p in zip(within, adjusted, strict=True):
                    pair.rows[key] = pair.rows[key] | {score: replace(pair.rows[key][score], p_holm=p)}
        cells = [(pair, name) for pair in within for name in pair.per_class.get(key, {})]
        adjusted = holm([pair.per_class[key][name].p for pair, name in cells])
        for (pair, name), p in zip(cells, adjusted, strict=True):
            pair.per_class[key] = pair.per_class[key] | {name: replace(pair.per_class[key][name], p_holm=p)}
    return found


def holm(p: Sequence[float]) -> list[float]:
    """p-values corrected for their number by Holm's step-down method (1979), in the same order; NaN stay and do not count."""
    order = sorted((k for k, value in enumerate(p) if not math.isnan(value)), key=lambda k: p[k])
    found, highest = [math.nan] * len(p), 0.0
    for rank, k in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * p[k]))
        found[k] = highest
    return found


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


def unlike(a: str | None, b: str | None, left: str = "A", right: str = "B") -> str | None:
    """Why rows of two signatures cannot be compared; None where they can."""
    if a is None or b is None:
        return f"only {right if a is None else left} has this row"
    for letter, signature in ((left, a), (right, b)):
        if (why := outdated(signature)) is not None:
            return f"{letter}: {why}"
    if meaning(a) == meaning(b):
        return None
    facts_a, facts_b = facts_of(a), facts_of(b)
    keys = [key for key in dict.fromkeys((*facts_a, *facts_b)) if facts_a.get(key) != facts_b.get(key)]
    return "; ".join(
        f"{key} is {facts_a.get(key, 'absent')} in {left}, {facts_b.get(key, 'absent')} in {right}" for key in keys
    )


def vocabulary_of(stored: Stored) -> Vocabulary:
    """Classes of a result's data set, which need no data at hand: one that is not built in has them in the result.

    Raises:
        InputError: the result has no sound list of them.
    """
    dataset = stored.result["dataset"]
    key = dataset["key"]
    if key not in KEYS:
        return vocabulary_of_records(dataset.get("classes"))
    return builtin_vocabulary(key)


def row_of(stored: Stored, key: tuple[str, str]) -> Row:
    """The row of a (reassign, verify) that the result has."""
    rows: Iterable[Row] = (row for r in stored.reassigned for row in verified(stored.counts, r, stored.protocol))
    return next(row for row in rows if (row.reassigned.how, row.verify) == key)


def rule_of(stored: Stored) -> Pixels:
    """The background rule as it works out on the result's data set."""
    dataset = stored.result["dataset"]
    spec = SPECS.get(dataset["key"])
    drops = spec.released_drops_background if spec is not None else dataset.get("released_drops_background") is True
    return background_of(stored.protocol, drops)


def statistics_of(stored: Stored, row: Row, vocabulary: Vocabulary) -> metrics.Statistics:
    """Per-image statistics of a row."""
    return row.summed(stored.counts, vocabulary, rule_of(stored), stored.protocol.scoring)[0]


def significant(difference: Difference) -> bool:
    """Whether the test rejects "no difference" at 5 %, corrected where there is a correction."""
    p = difference.p if difference.p_holm is None else difference.p_holm
    return bool(p < 0.05 and not np.isnan(difference.difference))
