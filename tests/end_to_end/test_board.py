"""The leaderboard as a new user walks it, in a real browser, on a board with hostile names and labels."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from tests.end_to_end.board_walk import Visitor, visiting
from tests.end_to_end.browser import Server, chromium, served
from tests.end_to_end.test_cli import call
from tests.oracle.rle import compress
from zgbench.board.add import add

ROOT = Path(__file__).resolve().parents[2]
DEMO: dict[str, Any] = json.loads((ROOT / "submissions/demo.json").read_text())
EVIL = '<img src="http://evil.example/n" onerror=alert(1)> ![n](http://evil.example/n.png) **b** :red[x]'
EVIL_LABELS = [
    "![x](http://evil.example/x.png)",
    "<img src=http://evil.example/y onerror=alert(1)>",
    "[link](javascript:alert(1)) $x^2$ **bold**",
    '=HYPERLINK("http://evil.example")',
]
PAGES = ("/", "/over_datasets", "/compare", "/method", "/inside", "/diagnosis", "/submit")


def variant(name: str, every: int, label: Any, **method: Any) -> dict[str, Any]:
    """The demo with other labels in each so manieth segment."""
    images, k = [], 0
    for image in DEMO["images"]:
        segments = []
        for segment in image["segments"]:
            k += 1
            segments.append(segment | {"label": label(k)} if k % every == 0 else segment)
        images.append(image | {"segments": segments})
    return DEMO | {"name": name, "method": method, "images": images}


def whole(name: str) -> dict[str, Any]:
    """Every image one segment: quickly evaluated."""
    import numpy as np

    images = [
        {"id": i["id"], "size": i["size"], "segments": [{"label": "sky", "counts": compress(np.ones(i["size"], bool))}]}
        for i in DEMO["images"]
    ]
    return DEMO | {"name": name, "images": images}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a board of four methods, one of them hostile, one without its submission at hand, and a baseline."""
    folder = tmp_path_factory.mktemp("board")
    patch = pytest.MonkeyPatch()
    patch.setenv("ZGBENCH_CACHE", str(folder / "cache"))
    evil = variant(
        EVIL, 3, lambda k: EVIL_LABELS[k % 4],
        description="<script>alert(1)</script> ![d](http://evil.example/d.png)", url='https://evil.example/"><img src=x>',
    )  # fmt: skip
    given = {"text_guidance": False, "segmentation_labels": False}
    made = {
        "demo": DEMO,
        "free": variant("Free method", 8, lambda k: "thing", **given),
        "guided": variant("Guided method", 2, lambda k: "object", text_guidance=True, segmentation_labels=False),
        "evil": evil,
    }
    for stem, document in made.items():
        (folder / f"{stem}.json").write_text(json.dumps(document))
        add(folder / f"{stem}.json", folder / "results", reassign=["tt"], keep=stem != "free")
    (folder / "low.json").write_text(json.dumps(whole("Low baseline")))
    add(folder / "low.json", folder / "results", reassign=["tt"], kind="baseline")
    patch.undo()
    return folder


@pytest.fixture(scope="module")
def token(place: Path) -> str:
    out, _ = call("leaderboard", "token", "a lab", "--submit", place / "queue")
    return out.strip()


@pytest.fixture(scope="module")
def server(place: Path, token: str) -> Iterator[Server]:
    assert token
    command = ("leaderboard", "serve", "--board", place / "results", "--submit", place / "queue", "--upload-mb", 2)
    with served(*command, folder=place, ZGBENCH_CACHE=str(place / "cache")) as running:
        yield running
        assert "Traceback" not in running.output()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.fixture
def visitor(browser: Any, server: Server) -> Iterator[Visitor]:
    with visiting(browser, server.url) as found:
        yield found


def named(table: list[list[str]]) -> list[str]:
    """Names of the methods in a table: behind # in the address that they link to."""
    return [unquote(row[1].partition("#")[2]) for row in table[1:]]


