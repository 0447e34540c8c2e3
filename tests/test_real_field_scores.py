"""The field's scores on real photos: each equals its slow definition to 1e-9, and the truth itself scores one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zgbench
from tests.oracle import readers
from tests.oracle import slow_field_scores as slow
from tests.oracle.perturb import SYNONYMS
from tests.oracle.slow_lexicon import SlowLexicon
from tests.oracle.test_slow_lexicon import FILE
from tests.test_real_data import OFFLINE, made, names, scenes, truths, vectors, write

pytestmark = pytest.mark.skipif(
    not readers.SHARED.is_dir(), reason="needs the real images of ../shared/data, which are not there"
)
CASED = "cased_soft,cased_overlap,cased_nearest"
SCORES = "pq,sq,rq,pmf1,il_mcc,cgf1,hallucination,open_miou"


def further(found: Any) -> dict[str, float]:
    (row,) = found.scores
    return {name: score["value"] for name, score in row["more"].items()}


@pytest.mark.parametrize(("key", "background"), [("pas20", "count"), ("pc59", "ignore")])
def test_every_score_equals_its_slow_definition(key: str, background: str, tmp_path: Path) -> None:
    chosen = replace(OFFLINE, background=background, resamples=20)
    path = write(tmp_path, key, made(key, "worse"))
    found = zgbench.evaluate(path, data=readers.SHARED, protocol=chosen, reassign=["tt"], scores=f"{SCORES},{CASED}")
    vocabulary = zgbench.open_dataset(key, readers.SHARED).vocabulary
    alike = slow.path_similarity(SlowLexicon(FILE), vocabulary.synsets)
    truth, classes = scenes(key, made(key, "worse")), tuple(names(key))
    expected = slow.panoptic(truth, background, classes) | slow.presence(truth, background, classes)
    expected |= slow.open_miou(truth, classes, alike)
    assert further(found) == pytest.approx(expected, abs=1e-9)
    segments = made(key, "worse")
    known = vectors(tuple(sorted({label for some in segments.values() for _, label in some})))
    of_class = {c: vectors(tuple(names(key).values()))[name] for c, name in names(key).items()}
    cased = slow.cased(truth, [[known[label] for _, label in segments[i]] for i in segments], of_class, background)
    block = found.result["by_label"]["labels"]
    assert {name: score["value"] for name, score in block["scores"].items()} == pytest.approx(cased, abs=1e-9)
    expected |= cased
    assert all(0.001 < value < 0.99 for value in expected.values())


def test_the_truth_scores_exactly_one(tmp_path: Path) -> None:
    path = write(tmp_path, "pas20", made("pas20", "exact"))
    found = zgbench.evaluate(path, data=readers.SHARED, protocol=replace(OFFLINE, resamples=20), reassign=["tt"], scores="all")  # fmt: skip
    values = further(found)
    assert values.pop("hallucination") == 0
    assert set(values.values()) == {1.0}


def test_track_oracle_equals_its_slow_definition(tmp_path: Path) -> None:
    rng = np.random.RandomState(8)
    path = tmp_path / "oracle.parquet"
    given = []
    with zgbench.SubmissionWriter(path, name="test", dataset="pas20", track="oracle") as submission:
        for image_id, truth in truths("pas20").items():
            labels = {}
            for c in (int(c) for c in np.unique(truth) if c > 0):
                right, other = names("pas20")[c], str(rng.choice(list(names("pas20").values())))
                labels[c] = (right, f"A picture of some {right}.", SYNONYMS.get(right, other), other, "")[
                    rng.randint(5)
                ]
            labels = {c: label for c, label in labels.items() if label}
            submission.add_oracle(image_id, truth.shape, {names("pas20")[c]: label for c, label in labels.items()})
            given.append(labels)
    found = zgbench.evaluate(path, data=readers.SHARED, protocol=replace(OFFLINE, resamples=20), reassign=["tt"], scores="all")  # fmt: skip
    vocabulary = zgbench.open_dataset("pas20", readers.SHARED).vocabulary
    listed = zip(vocabulary.ids, vocabulary.names, vocabulary.readable, vocabulary.also, strict=True)
    known = vectors(tuple(sorted({x for labels in given for x in labels.values()}))) | vectors(vocabulary.names)
    expected = slow.oracle_track(given, list(truths("pas20").values()), {c: (a, b, *d) for c, a, b, d in listed}, known)
    block = found.result["by_label"]["oracle"]["scores"]
    assert {name: block[name]["value"] for name in expected} == pytest.approx(expected, abs=1e-9)
    assert all(0.05 < value < 0.95 for value in expected.values())
