"""Rankings to take away: CSV, LaTeX, Markdown, one HTML page; whatever a method is called."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.board.shipped import BOARD, copied, group_of
from tests.end_to_end.command import here
from zgbench.board.ranking import ranking
from zgbench.board.ranking_text import ranking_csv, ranking_latex, ranking_markdown
from zgbench.board.static import export_static
from zgbench.board.store import Board, load_board

EVIL = {
    "html": '<script>alert(1)</script><img src="http://evil.example/x" onerror=alert(1)>',
    "markdown": "[a](javascript:alert(1)) ![b](http://evil.example/b.png) `c` | d | https://evil.example www.evil.example",
    "latex": r"\input{/etc/passwd} 100 % & $x_1$ ~ ^ #",
    "sheet": '=HYPERLINK("http://evil.example","x")',
    "bidi": "good \u202edab\u202c and \u0007 a bell",
}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Board:
    folder = tmp_path_factory.mktemp("hostile")
    for stem, name in EVIL.items():
        copied(folder, "baseline-whole-image.mini", stem, lambda r, name=name: r["submission"].update(name=name))
    return load_board(folder)


class Seen(HTMLParser):
    """Tags with their attributes, and the text between them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def parsed(text: str) -> Seen:
    seen = Seen()
    seen.feed(text)
    seen.close()
    return seen


def test_the_page_needs_nothing_beside_it(tmp_path: Path) -> None:
    out, _ = here("leaderboard", "export", tmp_path)
    page, table, whole, data, badges = (Path(line) for line in out.split())
    text = page.read_text(encoding="utf-8")
    seen = parsed(text)
    assert not {tag for tag, _ in seen.tags} & {"script", "img", "link", "iframe", "object", "embed", "form"}
    assert not any(key in ("src", "srcset") or key.startswith("on") for _, at in seen.tags for key in at)
    links = {str(at["href"]) for tag, at in seen.tags if tag == "a"}
    assert {link for link in links if "//" in link} == {"https://arxiv.org/abs/2303.13396"}  # the methods' paper
    assert all((tmp_path / link).is_file() for link in links if "//" not in link)
    assert not any("href" in at for tag, at in seen.tags if tag != "a")
    assert not re.search(r"@import|url\(", text)
    names = {BOARD.entry(i).name for i in ("reference.mini", "demo.mini", "baseline-grid.mini")}
    assert all(name in seen.text and name in table.read_text() for name in names)
    assert "Cited, not rescored" in seen.text
    for group in BOARD.groups("mini"):
        assert group.signature in seen.text
    assert table.read_text().count("\n## ") == sum(len(BOARD.groups(key)) for key in BOARD.datasets()) + 1
    for ranking_ in json.loads(whole.read_text(encoding="utf-8"))["rankings"]:
        name = f"{ranking_['dataset']}-{ranking_['group']}"
        assert json.loads((data / f"{name}.json").read_text(encoding="utf-8")) == ranking_
        records = list(csv.DictReader(io.StringIO((data / f"{name}.csv").read_text(encoding="utf-8"))))
        assert [record["id"] for record in records] == [row["id"] for row in ranking_["rows"]]
        methods = {row["id"] for row in ranking_["rows"] if row["kind"] == "method"}
        assert {path.stem for path in (badges / name).glob("*.svg")} == methods
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    export_static(BOARD, tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_hostile_names_are_text_on_the_page(hostile: Board, tmp_path: Path) -> None:
    page, table, *_ = export_static(hostile, tmp_path)
    text = page.read_text(encoding="utf-8")
    seen = parsed(text)
    assert not {tag for tag, _ in seen.tags} & {"script", "img", "b"}
    assert not any("//" in str(at["href"]) for tag, at in seen.tags if tag == "a")
    assert EVIL["html"] in seen.text
    assert html.escape(EVIL["html"]) in text
    for found in (text, table.read_text(encoding="utf-8")):
        assert not re.search("[\u202a-\u202e\u0007]", found)


def test_hostile_names_in_markdown(hostile: Board) -> None:
    group = group_of(board=hostile)
    text = ranking_markdown(ranking(hostile, group.key), group)
    body = text.split("`")[0] + text.split("`", 1)[1]
    assert "<script" not in body
    for line in text.splitlines()[2 : 2 + len(EVIL)]:
        assert len(re.findall(r"(?<!\\)\|", line)) == 9, line  # no name makes a column of its own
        assert not re.search(r"(?<!\\)\]\(|(?<!\\)!\[|https?://|(?<!\\)`", line.split("|", 2)[2]), line


def test_hostile_names_in_latex(hostile: Board) -> None:
    group = group_of(board=hostile)
    lines = ranking_latex(ranking(hostile, group.key), group).splitlines()
    assert lines[0].startswith("% ")
    for line in lines[5 : 5 + len(EVIL)]:
        name = line.split(" & ", 1)[1]
        commands = set(re.findall(r"\\[A-Za-z]+", name))
        assert commands <= {r"\textbackslash", r"\textasciicircum", r"\textasciitilde", r"\textless", r"\textgreater"}
        assert len(re.findall(r"(?<!\\)&", line)) == 1 + len(group.scores)
        assert not re.search(r"(?<!\\)[%$#_]", name)


def test_no_cell_is_a_formula_and_numbers_are_whole(hostile: Board) -> None:
    group = group_of(board=hostile)
    rows = ranking(hostile, group.key)
    records = list(csv.DictReader(io.StringIO(ranking_csv(rows))))
    assert len(records) == len(EVIL)
    assert not any(record["name"].startswith(("=", "+", "-", "@")) for record in records)
    assert [float(record["iou_image"]) for record in records] == [row["iou_image"] for row in rows]
    assert {record["rank"] for record in records} == {"1"}
