"""The rater's page as strangers use it, in a real browser: the whole walk, and what must not go wrong."""

from __future__ import annotations

import io
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import zgbench
from tests.conftest import HashedText
from tests.end_to_end.browser import Server, chromium, free_port, served
from tests.end_to_end.contrast import poor_contrasts
from tests.end_to_end.visitor import LABEL, MIN_SECONDS, PICTURE_SHOWN, Visitor

pytest.importorskip("streamlit", reason="needs the extra apps")
from zgbench.datasets import open_dataset
from zgbench.ratings import Store, export_csv, open_store
from zgbench.ratings.comments import list_comments
from zgbench.ratings.content import Content
from zgbench.ratings.words import spoken
from zgbench.sampling import sample

DEMO = Path(__file__).resolve().parents[2] / "submissions/demo.json"
PATIENT_SECONDS = 1.5  # longer than four keys take on a busy machine
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@dataclass
class Study:
    """A study being served; kill and start the server with :meth:`restart`."""

    path: Path
    store: Store
    port: int
    folder: Path
    server: Server = field(init=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def rows(self) -> pd.DataFrame:
        """Every row of the store, in order."""
        return pd.read_csv(io.BytesIO(export_csv(self.store)))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory, worker_cache: Path) -> Iterator[Study]:
    """48 items with reassigned labels, 3 raters each."""
    folder = tmp_path_factory.mktemp("study")
    os.environ["ZGBENCH_CACHE"] = str(worker_cache)
    path = folder / "ratings.db"
    with open_store(path) as store:
        sample(store, DEMO, n=48, question="T*", k=3, seed=1, text_encoder=HashedText())
        store.configure(min_seconds=MIN_SECONDS)
        yield Study(path, store, free_port(), folder)


def test_the_walk(browser: Any, study: Study, tmp_path: Path) -> None:
    """Sign in, practise, 30 items by keyboard, undo, refresh, a second browser, a server that dies, export, evaluate."""
    alice, bob, boss = (
        study.store.make_token(n, role=r) for n, r in (("alice", "rater"), ("bob", "rater"), ("boss", "admin"))
    )
    with served("rate", "--ratings", study.path, folder=study.folder, port=study.port) as server:
        first = Visitor.arrive(browser, study.url)
        first.sign_in("zg_wrong")
        first.page.get_by_text("This invitation is not valid").wait_for()
        first.sign_in(alice)
        first.practise(study.store, after_a_bad_round=True)
        assert alice not in first.page.url
        assert first.page.content().count("mini") == 0  # neither the data set nor whose labels they are
        assert "demo" not in first.page.content()

        pressed: list[tuple[str, str]] = []
        for n in range(30):
            key = str((n * 7 + 3) % 4)
            pressed.append((first.label(), key))
            first.rate(key)
            if n == 9:  # undo: the same item comes back, and its rating is withdrawn
                next_one = first.settle()
                first.press("z")
                first.page.wait_for_function(PICTURE_SHOWN, arg=next_one)
                assert first.done() == 9
                assert first.label() == pressed[-1][0]
                pressed[-1] = (first.label(), "0")
                first.rate("0")
            if n == 14:  # a refresh, and a new tab, show the same item
                before, shown = first.ticket(), first.label()
                first.page.reload()
                assert (first.ticket(), first.label()) == (before, shown)
                tab = first.page.context.new_page()
                tab.goto(study.url)
                other = Visitor(tab)
                assert (other.ticket(), other.label()) == (before, shown)
                tab.close()
        assert first.done() == 30
        assert not first.outside, "the page asks nobody else for anything"

        second = Visitor.arrive(browser, study.url)
        second.sign_in(bob)
        second.practise(study.store)
        for _ in range(3):
            second.rate("2")
        for _ in range(2):  # both at once
            before = first.ticket()
            pressed.append((first.label(), "3"))
            first.press("3")
            second.rate("1")
            first.page.wait_for_function(PICTURE_SHOWN, arg=before)
            first.page.wait_for_timeout(MIN_SECONDS * 1000 + 500)
        assert second.done() == 5
        waiting = first.ticket(), first.label()
        server.kill()
        first.page.locator('[class*="st-key-score-0-"] button:disabled').wait_for()

    with served("rate", "--ratings", study.path, folder=study.folder, port=study.port):
        # the page finds its server again by itself, and knows who it is; until then nothing can be pressed
        first.page.locator('[class*="st-key-score-0-"] button:enabled').first.wait_for()
        assert (first.ticket(), first.label()) == waiting
        pressed.append((first.label(), "2"))
        first.rate("2")
        assert first.done() == len(pressed) == 33

        rows = study.rows()
        mine = rows[rows["rater"] == study.store.sign_in(alice).id]
        assert (mine.dropna(subset="seconds")["seconds"] >= MIN_SECONDS - 0.05).all()
        latest = mine.drop_duplicates("item", keep="last")
        assert sorted(zip(map(spelt, latest["label"]), latest["score"].astype(int).astype(str), strict=True)) == sorted(
            pressed
        )

        # a third one rates the rest, so that whole images are rated
        third = study.store.sign_in(study.store.make_token("carol"))
        study.store.configure(min_seconds=0)
        while (item := study.store.next_item(third)) is not None:
            assert study.store.rate(third, item.ticket, 3).accepted
        study.store.configure(min_seconds=MIN_SECONDS)
        _organiser(Visitor.arrive(browser, study.url, color_scheme="dark"), boss, tmp_path)

    found = zgbench.evaluate(DEMO, ratings=tmp_path / "ratings.parquet", reassign=["tt"], text_encoder=HashedText())
    assert {"h>=1", "h>=2", "h>=3"} <= {row["verify"] for row in found.scores}


