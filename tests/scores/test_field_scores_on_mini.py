"""Every further score on the data set mini: the whole way, against the slow definitions, to 1e-9."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import zgbench
from tests.conftest import HashedText
from tests.oracle import slow_field_scores as slow
from tests.oracle.perturb import worse
from tests.oracle.slow_lexicon import SlowLexicon
from tests.oracle.slow_scorer import Scene
from tests.oracle.test_slow_lexicon import FILE
from zgbench import lexicon
from zgbench.datasets import builtin_vocabulary
from zgbench.scores.lexical import class_list
from zgbench.scores.registry import FAMILY_OF


def test_every_score_equals_its_slow_definition(tmp_path: Path) -> None:
    dataset, vocabulary = zgbench.open_dataset("mini"), builtin_vocabulary("mini")
    names = dict(zip(vocabulary.ids, vocabulary.names, strict=True))
    of_name = {name: c for c, name in names.items()}
    of_class = dict(zip(vocabulary.ids, HashedText().encode(list(vocabulary.names)), strict=True))
    rng = np.random.RandomState(11)
    scenes, vectors = [], []
    path = tmp_path / "mini.parquet"
    with zgbench.SubmissionWriter(path, name="test", dataset="mini") as submission:
        for image_id in dataset.ids:
            truth = dataset.source.truth(image_id).classes().astype(np.int64)
            segments = worse(truth, names, rng)
            masks = np.stack([m for m, _ in segments]) if segments else np.zeros((0, *truth.shape), bool)
            submission.add(image_id, masks, [label for _, label in segments])
            # the stand-in for the text model knows equal texts only
            scenes.append(Scene(truth, list(masks), [of_name.get(label, 0) for _, label in segments]))
            vectors.append(list(HashedText().encode([label for _, label in segments])) if segments else [])
    protocol = replace(zgbench.PRESETS["mini"], resamples=20)
    found = zgbench.evaluate(path, protocol=protocol, reassign=["tt"], scores="all", text_encoder=HashedText())
    (row,) = found.scores
    classes = tuple(names)
    reached = lexicon.load().mapper(class_list(vocabulary)).compiled.synsets
    keys = [[lexicon.load().wordnet.key(synset) for synset in reached[c]] for c in classes]
    alike = slow.path_similarity(SlowLexicon(FILE), keys)
    expected = slow.panoptic(scenes, "count", classes) | slow.presence(scenes, "count", classes)
    expected |= slow.open_miou(scenes, classes, alike)
    assert {name: score["value"] for name, score in row["more"].items()} == pytest.approx(expected, abs=1e-9)
    assert set(expected) == {name for name in FAMILY_OF if not name.endswith(("_things", "_stuff"))}
    cased = slow.cased(scenes, vectors, of_class, "count")
    block = found.result["by_label"]["labels"]["scores"]
    assert {name: score["value"] for name, score in block.items()} == pytest.approx(cased, abs=1e-9)
    assert all(0.001 < value < 0.99 for value in (expected | cased).values())
    for name, score in row["more"].items():
        if "per_class" in score and name in ("pq", "sq", "rq", "open_miou"):  # means over classes
            assert np.mean(list(score["per_class"].values())) == pytest.approx(expected[name])
