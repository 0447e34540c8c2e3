"""The field's scores on real photos: each equals its slow definition to 1e-9, and the truth itself scores one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import zgbench
from tests.oracle import readers
from tests.oracle import slow_field_scores as slow
from tests.oracle.slow_lexicon import SlowLexicon
from tests.oracle.test_slow_lexicon import FILE
from tests.test_real_data import OFFLINE, made, names, scenes, write

pytestmark = pytest.mark.skipif(
    not readers.SHARED.is_dir(), reason="needs the real images of ../shared/data, which are not there"
)
SCORES = "pq,sq,rq,pmf1,il_mcc,cgf1,hallucination,open_miou"


def further(found: Any) -> dict[str, float]:
    (row,) = found.scores
    return {name: score["value"] for name, score in row["more"].items()}


@pytest.mark.parametrize(("key", "background"), [("pas20", "count"), ("pc59", "ignore")])
def test_every_score_equals_its_slow_definition(key: str, background: str, tmp_path: Path) -> None:
    chosen = replace(OFFLINE, background=background, resamples=20)
    path = write(tmp_path, key, made(key, "worse"))
    found = zgbench.evaluate(path, data=readers.SHARED, protocol=chosen, reassign=["tt"], scores=SCORES)
    vocabulary = zgbench.open_dataset(key, readers.SHARED).vocabulary
    alike = slow.path_similarity(SlowLexicon(FILE), vocabulary.synsets)
    truth, classes = scenes(key, made(key, "worse")), tuple(names(key))
    expected = slow.panoptic(truth, background, classes) | slow.presence(truth, background, classes)
    expected |= slow.open_miou(truth, classes, alike)
    assert further(found) == pytest.approx(expected, abs=1e-9)
    assert all(0.001 < value < 0.99 for value in expected.values())


def test_the_truth_scores_exactly_one(tmp_path: Path) -> None:
    path = write(tmp_path, "pas20", made("pas20", "exact"))
    found = zgbench.evaluate(path, data=readers.SHARED, protocol=replace(OFFLINE, resamples=20), reassign=["tt"], scores="all")  # fmt: skip
    values = further(found)
    assert values.pop("hallucination") == 0
    assert set(values.values()) == {1.0}