def spelt(label: str) -> str:
    """A class of mini as the page writes it."""
    return spoken(open_dataset("mini").vocabulary, label)


def _organiser(boss: Visitor, token: str, folder: Path) -> None:
    """Progress, raters, a new invitation made and revoked, export."""
    page = boss.page
    boss.sign_in(token)
    page.get_by_text("Krippendorff's α (ordinal)").wait_for()
    assert page.get_by_text("Answers in the last hour").is_visible()
    page.locator(".stVegaLiteChart canvas, .stVegaLiteChart svg").first.wait_for()
    assert poor_contrasts(page) == []
    page.get_by_role("tab", name="Raters").click()
    page.get_by_role("tabpanel").get_by_test_id("stDataFrame").first.wait_for()
    page.get_by_role("tab", name="Invitations").click()
    page.get_by_label("Name", exact=True).fill("dora")
    boss.button("Make an invitation").click()
    page.get_by_text("Hand this over").wait_for()
    invitation = page.get_by_test_id("stCode").first.inner_text().strip()
    assert re.fullmatch(r"zg_[0-9a-f]{40}", invitation)
    (folder / "people.csv").write_text("name\nUma\nVic\n")
    page.get_by_text("Invite many").click()  # it stays open, though the invitation just made goes
    page.locator("input[type=file]").set_input_files(folder / "people.csv")
    page.locator(".st-key-invite-all button:enabled").click()
    boss.button("Download the links").wait_for()
    boss.idle()
    with page.expect_download() as links:
        boss.button("Download the links").click()
    assert Path(links.value.path()).read_text().count("/?token=zg_") == 2
    page.get_by_role("tab", name="Exclusion").click()
    page.get_by_text("would leave out").wait_for()
    boss.button("Put it in force").click()
    boss.button("Revoke").wait_for()
    page.get_by_role("tab", name="Items").click()
    page.get_by_text("two raters are").first.wait_for()
    page.get_by_role("tab", name="Study").click()
    page.get_by_label("Contact").fill("ann@example.org")
    boss.button("Save").click()
    boss.idle()
    page.get_by_role("tab", name="Export").click()
    for name in ("CSV", "Parquet"):
        with page.expect_download() as download:
            boss.button(name).click()
        download.value.save_as(folder / f"ratings.{name.lower()}")


