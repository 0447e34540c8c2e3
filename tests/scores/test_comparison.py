"""compare: paired over images, and only like with like."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zgbench
from tests.conftest import HashedText
from tests.scores.test_human_scores import ALL, rated
from tests.submission.sample import write
from tests.test_evaluate import RIGHT, Clip, named, run

WORSE = ("aeroplane", "bicycle", "dog", "a stone")


def result(folder: Path, data: Path, labels: tuple[str, ...], name: str, **options: Any) -> Path:
    """Evaluate; gives the result file."""
    path = write(named(*labels) | {"name": name}, folder / f"{name}.json")
    out = folder / f"out-{name}"
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
