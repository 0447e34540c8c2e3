"""Both pages as a site, behind the proxy of docs/serving.md: all works, what is closed is closed, axe-core finds nothing."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import HashedText
from tests.end_to_end import visitor as raters
from tests.end_to_end.accessibility import in_all_lights
from tests.end_to_end.board_walk import visiting
from tests.end_to_end.browser import chromium, free_port, served
from tests.end_to_end.keyboard import missed, tab_to
from tests.end_to_end.nginx import proxy
from zgbench.board.add import add
from zgbench.board.queue import Queue
from zgbench.board.static import export_static
from zgbench.board.store import load_board

pytest.importorskip("streamlit", reason="needs the extra apps")
from zgbench.ratings import Store, open_store
from zgbench.sampling import sample

DEMO = Path(__file__).resolve().parents[2] / "submissions/demo.json"
PROJECT = "https://project.test"
BOARD = (
    "/", "/?dataset=cited", "/over_datasets", "/compare", "/method", "/inside?method=demo.mini&other=other.mini", "/diagnosis",
    "/submit",
)  # fmt: skip


@dataclass(frozen=True)
class Site:
    """Addresses of the two pages, as visitors know them, and what lies behind."""

    board: str
    rater: str
    results: Path
    token: str
    store: Store


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, worker_cache: Path) -> Iterator[Site]:
    folder, cache = tmp_path_factory.mktemp("site"), str(worker_cache)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZGBENCH_CACHE", cache)
        add(DEMO, folder / "results", reassign=["tt"])
        other = json.loads(DEMO.read_text()) | {"name": "Other"}
        other["images"][0]["segments"][0]["label"] = "thing"
        (folder / "other.json").write_text(json.dumps(other))
        add(folder / "other.json", folder / "results", reassign=["tt"])
        token = Queue(folder / "queue").make_token("a lab")
        board = ("leaderboard", "serve", "--board", folder / "results", "--submit", folder / "queue")
        with open_store(folder / "study.db") as store:
            sample(store, DEMO, n=8, question="T*", k=1, seed=1, text_encoder=HashedText())
            store.configure(min_seconds=0, control_every=0)
            port = free_port()
            with (
                served(*board, folder=folder, ZGBENCH_CACHE=cache) as first,
                served("rate", "--ratings", folder / "study.db", folder=folder) as second,
                proxy(
                    folder, port, board=first.url.removeprefix("http://"), rater=second.url.removeprefix("http://"),
                    project=PROJECT,
                ),
            ):  # fmt: skip
                yield Site(
                    f"https://board.example.org:{port}",
                    f"https://rate.example.org:{port}",
                    folder / "results",
                    token,
                    store,
                )


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    # pages of the public internet may not be asked for frames of this machine, and PROJECT counts as one
    flags = "--host-resolver-rules=MAP *.example.org 127.0.0.1", "--disable-features=LocalNetworkAccessChecks"
    with chromium(*flags) as running:
        yield running


def test_every_page_of_the_board_works(browser: Any, site: Site, tmp_path: Path) -> None:
    """The visitor's end asserts that the console has no error, such as of something that the policy forbids."""
    with visiting(browser, site.board, ignore_https_errors=True) as visitor:
        visitor.go("/")
        assert len(visitor.rows()) == 3 and "demo" in visitor.text()
        with visitor.page.expect_download():
            visitor.page.get_by_role("button", name="CSV", exact=True).click()
        for place in ("/compare", "/method", "/diagnosis"):
            visitor.go(place)
            visitor.page.locator('[data-testid="stVegaLiteChart"] :is(canvas, svg)').first.wait_for()
        visitor.go("/inside?method=demo.mini")
        visitor.page.wait_for_function(
            "() => [...document.querySelectorAll('[data-testid=\"stImage\"] img')].filter(i => i.naturalWidth > 0).length >= 3"
        )
        large = tmp_path / "large.json"  # more than nginx takes by itself
        large.write_text(" " * (3 << 20))
        visitor.go("/submit")
        visitor.page.get_by_label("Token", exact=True).fill(site.token)
        visitor.page.get_by_role("button", name="Continue", exact=True).click()
        visitor.page.locator('[data-testid="stFileUploader"]').wait_for()
        visitor.page.locator("input[type=file]").set_input_files(large)
        visitor.page.locator('[data-testid="stFileChip"], [data-testid="stFileUploaderFile"]').first.wait_for()
        visitor.page.get_by_role("button", name="Send", exact=True).click()
        visitor.page.get_by_text("not valid JSON").first.wait_for(timeout=60_000)


