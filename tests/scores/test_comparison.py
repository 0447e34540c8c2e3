"""compare: paired over images, and only like with like."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zgbench
from tests.conftest import HashedText
from tests.end_to_end.command import here
from tests.scores.test_human_scores import ALL, rated
from tests.submission.sample import write
from tests.test_evaluate import RIGHT, Clip, named, run
from zgbench.cli.compared import as_markdown
from zgbench.scores.comparison import compare, unlike

WORSE = ("aeroplane", "bicycle", "dog", "a stone")


def result(folder: Path, data: Path, labels: tuple[str, ...], name: str, **options: Any) -> Path:
    """Evaluate; gives the result file."""
    path = write(named(*labels) | {"name": name}, folder / f"{name}.json")
    out = folder / f"out-{name}"
    options.setdefault("reassign", ["tt", "st"] if "clip" in options else ["tt"])
    run(path, data, out=out, **options)
    return out / f"{name}.pas20.result.json"


def test_differences_are_those_of_the_scores(tiny_voc: Path, tmp_path: Path) -> None:
    a, b = result(tmp_path, tiny_voc, RIGHT, "a"), result(tmp_path, tiny_voc, WORSE, "b")
    found = zgbench.compare(a, b)
    assert found.names == ("a", "b")
    key, scores = next(iter(found.rows.items()))
    assert key[:2] == ("TT", "cos>=0.5")
    rows = [json.loads(p.read_text())["scores"][0] for p in (a, b)]
    assert key[2] == rows[0]["signature"] == rows[1]["signature"]
    for name, d in scores.items():
        value_a, value_b = (
            row["recall"][name.removeprefix("recall.")]["value"] if name.startswith("recall.") else row[name]["value"]
            for row in rows
        )
        assert (d.a, d.b) == (value_a, value_b)
        assert d.difference == pytest.approx(value_a - value_b, abs=1e-12)
        assert d.low <= d.difference <= d.high
        assert 0 < d.p <= 1
    assert scores["iou_image"].difference > 0
    assert json.loads(json.dumps(found.to_dict()))["rows"][0]["scores"].keys() == scores.keys()


def test_a_result_does_not_differ_from_itself(tiny_voc: Path, tmp_path: Path) -> None:
    a = result(tmp_path, tiny_voc, WORSE, "a")
    for d in next(iter(zgbench.compare(a, a).rows.values())).values():
        assert (d.difference, d.low, d.high, d.p) == (0, 0, 0, 1)


def test_turned_round_it_is_the_negative(tiny_voc: Path, tmp_path: Path) -> None:
    a, b = result(tmp_path, tiny_voc, RIGHT, "a"), result(tmp_path, tiny_voc, WORSE, "b")
    there, back = (next(iter(c.rows.values())) for c in (zgbench.compare(a, b), zgbench.compare(b, a)))
    for name in there:
        assert there[name].difference == -back[name].difference
        assert there[name].p == back[name].p
        assert (there[name].low, there[name].high) == pytest.approx((-back[name].high, -back[name].low), abs=1e-12)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"protocol": "offline", "background": "ignore"}, "bg is count in A, ignore in B"),
        ({"protocol": "offline", "seed": 5}, "boot is 1000s0 in A, 1000s5 in B"),
        ({"subset": "first:2"}, "n is 3 in A, 2 in B"),
    ],
)
def test_unlike_signatures_are_refused(change: dict[str, Any], reason: str, tiny_voc: Path, tmp_path: Path) -> None:
    a, b = result(tmp_path, tiny_voc, RIGHT, "a"), result(tmp_path, tiny_voc, WORSE, "b", **change)
    with pytest.raises(zgbench.UsageError) as error:
        zgbench.compare(a, b)
    assert reason in str(error.value)
    assert "cannot be compared" in str(error.value)


def test_other_truth_is_another_signature(tiny_voc: Path, tmp_path: Path) -> None:
    from PIL import Image

    a = result(tmp_path, tiny_voc, RIGHT, "a")
    png = next((tiny_voc / "VOCdevkit/VOC2012/SegmentationClass").glob("*.png"))
    truth = np.array(Image.open(png))
    truth[0, 0] = 5
    changed = Image.fromarray(truth)
    changed.putpalette(np.repeat(np.arange(256), 3).tolist())
    changed.save(png)
    b = result(tmp_path, tiny_voc, RIGHT, "b")
    with pytest.raises(zgbench.UsageError, match="truth is"):
        zgbench.compare(a, b)


def test_rows_of_one_side_are_told_and_the_others_compared(tiny_voc: Path, tmp_path: Path) -> None:
    table = rated(tmp_path / "r.csv", ALL)
    a = result(tmp_path, tiny_voc, RIGHT, "a", ratings=table, clip=Clip())
    b = result(tmp_path, tiny_voc, WORSE, "b")
    found = zgbench.compare(a, b)
    assert [key[:2] for key in found.rows if key[0] == "TT"] == [("TT", "cos>=0.5")]
    assert "TT h>=1: only A has this row" in found.refused
    assert "ST cos>=0.1: only A has this row" in found.refused


def test_human_rows_of_other_images_are_refused(tiny_voc: Path, tmp_path: Path) -> None:
    some = dict(list(ALL.items())[:2])
    a = result(tmp_path, tiny_voc, RIGHT, "a", ratings=rated(tmp_path / "r.csv", ALL))
    b = result(tmp_path, tiny_voc, RIGHT, "b", ratings=rated(tmp_path / "q.csv", some))
    found = zgbench.compare(a, b)
    assert [key[:2] for key in found.rows if key[0] == "TT"] == [("TT", "cos>=0.5")]
    assert any(line.startswith("TT h>=1: n is 3 in A, 2 in B") for line in found.refused)


@pytest.mark.parametrize("victim", ["stats.parquet", "segments.parquet"])
@pytest.mark.parametrize("how", ["changed", "missing"])
def test_files_beside_a_result_must_be_the_ones_it_was_made_with(
    victim: str, how: str, tiny_voc: Path, tmp_path: Path
) -> None:
    a = result(tmp_path, tiny_voc, RIGHT, "a")
    place = a.with_name(f"a.pas20.{victim}")
    if how == "missing":
        place.unlink()
    else:
        place.write_bytes(place.read_bytes() + b" ")
    with pytest.raises(zgbench.DataError, match=r"Run zgbench evaluate again"):
        zgbench.compare(a, a)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": "zgbench-result/1"}', '{"format": "other"}', "\x00"])
def test_what_is_no_result_file(content: str, tmp_path: Path) -> None:
    path = tmp_path / "a.result.json"
    path.write_text(content)
    with pytest.raises(zgbench.InputError, match=r"a\.result\.json"):
        zgbench.compare(path, path)


def test_a_result_cannot_point_outside_its_folder(tiny_voc: Path, tmp_path: Path) -> None:
    a = result(tmp_path, tiny_voc, RIGHT, "a")
    content = json.loads(a.read_text())
    content["files"]["stats"]["name"] = "../../a.json"
    a.write_text(json.dumps(content))
    with pytest.raises(zgbench.DataError):
        zgbench.compare(a, a)


def test_the_hash_of_a_text_is_no_class() -> None:
    """What these tests stand on: other texts are nearly orthogonal."""
    vectors = HashedText().encode(["aeroplane", "bicycle", "dog", "a stone"])
    assert abs(vectors @ vectors.T - np.eye(4)).max() < 0.3


# ---- more than two


def test_every_pair_of_three_with_holms_correction(tiny_voc: Path, tmp_path: Path) -> None:
    labels = {"a": RIGHT, "b": WORSE, "c": ("dog", "dog", "dog", "bicycle")}
    paths = [result(tmp_path, tiny_voc, found, name) for name, found in labels.items()]
    found = zgbench.compare(*paths, per_class=True)
    assert [pair.letters for pair in found.pairs] == [("A", "B"), ("A", "C"), ("B", "C")]
    for pair, (i, j) in zip(found.pairs, ((0, 1), (0, 2), (1, 2)), strict=True):
        alone = zgbench.compare(paths[i], paths[j])
        ((key, scores),) = pair.rows.items()
        assert pair.names == alone.names
        for name, d in alone.rows[key].items():
            assert d.p_holm is None
            assert replace(scores[name], p_holm=None) == d  # the standard error included
        assert [d.p_holm for d in scores.values()] == pytest.approx(
            [slow_holm([p.rows[key][name].p for p in found.pairs])[found.pairs.index(pair)] for name in scores]
        )
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert told["methods"] == ["a", "b", "c"]
    assert [(p["a"], p["b"]) for p in told["pairs"]] == [("a", "b"), ("a", "c"), ("b", "c")]


def slow_holm(p: list[float]) -> list[float]:
    """The largest of (m − k + 1) · p(k) over all k up to one's own place, at most 1 (Holm 1979)."""
    ordered = sorted(p)
    return [min(1, max((len(p) - k) * ordered[k] for k in range(ordered.index(x) + 1))) for x in p]


