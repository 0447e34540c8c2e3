"""Ranks, the paired tests under them, and comparisons: the same numbers as ``zgbench compare``."""

from __future__ import annotations

import csv
import io
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

import zgbench
from tests.board.shipped import BOARD, copied, group_of
from tests.scores.test_comparison import slow_holm
from zgbench.board import pairs as pairs_module
from zgbench.board.differences import comparison
from zgbench.board.kinds import mark
from zgbench.board.pairs import LEVEL, pairs
from zgbench.board.ranking import Filters, ranking
from zgbench.board.ranking_text import ranking_csv, ranking_latex, ranking_markdown
from zgbench.board.static import export_static
from zgbench.board.store import default_folder, load_board
from zgbench.errors import UsageError
from zgbench.statistics.power import images_needed

CLOSE = ("reference.mini", "reference-masked.mini")


def test_the_best_stands_first_and_ranks_count_who_is_clearly_better() -> None:
    for reassign in ("TT", "ST"):
        group = group_of(reassign)
        for score in ("iou_image", "recall.0.5"):
            rows = ranking(BOARD, group.key, score)
            methods = [row for row in rows if row["kind"] == "method"]
            assert rows[: len(methods)] == methods and 0 < len(methods) < len(rows)
            tested = pairs(BOARD, group, score)
            both = list(combinations([row["id"] for row in methods], 2))
            p = [tested.at(score, *pair)[0] for pair in both]
            corrected = {frozenset(pair): value for pair, value in zip(both, slow_holm(p), strict=True)}
            for row in methods:
                clear = [
                    o for o in methods if o[score] > row[score] and corrected[frozenset((o["id"], row["id"]))] < LEVEL
                ]
                assert 1 <= row["rank_low"] <= row["rank_high"] <= len(methods)
                assert row["rank"] == 1 + len(clear)
                assert row["tied"] == (sum(o["rank"] == row["rank"] for o in methods) > 1)
            for part in (methods, rows[len(methods) :]):
                values = [row[score] for row in part]
                assert values == sorted(values, reverse=True)
            assert all(row[f"{score}_low"] <= row[score] <= row[f"{score}_high"] for row in rows)


def test_methods_that_nothing_separates_share_a_rank(tmp_path: Path) -> None:
    for k in range(3):
        copied(tmp_path, "reference.mini", f"same{k}")
    copied(tmp_path, "reference-crop.mini", "worse")
    board = load_board(tmp_path)
    rows = ranking(board, group_of(board=board).key)
    assert [(row["rank"], row["tied"]) for row in rows] == [(1, True), (1, True), (1, True), (4, False)]


def test_filters_hide_rows_and_change_no_rank(tmp_path: Path) -> None:
    copied(tmp_path, "demo.mini", "first", lambda r: r["submission"]["method"].update(text_guidance=True))
    copied(tmp_path, "reference.mini", "second")
    copied(tmp_path, "reference.mini", "another", lambda r: r["submission"].update(name="same as second"))
    copied(tmp_path, "reference-crop.mini", "third", lambda r: r["submission"].update(name="Third METHOD"))
    board = load_board(tmp_path)
    group = group_of(board=board).key
    whole = ranking(board, group)
    assert [(row["rank"], row["tied"]) for row in whole] == [(1, False), (2, True), (2, True), (4, False)]
    free = ranking(board, group, filters=Filters(text_guidance=False, segmentation_labels=False))
    assert free == whole[1:]
    assert ranking(board, group, filters=Filters(search="third method")) == whole[3:]  # the last stays the last
    assert ranking(board, group, filters=Filters(search="same as")) == [r for r in whole if r["id"] == "another.mini"]
    assert ranking(board, group, filters=Filters(segmentation_labels=True)) == []
    csv_of = {row["id"]: row for row in csv.DictReader(io.StringIO(ranking_csv(whole)))}
    for row in csv.DictReader(io.StringIO(ranking_csv(free))):
        assert row == csv_of[row["id"]]
    with pytest.raises(UsageError, match="expected one of iou_image"):
        ranking(board, group, "tgq")


