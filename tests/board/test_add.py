"""Adding a submission: only what zgbench worked out itself gets onto a board."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zgbench
from tests.board.shipped import BOARD, copied
from tests.conftest import VOC_IDS, HashedText
from tests.end_to_end.command import here
from zgbench import pages
from zgbench.board import method
from zgbench.board.add import add
from zgbench.board.checks import violations
from zgbench.board.inside import segment_table
from zgbench.board.ranking import ranking
from zgbench.board.ranking_text import ranking_csv
from zgbench.board.store import folder_to_fill, load_board
from zgbench.errors import UsageError
from zgbench.protocol import Protocol, preset
from zgbench.submission.problems import SubmissionError

ROOT = Path(__file__).resolve().parents[2]
WHOLE = ROOT / "submissions/baseline-whole-image.parquet"
DEMO: dict[str, Any] = json.loads((ROOT / "submissions/demo.json").read_text())


def test_the_same_submission_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = (add(WHOLE, tmp_path / name, reassign=["tt"]).parent for name in ("a", "b"))
    files = sorted(path.name for path in first.iterdir())
    assert files == [
        f"baseline-whole-image.mini{end}" for end in (".result.json", ".segments.parquet", ".stats.parquet")
    ]
    assert all((first / name).read_bytes() == (second / name).read_bytes() for name in files)


def test_numbers_that_somebody_reports_are_not_taken(tmp_path: Path) -> None:
    board = tmp_path / "board"

    def perfect(result: dict[str, Any]) -> None:
        for row in result["scores"]:
            row["iou_image"] = {"value": 1.0, "ci95": [1.0, 1.0]}

    # a result and statistics of another method lie beside the submission and on the board, under its very name
    copied(tmp_path / "sent", "demo.mini", "mine", perfect)
    shutil.copyfile(WHOLE, tmp_path / "sent/mine.parquet")
    copied(board, "demo.mini", "mine", perfect)
    with pytest.raises(UsageError, match=r"has another submission as mine\.mini"):
        add(tmp_path / "sent/mine.parquet", board, reassign=["tt"])
    add(tmp_path / "sent/mine.parquet", board, reassign=["tt"], replace=True)
    entry = load_board(board).entry("mine.mini")
    told = BOARD.entry("baseline-whole-image.mini")
    assert entry.rows[0].scores["iou_image"] == told.rows[0].scores["iou_image"]
    assert violations(entry.stored()) == []
    # in the submission itself, scores are an unknown key
    (tmp_path / "scores.json").write_text(json.dumps(DEMO | {"scores": {"iou_image": 1.0}}))
    with pytest.raises(SubmissionError, match="scores"):
        add(tmp_path / "scores.json", board)
    # and a result is no submission
    _, err = here("leaderboard", "add", tmp_path / "sent/mine.mini.result.json", "--board", board, status=2)
    assert "unknown" in err


def test_one_content_counts_once_and_a_part_is_refused(tmp_path: Path) -> None:
    add(WHOLE, tmp_path, reassign=["tt"])
    with pytest.raises(UsageError, match=r"has this very submission already, as baseline-whole-image\.mini"):
        add(WHOLE, tmp_path, stem="again", reassign=["tt"])
    (tmp_path / "part.json").write_text(json.dumps(DEMO | {"images": DEMO["images"][:3]}))
    with pytest.raises(SubmissionError, match="197 missing"):
        add(tmp_path / "part.json", tmp_path)
    for stem in ("../up", ".hidden", "a/b", "x" * 81):
        with pytest.raises(UsageError, match="--stem"):
            add(WHOLE, tmp_path, stem=stem)
    assert [entry.id for entry in load_board(tmp_path).entries] == ["baseline-whole-image.mini"]


def test_ratings_are_shown(tmp_path: Path) -> None:
    table = segment_table(BOARD, "demo.mini", next(g for g in BOARD.groups("mini") if g.reassign == "TT").key)
    lines = ["image_id,segment,label,rater,score"]
    rows = zip(table["image_id"], table["segment"], table["class"], strict=True)
    lines += [f"{image},{segment},{label},anna,{k % 4}" for k, (image, segment, label) in enumerate(rows)]
    (tmp_path / "ratings.csv").write_text("\n".join(lines) + "\n")
    board_folder = tmp_path / "board"
    here("leaderboard", "add", ROOT / "submissions/demo.json", "--board", board_folder, "--reassign", "tt",
         "--ratings", tmp_path / "ratings.csv")  # fmt: skip
    board = load_board(board_folder)
    entry = board.entry("demo.mini")
    assert [row.verify for row in entry.rows] == ["cos>=0.5", "h>=1", "h>=2", "h>=3"]
    assert violations(entry.stored()) == []
    found = method.ratings(board, "demo.mini")
    assert [row["rating"] for row in found] == [0, 1, 2, 3]
    assert sum(row["segments"] for row in found) == len(table)
    assert all(abs(row["share"] - 0.25) < 0.001 for row in found)
    people = entry.rows[1].group
    assert method.threshold_curve(board, "demo.mini", people) == []
    assert set(segment_table(board, "demo.mini", people)["why"]) == {
        "rated 0, below 1", "rated 1, at least 1", "rated 2, at least 1", "rated 3, at least 1",
    }  # fmt: skip


class HashedPictures(HashedText):
    """Stands in for CLIP."""

    name = "hashed-pictures"

    def encode_segments(self, photo: Any, masks: np.ndarray) -> np.ndarray:
        return self.encode([f"{len(masks)} {k}" for k in range(len(masks))])


@pytest.fixture
def score(tiny_voc: Path, tmp_path: Path) -> Callable[..., Path]:
    """Add a submission about three drawn images, scored by stand-ins of the models: (label, protocol, options)."""

    def run(label: str, protocol: str | Protocol, **options: Any) -> Path:
        file = tmp_path / f"{label}.json"
        with zgbench.SubmissionWriter(file, name=label, dataset="pas20") as submission:
            for image_id in VOC_IDS:
                submission.add(image_id, np.ones((4, 6), dtype=np.int64), [label])
        given: dict[str, Any] = {"reassign": ["tt"], "text_encoder": HashedText(), "clip": HashedPictures()}
        return add(file, tmp_path / "board", data=tiny_voc, protocol=protocol, unofficial=True, **given | options)

    return run


IGNORE = preset("offline", "pas20", background="ignore")


def ids(board: Path) -> list[str]:
    return [entry.id for entry in load_board(board).entries]


def test_a_second_protocol_stands_beside_the_first(score: Callable[..., Path], tmp_path: Path) -> None:
    """Two methods under two protocols are two rankings of two, not four of one."""
    for label in ("cat", "bird"):
        for protocol in ("offline", IGNORE):
            score(label, protocol)
    board = load_board(tmp_path / "board")
    first, second, *_ = board.entries
    assert [entry.name for entry in board.entries] == ["bird", "bird", "cat", "cat"]
    assert first.id == "bird.pas20.offline"
    assert re.fullmatch(r"bird\.pas20\.offline[\w.+-]*-[0-9a-f]{8}", second.id)
    assert [len(group.ids) for group in board.groups("pas20")] == [2, 2]
    before = {path.name: path.read_bytes() for path in board.folder.iterdir() if path.is_file()}
    score("bird", IGNORE)  # once more: nothing is lost, nothing counts twice
    assert {path.name: path.read_bytes() for path in board.folder.iterdir() if path.is_file()} == before


def test_rows_that_protocols_share_count_once(score: Callable[..., Path], tmp_path: Path) -> None:
    first = score("bird", "v1")
    assert score("bird", "offline") == first  # by the same text model, TT is the same under both
    assert ids(tmp_path / "board") == ["bird.pas20"]
    for hows in (["tt", "st"], ["tt"]):  # the same with more rows, then with fewer: the rows stay
        score("bird", "v1", reassign=hows)
        (entry,) = load_board(tmp_path / "board").entries
        assert (entry.id, [row.reassign for row in entry.rows]) == ("bird.pas20", ["TT", "ST"])
    score("bird", preset("v1", "pas20", tau_clip=0.3), reassign=["tt", "st"])
    board = load_board(tmp_path / "board")
    assert [[row.verify for row in entry.rows] for entry in board.entries] == [["cos>=0.5", "cos>=0.1"], ["cos>=0.3"]]
    assert [len(group.ids) for group in board.groups("pas20")] == [1, 1, 1]
    assert all(violations(entry.stored()) == [] for entry in board.entries)


def test_other_numbers_under_the_same_signature_are_refused(score: Callable[..., Path], tmp_path: Path) -> None:
    lines = [f"{image},0,bird,ann,{{}}" for image in VOC_IDS]
    for rating in (1, 3):
        text = "\n".join(["image_id,segment,label,rater,score", *lines]).format(*[rating] * 3)
        (tmp_path / f"{rating}.csv").write_text(text + "\n")
    score("bird", "v1", ratings=tmp_path / "1.csv", reassign=["tt", "st"])
    with pytest.raises(UsageError, match=r"other numbers of this submission under the same signature, in bird\.pas20"):
        score("bird", "v1", ratings=tmp_path / "3.csv")
    score("bird", "v1", ratings=tmp_path / "3.csv", reassign=["tt", "st"])  # all of its rows: newer ratings
    score("bird", "v1", ratings=tmp_path / "1.csv", replace=True)
    (entry,) = load_board(tmp_path / "board").entries
    assert [row.verify for row in entry.rows] == ["cos>=0.5", "h>=1", "h>=2", "h>=3"]


def test_a_mended_submission_takes_the_place_of_all_results_of_the_other(
    score: Callable[..., Path], tmp_path: Path
) -> None:
    for protocol in ("v1", IGNORE):
        score("bird", protocol, kind="baseline")
    with pytest.raises(UsageError, match=r"has another submission as bird\.pas20"):
        score("cat", "v1", stem="bird")
    score("cat", "v1", stem="bird", replace=True)
    (entry,) = load_board(tmp_path / "board").entries
    assert (entry.id, entry.name, entry.kind) == ("bird.pas20", "cat", "baseline")
    files = sorted(path.name for path in (tmp_path / "board").iterdir() if path.is_file())
    assert files == [
        *(f"bird.pas20{end}" for end in (".result.json", ".segments.parquet", ".stats.parquet")),
        "kinds.csv",
    ]
    assert len((tmp_path / "board/kinds.csv").read_text().splitlines()) == 2  # the other's mark went with it


def test_an_installed_copy_is_never_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = {path: path.stat().st_mtime_ns for path in (ROOT / "leaderboard/results").iterdir()}
    for action in (["add", WHOLE], ["serve", "--submit", tmp_path / "queue"]):
        _, err = here("leaderboard", *action, status=2, cwd=tmp_path)
        assert "which board? Give --board DIR" in err
    installed = tmp_path / "site-packages/zgbench/_pages/leaderboard"
    installed.mkdir(parents=True)
    monkeypatch.setattr(pages, "folder", lambda _: installed)
    for place in (tmp_path, installed, ROOT):
        _, err = here("leaderboard", "add", WHOLE, status=2, cwd=place)
        assert "which board? Give --board DIR" in err
    monkeypatch.undo()
    monkeypatch.chdir(ROOT / "submissions")
    assert folder_to_fill() == ROOT / "leaderboard/results"
    assert {path: path.stat().st_mtime_ns for path in (ROOT / "leaderboard/results").iterdir()} == shipped


def test_a_part_of_a_split_is_refused_or_marked(tiny_voc: Path, tmp_path: Path) -> None:
    file, board = tmp_path / "mine.json", tmp_path / "board"
    with zgbench.SubmissionWriter(file, name="mine", dataset="pas20") as submission:
        for image_id in VOC_IDS:
            submission.add(image_id, np.ones((4, 6), dtype=np.int64), ["bicycle"])
    add_it = (
        "leaderboard",
        "add",
        file,
        "--board",
        board,
        "--data",
        tiny_voc,
        "--protocol",
        "offline",
        "--reassign",
        "tt",
    )
    _, err = here(*add_it, status=2)
    assert "takes the whole official split of pas20, not 3 of 1449 images" in err
    assert not board.exists()
    here(*add_it, "--unofficial")
    (group,) = load_board(board).groups("pas20")
    assert not group.official
    assert group.title.endswith("3 images, not official")
    (record,) = csv.DictReader(io.StringIO(ranking_csv(ranking(load_board(board), group.key))))
    assert (record["images"], record["official"]) == ("3", "False")
    here("leaderboard", "check", "--board", board)

    path = board / "mine.pas20.offline.result.json"
    result = json.loads(path.read_text())
    result["dataset"]["official"] = True
    path.write_text(json.dumps(result))
    assert "its 3 images are not the official split" in load_board(board).problems[0]
