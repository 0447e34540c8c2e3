"""A visitor of the leaderboard: a page of a real browser that notes what must not happen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

# asked for a page by its address, Streamlit first looks for its own server below that address
_STREAMLIT_LOOKS = re.compile(r"^/\w+/_stcore/(health|host-config)$")


@dataclass
class Visitor:
    """One browser page.

    Attributes:
        page: playwright's ``Page``.
        base: address of the server.
        wrong: errors of the console and of scripts, opened dialogs, failed requests, requests to other hosts.
    """

    page: Any
    base: str
    wrong: list[str] = field(default_factory=list)

    def go(self, place: str) -> None:
        """Open an address and wait until it is shown."""
        self.page.goto(self.base + place)
        self.settled()

    def settled(self) -> None:
        """Wait until the script has run and nothing is waited for."""
        self.page.wait_for_selector('[data-testid="stMainBlockContainer"] h1', timeout=60_000)
        self.page.wait_for_timeout(120)
        self.page.wait_for_function(
            """() => !document.querySelector('[data-test-script-state="running"]')
                  && !document.querySelector('[data-testid="stSkeleton"]')""",
            timeout=60_000,
        )
        self.page.wait_for_timeout(60)

    def text(self) -> str:
        """All that can be read on the page, but for what is painted on canvases."""
        return str(self.page.locator('[data-testid="stMain"]').inner_text())

    def query(self) -> str:
        """The part of the address behind the question mark."""
        return str(self.page.evaluate("decodeURIComponent(location.search.slice(1))"))

    def choose(self, label: str, option: str) -> None:
        """Choose in a select box."""
        wanted = self.page.get_by_role("option", name=option, exact=True)
        for _ in range(5):  # a list that opens while the page is painted anew closes again
            self.page.get_by_role("combobox", name=label, exact=True).click()
            self.page.wait_for_timeout(500)
            if wanted.count():
                break
        wanted.click()
        self.settled()

    def rows(self, table: int = 0) -> list[list[str]]:
        """Head and cells in sight of a table, from the copy for screen readers (the rest is painted on a canvas)."""
        frame = self.page.locator('[data-testid="stDataFrame"]').nth(table)
        frame.scroll_into_view_if_needed(timeout=60_000)
        before: Any = None
        for _ in range(60):  # the copy comes a moment after the painting
            cells = frame.locator('[role="row"]').evaluate_all(
                "rows => rows.map(row => [...row.children].map(cell => cell.textContent))"
            )
            if cells and cells == before:
                return [[str(cell) for cell in row] for row in cells]
            before = cells
            self.page.wait_for_timeout(250)
        raise AssertionError(f"table {table} does not come to rest: {before}")

    def overflow(self) -> int:
        """Pixels by which the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))

    def background(self) -> int:
        """Brightness of the page, 0 to 255."""
        colour = self.page.evaluate(
            "getComputedStyle(document.querySelector('[data-testid=\"stApp\"]')).backgroundColor"
        )
        return max(map(int, re.findall(r"\d+", colour)[:3]))


@contextmanager
def visiting(
    browser: Any, base: str, *, width: int = 1280, height: int = 900, dark: bool = False, **context_options: Any
) -> Iterator[Visitor]:
    """A visitor with a profile of its own; what went wrong during the visit fails the test at its end."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", accept_downloads=True,
        **context_options,
    )  # fmt: skip
    page = context.new_page()
    visitor = Visitor(page, base)
    wrong = visitor.wrong

    def console(message: Any) -> None:
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            wrong.append(f"console: {message.text}")

    def dialog(opened: Any) -> None:
        wrong.append(f"dialog: {opened.message}")
        opened.dismiss()

    def request(sent: Any) -> None:
        if not sent.url.startswith((base, base.replace("http", "ws", 1), "data:", "blob:")):
            wrong.append(f"request to another host: {sent.url}")

    def response(got: Any) -> None:
        if got.status >= 400 and not _STREAMLIT_LOOKS.match(got.url.removeprefix(base)):
            wrong.append(f"status {got.status}: {got.url}")

    page.on("console", console)
    page.on("pageerror", lambda error: wrong.append(f"script: {error}"))
    page.on("dialog", dialog)
    page.on("request", request)
    page.on("response", response)
    try:
        yield visitor
        assert not wrong, wrong
    finally:
        context.close()