def test_a_rating_is_neither_lost_nor_doubled(browser: Any, study: Study) -> None:
    token = study.store.make_token("double clicks", trained=True)
    rater = study.store.sign_in(token)
    study.store.configure(min_seconds=15)
    with served("rate", "--ratings", study.path, folder=study.folder) as server:
        visitor = Visitor.arrive(browser, server.url)
        visitor.sign_in(token)
        old = visitor.settle()
        visitor.press("3")  # too soon to have looked; told beside the buttons
        visitor.page.get_by_role("status").get_by_text("Too quick to count").wait_for()
        said = visitor.page.get_by_role("status").bounding_box()
        scores = visitor.page.locator(".st-key-scores").bounding_box()
        assert 0 <= said["y"] - scores["y"] - scores["height"] < 30
        assert visitor.ticket() == old
        assert study.store.progress(rater).answered == 0
        study.store.configure(min_seconds=PATIENT_SECONDS)
        visitor.page.wait_for_timeout(2500)  # the server looks for new settings every 2 s

        for n in range(1, 4):
            before = visitor.ticket()
            visitor.page.wait_for_timeout(PATIENT_SECONDS * 1000)
            if n == 1:
                visitor.page.locator('[class*="st-key-score-1-"] button').dblclick()
            else:
                for _ in range(4):
                    visitor.press("1")
            visitor.page.wait_for_function(PICTURE_SHOWN, arg=before)
            visitor.page.wait_for_timeout(200)
            assert study.store.progress(rater).answered == n

        # the same item in two tabs, answered in both: the first answer stands
        tab = Visitor(visitor.page.context.new_page())
        tab.page.goto(server.url)
        before = tab.ticket()
        assert visitor.ticket() == before
        visitor.page.wait_for_timeout(PATIENT_SECONDS * 1000)
        tab.press("0")
        tab.page.wait_for_function(PICTURE_SHOWN, arg=before)
        visitor.press("3")
        visitor.page.wait_for_function(PICTURE_SHOWN, arg=before)
        assert study.store.progress(rater).answered == 4
        mine = study.rows().query("rater == @rater.id")
        assert mine.iloc[-1]["score"] == 0

        # skipped with a reason, "cannot tell", and a token that is withdrawn ends at once
        visitor.settle()
        visitor.press("s")
        visitor.button("I cannot see the segment").wait_for()
        old = visitor.ticket()
        visitor.press("3")  # scores do not count while a reason is asked for
        visitor.press("n")
        visitor.page.wait_for_function(PICTURE_SHOWN, arg=old)
        visitor.page.wait_for_timeout(PATIENT_SECONDS * 1000)
        visitor.rate("t")
        kept = study.store.progress(rater)
        assert (kept.answered, kept.skipped, kept.cannot_tell) == (4, 1, 1)
        study.store.revoke_token(token)
        visitor.press("2")
        visitor.page.get_by_label("Your invitation").wait_for()
        visitor.page.get_by_text("The organiser has withdrawn your invitation").wait_for()
        assert study.store.progress(rater).answered == 4


HOSTILE = (
    "<img src=x onerror=\"document.title='owned'\">",
    "**bold** [link](javascript:alert(1)) $x^2$ :red[x] `code`",
    "cat\u202egnp.\u2066x",
    "x" * 200,
)


def test_hostile_labels_on_a_phone(browser: Any, tmp_path: Path) -> None:
    """Labels are plain text whatever they hold; everything fits a phone, in light and dark, with enough contrast."""
    with open_store(tmp_path / "hostile.db") as store:
        shape = {"dataset": "mini", "image_id": "val_0003", "size": (96, 96), "counts": _half(), "question": "T"}
        store.add_items([Content(label=label, **shape) for label in HOSTILE], k=1)
        store.configure(min_seconds=0, control_every=0)
        token = store.make_token("eve")
        with served("rate", "--ratings", tmp_path / "hostile.db", folder=tmp_path) as server:
            for scheme in ("light", "dark"):
                visitor = Visitor.arrive(browser, server.url, viewport=PHONE, color_scheme=scheme)
                visitor.button("Start").wait_for()
                assert poor_contrasts(visitor.page) == []
                visitor.sign_in(token)
                if scheme == "light":
                    visitor.button("Start rating").click()
                visitor.settle()
                hints = (
                    "getComputedStyle(document.querySelector('[class*=\"st-key-undo-\"] button'), '::after').display"
                )
                assert visitor.page.evaluate(hints) == "none"
                assert poor_contrasts(visitor.page) == []
                if scheme == "light":
                    visitor.page.context.close()
            shown, tops = set(), set()
            for n in range(len(HOSTILE)):
                visitor.settle()
                shown.add(visitor.label())
                page = visitor.page
                assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
                bottom = page.locator('[class*="st-key-score-3-"] button').bounding_box()
                tops.add(round(bottom["y"]))
                assert bottom["y"] + bottom["height"] <= PHONE["height"], "the scores are reached without scrolling"
                assert bottom["height"] >= 44
                if n < len(HOSTILE) - 1:
                    visitor.rate("1")
            assert len(tops) == 1, "however long a label is, the buttons stay where they are"
            assert visitor.page.title() != "owned"
            expected = {HOSTILE[0], HOSTILE[1], "cat\\u202egnp.\\u2066x", HOSTILE[3]}
            assert shown == expected
            label = visitor.page.locator(LABEL)
            assert label.locator("a, img, strong, code, .katex").count() == 0