def test_ranking_filters_downloads_and_address(visitor: Visitor, browser: Any, server: Server) -> None:
    visitor.go("/")
    table = visitor.rows()
    assert table[0][:3] == ["Rank", "Method", "mIoU image"]
    assert [row[0].strip() for row in table[1:]] == ["1", "2", "3", "4"]
    assert named(table) == ["demo", "Free method", EVIL, "Guided method"]
    assert re.fullmatch(r" ?\d+\.\d \[\d+\.\d, \d+\.\d\]", table[1][2])
    text = visitor.text()
    assert "Best: “demo”, mIoU image" in text and "ahead of the next, “Free method”" in text
    assert "That is sure: it differs from each of the other 3 methods" in text
    assert "dataset=mini" in visitor.query() and "group=" in visitor.query()

    with visitor.page.expect_download() as wanted:
        visitor.page.get_by_role("button", name="CSV", exact=True).click()
    records = list(csv.DictReader(io.StringIO(Path(wanted.value.path()).read_text())))
    assert [record["rank"] for record in records] == ["1", "2", "3", "4", ""]
    assert f"{100 * float(records[0]['iou_image']):.1f} [" in table[1][2]
    with visitor.page.expect_download() as wanted:
        visitor.page.get_by_role("button", name="LaTeX", exact=True).click()
    assert r"\begin{tabular}" in Path(wanted.value.path()).read_text()

    visitor.choose("Score", "Recall .5")
    visitor.page.get_by_role("radio", name="free", exact=True).click()
    visitor.settled()
    assert named(visitor.rows()) == ["demo", "Free method", EVIL]  # who says nothing counts as free
    assert {"score=recall.0.5", "show=free"} <= set(visitor.query().split("&"))
    with visiting(browser, server.url) as other:  # a link to this state shows somebody else the same
        other.go("/?" + visitor.page.url.partition("?")[2])
        assert other.rows() == visitor.rows()
        assert other.rows()[0][2] == "Recall .5"

    visitor.page.get_by_role("radio", name="text-guided").click()
    visitor.settled()
    assert named(visitor.rows()) == ["Guided method"]
    visitor.page.get_by_label("Name contains").fill("nobody")
    visitor.page.get_by_label("Name contains").press("Enter")
    visitor.page.get_by_text("No method is like that.").wait_for()
    visitor.go("/?columns=Kind")
    assert visitor.rows()[0] == ["Rank", "Method", "Kind"]
    visitor.go("/?dataset=pas20")  # nothing was scored on it here
    assert "dataset=cited" in visitor.query() and "of=pas20" in visitor.query()
    assert "Copied from publications" in visitor.text()
    assert "OVSeg" in str(visitor.rows())


def test_a_filter_hides_rows_and_changes_no_rank(visitor: Visitor, tmp_path: Path) -> None:
    visitor.go("/")
    table = visitor.rows()
    whole = dict(zip(named(table), table[1:], strict=True))
    assert named(visitor.rows(1)) == ["Low baseline"] and not visitor.rows(1)[1][0].strip("–")  # apart, and not ranked
    assert "Not ranked: baselines" in visitor.text()
    visitor.page.get_by_label("Name contains").fill("guided")
    visitor.page.get_by_label("Name contains").press("Enter")
    visitor.page.get_by_text("1 of 5 rows are shown; ranks and ties are those among all methods.").wait_for()
    visitor.settled()
    assert visitor.rows()[1:] == [whole["Guided method"]]  # the last, whoever else is shown
    visitor.page.screenshot(path=os.environ.get("ZGBENCH_SCREENSHOT") or tmp_path / "searched.png", full_page=True)
    with visitor.page.expect_download() as wanted:
        visitor.page.get_by_role("button", name="CSV", exact=True).click()
    (record,) = csv.DictReader(io.StringIO(Path(wanted.value.path()).read_text()))
    assert record["rank"] == "4"
    visitor.go("/?show=free")
    assert visitor.rows()[1:] == [row for name, row in whole.items() if name != "Guided method"]


def test_a_result_that_somebody_touched_is_shown_nowhere(visitor: Visitor, place: Path) -> None:
    result = json.loads((place / "results/guided.mini.result.json").read_text())
    result["submission"]["name"] = "Touched"
    result["scores"][0]["iou_image"] = {"value": 0.99, "ci95": [0.98, 1.0]}
    touched = place / "results/touched.mini.result.json"
    touched.write_text(json.dumps(result))
    try:
        for where in ("/", "/compare", "/method?method=touched.mini"):
            visitor.go(where)
            assert "1 result files were left out" in visitor.text()
            visitor.page.get_by_text("1 result files were left out").click()
            visitor.page.get_by_text("its cross-checks fail: TT cos>=0.5: iou_image is").wait_for()
        visitor.go("/")
        assert named(visitor.rows()) == ["demo", "Free method", EVIL, "Guided method"]
    finally:
        touched.unlink()


