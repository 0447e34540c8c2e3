"""The scores of a row that are worked out where they are asked for: per-image numbers, their sums, scores.

Like :mod:`zgbench.scores.metrics`, so the same resampler gives them intervals and tests.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from zgbench.datasets import Vocabulary
from zgbench.pixels.counts import Counts, select
from zgbench.protocol import Pixels
from zgbench.scores.families.united import Classes, Column, Family, Float, United
from zgbench.scores.registry import FAMILIES, FAMILY_OF, SCORES
from zgbench.scores.result import number
from zgbench.scores.result_types import FurtherScore
from zgbench.scores.similarity import Similarity, path_similarity, read_similarity
from zgbench.scores.verification import Row
from zgbench.statistics import resampling

Layout = Mapping[str, tuple[int, int]]
"""``family.column`` → first column and number of columns; 0 for one number an image."""


@dataclass(frozen=True)
class Further:
    """Per-image numbers of some families of scores, see :class:`zgbench.statistics.resampling.Statistics`.

    Attributes:
        per_image: sparse float64 [images, columns].
        layout: what stands in which columns.
        names: of the scores that were asked for.
        classes: what the scores need of the class list.
    """

    per_image: sparse.csr_matrix
    layout: Layout
    names: tuple[str, ...]
    classes: Classes

    def scores(self, sums: Float) -> dict[str, Float]:
        """Score name → float64 [...] of summed statistics, float64 [..., columns]; NaN where undefined."""
        found: dict[str, Float] = {}
        for family, of_family in self._families(sums):
            found |= family.values(of_family, self.classes)
        return {name: np.asarray(found[name]) for name in self.names}

    def by_class(self, sums: Float) -> dict[str, Float]:
        """Score name → float64 [..., classes], of the scores that single classes have; NaN where undefined."""
        found: dict[str, Float] = {}
        for family, of_family in self._families(sums):
            found |= family.by_class(of_family, self.classes)
        return {name: found[name] for name in self.names if name in found}

    def _families(self, sums: Float) -> Iterator[tuple[Family, dict[str, Float]]]:
        parts: dict[str, dict[str, Float]] = {}
        for key, (first, width) in self.layout.items():
            family, _, column = key.partition(".")
            parts.setdefault(family, {})[column] = sums[..., first : first + width] if width else sums[..., first]
        return ((FAMILIES[family], found) for family, found in parts.items())


def further(
    row: Row,
    counts: Counts,
    vocabulary: Vocabulary,
    background: Pixels,
    names: Sequence[str],
    similarity: Similarity | None,
) -> Further:
    """Statistics of every image, worked out for some images at a time.

    Args:
        counts: of all images of the result, of which the row may be about some.
        names: of the scores, one or more.
        similarity: of predicted and true class, where a score needs it.
    """
    chosen = select(counts, row.images)
    assigned = row.assigned[row.images[counts.owner]]
    ids = np.asarray(vocabulary.ids, dtype=np.int64)
    classes = Classes(len(ids), vocabulary.kinds, None if similarity is None else similarity.matrix)
    return statistics(
        (United(part, assigned[segments], ids, background) for part, _, segments in chosen.parts()), names, classes
    )


def statistics(parts: Iterable[United], names: Sequence[str], classes: Classes) -> Further:
    """Statistics of all images from those of some at a time, one or more."""
    families = tuple(dict.fromkeys(FAMILY_OF[name] for name in names))
    tables, layouts = zip(*(_table(part, families, classes) for part in parts), strict=True)
    table = tables[0] if len(tables) == 1 else sparse.vstack(tables, format="csr")
    return Further(table, layouts[0], tuple(names), classes)


def _table(united: United, families: tuple[str, ...], classes: Classes) -> tuple[sparse.csr_matrix, Layout]:
    columns: dict[str, Column] = {}
    for family in families:
        found = FAMILIES[family].columns(united, classes)
        columns |= {f"{family}.{name}": column for name, column in found.items()}
    layout: dict[str, tuple[int, int]] = {}
    tables: list[sparse.csr_matrix] = []
    at = 0
    for key, column in columns.items():
        dense = isinstance(column, np.ndarray)
        tables.append(sparse.csr_matrix(column[:, None]) if dense else column)
        layout[key] = (at, 0 if dense else classes.n)
        at += 1 if dense else classes.n
    return sparse.hstack(tables, format="csr"), layout


def rows_scores(
    statistics: Further, drawn: resampling.Resamples, vocabulary: Vocabulary, similarity: Similarity | None
) -> dict[str, FurtherScore]:
    """The further scores of a row as they stand in a result: with intervals, definitions and classes."""
    found: dict[str, FurtherScore] = {}
    for name, estimate in resampling.estimates(statistics, drawn).items():
        score = number(estimate)
        found[name] = {"value": score["value"], "ci95": score["ci95"], "definition": definition(name, similarity)}
    for name, values in statistics.by_class(resampling.total(statistics.per_image)).items():
        known = zip(vocabulary.names, values.tolist(), strict=True)
        found[name]["per_class"] = {one: value for one, value in known if value == value}
    return found


def definition(name: str, similarity: Similarity | None) -> str:
    """What a further score depends on beyond its row's signature."""
    score = SCORES[name]
    told = [f"{name}.{score.version}"]
    if "lexicon" in score.needs and score.scope == "row":
        assert similarity is not None
        told.append(similarity.name)
    return ",".join(told)


def similarity_for(
    names: Sequence[str], vocabulary: Vocabulary, table: str | os.PathLike[str] | None = None
) -> Similarity | None:
    """How alike two classes are, where one of these scores of a row asks for it: by a table, or WordNet's path similarity.

    Raises:
        InputError: the table is not one of these classes.
    """
    if table is not None:
        return read_similarity(table, vocabulary)
    return path_similarity(vocabulary) if any("lexicon" in SCORES[name].needs for name in names) else None


def possible(names: Sequence[str], vocabulary: Vocabulary) -> tuple[str, ...]:
    """Those of the names that the data set allows: things and stuff only where it says which is which."""
    told = any(vocabulary.kinds)
    return tuple(name for name in names if told or "things and stuff" not in SCORES[name].needs)