def test_by_keyboard_alone(browser: Any, study: Study) -> None:
    """Tab reaches every control, in order, with a visible focus; what is preloaded is out of reach. A break is suggested."""
    study.store.configure(min_seconds=MIN_SECONDS)
    token = study.store.make_token("keys", trained=True)
    rater = study.store.sign_in(token)
    for ago in range(1400, 0, -250):  # somebody who has rated for 23 minutes
        study.store.clock = lambda ago=ago: time.time() - ago
        ticket = study.store.next_item(rater).ticket
        study.store.clock = lambda ago=ago: time.time() - ago + 5
        assert study.store.rate(rater, ticket, 2).accepted
    study.store.clock = time.time
    with served("rate", "--ratings", study.path, folder=study.folder) as server:
        visitor = Visitor.arrive(browser, server.url)
        visitor.sign_in(token)
        visitor.settle()
        visitor.page.get_by_text(re.compile(r"You have rated for 2\d minutes. A break")).wait_for()
        names = []
        for _ in range(16):
            visitor.press("Tab")
            names.append(visitor.page.evaluate("""() => {
              const at = document.activeElement;
              if (at.closest('.st-key-ahead')) return 'AHEAD';
              if (!at.closest('[data-testid="stMain"]')) return '';
              const style = getComputedStyle(at);
              const seen = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 || style.boxShadow !== 'none';
              return (seen ? '' : 'UNSEEN ') + (at.innerText || at.getAttribute('aria-label') || '').split('\\n')[0];
            }"""))  # fmt: skip
        found = [name for name in names if name]
        wanted = ["Outline", "Dimmed", "Enlarge", "0 · Incorrect", "1 · Partially correct", "2 · Too general or too specific",
                  "3 · Correct", "Cannot tell", "Skip"]  # fmt: skip
        assert [name for name in found if name in wanted][: len(wanted)] == wanted  # then round again
        assert not [name for name in found if "UNSEEN" in name or name == "AHEAD"]

        # Enter presses what has the focus, and the focus stays there on the next item
        visitor.page.locator('[class*="st-key-score-2-"] button').focus()
        before = visitor.settle()
        visitor.page.wait_for_timeout(MIN_SECONDS * 1000 + 500)
        visitor.press("Enter")
        visitor.page.wait_for_function(PICTURE_SHOWN, arg=before)
        visitor.page.get_by_role("status").get_by_text("Stored: 2 · Too general").wait_for()
        focused = f"document.activeElement.closest('[class*=\"st-key-score-2-{visitor.settle()}\"]') !== null"
        visitor.page.wait_for_function(focused)

        # keys by what is printed on them, else by their place: AZERTY's digit row, Cyrillic letters; a Y is no Z
        for key, code, said in (("à", "Digit0", "Stored: 0"), ("я", "KeyZ", "Undone"), ("е", "KeyT", "Stored: cannot")):
            before = visitor.settle()
            visitor.page.wait_for_timeout(MIN_SECONDS * 1000 + 500)
            visitor.strike("y", "KeyZ")
            visitor.strike(key, code)
            visitor.page.wait_for_function(PICTURE_SHOWN, arg=before)
            visitor.page.get_by_role("status").get_by_text(said).wait_for()

        # held: the photo alone
        visitor.settle()
        bare = visitor.page.locator(".st-key-bare img")
        assert not bare.is_visible()
        for hold, release in (
            (lambda: visitor.page.keyboard.down("f"), lambda: visitor.page.keyboard.up("f")),
            (
                lambda: (visitor.page.locator(".st-key-picture").hover(), visitor.page.mouse.down()),
                visitor.page.mouse.up,
            ),
        ):
            hold()
            bare.wait_for(state="visible")
            assert bare.evaluate("i => i.naturalWidth") > 300
            release()
            bare.wait_for(state="hidden")

        # a comment, in which letters are letters
        before = visitor.settle()
        visitor.press("c")
        box = visitor.page.get_by_label("What should the organiser know")
        box.wait_for()
        visitor.page.wait_for_function("document.activeElement.tagName === 'TEXTAREA'")
        visitor.page.keyboard.type("0 stones, 3 cats")
        visitor.button("Send").click()
        visitor.page.get_by_role("status").get_by_text("Your comment is kept").wait_for()
        assert visitor.ticket() == before
        (said,) = study.store.database.read(lambda c: list_comments(c, study.store.study.id))
        assert (said.text, said.name) == ("0 stones, 3 cats", "keys")


