"""The board shows scores that no result holds; those that one holds are worked out again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import zgbench
from tests.board.shipped import BOARD, group_of
from zgbench.board.add import add
from zgbench.board.checks import violations
from zgbench.board.differences import class_differences, comparison
from zgbench.board.families import family_of
from zgbench.board.over_datasets import over_datasets
from zgbench.board.ranking import ranking
from zgbench.board.ranking_text import ranking_csv
from zgbench.board.rescore import differences
from zgbench.board.store import default_folder, load_board
from zgbench.board.summary import score_of, summary
from zgbench.board.waterfall import beside, diagnosed, waterfall
from zgbench.errors import UsageError
from zgbench.scores.comparison import compare
from zgbench.scores.result import load_result

METHOD = "reference.mini"
GROUP = group_of().key
FURTHER = BOARD.group(GROUP).further


def test_ranking_by_a_score_that_no_result_holds() -> None:
    assert {"pq", "cgf1", "hallucination", "open_miou"} <= set(FURTHER)
    assert "pq_things" not in FURTHER  # mini does not say which classes are things
    rows = [row for row in ranking(BOARD, GROUP, "pq") if row["rank"] is not None]
    values = [row["pq"] for row in rows]
    assert values == sorted(values, reverse=True) and len(values) > 2
    assert all(row["pq_low"] <= row["pq"] <= row["pq_high"] for row in rows)
    assert "pq,pq_low,pq_high" in ranking_csv(rows).splitlines()[0]
    assert "pq" not in ranking(BOARD, GROUP, "iou_image")[0]
    with pytest.raises(UsageError, match="expected one of iou_image"):
        ranking(BOARD, GROUP, "pq_things")


def test_where_lower_is_better_the_lowest_is_first() -> None:
    rows = [row for row in ranking(BOARD, GROUP, "hallucination") if row["rank"] is not None]
    values = [row["hallucination"] for row in rows]
    assert values == sorted(values)
    assert (
        rows[0]["rank"] == 1 < max(row["rank"] for row in rows[1:-1])
    )  # the worst of all differs too much from image to image


def test_the_board_says_what_compare_says() -> None:
    a, b = [row["id"] for row in ranking(BOARD, GROUP, "hallucination") if row["rank"] is not None][:2]
    entries = [BOARD.entry(i) for i in (a, b)]
    found = {r["score"]: r for r in comparison(BOARD, GROUP, [a, b], FURTHER).scores}
    row = entries[0].row(GROUP)
    expected = compare(*(e.path for e in entries), scores="all").rows[row.reassign, row.verify, row.signature]
    for name in FURTHER:
        told, d = found[name], expected[name]
        assert (told["a_value"], told["b_value"], told["low"], told["high"]) == pytest.approx((d.a, d.b, d.low, d.high))
        assert told["p"] == (d.p if told["draws"] == 10_000 else pytest.approx(d.p, abs=0.1))
        if told["clear"]:
            assert (told["clear"] == "a") == ((d.a < d.b) if name == "hallucination" else (d.a > d.b)), name


def test_classes_are_compared_by_the_chosen_score() -> None:
    a, b = [row["id"] for row in ranking(BOARD, GROUP, "pq") if row["rank"] is not None][:2]
    rows = class_differences(BOARD, GROUP, [a, b], "pq")
    entry = BOARD.entry(a)
    values = [row["a_iou"] for row in rows if row["a_iou"] is not None]
    assert np.mean(values) == pytest.approx(score_of(entry, entry.row(GROUP), "pq").value)
    assert class_differences(BOARD, GROUP, [a, b], "iou_dataset") == comparison(BOARD, GROUP, [a, b]).per_class
    for row in class_differences(BOARD, GROUP, [a, b], "hallucination"):
        if row["clear"]:
            assert (row["clear"] == "a") == (row["difference"] < 0)
    with pytest.raises(UsageError, match="expected one of iou_dataset"):
        class_differences(BOARD, GROUP, [a, b], "recall.0.5")


def test_further_scores_go_over_data_sets() -> None:
    found = over_datasets(BOARD, family_of(BOARD, None), ["mini"], "hallucination")
    rows = [row for row in found.rows if row.kind == "method"]
    assert rows and found.score == "hallucination"
    expected = {
        row["name"]: row["hallucination"] for row in ranking(BOARD, found.family.groups["mini"].key, "hallucination")
    }
    assert {row.name: row.scores["mini"].value for row in rows} == {row.name: expected[row.name] for row in rows}
    assert rows[0].scores["mini"].value == min(
        value for value in (row.scores["mini"].value for row in rows) if value is not None
    )


def test_what_is_kept_is_what_was_made() -> None:
    entry = BOARD.entry(METHOD)
    row = entry.row(GROUP)
    first = {name: score_of(entry, row, name) for name in FURTHER}
    for name in FURTHER:
        again = summary(entry, row, name)  # from the cache
        assert again.score(name) == first[name]
        total = np.asarray(again.table(name).sum(axis=0)).ravel()
        assert float(again.value(name, total)) == pytest.approx(first[name].value, abs=1e-12)


@pytest.mark.parametrize("score", ["pq", "pmf1", "open_miou", "recall.0.5"])
def test_diagnosis_ends_at_the_score(score: str) -> None:
    steps = waterfall(BOARD, METHOD, GROUP, score)
    assert [step["step"] for step in steps][:2] == ["perfect", "masks"]
    row = BOARD.entry(METHOD).row(GROUP)
    assert steps[-1]["value"] == pytest.approx(score_of(BOARD.entry(METHOD), row, score).value, abs=1e-12)
    assert 0 < beside(BOARD, METHOD, GROUP, score)["value"] < 1


def test_what_does_not_fall_from_one_to_zero_is_not_taken_apart() -> None:
    assert "pq" in diagnosed(FURTHER)
    assert not {"hallucination", "il_mcc", "cgf1"} & set(diagnosed(FURTHER))
    with pytest.raises(UsageError, match="hallucination"):
        waterfall(BOARD, METHOD, GROUP, "hallucination")


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("all")
    demo = Path(__file__).resolve().parents[2] / "submissions" / "demo.json"
    found = zgbench.evaluate(demo, reassign=["tt"], scores="all", out=place, resamples=100)
    assert found.path is not None
    return found.path


def test_scores_that_a_result_holds_are_worked_out_again(scored: Path) -> None:
    assert violations(load_result(scored)) == []
    content = json.loads(scored.read_text())
    more = content["scores"][0]["more"]
    more["pq"]["value"] += 1e-6
    more["rq"]["per_class"]["car"] = 0.5
    more["open_miou"]["definition"] = "open_miou.1,mine.csv@12345678"
    more["best"] = more["sq"]
    scored.write_text(json.dumps(content))
    wrong = "\n".join(violations(load_result(scored)))
    assert "pq is" in wrong
    assert "rq by class is not" in wrong
    assert "open_miou is by 'open_miou.1,mine.csv@12345678'" in wrong
    assert "'best' is no score" in wrong
    assert "sq" not in wrong.replace("'best'", "")


def test_a_board_ranks_and_checks_scores_of_labels(tmp_path: Path) -> None:
    for name in ("reference-oracle", "reference-crop-oracle"):
        add(default_folder().parents[1] / "submissions" / f"{name}.parquet", tmp_path, reassign=["tt"], scores="all", resamples=100)  # fmt: skip
    board = load_board(tmp_path)
    assert not board.problems
    groups = {group.reassign: group for group in board.groups("mini")}
    assert list(groups) == ["TT", "TGQ", "LABELS", "ORACLE"]
    for how, score in (("LABELS", "cased_soft"), ("ORACLE", "label_meronym")):
        first, second = ranking(board, groups[how].key, score)
        assert (first["id"], first["rank"], second["rank"]) == (board.entries[1].id, 1, 2)
        (found,) = [r for r in comparison(board, groups[how].key, groups[how].ids).scores if r["score"] == score]
        assert found["clear"] == "b" and found["difference"] < 0
        with pytest.raises(UsageError, match="one number only"):
            waterfall(board, first["id"], groups[how].key)
    assert differences(board, board.entries[0]) == []  # scored again, with the same scores, the files are the same
    place = board.entries[0].path
    content = json.loads(place.read_text())
    content["by_label"]["oracle"]["scores"]["s_iou"]["value"] += 0.01
    place.write_text(json.dumps(content))
    (problem,) = load_board(tmp_path).problems
    assert "s_iou is" in problem and "from its numbers by image" in problem