def test_ticked_rows_lead_on(visitor: Visitor) -> None:
    visitor.go("/")
    visitor.rows()
    box = visitor.page.locator('[data-testid="stDataFrame"]').first.bounding_box()
    for row in (1, 2):
        visitor.page.mouse.click(box["x"] + 16, box["y"] + 35 * row + 18)
        visitor.settled()
    visitor.page.get_by_role("button", name="Compare the ticked").click()
    visitor.page.get_by_role("heading", name="Compare").wait_for()
    visitor.settled()
    assert "methods=" in visitor.query() and visitor.query().split("methods=")[1].count(",") == 1


def test_compare(visitor: Visitor) -> None:
    visitor.go("/compare?methods=demo.mini,guided.mini")
    head, first = visitor.rows()[:2]
    row = dict(zip(head, first, strict=True))
    assert (row["A"], row["B"], row["Better"]) == ("demo", "Guided method", "demo")
    assert row["A − B [95 %]"].strip().startswith("+")
    assert re.search(r"“demo” is better in \d+ of 27 classes, worse in \d+", visitor.text())
    assert visitor.page.locator('[data-testid="stVegaLiteChart"]').count() == 2  # scores; all classes on one scale
    visitor.go("/compare?methods=demo.mini,nothing.mini")
    assert "Choose two to six methods" in visitor.text()


def test_over_data_sets(visitor: Visitor) -> None:
    visitor.go("/over_datasets")
    table = visitor.rows()
    assert table[0] == ["Method", "Rank [95 %]", "Borda", "Mean, %", "mini, %"]
    assert [row[1].split(" [")[0] for row in table[1:]] == ["1", "2", "3", "4", "baseline"]
    assert [row[2] for row in table[1:5]] == ["3", "2", "1", "0"]
    text = visitor.text()
    assert "Only methods that have all of these data sets are in the table" in text
    assert "Every score here is of one protocol: track:free|reassign:TT|" in text
    visitor.choose("Score", "Recall .5")
    assert "Recall .5, %, with 95 % intervals" in visitor.text()
    assert "over=mini" in visitor.query() and "family=" in visitor.query()


def test_hostile_texts_are_texts_everywhere(visitor: Visitor) -> None:
    for place in PAGES[:-1]:
        visitor.go(f"{place}?method=evil.mini&methods=demo.mini,evil.mini&other=evil.mini")
        assert visitor.page.locator("img[src*=evil], a[href*=evil], a[href^=javascript], main script").count() == 0
        for chart in visitor.page.locator('[data-testid="stVegaLiteChart"]').all():
            chart.scroll_into_view_if_needed()
            box = chart.bounding_box()
            for k in range(6):  # tooltips hold names too
                visitor.page.mouse.move(box["x"] + box["width"] * (k + 1) / 7, box["y"] + 40 + 30 * k)
    visitor.go("/method?method=evil.mini")
    text = visitor.text()
    assert "<script>alert(1)</script> ![d](http://evil.example/d.png)" in text
    assert any(row[0] == EVIL_LABELS[0] for row in visitor.rows(1))


def test_method(visitor: Visitor) -> None:
    visitor.go("/method?method=guided.mini")
    text = visitor.text()
    for expected in ("Guided by text: yes", "By class", "Recall over τ_IoU", "Scores over τ", "different labels"):
        assert expected in text
    assert "Read these labels with care" in text  # every second label is "object"
    assert visitor.page.locator('[data-testid="stVegaLiteChart"]').count() == 4
    visitor.choose("Method", "demo")
    assert "method=demo.mini" in visitor.query()
    assert "The truth, worsened at random" in visitor.text()


def test_look_inside(visitor: Visitor) -> None:
    visitor.go("/inside?method=demo.mini&order=worst")
    first = re.search(r"image=(\w+)", visitor.query())
    assert visitor.page.locator('[data-testid="stImage"] img').count() == 3
    assert visitor.rows()[0][:4] == ["Segment", "Label", "→ class", "Kept"]
    visitor.page.get_by_role("button", name="Next").click()
    visitor.settled()
    second = re.search(r"image=(\w+)", visitor.query())
    assert first and second and first[1] != second[1]

    visitor.page.get_by_placeholder("label or class").fill("umbrella")
    visitor.page.get_by_placeholder("label or class").press("Enter")
    visitor.page.get_by_text(re.compile(r"\d+ segments in \d+ images")).wait_for()
    visitor.settled()
    assert "umbrella" in str(visitor.rows()[1:])

    visitor.go("/inside?method=demo.mini&other=guided.mini&order=different")
    assert visitor.page.locator('[data-testid="stImage"] img').count() == 5
    alts = [image.get_attribute("alt") for image in visitor.page.locator('[data-testid="stImage"] img').all()]
    assert [alt.split()[0] for alt in alts] == ["Photo", "Ground", "Prediction,", "Prediction,", "Difference:"]
    visitor.page.get_by_role("button", name="Enlarge difference").click()
    visitor.page.get_by_role("dialog").locator("img").wait_for()
    visitor.page.keyboard.press("Escape")
    visitor.go("/inside?method=guided.mini&lost=names")
    assert re.search(r"\d+ segments in \d+ images", visitor.text())
    assert "Names" in {row[5] for row in visitor.rows()[1:]}
    visitor.go("/inside?method=free.mini")  # its submission was not kept
    assert visitor.page.locator('[data-testid="stImage"] img').count() == 2
    assert "is not at hand" in visitor.text()


