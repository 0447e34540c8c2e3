"""Scores of labels without a reassignment: by hand, by slow definitions, by properties."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import zgbench
from tests.conftest import HashedText
from tests.end_to_end.command import here
from tests.oracle import slow_field_scores as slow
from tests.oracle.slow_scorer import Scene
from tests.scores.field import counts_of
from tests.scores.test_class_scores import RULES, drawn, rows, seeds
from tests.submission.sample import oracle, write
from tests.test_evaluate import NoModel, run
from zgbench.datasets.vocabulary import Vocabulary
from zgbench.scores.by_label import by_label
from zgbench.scores.families.oracle_track import includes, word_iou
from zgbench.scores.result import load_result
from zgbench.statistics.resampling import total

CASED = ("cased_soft", "cased_overlap", "cased_nearest")
VOCABULARY = Vocabulary((1, 2, 3), ("cat", "dog", "sky"))
COSINES = {"kitten": (0.8, 0.5, 0.0), "hound": (0.6, 0.7, -0.2), "mist": (0.1, -0.3, 0.9), "odd": (-0.5, -0.2, -0.4)}


class Tabled:
    """Vectors whose cosines with the three class names are given."""

    name = "tabled"

    def encode(self, texts: list[str]) -> np.ndarray:
        rows = []
        for text in texts:
            if text in VOCABULARY.names:
                rows.append(np.eye(4)[VOCABULARY.names.index(text)])
            else:
                given = np.array(COSINES[text])
                rows.append(np.append(given, math.sqrt(1 - given @ given)))
        return np.stack(rows).astype(np.float32)


def cased_of(scenes: list[Scene], labels: list[list[str]], background: str = "count") -> dict[str, float]:
    found, missing = by_label(counts_of(scenes, labels), CASED, VOCABULARY, Tabled(), "{}", background)  # type: ignore[arg-type]
    assert not missing
    return {name: float(value) for name, value in found.scores(total(found.per_image)).items()}


def test_cased_by_hand() -> None:
    truth = rows("1122", "1122", "..xx")
    masks = [rows("11..", "11..", "11..") == 1, rows("..11", "..11", "..11") == 1]
    found = cased_of([Scene(truth, masks, [0, 0])], [["kitten", "hound"]])
    # each segment has 4 pixels of its class; the first 2 of background as well, the second 2 of void, which count nowhere
    # cat: I = 0.8·4, U = 0.8·6 + 0.6·4 + 4 − I. dog: I = 0.7·4, U = 0.5·6 + 0.7·4 + 4 − I
    cat, dog = 3.2 / (4.8 + 2.4 + 4 - 3.2), 2.8 / (3.0 + 2.8 + 4 - 2.8)
    assert found["cased_soft"] == pytest.approx((cat + dog) / 2, abs=1e-6)
    assert found["cased_overlap"] == found["cased_nearest"] == pytest.approx((4 / 6 + 1) / 2)
    # where background is ignored, the first is exactly the cat
    assert cased_of([Scene(truth, masks, [0, 0])], [["kitten", "hound"]], "ignore")["cased_overlap"] == 1
    # a label is nearest among the classes of its own image: mist is sky, but there is none
    assert cased_of([Scene(truth, masks, [0, 0])], [["mist", "hound"]])["cased_nearest"] == pytest.approx(
        (4 / 6 + 1) / 2
    )
    # half of a segment on background: it is background's
    tie = Scene(rows("11..", "2222"), [rows("1111", "....") == 1], [0])
    assert cased_of([tie], [["kitten"]])["cased_overlap"] == 0


@settings(max_examples=80, deadline=None)
@given(seeds, st.sampled_from(RULES))
def test_cased_is_the_slow_one(seed: int, rule: str) -> None:
    rng = np.random.RandomState(seed)
    scenes = drawn(rng)
    labels = [[str(x) for x in rng.choice(list(COSINES), len(scene.masks))] for scene in scenes]
    of_class = dict(zip(VOCABULARY.ids, Tabled().encode(list(VOCABULARY.names)), strict=True))
    vectors = [list(Tabled().encode(some)) if some else [] for some in labels]
    expected = slow.cased(scenes, vectors, of_class, rule)
    assert cased_of(scenes, labels, rule) == pytest.approx(expected, abs=1e-9, nan_ok=True)


@settings(max_examples=40, deadline=None)
@given(seeds)
def test_order_merging_and_bounds(seed: int) -> None:
    """Order moves nothing; segments of one label may be one segment for soft and nearest (overlap looks at each)."""
    rng = np.random.RandomState(seed)
    scenes = drawn(rng)
    labels = [[str(x) for x in rng.choice(list(COSINES), len(scene.masks))] for scene in scenes]
    found = cased_of(scenes, labels)
    shuffled, merged, others, fewer = [], [], [], []
    for scene, some in zip(scenes, labels, strict=True):
        order = rng.permutation(len(some))
        shuffled.append(Scene(scene.truth, [scene.masks[k] for k in order], [0] * len(order)))
        others.append([some[k] for k in order])
        distinct = sorted(set(some))
        masks = [np.any([m for m, s in zip(scene.masks, some, strict=True) if s == one], axis=0) for one in distinct]
        merged.append(Scene(scene.truth, masks, [0] * len(masks)))
        fewer.append(distinct)
    assert cased_of(shuffled, others) == pytest.approx(found, nan_ok=True)
    one = cased_of(merged, fewer)
    for name in ("cased_soft", "cased_nearest"):
        assert one[name] == pytest.approx(found[name], nan_ok=True)
    assert all(math.isnan(value) or 0 <= value <= 1 for value in found.values())


def test_words_and_names_by_hand() -> None:
    assert word_iou("a Brown dog", "dog") == pytest.approx(1 / 3)
    assert word_iou("potted plant, green", "potted plant") == pytest.approx(2 / 3)
    assert word_iou("…", "dog") == 0
    assert word_iou("Dog.", "dog") == 1
    assert includes("an old AIRPLANE", ("airplane", "aeroplane"))
    assert includes("carpet", ("car",))  # as published: a text in a text, not a word among words
    assert not includes("a motor vehicle", ("car",))


def of_labels(labels: list[str | None]) -> dict[str, Any]:
    """Track oracle on the tiny images, whose eight truth segments get these labels in order; None: no label."""
    document, given_labels = oracle(), iter(labels)
    for image in document["images"]:
        told = [(segment, next(given_labels)) for segment in image["segments"]]
        image["segments"] = [segment | {"label": label} for segment, label in told if label is not None]
    return document


def values_of(found: zgbench.Evaluation) -> dict[str, float | None]:
    return {name: score["value"] for name, score in found.result["by_label"]["oracle"]["scores"].items()}


def test_track_oracle_by_hand(tiny_voc: Path, tmp_path: Path) -> None:
    """Truth: aeroplane, bicycle; aeroplane, bicycle, dog; aeroplane, bicycle, dog."""
    labels = ["aeroplane", "bike", "red aeroplane", "mountain bike", "poodle", None, "handlebar", "bicycle"]
    path = write(of_labels(labels), tmp_path / "o.json")
    found = run(path, tiny_voc, reassign=["tt"], scores="all", out=tmp_path)
    value = values_of(found)
    assert found.tgq is not None
    assert value["label_similarity.0.5"] == found.tgq["value"] == 1 / 8  # the stand-in knows equal texts only
    assert value["s_iou"] == (1 + 1 / 2) / 8  # aeroplane, and half of red aeroplane
    assert value["text_inclusion"] == 4 / 8  # aeroplane, bike (an alias), red aeroplane, mountain bike (bike)
    assert value["label_exact"] == 3 / 8  # aeroplane, bike, red aeroplane by its head
    assert value["label_synonym"] == 3 / 8
    assert value["label_hyponym"] == 5 / 8  # and mountain bike, poodle
    assert value["label_meronym"] == 6 / 8  # and handlebar
    similarity = [float(v) for v in _cosines(labels)]
    assert value["label_similarity"] == pytest.approx(sum(similarity) / 8, abs=1e-6)
    assert found.path is not None
    stored = load_result(found.path)
    assert stored.labels is not None
    again = stored.labels.scores(total(stored.labels.per_image))
    assert {name: float(again[name]) for name in value} == pytest.approx(value)


def _cosines(labels: list[str | None]) -> Iterator[float]:
    truth = ["aeroplane", "bicycle", "aeroplane", "bicycle", "dog", "aeroplane", "bicycle", "dog"]
    for label, name in zip(labels, truth, strict=True):
        a, b = HashedText().encode([label or "", name])
        yield float(a @ b) if label is not None else 0.0


def test_true_names_score_one(tiny_voc: Path, tmp_path: Path) -> None:
    truth = ["aeroplane", "bicycle", "aeroplane", "bicycle", "dog", "aeroplane", "bicycle", "dog"]
    found = run(write(of_labels(list(truth)), tmp_path / "o.json"), tiny_voc, reassign=["tt"], scores="all")
    assert values_of(found) == pytest.approx(dict.fromkeys(values_of(found), 1.0), abs=1e-6)
    cased = {name: score["value"] for name, score in found.result["by_label"]["labels"]["scores"].items()}
    assert (cased["cased_overlap"], cased["cased_nearest"]) == (1, 1)


def test_without_a_model_what_needs_none_is_scored(tiny_voc: Path, tmp_path: Path) -> None:
    path = write(of_labels(["aeroplane"] * 8), tmp_path / "o.json")
    found = run(path, tiny_voc, reassign=["lt"], scores="cased_overlap,cased_soft,s_iou,label_similarity", text_encoder=NoModel())  # fmt: skip
    by_label = found.result["by_label"]
    assert set(by_label["labels"]["scores"]) == {"cased_overlap"}
    assert set(by_label["oracle"]["scores"]) == {"s_iou"}
    assert "encoder" not in by_label["labels"]["signature"]
    assert "CLIP cannot be had" in found.unavailable["cased_soft, label_similarity"]


def test_a_changed_file_of_labels_is_refused(tiny_voc: Path, tmp_path: Path) -> None:
    path = write(of_labels(["aeroplane"] * 8), tmp_path / "o.json")
    found = run(path, tiny_voc, reassign=["tt"], scores="s_iou", out=tmp_path)
    assert found.path is not None
    (place,) = tmp_path.glob("*.labels.parquet")
    place.write_bytes(place.read_bytes()[:-1] + b"x")
    with pytest.raises(zgbench.DataError, match="missing, or not the file"):
        load_result(found.path)
    content = json.loads(found.path.read_text())
    assert content["files"]["labels"]["name"] == place.name


def test_results_are_compared_by_what_both_hold(tiny_voc: Path, tmp_path: Path) -> None:
    paths = []
    for name, labels in (
        ("a", ["aeroplane", "bicycle", "aeroplane", "bicycle", "dog", "aeroplane", None, "dog"]),
        ("b", ["dog"] * 8),
    ):
        path = write(of_labels(list(labels)) | {"name": name}, tmp_path / f"{name}.json")
        found = run(path, tiny_voc, reassign=["tt"], scores="default,cased_soft,s_iou", out=tmp_path)
        assert found.path is not None
        paths.append(found.path)
    compared = zgbench.compare(*paths, scores="s_iou,cased_soft,cased_nearest")
    assert [key[:2] for key in compared.rows] == [("labels", ""), ("oracle", "")]
    labels_row, oracle_row = compared.rows.values()
    assert list(labels_row) == ["cased_soft"]
    assert (oracle_row["s_iou"].a, oracle_row["s_iou"].b) == (7 / 8, 2 / 8)
    out, _ = here("compare", *paths, "--scores", "s_iou")
    assert "oracle on pas20" in out and "S-IoU" in out and "TT" not in out
    with pytest.raises(zgbench.UsageError, match="no score in common: evaluate both with the same --scores"):
        zgbench.compare(*paths, scores="cased_overlap")
