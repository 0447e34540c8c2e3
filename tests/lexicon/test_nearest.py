"""The nearest text behind the lexicon."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from zgbench import lexicon
from zgbench.lexicon import TEXT, ClassList, NearestText

CLASSES = ClassList.of(["car", "tree"], [3, 5], aliases=[["auto"], []])
VECTORS = {"car": (1, 0, 0), "auto": (0.8, 0.6, 0), "tree": (0, 0, 1), "hydrant": (0.6, 0.8, 0), "lamp": (0.6, 0, 0.8)}


def encode(texts: Sequence[str]) -> np.ndarray:
    return np.array([VECTORS[t] for t in texts], np.float32)


def test_only_what_is_open_goes_to_the_nearest_text() -> None:
    lex = lexicon.load()
    labels = ["a car", "hydrant", "lamp", "thing", "car, tree", ""]
    readings = [lex.read(label) for label in labels]
    decisions = lex.mapper(CLASSES).decide_readings(readings)
    found = NearestText(CLASSES, encode, 0.9).decide(readings, decisions)
    # hydrant: 0.8 · 0.6 + 0.6 · 0.8 = 0.96 with auto; lamp: 0.8 with tree, below 0.9
    assert [(d.class_id, d.level) for d in found] == [
        (3, 0),
        (3, TEXT),
        (None, None),
        (None, None),
        (None, None),
        (None, None),
    ]
    assert [d.reason for d in found] == ["", "", "outside", "generic", "hedged", "empty"]


def test_a_lower_level_leaves_more_to_the_text() -> None:
    lex = lexicon.load()
    readings = [lex.read("oak"), lex.read("elm")]
    decisions = lex.mapper(CLASSES).decide_readings(readings)
    assert [d.level for d in decisions] == [2, 2]
    vectors = {**VECTORS, "oak": (0, 0, 1), "elm": (0, 1, 0)}
    near = NearestText(CLASSES, lambda texts: np.array([vectors[t] for t in texts], np.float32), 0.9)
    assert [(d.class_id, d.level) for d in near.decide(readings, decisions, max_level=1)] == [(5, TEXT), (None, None)]


def test_nearest_texts_are_told() -> None:
    found = NearestText(CLASSES, encode, 0.9).nearest(lexicon.load().read("hydrant"), 2)
    assert [(text, class_id) for text, class_id, _ in found] == [("auto", 3), ("car", 3)]
    assert [cosine for *_, cosine in found] == pytest.approx([0.96, 0.6])