def test_classes_are_compared(tiny_voc: Path, tmp_path: Path) -> None:
    a, b = result(tmp_path, tiny_voc, RIGHT, "a"), result(tmp_path, tiny_voc, WORSE, "b")
    found = zgbench.compare(a, b, per_class=True)
    ((key, classes),) = found.per_class.items()
    rows = [json.loads(p.read_text())["scores"][0]["per_class"] for p in (a, b)]
    shown = {name for name in rows[0] if rows[0][name]["iou"] is not None or rows[1][name]["iou"] is not None}
    assert classes.keys() == shown > {"aeroplane", "bicycle"}
    for name, d in classes.items():
        values = [row[name]["iou"] for row in rows]
        assert [d.a, d.b] == pytest.approx([np.nan if v is None else v for v in values], nan_ok=True)
    assert classes["bicycle"].p_holm is not None and classes["bicycle"].p_holm >= classes["bicycle"].p
    assert "per_class" not in zgbench.compare(a, b).to_dict()["rows"][0]
    assert found.to_dict()["rows"][0]["per_class"]["bicycle"]["difference"] == classes["bicycle"].difference
    assert key in found.rows


def test_what_only_some_have_in_common(tiny_voc: Path, tmp_path: Path) -> None:
    a, b = result(tmp_path, tiny_voc, RIGHT, "a"), result(tmp_path, tiny_voc, WORSE, "b")
    c = result(tmp_path, tiny_voc, RIGHT, "c", protocol="offline", background="ignore")
    found = zgbench.compare(a, b, c)
    assert [len(pair.rows) for pair in found.pairs] == [1, 0, 0]
    assert found.refused == [f"TT cos>=0.5: bg is count in {x}, ignore in C" for x in "AB"]