def test_people_rate_and_the_organiser_looks_on(browser: Any, site: Site) -> None:
    token = site.store.make_token("ann", trained=True)
    wrong: list[str] = []
    for who, role in (("ann", "rater"), ("boss", "admin")):
        visitor = raters.Visitor.arrive(browser, "about:blank", ignore_https_errors=True)
        visitor.page.on(
            "console", lambda m: wrong.append(m.text) if m.type == "error" and "Failed to load" not in m.text else None
        )
        visitor.page.on("response", lambda r: wrong.append(f"{r.status} {r.url}") if r.status >= 400 else None)
        visitor.page.goto(site.rater)
        visitor.sign_in(token if role == "rater" else site.store.make_token(who, role="admin"))
        if role == "rater":
            visitor.settle()
            visitor.rate("3")
            assert visitor.done() == 1
            (cookie,) = [c for c in visitor.page.context.cookies() if c["name"].startswith("zgbench")]
            assert (cookie["secure"], cookie["sameSite"]) == (True, "Strict")
            visitor.page.reload()  # the cookie knows who it is
            visitor.settle()
        else:
            visitor.page.locator(".stVegaLiteChart :is(canvas, svg)").first.wait_for()
        visitor.page.context.close()
    assert not wrong


def test_only_the_named_site_may_show_the_board_in_a_frame(browser: Any, site: Site) -> None:
    context = browser.new_context(ignore_https_errors=True)
    page = context.new_page()
    frames = [f"{site.board}/?embed=true", f"{site.board}/", f"{site.rater}/?embed=true"]
    body = "".join(f'<iframe src="{address}" width="900" height="500"></iframe>' for address in frames)
    page.route("**/*", lambda route: route.continue_() if "example.org" in route.request.url else route.fulfill(
        body=body, content_type="text/html"))  # fmt: skip

    def shown() -> list[str]:
        return [frame.url for frame in page.frames[1:] if frame.url.startswith("https")]

    page.goto(PROJECT)
    page.frame_locator("iframe").first.locator("h1").wait_for()
    assert [address.partition("?")[2][:10] for address in shown()] == ["embed=true"]
    page.goto("https://elsewhere.test")
    page.wait_for_function("() => document.readyState === 'complete'")
    assert shown() == []
    context.close()


def answer(address: str, port_of: str) -> tuple[int, dict[str, str]]:
    """Status and headers of what the proxy answers to a name."""
    host, _, port = port_of.removeprefix("https://").partition(":")
    request = urllib.request.Request(f"https://127.0.0.1:{port}{address}", headers={"Host": f"{host}:{port}"})
    try:
        with urllib.request.urlopen(request, context=ssl._create_unverified_context(), timeout=20) as found:
            return found.status, dict(found.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers)


