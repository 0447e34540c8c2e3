"""Who is best, by how much, and whether that is sure."""

from __future__ import annotations

import numpy as np
import pytest

from tests.board.shipped import BOARD, group_of
from zgbench.board.corrected import corrected
from zgbench.board.differences import against, comparison
from zgbench.board.leader import leader, sentences
from zgbench.board.pairs import LEVEL
from zgbench.board.ranking import ranking
from zgbench.board.store import Board


@pytest.mark.parametrize(
    ("reassign", "track", "score"),
    [("TT", "free", "iou_image"), ("ST", "free", "recall.0.5"), ("TGQ", "oracle", "tgq")],
)
def test_the_leader_is_first_and_as_sure_as_the_paired_test(reassign: str, track: str, score: str) -> None:
    group = group_of(reassign, track)
    rows = ranking(BOARD, group.key, score)
    found = leader(BOARD, group, score, rows)
    assert found is not None and found.next is not None
    assert (found.best, found.next) == (rows[0], rows[1])
    methods = [row for row in rows if row["kind"] == "method"]
    values = np.array([row[score] for row in methods])
    p = corrected(BOARD, group, score, [row["id"] for row in methods], values)
    unsure = [row["name"] for row, one in zip(methods[1:], p[0, 1:], strict=True) if one >= LEVEL]
    assert list(found.equals) == unsure
    who, sure = sentences(found, score)
    assert rows[0]["name"] in who and rows[1]["name"] in who
    assert f"{100 * (rows[0][score] - rows[1][score]):.1f} points" in who
    assert sure.startswith("That is not sure" if unsure else "That is sure")


def test_without_methods_there_is_no_leader() -> None:
    group = next(g for g in BOARD.groups("pas20"))
    assert leader(BOARD, group, "iou_image", ranking(BOARD, group.key)) is None


def test_one_method_alone_is_not_called_better() -> None:
    group = group_of()
    rows = [row for row in ranking(BOARD, group.key) if row["id"] == "reference.mini" or row["kind"] != "method"]
    found = leader(BOARD, group, "iou_image", rows)
    assert found is not None and found.next is None
    assert sentences(found, "iou_image")[1] == "It is the only method under this protocol."


def test_a_board_begins_where_methods_are_ranked() -> None:
    assert BOARD.datasets()[0] == "pas20"  # baselines and ceilings only
    assert BOARD.start() == "mini"
    group = group_of()
    ordered = BOARD.best_first(group)
    assert ordered == [row["id"] for row in ranking(BOARD, group.key, group.scores[0])]
    assert Board(BOARD.folder, (), (), (), "").start() is None


def test_differences_from_one_method() -> None:
    ids = ["reference.mini", "demo.mini", "reference-crop.mini"]
    found = comparison(BOARD, group_of().key, ids)
    for rows in (found.scores, found.per_class):
        turned = against(rows, "demo.mini")
        assert {row["b"] for row in turned} == {"demo.mini"}
        assert {row["a"] for row in turned} == {"reference.mini", "reference-crop.mini"}
        assert len(turned) == len(rows) * 2 // 3
        for row in turned:
            first, second = (row["a_value"], row["b_value"]) if "score" in row else (row["a_iou"], row["b_iou"])
            if first is not None and second is not None:
                assert row["difference"] == pytest.approx(first - second)
            if row["low"] is not None:
                assert row["low"] <= row["high"]
            assert (row["clear"] == "a") <= ((row["difference"] or 0) > 0)
