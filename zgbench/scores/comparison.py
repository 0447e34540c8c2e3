"""Paired comparison of results, row by row; rows of unlike signatures are refused."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path

import numpy as np

from zgbench.datasets import KEYS, builtin_vocabulary
from zgbench.datasets.catalogue import SPECS
from zgbench.datasets.class_list import vocabulary_of_records
from zgbench.datasets.vocabulary import Vocabulary
from zgbench.errors import UsageError
from zgbench.protocol import Pixels, facts_of, meaning, outdated
from zgbench.scores import metrics
from zgbench.scores.by_label import SCOPES
from zgbench.scores.class_scores import ClassIou, FurtherClasses, by_score, seen
from zgbench.scores.comparison_types import Comparison as Comparison
from zgbench.scores.comparison_types import Differences
from zgbench.scores.comparison_types import Key as Key
from zgbench.scores.comparison_types import Pair as Pair
from zgbench.scores.comparison_types import images_of as images_of
from zgbench.scores.further import Further, further, possible, similarity_for
from zgbench.scores.registry import DEFAULT, ROW, chosen_scores, of_scope
from zgbench.scores.result import Stored, load_result
from zgbench.scores.similarity import Similarity
from zgbench.scores.verification import Row, background_of, verified
from zgbench.statistics import resampling
from zgbench.statistics.holm import holm
from zgbench.statistics.resampling import Difference

DRAWS = 10_000
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def compare(
    a: str | os.PathLike[str],
    b: str | os.PathLike[str],
    *others: str | os.PathLike[str],
    per_class: bool = False,
    scores: str | Sequence[str] | None = None,
    similarity: str | os.PathLike[str] | None = None,
) -> Comparison:
    """Compare two or more result files, each with each.

    Every score of every row that both have: paired difference over images, its 95 % percentile bootstrap interval,
    and the two-sided p-value of a sign-flip permutation test with 10,000 draws. With more than two results p is also
    corrected by Holm's method for the number of pairs (of one score of one row).

    Args:
        per_class: the data-set IoU of each class as well, and the further scores that single classes have; p corrected for
            the number of classes and pairs.
        scores: names, ``all`` or ``default``, see :func:`zgbench.scores.registry.chosen_scores`. Any score of a row can be
            had, whether it was asked for when the results were made or not: all follow from the counts. Those of labels
            without a reassignment must stand in both results.
        similarity: table of how alike two classes are, for Open mIoU; by default WordNet's path similarity.

    Raises:
        UsageError: no row of any two has the same signature; says in what they differ.
        InputError, DataError: a file is damaged or missing.
    """
    names = chosen_scores(scores)
    paths = [Path(path) for path in (a, b, *others)]
    if len(paths) > len(LETTERS):
        raise UsageError(f"{len(paths)} results: expected 2 to {len(LETTERS)}.")
    sides = [_Side(letter, load_result(path)) for letter, path in zip(LETTERS, paths, strict=False)]
    pairs = [_pair(one, other, names, per_class, similarity) for one, other in combinations(sides, 2)]
    if not any(pair.rows for pair in pairs):
        raise UsageError(
            "these results cannot be compared, their signatures differ:\n  "
            + "\n  ".join(reason for pair in pairs for reason in pair.refused)
            + "\nEvaluate all on the same data under the same protocol; where one has some images only, all with the same --subset."
        )
    return Comparison(tuple(side.name for side in sides), tuple(_corrected(pairs)))


@dataclass
class _Side:
    """One of the results, and the statistics of its rows once they were needed."""

    letter: str
    stored: Stored
    _statistics: dict[tuple[str, str], metrics.Statistics] = field(default_factory=dict)
    _further: dict[tuple[str, str], Further] = field(default_factory=dict)

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

    def further(self, key: tuple[str, str], names: Sequence[str], similarity: Similarity | None) -> Further:
        if key not in self._further:
            row, vocabulary = row_of(self.stored, key), vocabulary_of(self.stored)
            self._further[key] = further(row, self.stored.counts, vocabulary, rule_of(self.stored), names, similarity)
        return self._further[key]


def _pair(
    one: _Side,
    other: _Side,
    names: Sequence[str],
    per_class: bool,
    table: str | os.PathLike[str] | None,
) -> Pair:
    left, right = one.signatures, other.signatures
    refused = []
    rows: dict[Key, dict[str, Difference]] = {}
    classes: dict[Key, dict[str, Difference]] = {}
    more_classes: dict[Key, dict[str, dict[str, Difference]]] = {}
    protocol, vocabulary = one.stored.protocol, vocabulary_of(one.stored)
    own = [name for name in names if name in ROW]
    more = possible([name for name in of_scope(names, "row") if name not in ROW], vocabulary)
    similarity = similarity_for(more, vocabulary, table)
    for how, verify in dict.fromkeys((*left, *right)) if own or more else ():
        a, b = left.get((how, verify)), right.get((how, verify))
        why = unlike(a, b, one.letter, other.letter)
        if why is not None or a is None:
            refused.append(f"{how} {verify}: {why}")
            continue
        sides = (one.statistics((how, verify)), other.statistics((how, verify)))
        resamples = resampling.Resamples(sides[0].per_image.shape[0], protocol.resamples, protocol.seed)
        draws: dict[str, int] = {"draws": DRAWS, "seed": protocol.seed}
        found = resampling.compare(sides[0], sides[1], resamples, **draws) if own else {}
        rows[how, verify, a] = {name: found[name] for name in own}
        both = [side.further((how, verify), more, similarity) for side in (one, other)] if more else []
        if more:
            rows[how, verify, a] |= resampling.compare(both[0], both[1], resamples, **draws)
        if per_class:
            ious = [ClassIou.of(side, vocabulary.names) for side in sides]
            classes[how, verify, a] = seen(resampling.compare(ious[0], ious[1], resamples, **draws))
        if per_class and more:
            each = [FurtherClasses(side, vocabulary.names) for side in both]
            more_classes[how, verify, a] = by_score(seen(resampling.compare(each[0], each[1], resamples, **draws)))
    for scope in SCOPES if one.stored.counts.truth is not None else SCOPES[:1]:
        if asked := [name for name in of_scope(names, scope) if name not in DEFAULT]:
            found, a, why = _of_labels(one, other, scope, asked)
            if found:
                rows[scope, "", a] = found
            elif why:
                refused.append(f"{scope}: {why}")
    letters, methods = (one.letter, other.letter), (one.name, other.name)
    return Pair(letters, methods, rows, classes, refused, more_classes)


def _of_labels(one: _Side, other: _Side, scope: str, asked: Sequence[str]) -> tuple[Differences, str, str]:
    """Differences of the scores of labels that both have, with their signature; or why there are none."""
    blocks = [side.stored.result.get("by_label", {}).get(scope) for side in (one, other)]
    signatures = [None if block is None else block["signature"] for block in blocks]
    if signatures == [None, None]:
        return {}, "", f"neither has {', '.join(asked)}: evaluate both with --scores {','.join(asked)}"
    a = signatures[0]
    why = unlike(a, signatures[1], one.letter, other.letter)
    left, right = one.stored.labels, other.stored.labels
    if why is not None or a is None or left is None or right is None:
        return {}, "", why or "its numbers by image are missing"
    told = [block["scores"] for block in blocks if block is not None]
    names = [n for n in asked if all(n in t for t in told) and told[0][n]["definition"] == told[1][n]["definition"]]
    if not names:
        return {}, a, "they have no score in common: evaluate both with the same --scores"
    protocol = one.stored.protocol
    resamples = resampling.Resamples(left.per_image.shape[0], protocol.resamples, protocol.seed)
    return resampling.compare(left.only(names), right.only(names), resamples, draws=DRAWS, seed=protocol.seed), a, ""


def _corrected(pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs with Holm's p-values, where there is more than one comparison to correct for."""
    keys = {key for pair in pairs for key in pair.rows}
    found = [replace(pair, rows=dict(pair.rows), per_class=dict(pair.per_class)) for pair in pairs]
    for key in keys:
        within = [pair for pair in found if key in pair.rows]
        if len(pairs) > 1:
            for score in within[0].rows[key]:
                adjusted = holm(np.array([pair.rows[key][score].p for pair in within])).tolist()
                for pair, p in zip(within, adjusted, strict=True):
                    pair.rows[key] = pair.rows[key] | {score: replace(pair.rows[key][score], p_holm=p)}
        _correct_classes([pair.per_class.get(key, {}) for pair in within])
        for score in {name: None for pair in within for name in pair.more_per_class.get(key, {})}:
            _correct_classes([pair.more_per_class.get(key, {}).get(score, {}) for pair in within])
    return found


def _correct_classes(tables: Sequence[Differences]) -> None:
    """Correct p for the number of classes and pairs, in place."""
    cells = [(table, name) for table in tables for name in table]
    adjusted = holm(np.array([table[name].p for table, name in cells])).tolist()
    for (table, name), p in zip(cells, adjusted, strict=True):
        table[name] = replace(table[name], p_holm=p)


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
