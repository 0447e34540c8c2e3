"""The waterfall's numbers against submissions that are written as each step says and scored the whole way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zgbench
from tests.board.shipped import BOARD, group_of
from zgbench.board.inside import segment_table
from zgbench.board.pictures import submission_file
from zgbench.board.segment_masks import segments_of
from zgbench.board.waterfall import beside, waterfall
from zgbench.datasets import builtin_vocabulary
from zgbench.errors import UsageError

METHOD = "reference.mini"
GROUP = group_of("TT").key
SCORES = ("iou_image", "iou_dataset", "recall.0.5", "recall.auc")
Scene = tuple[str, np.ndarray, list[np.ndarray]]


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    """Image id, truth and the method's masks."""
    dataset, vocabulary = zgbench.open_dataset("mini"), builtin_vocabulary("mini")
    file = submission_file(BOARD, BOARD.entry(METHOD))
    assert file is not None
    found = []
    for image_id in dataset.ids:
        truth = dataset.source.truth(image_id).classes()
        segments = segments_of(file, image_id, truth, vocabulary)
        assert segments is not None
        found.append((image_id, truth, segments[0]))
    return found


def most(pixels: np.ndarray) -> int:
    """The class of most pixels, the lowest id of equals; 0 where unlabelled pixels are the most. Void is left out."""
    classes, counts = np.unique(pixels[pixels >= 0], return_counts=True)
    return int(classes[counts.argmax()]) if len(classes) else 0


def best_names(scenes: list[Scene], _rows: list[dict[str, Any]]) -> list[list[np.ndarray | int]]:
    return [[most(truth[mask]) for mask in masks] for _, truth, masks in scenes]


def best_mapping(scenes: list[Scene], rows: list[dict[str, Any]]) -> list[list[int]]:
    pixels: dict[str, Counter[int]] = {}
    labels = iter(row["label"] for row in rows)
    told = [[next(labels) for _ in masks] for _, _, masks in scenes]
    for (_, truth, masks), names in zip(scenes, told, strict=True):
        for mask, name in zip(masks, names, strict=True):
            pixels.setdefault(name, Counter()).update(truth[mask][truth[mask] >= 0].tolist())
    best = {name: min(seen, key=lambda c, seen=seen: (-seen[c], c)) if seen else 0 for name, seen in pixels.items()}
    return [[best[name] for name in names] for names in told]


def given(scenes: list[Scene], rows: list[dict[str, Any]], *, kept_only: bool = False) -> list[list[int]]:
    ids = dict(zip(builtin_vocabulary("mini").names, builtin_vocabulary("mini").ids, strict=True))
    classes = iter(ids[row["class"]] if row["kept"] or not kept_only else 0 for row in rows)
    return [[next(classes) for _ in masks] for _, _, masks in scenes]


def score(path: Path, scenes: list[tuple[str, np.ndarray, list[np.ndarray]]], named: list[list[int]]) -> dict[str, Any]:
    """Write a submission whose segments are called by the names of their classes (0: left out), and score it."""
    names = dict(zip(builtin_vocabulary("mini").ids, builtin_vocabulary("mini").names, strict=True))
    with zgbench.SubmissionWriter(path, name=path.stem, dataset="mini") as submission:
        for (image_id, truth, masks), classes in zip(scenes, named, strict=True):
            kept = [(mask, names[c]) for mask, c in zip(masks, classes, strict=True) if c]
            stacked = np.stack([mask for mask, _ in kept]) if kept else np.zeros((0, *truth.shape), dtype=bool)
            submission.add(image_id, stacked, [name for _, name in kept])
    (row,) = zgbench.evaluate(path, reassign=["tt"]).scores
    found = {"iou_image": row["iou_image"], "iou_dataset": row["iou_dataset"]}
    found |= {f"recall.{key}": value for key, value in row["recall"].items()}
    return {key: value["value"] for key, value in found.items()}


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return segment_table(BOARD, METHOD, GROUP).to_dict("records")


NAMED: dict[str, Callable[[list[Scene], list[dict[str, Any]]], Any]] = {
    "masks": best_names,
    "names": best_mapping,
    "mapping": given,
    "threshold": lambda scenes, rows: given(scenes, rows, kept_only=True),
}


@pytest.mark.parametrize("step", NAMED)
def test_a_step_is_what_a_submission_named_like_that_scores(
    step: str, scenes: list[Scene], rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    direct = score(tmp_path / f"{step}.parquet", scenes, NAMED[step](scenes, rows))
    for name in SCORES:
        told = {s["step"]: s["value"] for s in waterfall(BOARD, METHOD, GROUP, name)}
        assert told[step] == pytest.approx(direct[name], abs=1e-12), name


def test_truth_masks_with_predicted_names(scenes: list[Scene], rows: list[dict[str, Any]], tmp_path: Path) -> None:
    kept = given(scenes, rows, kept_only=True)
    truths, named = [], []
    for (image_id, truth, masks), classes in zip(scenes, kept, strict=True):
        present = [int(c) for c in np.unique(truth) if c > 0]
        own = [truth == c for c in present]
        covered = [[int((mask & part).sum()) for mask in masks] for part in own]
        named.append([classes[int(np.argmax(c))] if any(c) else 0 for c in covered])
        truths.append((image_id, truth, own))
    direct = score(tmp_path / "truth.parquet", truths, named)
    for name in SCORES:
        assert beside(BOARD, METHOD, GROUP, name)["value"] == pytest.approx(direct[name], abs=1e-12), name


@pytest.mark.parametrize("reassign", ["TT", "ST"])
@pytest.mark.parametrize("track", ["free", "oracle"])
def test_it_runs_from_100_to_the_score(reassign: str, track: str) -> None:
    group = group_of(reassign, track)
    for entry_id in group.ids:
        row = BOARD.entry(entry_id).row(group.key)
        for name in group.scores:
            steps = waterfall(BOARD, entry_id, group.key, name)
            assert steps[0]["value"] == 1
            assert steps[-1]["value"] == pytest.approx(row.scores[name].value, abs=1e-12)
            assert [s["start"] for s in steps[1:]] == [s["value"] for s in steps[:-1]]
            assert all(s["change"] == s["value"] - s["start"] for s in steps)
            assert [s["step"] for s in steps] == [
                "perfect",
                "masks",
                *(["names"] * (reassign == "TT")),
                "mapping",
                "threshold",
            ]
            if track == "oracle":  # the truth's masks with their best names are the truth
                assert steps[1]["value"] == 1


def test_what_it_cannot_take_apart() -> None:
    with pytest.raises(UsageError, match="one number only"):
        waterfall(BOARD, "reference-oracle.mini", group_of("TGQ", "oracle").key, "tgq")
    with pytest.raises(UsageError, match="expected one of"):
        waterfall(BOARD, METHOD, GROUP, "tgq")
