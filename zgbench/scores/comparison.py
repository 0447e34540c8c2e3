"""Paired comparison of two results, row by row; rows of unlike signatures are refused."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from zgbench.datasets.catalogue import KEYS, SPECS
from zgbench.datasets.class_list import vocabulary_of_records
from zgbench.datasets.vocabulary import Vocabulary
from zgbench.errors import UsageError
from zgbench.scores import metrics
from zgbench.scores.result import Stored, load_result
from zgbench.scores.verification import Row, background_of, verified
from zgbench.statistics import resampling
from zgbench.statistics.resampling import Difference

DRAWS = 10_000


@dataclass(frozen=True)
class Comparison:
    """Differences A − B.

    Attributes:
        names: the two methods.
        rows: (reassign, verify, signature) → score name → difference with interval and p-value.
        refused: rows that only one side has, or whose signatures differ, each with the reason.
    """

    names: tuple[str, str]
    rows: dict[tuple[str, str, str], dict[str, Difference]]
    refused: list[str]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "format": "zgbench-comparison/1",
            "a": self.names[0],
            "b": self.names[1],
            "rows": [
                {
                    "reassign": how, "verify": verify, "signature": signature,
                    "scores": {
                        name: {"a": d.a, "b": d.b, "difference": d.difference, "ci95": [d.low, d.high], "p": d.p}
                        for name, d in scores.items()
                    },
                }
                for (how, verify, signature), scores in self.rows.items()
            ],
            "refused": self.refused,
        }  # fmt: skip


def compare(a: str | os.PathLike[str], b: str | os.PathLike[str]) -> Comparison:
    """Compare two result files.

    Every score of every row that both have: paired difference over images, its 95 % percentile bootstrap interval,
    and the two-sided p-value of a sign-flip permutation test with 10,000 draws.

    Raises:
        UsageError: no row of the two has the same signature; says in what they differ.
        InputError, DataError: a file is damaged or missing.
    """
    first, second = load_result(Path(a)), load_result(Path(b))
    rows_a, rows_b = (
        {(r["reassign"], r["verify"]): r["signature"] for r in s.result["scores"]} for s in (first, second)
    )
    refused = [
        f"{how} {verify}: {unlike(rows_a.get((how, verify)), rows_b.get((how, verify)))}"
        for how, verify in dict.fromkeys((*rows_a, *rows_b))
        if rows_a.get((how, verify)) != rows_b.get((how, verify))
    ]
    shared = [key for key, signature in rows_a.items() if rows_b.get(key) == signature]
    if not shared:
        raise UsageError(
            "these results cannot be compared, their signatures differ:\n  "
            + "\n  ".join(refused)
            + "\nEvaluate both on the same data under the same protocol."
        )
    vocabulary = vocabulary_of(first)
    found = {}
    for key in shared:
        row_a, row_b = row_of(first, key), row_of(second, key)
        statistics_a, statistics_b = (
            statistics_of(stored, row, vocabulary) for stored, row in ((first, row_a), (second, row_b))
        )
        protocol = first.protocol
        resamples = resampling.Resamples(int(row_a.images.sum()), protocol.resamples, protocol.seed)
        found[(*key, rows_a[key])] = resampling.compare(
            statistics_a, statistics_b, resamples, draws=DRAWS, seed=protocol.seed
        )
    return Comparison((first.result["submission"]["name"], second.result["submission"]["name"]), found, refused)


def unlike(a: str | None, b: str | None) -> str:
    """In what two signatures differ."""
    if a is None or b is None:
        return f"only {'B' if a is None else 'A'} has this row"
    left, right = (dict(pair.split(":", 1) for pair in s.split("|")) for s in (a, b))
    keys = [key for key in dict.fromkeys((*left, *right)) if left.get(key) != right.get(key)]
    return "; ".join(f"{key} is {left.get(key, 'absent')} in A, {right.get(key, 'absent')} in B" for key in keys)


def vocabulary_of(stored: Stored) -> Vocabulary:
    """Classes of a result's data set, which need no data at hand: one that is not built in has them in the result.

    Raises:
        InputError: the result has no sound list of them.
    """
    dataset = stored.result["dataset"]
    key = dataset["key"]
    if key not in KEYS:
        return vocabulary_of_records(dataset.get("classes"))
    if key == "mini":
        from zgbench.datasets.mini_source import mini_vocabulary

        return mini_vocabulary()
    return SPECS[key].vocabulary()


def row_of(stored: Stored, key: tuple[str, str]) -> Row:
    """The row of a (reassign, verify) that the result has."""
    rows = (row for r in stored.reassigned for row in verified(stored.counts, r, stored.protocol))
    return next(row for row in rows if (row.reassigned.how, row.verify) == key)


def rule_of(stored: Stored) -> Literal["count", "ignore", "released"]:
    """The background rule as it works out on the result's data set."""
    dataset = stored.result["dataset"]
    spec = SPECS.get(dataset["key"])
    drops = spec.released_drops_background if spec is not None else dataset.get("released_drops_background") is True
    return background_of(stored.protocol, drops)


def statistics_of(stored: Stored, row: Row, vocabulary: Vocabulary) -> metrics.Statistics:
    """Per-image statistics of a row."""
    return row.summed(stored.counts, vocabulary, rule_of(stored), stored.protocol.scoring)[0]


def significant(difference: Difference) -> bool:
    """Whether the test rejects "no difference" at 5 %."""
    return bool(difference.p < 0.05 and not np.isnan(difference.difference))
