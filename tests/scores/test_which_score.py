"""docs/which-score.md: its worked example is what the scores say; docs/scores.md has a line for every score."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.oracle.slow_scorer import Scene, v1
from tests.scores.field import counts_of, scores_of
from zgbench.datasets.vocabulary import Vocabulary
from zgbench.scores.by_label import from_counts
from zgbench.scores.registry import FAMILY_OF, SCORES, leads
from zgbench.scores.similarity import path_similarity
from zgbench.statistics.resampling import total

DOCS = Path(__file__).resolve().parents[2] / "docs"
VOCABULARY = Vocabulary((1, 2, 3, 4, 5, 6), ("sky", "grass", "dog", "person", "cat", "car"))
AREAS = (200, 200, 50, 50)


def methods() -> dict[str, Scene]:
    truth = np.repeat([1, 2, 3, 4], AREAS)[None]
    whole = [truth == c for c in (1, 2, 3, 4)]
    starts = np.cumsum((0, *AREAS))
    most = [
        whole[k] & (np.arange(500)[None] < starts[k] + AREAS[k] * 62 // 100) for k in range(4)
    ]  # 124, 124, 31 and 31 pixels
    return {
        "A": Scene(truth, whole[:2], [1, 2]), "B": Scene(truth, most, [1, 2, 3, 4]), "C": Scene(truth, whole, [1, 2, 5, 4]),
    }  # fmt: skip


def test_the_worked_example() -> None:
    alike = path_similarity(VOCABULARY).matrix
    assert alike[4, 2] == alike[2, 4] == pytest.approx(1 / 5)  # dog, canine, carnivore, feline, cat
    found: dict[str, dict[str, float]] = {}
    for name, scene in methods().items():
        found[name] = v1([scene], "count") | scores_of([scene], VOCABULARY.ids, similarity=alike)
        of_labels = from_counts(counts_of([scene]), ["cased_overlap"], VOCABULARY, "count")
        found[name] |= {key: float(v) for key, v in of_labels.scores(total(of_labels.per_image)).items()}
    table = (DOCS / "which-score.md").read_text().partition("worked example: tested -->")[2].partition("<!-- end")[0]
    of_title = {score.title: name for name, score in SCORES.items()}
    rows = [[cell.strip() for cell in line.strip("| \n").split("|")] for line in table.strip().splitlines()[2:]]
    assert len(rows) == 12
    orders = set()
    for title, *cells, order in rows:
        name = of_title[title]
        values = {method: found[method][name] for method in "ABC"}
        assert cells == [f"{100 * value:.1f}" for value in values.values()], title
        ranked = [sum(leads(name, other, value) for other in values.values()) for value in values.values()]
        told = sorted("ABC", key=lambda m: (ranked["ABC".index(m)], m))
        joined = told[0]
        for before, method in pairwise(told):
            joined += ("=" if values[before] == values[method] else " ") + method
        assert order == joined, title
        orders.add(order)
    assert {order[0] for order in orders} == {order[-1] for order in orders} == {"A", "B", "C"}


def test_every_score_is_in_the_docs() -> None:
    table = (DOCS / "scores.md").read_text()
    for name, score in SCORES.items():
        assert f"`{name}`" in table, name
        assert score.title in table, name
    assert set(FAMILY_OF) <= set(SCORES)