def test_what_is_nobody_s_business_is_closed(site: Site) -> None:
    for page in (site.board, site.rater):
        for address in ("/_stcore/metrics", "/_stcore/metrics?families=cache_memory_bytes", "/_stcore//metrics",
                        "/_stcore/%6detrics", "/_stcore/agent/openapi.json"):  # fmt: skip
            assert answer(address, page)[0] == 404, address
        status, headers = answer("/", page)
        assert (status, headers["X-Frame-Options"]) == (200, "DENY")
        policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
        assert "unsafe" not in policy["script-src"]
        assert answer("/_stcore/health", page)[0] == 200
    status, headers = answer("/?embed=true", site.board)
    assert "X-Frame-Options" not in headers
    assert headers["Content-Security-Policy"].endswith(f"frame-ancestors {PROJECT}")
    assert answer("/?embed=true", site.rater)[1]["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("place", BOARD)
def test_axe_finds_nothing_on_the_board(browser: Any, site: Site, place: str) -> None:
    with visiting(browser, site.board, ignore_https_errors=True) as visitor:
        visitor.go(place)
        if place == "/submit":
            visitor.page.get_by_label("Token", exact=True).fill(site.token)
            visitor.page.get_by_role("button", name="Continue", exact=True).click()
            visitor.page.get_by_role("button", name="Forget my token").wait_for()
        found = in_all_lights(visitor.page, visitor.settled)
        assert not found, "\n".join(f"{light}: {line}" for light, lines in found.items() for line in lines)


def test_axe_finds_nothing_in_the_page_without_a_server(browser: Any, site: Site, tmp_path: Path) -> None:
    export_static(load_board(site.results), tmp_path)
    page = browser.new_page()
    page.goto((tmp_path / "index.html").as_uri())
    assert in_all_lights(page, lambda: None) == {}
    page.close()


def test_the_board_by_keyboard_alone(browser: Any, site: Site, tmp_path: Path) -> None:
    """Tab reaches all that there is, with a focus that is seen; what a mouse can do, keys can."""
    token = Queue(site.results.parent / "queue").make_token("keys")  # whose list of uploads is empty
    with visiting(browser, site.board, ignore_https_errors=True, height=1400) as visitor:
        page, press = visitor.page, visitor.page.keyboard.press
        for place in BOARD:
            visitor.go(place)
            visitor.page.wait_for_timeout(500)
            assert missed(page) == [], place

        visitor.go("/")
        visitor.rows()
        tab_to(page, "all")
        press("ArrowRight")
        press("Space")
        page.wait_for_function("() => location.search.includes('show=free')")
        visitor.settled()
        tab_to(page, "Fullscreen: Ranking")
        press("Tab")
        for key in ("Shift+Space", "ArrowDown", "Shift+Space"):
            press(key)
            visitor.settled()
        compare = page.get_by_role("button", name="Compare the ticked")
        page.wait_for_function("() => document.querySelectorAll('[role=row][aria-selected=true]').length === 2")
        while not compare.evaluate("e => e === document.activeElement"):
            press("Shift+Tab")
        press("Enter")
        page.get_by_role("heading", name="Compare").wait_for()

        visitor.go("/inside?method=demo.mini")
        before = visitor.query()
        tab_to(page, "Next")
        press("Enter")
        page.wait_for_function("old => decodeURIComponent(location.search.slice(1)) !== old", arg=before)
        visitor.settled()

        (tmp_path / "cut.json").write_text('{"name": "cut')
        visitor.go("/submit")
        tab_to(page, "Token")
        page.keyboard.type(token)
        press("Enter")
        page.get_by_role("button", name="Forget my token").wait_for()
        visitor.settled()
        with page.expect_file_chooser() as chooser:
            tab_to(page, "Upload")
            press("Enter")
        chooser.value.set_files(tmp_path / "cut.json")
        page.locator('[data-testid="stFileChip"], [data-testid="stFileUploaderFile"]').first.wait_for()
        tab_to(page, "Send")
        press("Enter")
        page.get_by_text("not valid JSON").first.wait_for(timeout=60_000)


def test_axe_finds_nothing_on_the_rater(browser: Any, site: Site) -> None:
    """Sign-in, instructions, practice, rating, a reason to skip, and each tab of the organiser."""
    visitor = raters.Visitor.arrive(browser, site.rater, ignore_https_errors=True)
    page, found = visitor.page, {}

    def settle() -> None:
        page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
        page.wait_for_timeout(400)

    def look(name: str) -> None:
        settle()
        found[name] = in_all_lights(page, settle)

    visitor.button("Start").wait_for()
    look("sign-in")
    visitor.sign_in(site.store.make_token("bea"))
    visitor.button("Practise").wait_for()
    look("instructions")
    visitor.press("Enter")
    visitor.ticket()
    look("practice")
    visitor.press("3")
    visitor.button("Next").wait_for()
    look("practice, answered")
    page.context.close()

    token = site.store.make_token("cid", trained=True)
    visitor = raters.Visitor.arrive(browser, site.rater, ignore_https_errors=True)
    page = visitor.page
    visitor.sign_in(token)
    visitor.settle()
    look("rating")
    visitor.press("s")
    page.locator('[class*="st-key-reason-"]').first.wait_for()
    look("skip")
    page.context.close()

    visitor = raters.Visitor.arrive(browser, site.rater, ignore_https_errors=True)
    page = visitor.page
    visitor.sign_in(site.store.make_token("chief", role="admin"))
    page.get_by_role("tab").first.wait_for()
    for tab in page.get_by_role("tab").all():
        tab.click()
        look(f"organiser, {tab.inner_text()}")
    page.context.close()
    told = [
        f"{name}, {light}: {line}" for name, wrong in found.items() for light, lines in wrong.items() for line in lines
    ]
    assert not told, "\n".join(told)