def test_results_of_an_older_zgbench(tiny_voc: Path, tmp_path: Path) -> None:
    """iccv2023's definitions moved, so its old rows are read and refused; the word bg, which did nothing on PC-459, is no difference."""
    a = result(tmp_path, tiny_voc, RIGHT, "a", protocol="iccv2023")
    b = result(tmp_path, tiny_voc, WORSE, "b", protocol="iccv2023")
    assert zgbench.compare(a, b).rows
    for path in (a, b):
        path.write_text(path.read_text().replace("scoring:iccv2023.2", "scoring:iccv2023"))
    with pytest.raises(zgbench.UsageError, match=r"A: it was scored by the definitions iccv2023, of which .*Evaluate"):
        zgbench.compare(a, b)
    old, new = "data:pc459|n:2|bg:count|scoring:v1|boot:9s0|zgbench:1", "data:pc459|n:2|scoring:v1|boot:9s0|zgbench:1"
    assert unlike(old, new) is unlike(old, old.replace("count", "ignore")) is None


@pytest.mark.parametrize("style", ["table", "markdown", "latex", "csv", "json"])
def test_formats_of_a_comparison(style: str, tiny_voc: Path, tmp_path: Path) -> None:
    a = result(tmp_path, tiny_voc, RIGHT, "a_1")
    b, c = result(tmp_path, tiny_voc, WORSE, "b"), result(tmp_path, tiny_voc, WORSE, "=c|d")
    d = zgbench.compare(a, b, c).rows
    ((_, scores),) = d.items()
    out, err = here("compare", a, b, c, "--per-class", "--format", style)
    assert not err
    difference = f"{100 * scores['iou_image'].difference:+.1f}"
    if style == "csv":
        rows = list(csv.DictReader(io.StringIO(out)))
        assert len(rows) == 3 * 6 + sum(bool(row["class"]) for row in rows)
        assert float(rows[0]["difference"]) == scores["iou_image"].difference
        assert (rows[0]["data"], rows[0]["images"], rows[0]["a"], rows[0]["b"]) == ("pas20", "3", "a_1", "b")
        assert {row["b"] for row in rows} == {"b", "'=c|d"}  # no spreadsheet takes a name for a formula
    elif style == "json":
        assert len(json.loads(out)["pairs"]) == 3
    else:
        assert "pas20 val" in out and "3 images" in out and "%" in out  # data set and unit stand in the header
        assert difference in out
        assert "p (Holm)" in out
        assert "by class" in out or style == "latex"
    if style == "markdown":
        tables = [line for line in out.splitlines() if line.startswith("|")]
        assert {line.replace(r"\|", "").count("|") for line in tables} == {8}
        assert r"=c\|d" in out
    if style == "latex":
        assert r"a\_1" in out
        assert out.count(r"\begin{tabular}") == out.count(r"\end{tabular}") == 6
        lines = [line for line in out.splitlines() if line.endswith(r"\\") and "multicolumn" not in line]
        assert {line.count("&") for line in lines} == {6}


