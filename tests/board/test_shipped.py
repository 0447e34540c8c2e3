"""The stored results that ship: the cross-checks on each, and their submissions scored again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.board.shipped import BOARD, IDS, copied
from tests.end_to_end.command import here
from zgbench.board.checks import violations
from zgbench.board.cited import cited_rows
from zgbench.board.rescore import differences
from zgbench.board.store import default_folder, load_board
from zgbench.board.submissions import find
from zgbench.datasets import open_dataset
from zgbench.scores.result import load_result
from zgbench.storage.files import sha256_file

ROOT = Path(__file__).resolve().parents[2]
HOLD_TRUTH = {"baseline-commonest", "ceiling-names", "ceiling-words"}
"""Of PAS-20: submissions that hold the truth's masks."""


def test_the_board_is_not_empty_and_whole() -> None:
    assert BOARD.problems == ()
    assert {"demo.mini", "reference.mini", "reference-crop.mini", "baseline-grid.mini"} <= set(IDS)
    assert sum(path.stat().st_size for path in default_folder().iterdir()) < 6 << 20


@pytest.mark.parametrize("entry_id", IDS)
def test_cross_checks(entry_id: str) -> None:
    entry = BOARD.entry(entry_id)
    assert violations(entry.stored()) == []
    assert entry.official
    if entry.dataset == "pas20" and entry.id.split(".")[0] in HOLD_TRUTH:  # data of PASCAL VOC: not in the repository
        assert entry.kind != "method"
    else:
        assert find(BOARD.folder, entry.submission_sha256) is not None


def test_what_is_no_method_is_marked() -> None:
    marked = {entry.id.split(".")[0] for entry in BOARD.entries if entry.kind != "method"}
    assert marked == {entry_id.split(".")[0] for entry_id in IDS if not entry_id.startswith("reference")}
    assert {entry.id.split(".")[0] for entry in BOARD.entries if entry.kind == "ceiling"} == {
        "ceiling-names", "ceiling-words",
    }  # fmt: skip


Change = Callable[[dict[str, Any]], None]


def _better(result: dict[str, Any]) -> None:
    result["scores"][0]["iou_image"]["value"] += 0.01


def _class(result: dict[str, Any]) -> None:
    result["scores"][1]["per_class"]["tree"]["iou"] = 0.9


def _rising(result: dict[str, Any]) -> None:
    result["scores"][0]["recall"]["0.75"]["value"] = 0.99


def _more_kept(result: dict[str, Any]) -> None:
    result["scores"][0]["segments_kept"] += 1


def _truth(result: dict[str, Any]) -> None:
    result["dataset"]["truth_sha256"] = "0" * 64


def _interval(result: dict[str, Any]) -> None:
    result["scores"][0]["iou_dataset"]["ci95"].reverse()


def _part(result: dict[str, Any]) -> None:
    """Says of other images that they are the same."""
    result["scores"][0]["signature"] = result["scores"][0]["signature"].replace("|ids:", "|ids:0")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_better, "TT cos>=0.5: iou_image is"),
        (_class, "the mean of its classes"),
        (_rising, "recall rises with τ_IoU"),
        (_more_kept, "numbers of images and kept segments"),
        (_truth, "another truth"),
        (_interval, "the interval of iou_dataset"),
        (_part, "its signature says ids:0"),
    ],
)
def test_cross_checks_find_a_number_that_somebody_touched(change: Change, told: str, tmp_path: Path) -> None:
    path = copied(tmp_path, "reference.mini", "one", change)
    assert any(told in wrong for wrong in violations(load_result(path)))
    _, err = here("leaderboard", "check", "--board", tmp_path, status=2)
    assert told in err


def test_text_generation_quality_is_checked_too(tmp_path: Path) -> None:
    copied(tmp_path, "reference-oracle.mini", "sound")
    copied(tmp_path, "reference-oracle.mini", "one", lambda result: result["tgq"].update(value=0.99))
    _, err = here("leaderboard", "check", "--board", tmp_path, status=2)
    assert "TGQ is 0.99" in err
    assert [entry.id for entry in load_board(tmp_path).entries] == ["sound.mini"]


def test_statistics_that_somebody_touched_are_found(tmp_path: Path) -> None:
    copied(tmp_path, "reference.mini", "one")
    with (tmp_path / "one.mini.stats.parquet").open("r+b") as file:
        file.seek(2000)
        file.write(b"\x00\x01")
    _, err = here("leaderboard", "check", "--board", tmp_path, status=2)
    assert "one.mini.stats.parquet" in err


@pytest.mark.parametrize("entry_id", ["baseline-whole-image.mini", "reference-crop-oracle.mini"])
def test_scoring_a_shipped_submission_again_gives_the_stored_result(entry_id: str) -> None:
    assert differences(BOARD, BOARD.entry(entry_id)) == []