def test_baselines_and_ceilings_have_no_rank_and_count_in_none(tmp_path: Path) -> None:
    for stem, source in (("truth", "demo"), ("good", "reference"), ("bad", "reference-crop"), ("low", "baseline-grid")):
        copied(tmp_path, f"{source}.mini", stem)
    before = ranking(load_board(tmp_path), group_of(board=load_board(tmp_path)).key)
    assert [(row["id"], row["rank"]) for row in before] == [
        ("truth.mini", 1), ("good.mini", 2), ("bad.mini", 3), ("low.mini", 4),
    ]  # fmt: skip
    for stem, kind in (("truth.mini", "ceiling"), ("low.mini", "baseline")):
        mark(tmp_path, load_board(tmp_path).entry(stem).submission_sha256, kind, stem)
    board = load_board(tmp_path)
    group = group_of(board=board)
    assert (group.ranked, len(group.ids)) == (2, 4)
    rows = ranking(board, group.key)
    assert [(row["id"], row["rank"], row["kind"]) for row in rows] == [
        ("good.mini", 1, "method"), ("bad.mini", 2, "method"), ("truth.mini", None, "ceiling"), ("low.mini", None, "baseline"),
    ]  # fmt: skip
    records = list(csv.DictReader(io.StringIO(ranking_csv(rows))))
    assert [(r["rank"], r["kind"]) for r in records] == [
        ("1", "method"),
        ("2", "method"),
        ("", "ceiling"),
        ("", "baseline"),
    ]
    markdown, latex = ranking_markdown(rows, group), ranking_latex(rows, group)
    assert "| – | demo (ceiling) |" in markdown
    assert "-- & demo (ceiling) &" in latex
    page = export_static(board, tmp_path / "out")[0].read_text(encoding="utf-8")
    ranked, _, apart = page.partition("Not ranked: ")
    assert "reference method" in ranked and "<small>ceiling</small>" in apart and "<small>baseline</small>" in apart
    mark(tmp_path, board.entry("truth.mini").submission_sha256, "method", "demo")  # taken back
    assert [r["rank"] for r in ranking(load_board(tmp_path), group.key)] == [1, 2, 3, None]


def test_marks_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    copied(tmp_path, "demo.mini", "one")
    sha256 = load_board(tmp_path).entry("one.mini").submission_sha256
    (tmp_path / "kinds.csv").write_text(
        f"\ufeffsubmission_sha256,kind,name\n{sha256},ceiling,demo\n{sha256},best,demo\n"
    )
    board = load_board(tmp_path)
    assert board.entry("one.mini").kind == "ceiling"
    assert board.problems == (
        "kinds.csv, line 3: expected the SHA-256 of a submission, and one of method, baseline, ceiling",
    )


def test_pairs_and_comparisons_are_those_of_zgbench_compare() -> None:
    group = group_of("TT")
    files = [default_folder() / f"{one}.result.json" for one in CLOSE]
    expected = next(
        scores for (how, _, _), scores in zgbench.compare(*files).rows.items() if how == "TT"
    )  # the plain way, 10,000 draws of every score
    found = comparison(BOARD, group.key, CLOSE)
    assert {row["score"] for row in found.scores} == set(expected) == set(group.scores)
    for row in found.scores:
        wanted = expected[row["score"]]
        told = (row["a_value"], row["b_value"], row["difference"], row["low"], row["high"])
        assert told == pytest.approx((wanted.a, wanted.b, wanted.difference, wanted.low, wanted.high), abs=1e-12)
        if row["draws"] == 10_000:
            assert row["p"] == pytest.approx(wanted.p, abs=1e-12)
        else:  # it stopped where more draws could not have mattered
            assert row["score"] == "iou_dataset"
            assert (row["p"] < LEVEL) == (wanted.p < LEVEL)
            assert row["p"] == pytest.approx(wanted.p, abs=4 * np.sqrt(0.25 / row["draws"]))
        assert row["clear"] == ("" if wanted.p >= LEVEL else "a" if wanted.difference > 0 else "b")
        assert row["p_holm"] == row["p"]  # one pair
        assert row["smallest"] == pytest.approx(2.8 * wanted.se, abs=1e-12)
        needed = images_needed(group.images, wanted.difference, wanted.se)
        assert (
            row["images_needed"] == needed or abs(row["images_needed"] - needed) <= 1
        )  # rounded up from near a whole number


