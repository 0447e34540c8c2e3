"""The numbers of the Method page and of Look inside, against the stored scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.board.shipped import BOARD, copied, group_of
from zgbench.board import method
from zgbench.board.inside import image_table, search, segment_table
from zgbench.board.pictures import pictures
from zgbench.board.store import load_board
from zgbench.errors import UsageError, ZgbenchError

METHOD = "reference.mini"


@pytest.mark.parametrize("reassign", ["TT", "ST"])
def test_curves_pass_through_the_scores(reassign: str) -> None:
    group = group_of(reassign)
    scores = {key: score.value for key, score in BOARD.entry(METHOD).row(group.key).scores.items()}
    curve = {row["tau_iou"]: row["recall"] for row in method.recall_curve(BOARD, METHOD, group.key)}
    assert len(curve) == 101
    assert list(curve.values()) == sorted(curve.values(), reverse=True)
    for tau in (0.25, 0.5, 0.75):
        assert curve[tau] == pytest.approx(scores[f"recall.{tau}"], abs=1e-12)
    assert curve[1.0] == 0
    assert float(np.mean(list(curve.values()))) == pytest.approx(scores["recall.auc"], abs=0.011)
    (chosen,) = [row for row in method.threshold_curve(BOARD, METHOD, group.key) if row["chosen"]]
    for key, name in (("iou_image", "iou_image"), ("iou_dataset", "iou_dataset"), ("recall", "recall.0.5")):
        assert chosen[key] == pytest.approx(scores[name], abs=1e-12)
    kept = [row["kept"] for row in method.threshold_curve(BOARD, METHOD, group.key)]
    assert kept == sorted(kept, reverse=True)
    assert kept[0] > 0.99  # from cosine 0 on; ST has a few below


def test_classes_are_all_there_and_their_mean_is_the_score() -> None:
    group = group_of("TT")
    rows = method.per_class(BOARD, METHOD, group.key)
    assert len(rows) == 27
    mean = np.mean([row["iou"] for row in rows if row["iou"] is not None])
    assert mean == pytest.approx(BOARD.entry(METHOD).row(group.key).scores["iou_dataset"].value, abs=1e-12)


def test_label_statistics_count_and_warn() -> None:
    labels = BOARD.entry(METHOD).stored().counts.labels
    found = method.label_statistics(BOARD, METHOD)
    assert found.segments == len(labels)
    assert found.vocabulary == len({label.casefold().strip() for label in labels})
    assert sum(row["segments"] for row in found.lengths) == len(labels)
    assert found.frequent[0]["segments"] == max(row["segments"] for row in found.frequent)
    assert found.warnings == ()
    grid = method.label_statistics(BOARD, "baseline-grid.mini")
    assert (grid.generic, grid.vocabulary) == (1, 1)
    assert len(grid.warnings) == 2
    assert method.is_generic("the object")
    assert not method.is_generic("red object of art")


@pytest.mark.parametrize("reassign", ["TT", "ST"])
def test_segments_are_told_as_they_were_scored(reassign: str) -> None:
    group = group_of(reassign)
    table = segment_table(BOARD, METHOD, group.key)
    row = BOARD.entry(METHOD).row(group.key)
    assert (len(table), int(table["kept"].sum())) == (row.segments, row.kept)
    assert (table["iou"] <= table["covers_iou"].where(table["class"] == table["covers"], 1) + 1e-12).all()
    assert table["iou"].between(0, 1).all()
    assert table[table["kept"]]["why"].str.contains("≥").all()
    assert table[~table["kept"]]["why"].str.contains("<").all()
    hits = search(table, "TREE", "label")
    assert 0 < len(hits) < len(table)
    assert hits["label"].str.contains("tree").all()
    assert len(search(table, "", "any")) == len(table)


def test_images_in_every_order() -> None:
    group = group_of("TT").key
    table = image_table(BOARD, METHOD, group)
    assert len(table) == 200
    assert table["iou"].mean() == pytest.approx(BOARD.entry(METHOD).row(group).scores["iou_image"].value, abs=1e-12)
    assert image_table(BOARD, METHOD, group, "best")["iou"].is_monotonic_decreasing
    assert image_table(BOARD, METHOD, group, "worst")["iou"].is_monotonic_increasing
    different = image_table(BOARD, METHOD, group, "different", "demo.mini")
    assert different["difference"].abs().is_monotonic_decreasing
    assert (different["difference"] == different["iou"] - different["other_iou"]).all()
    with pytest.raises(UsageError, match="with another method"):
        image_table(BOARD, METHOD, group, "different")


def test_pictures_and_what_is_missing(tmp_path: Path) -> None:
    image_id = BOARD.entry(METHOD).stored().counts.ids[0]
    found = pictures(BOARD, METHOD, image_id, None, group_of("TT").key)
    assert found.missing == ()
    assert all(p is not None and min(p.size) >= 480 for p in (found.photo, found.truth, found.prediction))
    with pytest.raises(UsageError, match=r"has no image '\.\./x'"):
        pictures(BOARD, METHOD, "../x", None)

    def elsewhere(result: dict[str, Any]) -> None:
        result["submission"]["sha256"] = "0" * 64

    copied(tmp_path, METHOD, "one", elsewhere)
    found = pictures(load_board(tmp_path), "one.mini", image_id, None)
    assert found.prediction is None
    assert "is not at hand" in found.missing[0]


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    copied(tmp_path, METHOD, "one")
    board = load_board(tmp_path)
    (tmp_path / "one.mini.segments.parquet").unlink()
    with pytest.raises(ZgbenchError, match=r"one\.mini\.segments\.parquet"):  # it was there a moment ago
        segment_table(board, "one.mini", group_of(board=board).key)
    board = load_board(tmp_path)
    assert board.entries == ()
    assert "one.mini.segments.parquet is missing" in board.problems[0]
