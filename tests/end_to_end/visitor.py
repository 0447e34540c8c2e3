"""Somebody who rates in a real browser, by keyboard."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zgbench.ratings import Store

MIN_SECONDS = 0.3
DESKTOP = {"width": 1280, "height": 800}
LABEL = ".st-key-label, .st-key-long-label, .st-key-longest-label"
PICTURE_SHOWN = """old => {
  const picture = document.querySelector('.st-key-picture img');
  const button = document.querySelector('[class*="st-key-score-0-"]');
  return picture && picture.complete && picture.naturalWidth > 0 && button && !button.className.includes(old) && window.zgbenchDesk !== undefined;
}"""


@dataclass
class Visitor:
    """Somebody in front of the page; remembers what they pressed."""

    page: Any
    outside: list[str] = field(default_factory=list)

    @classmethod
    def arrive(cls, browser: Any, url: str, **context: Any) -> Visitor:
        page = browser.new_context(**({"viewport": DESKTOP} | context)).new_page()
        visitor = cls(page)
        page.on("request", lambda r: visitor.outside.append(r.url) if not r.url.startswith((url, "data:", "blob:", url.replace("http", "ws"))) else None)  # fmt: skip
        page.goto(url)
        return visitor

    def sign_in(self, token: str) -> None:
        box = self.page.get_by_label("Your invitation")
        box.fill(token)
        box.press("Enter")

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    def strike(self, key: str, code: str) -> None:
        """Press the key at a place of the keyboard on which something else than a US letter is printed."""
        event = "new KeyboardEvent('keydown', {key: k[0], code: k[1], bubbles: true, cancelable: true})"
        self.page.evaluate(f"k => document.body.dispatchEvent({event})", [key, code])

    def settle(self) -> str:
        """Wait until the server has drawn all of the item on the screen; gives its ticket."""
        ticket = self.ticket()
        self.page.locator(f".st-key-undo-{ticket}").wait_for()
        self.idle()
        return ticket

    def idle(self) -> None:
        """Wait until the script has run: what is pressed before is drawn anew, and a press on it may be lost."""
        self.page.wait_for_timeout(120)
        self.page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()

    def button(self, name: str) -> Any:
        return self.page.get_by_role("button", name=re.compile(rf"^{name}"))

    def ticket(self) -> str:
        """Of the item on the screen, once its picture is there."""
        self.page.wait_for_function(PICTURE_SHOWN, arg="nothing")
        found = self.page.locator('[class*="st-key-score-0-"]').first.get_attribute("class")
        return re.search(r"st-key-score-0-(\S+)", found)[1]

    def label(self) -> str:
        return self.page.locator(LABEL).inner_text()

    def rate(self, key: str) -> None:
        """Look for the minimum time, press a key, wait for the next item."""
        old = self.ticket()
        self.page.wait_for_timeout(MIN_SECONDS * 1000)
        self.press(key)
        self.page.wait_for_function(PICTURE_SHOWN, arg=old)

    def done(self) -> int:
        """How many items are done, as the page says."""
        return int(re.search(r"(\d+) done", self.page.get_by_test_id("stProgress").inner_text())[1])

    def practise(self, store: Store, *, after_a_bad_round: bool = False) -> None:
        """Read the instructions and practise by keyboard, always with the answer that is wanted; then start rating.

        Args:
            after_a_bad_round: of wrong answers, after which there must be another.
        """
        self.button("Practise").wait_for()
        self.press("Enter")
        if after_a_bad_round:
            self._round(store, 0, wrong=True)
            self.page.get_by_text("6 are needed").wait_for()
            assert not self.button("Start rating").count()
            self.press("Enter")
        self._round(store, int(after_a_bad_round))
        self.button("Start rating").wait_for()
        self.press("Enter")
        self.page.locator('[class*="st-key-undo-"]').first.wait_for()
        self.ticket()

    def _round(self, store: Store, number: int, *, wrong: bool = False) -> None:
        end = f".st-key-another-{number}"
        while True:
            self.page.locator(f'[class*="st-key-score-3-"], {end}').first.wait_for()
            if self.page.locator(end).count():
                return
            old = self.ticket()
            known = known_answer(store, old.removeprefix("training-"))
            self.press(str((known + 1) % 4 if wrong else known))
            self.button("Next").wait_for()
            self.press("Enter")
            self.page.wait_for_function(
                "old => !document.querySelector(`[class*=\"st-key-next-\"]`) && !document.querySelector(`[class*=\"st-key-score-0-${old}\"]`)",
                arg=old,
            )  # fmt: skip


def known_answer(store: Store, item: str) -> int:
    """The right answer of a training item."""
    from sqlalchemy import select

    from zgbench.ratings.tables import items

    query = select(items.c.known).where(items.c.id == item)
    return int(store.database.read(lambda connection: connection.execute(query).scalar_one()))
