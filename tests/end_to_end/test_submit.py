"""Submit as its visitors use it, in a real browser: bad files, a good one from upload to withdrawal, a failure of the server's."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.board_walk import Visitor, visiting
from tests.end_to_end.browser import Server, chromium, served
from tests.end_to_end.test_board import DEMO, EVIL, whole
from zgbench.board.add import add
from zgbench.board.queue import Queue
from zgbench.board.store import load_board


@dataclass(frozen=True)
class Place:
    """A board that takes uploads."""

    folder: Path
    server: Server
    queue: Queue
    token: str


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, worker_cache: Path) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("submit")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZGBENCH_CACHE", str(worker_cache))
        (folder / "demo.json").write_text(json.dumps(DEMO))
        add(folder / "demo.json", folder / "results", reassign=["tt"])
    queue = Queue(folder / "queue")
    token = queue.make_token("a lab")
    command = ("leaderboard", "serve", "--board", folder / "results", "--submit", queue.folder, "--upload-mb", 2)
    with served(*command, "--protocol", "offline", folder=folder, ZGBENCH_CACHE=str(worker_cache)) as running:
        yield Place(folder, running, queue, token)
        assert "Traceback" not in running.output()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.fixture
def visitor(browser: Any, place: Place) -> Iterator[Visitor]:
    with visiting(browser, place.server.url) as found:
        yield found


def enter(visitor: Visitor, token: str, address: str = "/submit") -> None:
    """Open the page and give a token."""
    visitor.go(address)
    visitor.page.get_by_label("Token", exact=True).fill(token)
    visitor.page.get_by_role("button", name="Continue", exact=True).click()


def send(visitor: Visitor, file: Path, *, private: bool = False) -> None:
    """Fill the form of an upload."""
    visitor.page.locator("input[type=file]").set_input_files(file)
    visitor.page.locator('[data-testid="stFileChip"], [data-testid="stFileUploaderFile"]').first.wait_for()
    if private:
        visitor.page.get_by_text("Keep the result private").click()
    visitor.page.get_by_role("button", name="Send", exact=True).click()


def wait_for_end(visitor: Visitor, place: Place, file: Path, told: str) -> None:
    """Wait until the upload of a file has ended, and for what the page says of it."""
    identity = hashlib.sha256(file.read_bytes()).hexdigest()
    for _ in range(480):
        entry = place.queue.find(identity)
        if entry is not None and entry.ended:
            break
        visitor.page.wait_for_timeout(500)
    try:
        visitor.page.get_by_text(told).wait_for(timeout=20_000)
    except Exception as error:
        raise AssertionError(f"{entry}\n{visitor.text()}") from error


def test_it_says_beforehand_what_it_can_score(visitor: Visitor, place: Place) -> None:
    visitor.go("/submit")
    table = visitor.rows()
    assert table[0] == ["Data set", "Images", "Protocol", "Scored", "Not scored"]
    (mini,) = table[1:]
    assert mini[:4] == ["mini", "200", "offline", "TT, LT"]
    assert mini[4] == "ST: the server lacks ViT-L-14-336-quickgelu/openai"
    text = visitor.text()
    assert "Not at hand: pas20, pc59" in text and "at most 2 MB" in text and "10 files in 24 hours" in text
    assert visitor.page.locator("input[type=file]").count() == 0  # strangers upload nothing
    assert "uploads: mini is scored by TT, LT under offline" in place.server.output()
    enter(visitor, "no such token")
    visitor.page.get_by_text("This token is not known").wait_for()
    assert visitor.page.locator("input[type=file]").count() == 0


def test_bad_uploads_are_refused_with_a_reason(visitor: Visitor, place: Place, tmp_path: Path) -> None:
    """Each takes no memory of the server."""
    spoilt = DEMO | {"images": [DEMO["images"][0] | {"id": "../../etc/passwd"}, *DEMO["images"][1:]], "name": EVIL}
    large = tmp_path / "large.json"
    with large.open("wb") as file:
        file.truncate(300 << 20)
    bad = {
        "cut.json": (b'{"format": "zgbench/1", "name"', "not valid JSON"),
        "bomb.json.gz": (gzip.compress(b" " * (64 << 20)), "unpacks to more than 20 MiB"),
        "spoilt.json": (json.dumps(spoilt).encode(), "found '../../etc/passwd'"),
        "cut.parquet": (b"PAR1 and no more", "not a Parquet file"),
    }
    before = memory(place.server)
    for name, (content, reason) in bad.items():
        (tmp_path / name).write_bytes(content)
        enter(visitor, place.token)
        send(visitor, tmp_path / name)
        visitor.page.get_by_text(reason).first.wait_for(timeout=60_000)
    enter(visitor, place.token)
    visitor.page.locator("input[type=file]").set_input_files(large)
    visitor.page.get_by_text(re.compile("must be .*2.*smaller|exceeds|too large", re.IGNORECASE)).first.wait_for()
    assert memory(place.server) - before < 100 << 20


def memory(server: Server) -> int:
    """Bytes that the server's processes hold at most (the evaluations' own processes are no part of it)."""
    import psutil

    parent = psutil.Process(server.process.pid)
    pages = [p for p in [parent, *parent.children(recursive=True)] if "zgbench.board.limited" not in p.cmdline()]
    return sum(p.memory_info().rss for p in pages)


def test_from_upload_to_withdrawal(browser: Any, visitor: Visitor, place: Place) -> None:
    """Private first, then renamed, published, hidden from nobody, and taken back; others see only what is public."""
    (place.folder / "good.json").write_text(json.dumps(whole("As in the file")))
    page, results = visitor.page, place.folder / "results"

    def names() -> list[str]:
        return [entry.name for entry in load_board(results).entries]

    enter(visitor, place.token)
    send(visitor, place.folder / "good.json", private=True)
    wait_for_end(visitor, place, place.folder / "good.json", "Evaluated; only you see its result.")
    (entry,) = [one for one in place.queue.mine(place.token) if one.state == "done"]
    assert f"upload={entry.stem}" in visitor.query() and place.token not in page.url
    with page.expect_download() as wanted:
        page.get_by_role("button", name=f"{entry.stem}.mini.offline.result.json").click()
    assert json.loads(Path(wanted.value.path()).read_text())["submission"]["sha256"] == entry.id
    assert names() == ["demo"]

    other = place.queue.make_token("another lab")
    with visiting(browser, place.server.url) as stranger:  # not with the address, and not by sending the same
        enter(stranger, other, f"/submit?upload={entry.stem}")
        stranger.page.get_by_text("None yet.").wait_for()
        assert "good.json" not in stranger.text() and "a lab" not in stranger.text()
        send(stranger, place.folder / "good.json")
        stranger.page.get_by_text("the same content was sent by somebody else").wait_for()

    page.get_by_text("Rename, keep private or publish, withdraw").click()
    page.get_by_label("Name on the board").fill("Ours, v2")
    page.get_by_label("Name on the board").press("Enter")
    page.get_by_role("button", name="Rename", exact=True).click()
    visitor.settled()
    page.get_by_role("button", name="Publish", exact=True).click()
    page.get_by_text("Evaluated; it is on the board.").wait_for()
    assert sorted(names()) == ["Ours, v2", "demo"]
    page.get_by_role("link", name="Its page on the board").click()
    page.get_by_role("heading", name="Method", exact=True).wait_for()
    visitor.settled()
    assert f"method={entry.stem}.mini.offline" in visitor.query()
    page.go_back()
    enter(visitor, place.token, f"/submit?upload={entry.stem}")
    page.get_by_text("Rename, keep private or publish, withdraw").click()
    page.get_by_role("button", name="Withdraw", exact=True).click()
    page.get_by_text("Withdrawn. Its file and its result are deleted.").wait_for()
    assert names() == ["demo"]


def test_what_the_server_failed_at_is_tried_again(visitor: Visitor, place: Place) -> None:
    content = json.dumps(whole("Second")).encode()
    (place.folder / "second.json").write_bytes(content)
    held = place.folder / "results"
    held.rename(place.folder / "elsewhere")  # the disk of the results is away
    held.write_text("")
    try:
        enter(visitor, place.token)
        send(visitor, place.folder / "second.json")
        wait_for_end(visitor, place, place.folder / "second.json", "Something went wrong on the server.")
    finally:
        held.unlink()
        (place.folder / "elsewhere").rename(held)
    visitor.page.get_by_role("button", name="Try again").click()
    visitor.page.get_by_text("Something went wrong on the server.").wait_for(state="hidden")
    wait_for_end(visitor, place, place.folder / "second.json", "Evaluated; it is on the board.")
    assert "Second" in [entry.name for entry in load_board(held).entries]
