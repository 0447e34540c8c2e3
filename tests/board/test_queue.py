"""The folder of uploads: who may send what, and what a restart leaves."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from zgbench.board.queue import Queue, Refused
from zgbench.board.queued import Entry, State
from zgbench.board.upload import Upload, take
from zgbench.errors import UsageError

HOUR = 3600.0


def upload(text: str = "{}") -> Upload:
    return take("mine.json", text.encode(), 1 << 20)


@pytest.fixture
def queue(tmp_path: Path) -> Queue:
    return Queue(tmp_path / "queue", per_day=3, longest=5)


def test_only_who_has_a_token_may_send(queue: Queue) -> None:
    assert not queue.enabled()
    token = queue.make_token("a lab")
    assert queue.enabled()
    assert queue.owner_of(f" {token}\n") == "a lab"
    assert token not in (queue.folder / "tokens.txt").read_text()
    assert (queue.folder / "tokens.txt").stat().st_mode & 0o077 == 0
    for wrong in ("", "x", token[:-1], "\ud800"):
        with pytest.raises(Refused, match="token is not known"):
            queue.submit(wrong, upload())
    assert queue.entries() == []
    assert queue.submit(token, upload()).who == "a lab"


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 41, "<b>", "../x"])
def test_token_names_are_plain(queue: Queue, name: str) -> None:
    with pytest.raises(UsageError, match="expected 1 to 40"):
        queue.make_token(name)


@pytest.mark.parametrize("state", ["received", "checking", "queued", "running", "done"])
def test_the_same_content_counts_once(queue: Queue, state: State) -> None:
    one, other = queue.make_token("one"), queue.make_token("other")
    first = queue.submit(one, upload())
    queue.change(first, state=state)
    with pytest.raises(Refused, match=rf"uploaded before \({first.id[:12]}.*state is: {state}"):
        queue.submit(one, upload())
    with pytest.raises(Refused, match=r"^the same content was sent by somebody else\. It counts once\.$"):
        queue.submit(other, upload())


@pytest.mark.parametrize("state", ["refused", "failed", "withdrawn"])
def test_what_came_to_nothing_may_be_sent_again(queue: Queue, state: State) -> None:
    one, other = queue.make_token("one"), queue.make_token("other")
    queue.change(queue.submit(one, upload()), state=state, reason="r", report="r", attempts=2)
    for token, who in ((one, "one"), (other, "other")):
        again = queue.submit(token, upload())
        assert (again.state, again.who, again.reason, again.report, again.attempts) == ("received", who, "", "", 0)
        assert queue.file_of(again).read_bytes() == b"{}"
        queue.change(again, state=state)


def test_what_failed_is_tried_again_by_its_owner_and_counts(queue: Queue) -> None:
    one, other = queue.make_token("one"), queue.make_token("other")
    entry = queue.submit(one, upload())
    with pytest.raises(Refused, match="only what failed"):
        queue.try_again(one, entry)
    for _ in range(2):
        entry = queue.change(entry, state="failed", reason="no model", attempts=2)
        with pytest.raises(Refused, match="no such upload of yours"):
            queue.try_again(other, entry)
        entry = queue.try_again(one, entry)
        assert (entry.state, entry.reason, entry.attempts) == ("received", "", 0)
    queue.change(entry, state="failed")
    with pytest.raises(Refused, match=r"3 uploads .* 3 are allowed"):
        queue.try_again(one, entry)


def test_two_tokens_that_send_the_same_in_turns_are_counted_both(queue: Queue) -> None:
    tokens = [queue.make_token("one"), queue.make_token("other")]
    for k in range(6):
        queue.change(queue.submit(tokens[k % 2], upload()), state="refused")
    for token in tokens:
        with pytest.raises(Refused, match="3 are allowed"):
            queue.submit(token, upload())


def test_one_sees_and_changes_only_one_s_own(queue: Queue) -> None:
    one, other = queue.make_token("one"), queue.make_token("other")
    mine, theirs = queue.submit(one, upload("1")), queue.submit(other, upload("2"))
    assert queue.mine(one) == [mine]
    for act in (queue.withdraw, queue.describe, queue.try_again):
        with pytest.raises(Refused, match="no such upload of yours"):
            act(one, theirs)
        with pytest.raises(Refused, match="token is not known"):
            act("x", mine)
    with pytest.raises(Refused, match="token is not known"):
        queue.mine("")
    assert queue.find(theirs.id) == theirs


def test_names_are_plain_and_what_is_evaluated_for_all_cannot_be_hidden(queue: Queue) -> None:
    token = queue.make_token("one")
    entry = queue.submit(token, upload())
    for wrong in ("", "  ", "a\u202eb", "a\nb", "x" * 201):
        with pytest.raises(Refused, match="name: expected 1 to 200 visible characters"):
            queue.describe(token, entry, name=wrong)
    assert queue.describe(token, entry, name="Ours, v2").name == "Ours, v2"
    assert queue.describe(token, entry, private=True).private
    queue.describe(token, entry, private=False)
    queue.change(entry, state="running")
    with pytest.raises(Refused, match="being evaluated for the board right now"):
        queue.describe(token, entry, private=True)


def test_what_is_withdrawn_stays_so_whatever_the_worker_says(queue: Queue) -> None:
    token = queue.make_token("one")
    entry = queue.change(queue.submit(token, upload()), state="running")
    queue.withdraw(token, entry)
    assert not queue.file_of(entry).exists()
    assert queue.change(entry, state="done").state == "withdrawn"
    again = queue.submit(token, upload())
    assert queue.change(entry, state="done").state == "withdrawn"  # of the earlier one
    assert queue.find(entry.id) == again


def test_an_entry_of_an_older_zgbench_is_read(queue: Queue) -> None:
    entry = queue.submit(queue.make_token("one"), upload(), now=1e6)
    place = queue.folder_of(entry) / "entry.json"
    old = {k: v for k, v in json.loads(place.read_text()).items() if k not in ("sent", "name", "private")}
    place.write_text(json.dumps(old))
    assert queue.entries() == [entry]


def test_a_day_s_uploads_are_limited_for_each_token(queue: Queue) -> None:
    one, other = queue.make_token("one"), queue.make_token("other")
    for k in range(3):
        queue.change(queue.submit(one, upload(f"{k}"), now=1e6 + k * HOUR), state="refused")
    with pytest.raises(Refused, match=r"3 uploads .* 3 are allowed. Come back in 22 h"):
        queue.submit(one, upload("3"), now=1e6 + 2 * HOUR)
    assert queue.submit(other, upload("3"), now=1e6 + 2 * HOUR).state == "received"
    assert queue.submit(one, upload("4"), now=1e6 + 24.1 * HOUR).state == "received"


def test_a_full_queue_takes_no_more(tmp_path: Path) -> None:
    queue = Queue(tmp_path, per_day=100, longest=2)
    token = queue.make_token("one")
    first, second = (queue.submit(token, upload(f"{k}"), now=k) for k in (1.0, 2.0))
    assert [queue.place_in_line(e) for e in (first, second)] == [1, 2]
    with pytest.raises(Refused, match="2 uploads are waiting"):
        queue.submit(token, upload("3"))
    done = queue.change(first, state="done")
    assert [queue.place_in_line(e) for e in (done, second)] == [0, 1]
    queue.submit(token, upload("3"))


def test_many_at_once_are_counted_right(queue: Queue) -> None:
    token = queue.make_token("one")

    def send(k: int) -> str:
        try:
            return queue.submit(token, upload(f"{k % 4}")).state
        except Refused as error:
            return str(error)

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(send, range(16)))
    assert outcomes.count("received") == 3
    assert len(queue.entries()) == 3


def test_entries_survive_and_what_is_damaged_is_passed_over(queue: Queue) -> None:
    token = queue.make_token("one")
    kept = queue.change(queue.submit(token, upload("1")), state="queued", report="ok \u2028 \ud800")
    damaged = queue.submit(token, upload("2"))
    (queue.folder_of(damaged) / "entry.json").write_text('{"id": ')
    moved = queue.submit(token, upload("3"))
    entry = json.loads((queue.folder_of(moved) / "entry.json").read_text())
    (queue.folder_of(moved) / "entry.json").write_text(json.dumps(entry | {"id": "../../x"}))
    (queue.folder / "notes").mkdir()
    assert Queue(queue.folder).entries() == [kept]
    assert queue.find(kept.id) == queue.find(kept.id[:12]) == kept


@pytest.mark.parametrize("identity", ["", "..", "*", "?" * 12, "a" * 11, "A" * 12, "../" * 4, "f" * 65])
def test_what_is_no_hash_finds_nothing(queue: Queue, identity: str) -> None:
    queue.submit(queue.make_token("one"), upload())
    assert queue.find(identity) is None


def test_a_refused_upload_is_deleted_and_its_reason_kept(queue: Queue) -> None:
    entry = queue.submit(queue.make_token("one"), upload())
    assert queue.file_of(entry).read_bytes() == b"{}"
    refused = queue.change(entry, state="refused", reason="because")
    assert not queue.file_of(entry).exists()
    found = queue.find(entry.id)
    assert isinstance(found, Entry)
    assert (found, found.reason, found.ended) == (refused, "because", True)