def test_several_comparisons_are_corrected_for_their_number() -> None:
    group = group_of("TT")
    ids = [*CLOSE, "reference-crop.mini", "reference-no-merging.mini"]
    for score in ("iou_image", "recall.auc"):
        rows = [row for row in comparison(BOARD, group.key, ids).scores if row["score"] == score]
        assert len(rows) == 6
        assert [row["p_holm"] for row in rows] == pytest.approx(slow_holm([row["p"] for row in rows]))
        assert all(bool(row["clear"]) == (row["p_holm"] < LEVEL) for row in rows)


def test_differences_by_class_are_those_of_the_stored_classes() -> None:
    group = group_of("ST")
    ids = ["demo.mini", "reference.mini", "baseline-grid.mini"]
    rows = comparison(BOARD, group.key, ids).per_class
    assert {(row["a"], row["b"]) for row in rows} == set(combinations(ids, 2))
    stored = {
        i: next(r for r in BOARD.entry(i).stored().result["scores"] if r["signature"] == group.signature) for i in ids
    }
    for row in rows:
        for side in ("a", "b"):
            told = stored[row[side]]["per_class"][row["class"]]
            assert row[f"{side}_iou"] == pytest.approx(told["iou"], abs=1e-12)
            assert row["images"] == told["images"]
        assert row["low"] <= row["difference"] <= row["high"]
        assert row["clear"] == ("a" if row["low"] > 0 else "b" if row["high"] < 0 else "")


@pytest.mark.parametrize("ids", [["demo.mini"], ["demo.mini", "demo.mini"], ["demo.mini"] * 7])
def test_what_cannot_be_compared(ids: list[str]) -> None:
    with pytest.raises(UsageError, match="expected 2 to 6 different ones"):
        comparison(BOARD, group_of().key, ids)


def test_tgq_is_ranked_and_compared_too() -> None:
    group = group_of("TGQ", "oracle")
    rows = ranking(BOARD, group.key, "tgq")
    assert [row["id"] for row in rows][-1] == "reference-crop-oracle.mini"
    assert [row["rank"] for row in rows] == [1, 1, 3]
    found = comparison(BOARD, group.key, [row["id"] for row in rows])
    assert found.per_class == []
    assert [row["clear"] for row in found.scores] == ["", "a", "a"]


def test_pairs_that_are_known_are_not_worked_out_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZGBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(pairs_module, "_last", {})
    for name in ("reference", "reference-crop"):
        copied(tmp_path / "board", f"{name}.mini", name)
    board = load_board(tmp_path / "board")
    before = pairs(board, group_of(board=board), "iou_image")
    asked: list[int] = []
    plain = pairs_module._test_ratios

    def counted(summaries: list, score: str, wanted: np.ndarray, *rest: object) -> None:
        asked.append(int(wanted.sum()))
        plain(summaries, score, wanted, *rest)

    monkeypatch.setattr(pairs_module, "_test_ratios", counted)
    copied(tmp_path / "board", "reference-masked.mini", "third")
    board = load_board(tmp_path / "board")
    after = pairs(board, group_of(board=board), "iou_image")
    assert asked == [2]
    assert after.at("iou_image", *before.ids) == before.at("iou_image", *before.ids)
    monkeypatch.setattr(pairs_module, "_last", {})
    pairs(board, group_of(board=board), "iou_image")  # as another process finds it
    assert asked == [2]