@pytest.mark.parametrize("stem", ["baseline-whole-image-commonest", "ceiling-words"])
def test_scoring_an_official_row_again_gives_the_stored_result(
    stem: str, shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The submission is made again from the truth where it may not be in the repository."""
    masks = shared_data / "VOC2012_masks_val"
    if not masks.is_dir():
        pytest.skip(f"needs the truth of all 1,449 images, {masks.name}, which is not there")
    monkeypatch.syspath_prepend(str(ROOT / "submissions"))
    from make_baselines import make, simple_ones

    entry = BOARD.entry(f"{stem}.pas20.offline")
    file = find(BOARD.folder, entry.submission_sha256)
    if stem in HOLD_TRUTH:
        dataset = open_dataset("pas20", masks)
        file = make(next(simple for simple in simple_ones(dataset) if simple.stem == stem), dataset, tmp_path)
        assert sha256_file(file) == entry.submission_sha256
    assert differences(BOARD, entry, masks, file) == []


def test_ceilings_are_what_they_should_be() -> None:
    """With the truth's masks and names every score is 1, and a whole image of one name can reach no more than its class."""
    for entry in BOARD.entries:
        for row in entry.rows:
            scores = {key: score.value for key, score in row.scores.items()}
            if entry.id.startswith("ceiling-names.pas20"):
                assert set(scores.values()) == {1.0}, (entry.id, row.verify)
            if entry.id.startswith("baseline-whole-image") and entry.dataset == "pas20":
                assert 0 <= (scores["iou_dataset"] or 0) < 1 / 20, (entry.id, row.verify)


FIGURES = """
1 pc59 iou TT cos 11.2 | 1 pc59 recall TT cos 10.3 | 1 pc59 iou TT h>=1 11.0 | 1 pc59 recall TT h>=1 9.8
1 pc59 iou ST cos 19.3 | 1 pc59 recall ST cos 18.0 | 1 pc59 iou ST h>=3 14.2 | 1 pc59 recall ST h>=3 13.2
1 pc59 iou ST h>=2 20.9 | 1 pc59 recall ST h>=2 18.0 | 1 pc59 iou ST h>=1 22.7 | 1 pc59 recall ST h>=1 19.4
2 pc59 rating_0 – people 36.0 | 2 pc59 rating_1 – people 20.8
2 pc59 rating_2 – people 23.9 | 2 pc59 rating_3 – people 19.3
3 pc59 iou ST cos 12.1 | 3 pc59 recall ST cos 10.2 | 3 pc59 tgq – cos>0.5 16.9 | 3 pc459 iou ST cos 5.4
3 pas20 iou ST cos 14.0 | 3 pc59 iou ST cos 14.5 | 3 pc59 recall ST cos 15.0 | 3 pc59 tgq – cos>0.5 11.8
3 pc459 iou ST cos 7.2 | 3 pas20 iou ST cos 21.2 | 3 pc59 iou ST cos 16.4 | 3 pc59 recall ST cos 11.8
3 pc459 iou ST cos 10.2 | 3 pas20 iou ST cos 18.3 | 3 pc59 iou ST cos 17.5 | 3 pc59 recall ST cos 15.0
3 pc59 tgq – cos>0.5 19.0 | 3 pc459 iou ST cos 11.3 | 3 pas20 iou ST cos 20.1
4 pc59 iou – – 25.9 | 4 pc459 iou – – 4.9 | 4 pas20 iou – – 50.7
4 pc59 iou ST cos 19.6 | 4 pc459 iou ST cos 11.3 | 4 pas20 iou ST cos 20.1
4 pc59 iou ST h>=2 20.9 | 4 pc59 iou ST h>=1 22.7
5 pas20 iou – – 47.4 | 5 pas20 iou – – 74.5 | 5 pas20 iou – – 80.7 | 5 pc59 iou – – 42.1 | 5 pc459 iou – – 9.0
5 pas20 iou – – 94.5 | 5 pc59 iou – – 55.7 | 5 pc459 iou – – 12.4
"""
"""Tables 1–5 of the paper."""


def test_cited_figures_are_those_of_the_paper() -> None:
    rows = cited_rows()
    told = [
        f"{r['table']} {r['dataset']} {r['score'].replace(' ', '_')} {r['reassign'] or '–'} {r['verify'] or '–'} {100 * r['value']:.1f}"
        for r in rows
    ]
    assert told == [figure.strip() for figure in re.split(r"[|\n]", FIGURES) if figure.strip()]
    assert all(r["cited"] and r["source"].endswith(f"table {r['table']}") and r["remarks"] for r in rows)
    assert {r["method"] for r in rows if r["trained_on_segmentation"]} == {
        "LSeg", "SimBaseline", "ZegFormer", "OpenSeg", "OVSeg",
    }  # fmt: skip
    assert not any(r["given_classes"] for r in rows if r["method"].startswith("zero-guidance"))


def test_results_hold_no_time_path_or_version_of_a_machine() -> None:
    for path in default_folder().glob("*.result.json"):
        result = json.loads(path.read_text(encoding="utf-8"))
        assert result["timing_s"] == {}
        assert list(result["versions"]) == ["protocol"]
        assert str(Path.home()) not in path.read_text(encoding="utf-8")