def test_diagnosis(visitor: Visitor) -> None:
    visitor.go("/diagnosis?method=demo.mini")
    head, *rows = visitor.rows()
    steps = [dict(zip(head, row, strict=True)) for row in rows]
    assert steps[0]["%"] == "100.0"
    values = [float(step["%"]) for step in steps]
    assert values == sorted(values, reverse=True)
    visitor.go("/?group=&method=demo.mini")
    assert f"{values[-1]:.1f} [" in visitor.rows()[1][2]


def test_the_first_screen_says_who_is_best_and_leads_on(browser: Any, tmp_path: Path) -> None:
    """The board that ships, at 1440 × 900 without scrolling: who, by how much, how surely, and where the paper is."""
    with (
        served("leaderboard", "serve", folder=tmp_path) as running,
        visiting(browser, running.url, width=1440) as visitor,
    ):
        visitor.go("/")
        assert "dataset=mini" in visitor.query()  # pas20, which comes before, has baselines only
        for told in ("Best: “reference method", "points ahead of the next", "That is", "paired test over 200 images"):
            assert below(visitor, visitor.page.get_by_text(told).first) < 900
        paper = visitor.page.get_by_role("link", name="Its paper")
        assert paper.get_attribute("href") == "https://arxiv.org/abs/2303.13396" and below(visitor, paper) < 900
        assert below(visitor, visitor.page.locator('[data-testid="stDataFrame"]').first) < 900
        box = visitor.page.locator('[data-testid="stDataFrame"]').first.bounding_box()
        visitor.page.mouse.move(box["x"] + 200, box["y"] + 35 + 18)
        visitor.page.wait_for_timeout(400)
        with visitor.page.context.expect_page() as opened:  # a name leads to its method
            visitor.page.mouse.click(box["x"] + 200, box["y"] + 35 + 18)
        assert "/method?dataset=mini&group=" in opened.value.url and "method=reference-masked.mini" in opened.value.url
        visitor.page.mouse.click(box["x"] + 60, box["y"] + 18)  # the head of the ranks: they sort
        visitor.settled()
        assert [row[0].strip() for row in visitor.rows()[1:]] == ["1=", "1=", "1=", "4"]
        visitor.go("/?embed=true&dataset=mini")
        assert visitor.page.locator('[data-testid="stMainMenu"]').count() == 0
        assert {"embed=true", "dataset=mini"} <= set(visitor.query().split("&"))
        visitor.go("/?dataset=cited&of=pc459")
        assert "OpenSeg" in str(visitor.rows())
        for width in (1440, 1024, 390, 330):  # a label is 12 pixels high where its picture is 288 wide
            visitor.page.set_viewport_size({"width": width, "height": 900})
            visitor.go("/inside?dataset=mini&method=reference.mini&other=reference-crop.mini")
            widths = visitor.page.locator('[data-testid="stImage"] img').evaluate_all(
                "all => all.map(i => i.clientWidth)"
            )
            assert len(widths) == 5 and min(widths) >= 288, (width, widths)
            assert visitor.overflow() <= 0


def below(visitor: Visitor, shown: Any) -> float:
    """Where an element ends, pixels from the top of the window."""
    assert visitor.page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == 0
    box = shown.bounding_box()
    return float(box["y"] + box["height"])


def test_a_stale_link_says_so(visitor: Visitor) -> None:
    visitor.go("/method?method=gone.mini")
    assert "not here (any more)" in visitor.text()


@pytest.mark.parametrize(
    ("width", "dark", "places"), [(390, False, PAGES), (390, True, PAGES[:1]), (1280, True, PAGES[1:3])]
)
def test_narrow_and_dark(browser: Any, server: Server, width: int, dark: bool, places: tuple[str, ...]) -> None:
    with visiting(browser, server.url, width=width, height=844, dark=dark) as visitor:
        for place in places:
            visitor.go(place)
            assert visitor.overflow() <= 0, place
            assert (visitor.background() < 60) == dark