def test_two_studies_on_one_host_and_a_link(browser: Any, study: Study, tmp_path: Path) -> None:
    """Neither signs the other out; a link from a platform is one click; signing out ends all tabs; German."""
    shape = {"dataset": "mini", "size": (96, 96), "counts": _half(), "question": "T"}
    with open_store(study.path, study="crowd") as crowd:
        crowd.add_items(
            [Content(image_id=image, label=f"in {image}", **shape) for image in open_dataset("mini").ids[:4]], k=9
        )
        crowd.configure(
            min_seconds=0, control_every=0, quota=2, consent="We keep your <b>answers</b>.\n\nNothing else.",
            contact="ann@example.org", code="C0DE-17",
        )  # fmt: skip
        link = crowd.make_token("worker", places=5, trained=True)
        token = study.store.make_token("both", trained=True)
        with (
            served("rate", "--ratings", study.path, folder=tmp_path) as one,
            served("rate", "--ratings", study.path, "--study", "crowd", folder=tmp_path) as two,
        ):
            first = Visitor.arrive(browser, one.url)
            first.sign_in(token)
            first.settle()
            page = first.page.context.new_page()
            page.goto(f"{two.url}/?token={link}&PROLIFIC_PID=5f3c")
            second = Visitor(page)
            page.get_by_text("We keep your <b>answers</b>.").wait_for()
            page.get_by_text("ann@example.org").wait_for()
            page.wait_for_function("!location.search")
            second.button("I agree and start").click()
            for score in "12":
                second.settle()
                second.rate(score) if score == "1" else second.press(score)
            page.get_by_text("C0DE-17").wait_for()
            assert page.get_by_text("all 2 items").is_visible()
            page.goto(f"{two.url}/?token={link}&PROLIFIC_PID=5f3c")  # once more: the same person, not another one
            page.get_by_text("C0DE-17").wait_for()
            assert [token.made for token in crowd.tokens()] == [1]

            before = first.settle()
            first.page.reload()
            assert first.ticket() == before  # the other study left this one's cookie alone
            tab = Visitor(first.page.context.new_page())
            tab.page.goto(one.url)
            assert tab.ticket() == before
            tab.page.get_by_text("What the scores mean").click()
            tab.button("Sign out").click()
            tab.page.get_by_label("Your invitation").wait_for()
            first.page.get_by_text("You signed out in another tab").wait_for()  # by itself
            first.page.reload()
            first.page.get_by_label("Your invitation").wait_for()
            page.reload()
            page.get_by_text("C0DE-17").wait_for()

            german = Visitor.arrive(browser, two.url, locale="de-AT")
            german.page.get_by_text("Ein Programm hat Fotos in Ausschnitte zerlegt").wait_for()
            german.page.wait_for_function("document.documentElement.lang === 'de'")


def _half() -> str:
    import numpy as np

    from zgbench.submission import rle

    mask = np.zeros((96, 96), dtype=bool)
    mask[48:] = True
    return rle.encode(rle.runs_of(mask))