def test_any_score_follows_from_stored_counts() -> None:
    """Results that were made without further scores are compared by them; lower is better where it is."""
    board = Path(__file__).resolve().parents[2] / "leaderboard" / "results"
    a, b = (board / f"{name}.mini.result.json" for name in ("reference", "baseline-commonest"))
    found = compare(a, b, scores="iou_image,pq,hallucination", per_class=True)
    (key, row) = next((k, r) for k, r in found.rows.items() if k[0] == "TT")
    assert list(row) == ["iou_image", "pq", "hallucination"]
    stored = next(r for r in json.loads(a.read_text())["scores"] if r["signature"] == key[2])
    assert row["iou_image"].a == stored["iou_image"]["value"]
    assert row["pq"].low <= row["pq"].difference == row["pq"].a - row["pq"].b <= row["pq"].high
    classes = found.pairs[0].more_per_class[key]
    assert list(classes) == ["pq", "hallucination"]
    assert np.mean([d.a for d in classes["pq"].values() if not np.isnan(d.a)]) == pytest.approx(row["pq"].a)
    assert all(d.p_holm is not None and d.p_holm >= d.p for d in classes["pq"].values() if not np.isnan(d.p))
    told = found.to_dict()["rows"]
    assert all(set(one["more_per_class"]) == {"pq", "hallucination"} for one in told)
    better = [line for line in as_markdown(found).splitlines() if line.startswith("| Hallucination rate")]
    winner = "A" if row["hallucination"].a < row["hallucination"].b else "B"
    assert row["hallucination"].p < 0.05
    assert better[0].endswith(f"| {winner} |")


@pytest.mark.parametrize("style", ["table", "markdown", "latex", "csv", "json"])
def test_power_in_every_format(style: str, tiny_voc: Path, tmp_path: Path) -> None:
    a, b = result(tmp_path, tiny_voc, RIGHT, "a"), result(tmp_path, tiny_voc, WORSE, "b")
    ((_, scores),) = zgbench.compare(a, b).rows.items()
    d = scores["iou_image"]
    least, images = 2.8 * d.se, int(np.ceil(3 * (2.8 * d.se / d.difference) ** 2))
    out, err = here("compare", a, b, "--power", "--per-class", "--format", style)
    plain, _ = here("compare", a, b, "--format", style)
    assert not err
    if style == "csv":
        row = next(csv.DictReader(io.StringIO(out)))
        assert (float(row["smallest"]), int(row["images_needed"])) == (pytest.approx(least), max(2, images))
        assert float(row["standard_error"]) == d.se
        assert "standard_error" not in plain
    elif style == "json":
        told = json.loads(out)["rows"][0]
        assert told["scores"]["iou_image"]["smallest"] == pytest.approx(least)
        assert told["scores"]["iou_image"]["images_needed"] == max(2, images)
        assert "smallest" in told["per_class"]["bicycle"]
        assert "smallest" not in plain
    else:
        line = next(line for line in out.splitlines() if "mIoU image" in line)
        assert f" {100 * least:.1f} " in line and f" {max(2, images)} " in line
        assert "images needed" in out and "2.8 standard errors" in out
        assert "images needed" not in plain and "2.8" not in plain


def test_nothing_to_find_between_equals(tiny_voc: Path, tmp_path: Path) -> None:
    a = result(tmp_path, tiny_voc, WORSE, "a")
    told = zgbench.compare(a, a).to_dict(power=True)["rows"][0]["scores"]["iou_image"]
    assert (told["standard_error"], told["smallest"], told["images_needed"]) == (0, 0, None)
