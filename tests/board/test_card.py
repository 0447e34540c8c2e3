"""Cards of methods, their history, badges, and which addresses are linked."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from tests.board.shipped import BOARD, copied, group_of
from zgbench.board.badge import badge
from zgbench.board.card import NO_CARD, Card, card_of, over, read_cards
from zgbench.board.history import history, successor
from zgbench.board.links import https_link, page_address
from zgbench.board.ranking import ranking
from zgbench.board.ranking_text import rank_of
from zgbench.board.store import load_board

SHAS = {stem: BOARD.entry(f"{stem}.mini").submission_sha256 for stem in ("reference", "reference-crop", "demo")}


def test_shipped_methods_have_cards() -> None:
    for entry in BOARD.entries:
        if entry.kind == "method":
            assert https_link(entry.card.paper) and entry.card.year == 2023 and entry.card.authors
            assert entry.card.zero_shot() == (8, 8)


@pytest.mark.parametrize(
    ("training", "dataset", "seen"),
    [
        (None, "pas20", None),
        ((), "pas20", False),
        (("COCO captions",), "pas20", False),
        (("COCO captions",), "cocostuff171", True),
        (("PASCAL VOC 2012 train",), "pc459", True),  # the same photos
        (("VOC2012",), "pas20", True),
        (("vocabulary of WordNet",), "pas20", False),  # a word within another one
        (("ADE20K",), "ade847", True),
        (("my photos",), "my photos", True),  # a data set of one's own
    ],
)
def test_what_was_seen_in_training(training: tuple[str, ...] | None, dataset: str, seen: bool | None) -> None:
    assert Card(training_data=training).trained_on(dataset) is seen


def test_zero_shot_share() -> None:
    assert Card().zero_shot() is None
    assert Card(training_data=()).zero_shot() == (8, 8)
    assert Card(training_data=("COCO", "ADE20K")).zero_shot() == (4, 8)  # VOC's three and Cityscapes are left


def test_the_keeper_has_the_last_word() -> None:
    said = card_of(
        {"authors": "they", "year": 2020, "models": ["CLIP"], "code": "http://x.org", "url": "y", "parameters": True}
    )
    assert said == Card(authors="they", year=2020, models=("CLIP",))  # what is not sound is left out
    assert over(said, None) == said
    assert over(said, Card(year=2021, training_data=())) == Card("they", 2021, models=("CLIP",), training_data=())


def test_a_file_of_cards(tmp_path: Path) -> None:
    copied(tmp_path, "reference.mini", "one")
    copied(tmp_path, "reference-crop.mini", "two")
    (tmp_path / "methods.toml").write_text(
        f'[[method]]\nsubmissions = ["{SHAS["reference"]}"]\nyear = 2023\nsuperseded_by = "{SHAS["reference-crop"]}"\n'
        f'[[method]]\nsubmissions = ["x"]\n[[method]]\nsubmissions = ["{SHAS["demo"]}"]\npapers = "y"\nyear = "2023"\n'
        f'[[method]]\nsubmissions = ["{SHAS["reference"]}"]\n'
    )
    board = load_board(tmp_path)
    first, second = board.entry("one.mini"), board.entry("two.mini")
    assert (first.card.year, second.card) == (2023, NO_CARD)
    assert [problem.split(":")[0] for problem in board.problems] == [
        "methods.toml, method 2", "methods.toml, method 3", "methods.toml, method 3", "methods.toml, method 4",
    ]  # fmt: skip
    assert "expected one of submissions, superseded_by, authors" in board.problems[1]
    found = successor(board, first)
    assert found is not None and found.id == "two.mini" and successor(board, second) is None
    assert {r.version for r in history(board, first)} == {"this", "later"}
    assert {r.version for r in history(board, second)} == {"this", "earlier"}
    row = next(r for r in ranking(board, group_of(board=board).key) if r["id"] == "one.mini")
    assert row["superseded"] and row["year"] == 2023
    (tmp_path / "methods.toml").write_text("[[method")
    assert read_cards(tmp_path)[0] == {} and "cannot be read" in load_board(tmp_path).problems[0]


def test_history_has_every_row_of_a_method_once() -> None:
    entry = BOARD.entry("reference.mini")
    found = history(BOARD, entry)
    assert len({(r.entry.id, r.group.key) for r in found}) == len(found)
    assert {r.entry.id for r in found} == {"reference.mini", "reference-oracle.mini"}  # the card joins them
    for r in found:
        assert r.score == r.entry.row(r.group.key).scores[r.group.scores[0]]


@pytest.mark.parametrize(
    "address",
    ["https://arxiv.org/abs/2303.13396", "https://github.com/a/b?c=d#e", "https://a-b.example.org:443/x_(y)"],
)
def test_addresses_that_are_linked(address: str) -> None:
    assert https_link(address) == address


@pytest.mark.parametrize(
    "address",
    [
        None, "", "http://arxiv.org", "javascript:alert(1)", "https://", "https://user@evil.example/", "https://localhost/",
        "https://evil.example/\"onmouseover=x", "https://evil.example/<b>", "https://evil example/", "//evil.example",
        "https://127.0.0.1/", "https://evil.example:8080/", "https://[::1]/", "https://еvil.example/", "https://a.org/\u202e",
        "https://a.org/" + "x" * 500, "https://a.org:x/", "data:text/html,x", "HTTPS//a.org",
    ],
)  # fmt: skip
def test_addresses_that_are_not(address: str | None) -> None:
    assert https_link(address) is None


def test_addresses_of_pages() -> None:
    assert (
        page_address("method", dataset="mini", group="", method="a&b=c d") == "method?dataset=mini&method=a%26b%3Dc+d"
    )


def test_a_badge_is_sound_svg_with_the_numbers_of_the_row() -> None:
    group = group_of()
    row: dict[str, Any] = ranking(BOARD, group.key)[0]
    root = ET.fromstring(badge(row, group, "iou_image"))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.attrib["aria-label"] == f"zgbench mini: rank {rank_of(row)}, mIoU image {100 * row['iou_image']:.1f} %"
    assert not {child.tag.split("}")[1] for child in root.iter()} - {"svg", "title", "rect", "g", "text"}
