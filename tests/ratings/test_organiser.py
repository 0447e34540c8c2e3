"""What the organiser sees and does: progress by part, disputed items, previews of rules, payment, many invitations."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

import zgbench
from tests.ratings.acting import invited, look, rate_all
from tests.ratings.clock import Clock
from tests.ratings.conftest import contents, hidden
from tests.ratings.test_commands import DEMO, call
from zgbench.ratings import (
    Store,
    by_image,
    by_method,
    disputed,
    open_store,
    payment_csv,
    payments,
    preview,
    status,
)  # fmt: skip
from zgbench.ratings.invitations import MAX_INVITED, invite, link, read_names
from zgbench.ratings.overview import lasting
from zgbench.sampling import sample


def three_raters(store: Store) -> None:
    """Raters a and b agree, bad answers 0 throughout, also on controls whose answer is 3."""
    store.configure(control_every=4)
    store.add_items(contents(12))
    store.add_controls(hidden(12))
    for name, answer in (("a", 3), ("b", 2), ("bad", 0)):
        rate_all(store, invited(store, name), answer)


def test_methods_and_images(store: Store) -> None:
    store.configure(k=2)
    store.add_items(contents(3))
    store.add_items(contents(2, label="other"))
    store.add_source("first", "T", contents(3))
    store.add_source("second", "T", [*contents(1), *contents(2, label="other")])  # they share an item
    store.add_source("second", "T", contents(1))  # noted once
    rater = invited(store, "a")
    item = store.next_item(rater)
    for _ in range(3):  # image i0 has two items, i1 two, i2 one
        assert item is not None
        look(store)
        item = store.rate(rater, item.ticket, 3).current
    methods = {part.name: part for part in by_method(store)}
    assert [(m.items, m.wanted) for m in methods.values()] == [(3, 6), (3, 6)]
    images = by_image(store)
    assert [(part.name, part.items, part.done, part.wanted, part.given) for part in images] == [
        ("i0", 2, 0, 4, 2), ("i1", 2, 0, 4, 1), ("i2", 1, 0, 2, 0),
    ]  # fmt: skip
    rate_all(store, rater)
    rate_all(store, invited(store, "b"))
    assert all(part.done == part.items and part.given == part.wanted for part in (*by_method(store), *by_image(store)))
    with open_store(store.database.engine.url.render_as_string(hide_password=False), study="other") as other:
        assert (by_method(other), by_image(other), disputed(other), payments(other)) == ([], [], [], [])


def test_what_is_disputed(sqlite_store: Store) -> None:
    store = sqlite_store
    store.add_items(contents(3))
    given = {"i0": (3, 0, 3), "i1": (2, 2, 2), "i2": (3, 2, 2)}
    for place, name in enumerate("abc"):
        rater = invited(store, name)
        item = store.next_item(rater)
        while item is not None:
            look(store)
            item = store.rate(rater, item.ticket, given[item.image_id][place]).current
    found = disputed(store)
    # pairs of i0: 3, 0, 3 apart: mean 2; of i2: 1, 1, 0: mean 2/3; of i1 none
    assert [(one.item.image_id, one.spread) for one in found] == [("i0", 2), ("i2", pytest.approx(2 / 3))]
    assert found[0].answers == (("b", 0), ("a", 3), ("c", 3))
    assert len(disputed(store, 1)) == 1


def test_a_rule_is_seen_before_it_is_in_force(store: Store) -> None:
    three_raters(store)
    found = preview(store, "controls<0.7", min=2, resamples=20)
    assert (found.rule, found.raters, found.ratings, found.of) == ("controls<0.7 min=2", ("bad",), 12, 36)
    now, then = found.alpha["T"]
    # two raters who are never equal: D_o = 1 in all 12 items, and D_e = (24/23) / 2 by chance: α = 1 − 23/12
    assert now.value == pytest.approx(-0.4583, abs=1e-4) and then.value == pytest.approx(-0.9167, abs=1e-4)
    assert store.exclusions() == [] and status(store, resamples=2).excluded == ()
    store.add_exclusion("controls<0.7", min=2)
    assert preview(store, "agreement<0.5", resamples=2).raters == ()  # bad is out already
    with pytest.raises(zgbench.UsageError, match="Measures: controls"):
        preview(store, "niceness<1")


def test_payment(store: Store, clock: Clock) -> None:
    store.configure(quota=14)
    three_raters(store)
    token = store.make_token("crowd", places=1, trained=True)
    worker = store.who(store.enter(token, "=5f3c") or "")
    assert not isinstance(worker, str)
    rows = {row.name: row for row in payments(store)}
    assert rows.keys() == {"a", "b", "bad"}  # who answered nothing is not paid
    assert all((row.answers, row.minutes, row.done) == (14, 0.5, True) for row in rows.values())  # 14 times 2 s
    seen = rows["a"].controls_seen
    assert seen >= 2 and (rows["a"].controls_right, rows["bad"].controls_right) == (seen, 0)
    store.add_items(contents(1, "new"))
    item = store.next_item(worker)
    assert item is not None
    clock.now += 10_000  # they went for lunch: no more than the lease counts
    store.rate(worker, item.ticket, 3)
    table = list(csv.DictReader(io.StringIO(payment_csv(store).decode())))
    assert {row["name"]: row["participant"] for row in table}["crowd 1"] == "'=5f3c"
    assert {row["name"]: row["minutes"] for row in table}["crowd 1"] == "10.0"


def test_time_to_go_is_at_the_present_pace(sqlite_store: Store, clock: Clock) -> None:
    store = sqlite_store
    store.configure(k=1)
    store.add_items(contents(40))
    assert status(store, resamples=2).seconds_to_go is None
    rater = invited(store, "a")
    item = store.next_item(rater)
    for _ in range(10):
        assert item is not None
        clock.now += 60
        item = store.rate(rater, item.ticket, 3).current
    # ten answers since the first, nine minutes ago: 30 more take 27
    assert status(store, resamples=2).seconds_to_go == pytest.approx(27 * 60)
    assert [lasting(s) for s in (10, 1620, 7260, 200_000)] == ["1 min", "27 min", "2 h 1 min", "2.3 days"]
    clock.now += 3601
    assert status(store, resamples=2).seconds_to_go is None


def test_many_invitations(sqlite_store: Store) -> None:
    store = sqlite_store
    names = read_names("\ufeffid,name\n1,Ann\n2,'=Ben\n".encode(), "people.csv")
    assert names == ["Ann", "=Ben"]
    rows = list(csv.DictReader(io.StringIO(invite(store, names, "https://rate.example.org/", days=3).decode())))
    assert [row["name"] for row in rows] == ["Ann", "'=Ben"]
    for row in rows:
        start, _, token = row["link"].partition("?token=")
        person = store.sign_in(token)
        assert start == "https://rate.example.org/" and person is not None and person.name in names
    for bad in ("ftp://x", "rate.example.org", "https://x/?a=1", ""):
        with pytest.raises(zgbench.UsageError, match="expected the address of the rating page"):
            link(bad, "t")
    for content, message in (
        (b"mail\nx\n", "expected a column 'name'"), (b"name\n", "expected a column 'name'"),
        (b"name\nA\n \nA\n", "row 2: no name; row 3: 'A' once more"), (b"\xff\xfe", "cannot be read as CSV"),
        (b"name\n" + b"x\n" * (MAX_INVITED + 1), "at most 10,000 at once"),
    ):  # fmt: skip
        with pytest.raises(zgbench.InputError, match=message):
            read_names(content, "people.csv")
    assert len(store.tokens()) == 2


def test_why_fewer_were_drawn(sqlite_store: Store) -> None:
    whole = sample(sqlite_store, DEMO, n=50, per_image=0)
    assert whole.items < 50 and "the next one would make it more than 50" in whole.short
    some = sample(sqlite_store, DEMO, n=100_000, per_image=1)
    assert some.items == some.images and f"all {some.images} images that have segments" in some.short
    everything = sample(sqlite_store, DEMO, n=100_000, per_image=0)
    assert f"the submission has no more: {everything.items} segments" in everything.short
    assert sample(sqlite_store, DEMO, n=6).short == ""


def test_the_commands(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    url = tmp_path / "study.db"
    (tmp_path / "consent.txt").write_text("We keep your answers.")
    (tmp_path / "people.csv").write_text("name\nAnn\nBen\n")
    at = ("--ratings", url, "--study", "pilot")
    drawn = call(
        capsys, "ratings", "sample", DEMO, *at, "--n", 20, "--per-image", 0, "--name", "ours", "--min-seconds", 0,
        "--control-every", 0,
    )  # fmt: skip
    assert "20 were asked for: images are drawn whole" in drawn
    said = call(capsys, "ratings", "study", *at, "--consent", tmp_path / "consent.txt", "--quota", 2, "--code", "C0DE")
    assert "study pilot; also in this store: main" in said and "'We keep your answers.'" in said
    links = tmp_path / "links.csv"
    bulk = ("ratings", "token", "bulk", tmp_path / "people.csv", links, "--url", "https://r.example", "--trained", *at)
    assert "2 links" in call(capsys, *bulk)
    assert "is there already" in call(capsys, *bulk, status=2)
    tokens = [row["link"].partition("=")[2] for row in csv.DictReader(links.read_text().splitlines())]
    with open_store(url, study="pilot") as store:
        for token, answer in zip(tokens, (3, 0), strict=True):
            rater = store.sign_in(token)
            assert rater is not None and rater.trained and len(rate_all(store, rater, answer)) == 2
    out = call(capsys, "ratings", "status", *at, "--images")
    assert "ours (T): 4 of" in out and "at this pace" in out and "\n  val_" in out
    found = json.loads(call(capsys, "ratings", "status", *at, "--json"))
    assert found["methods"][0]["given"] == 4 and found["seconds_to_go"] > 0
    seen = call(capsys, "ratings", "exclude", "cannot_tell<0.5", "--min", 2, "--preview", *at)
    assert "would leave out Ann, Ben: 4 of 4 scores. Nothing is changed." in seen
    assert "no rules" in call(capsys, "ratings", "exclude", *at)
    assert call(capsys, "ratings", "payment", *at).splitlines()[0].startswith("rater,name,participant,answers,minutes")
    assert "2 raters" in call(capsys, "ratings", "payment", tmp_path / "p.csv", *at)
    opened = call(capsys, "ratings", "token", "make", "crowd", "--open", 5, "--url", "https://r.example", *at)
    assert opened.startswith("https://r.example/?token=zg_")
    assert "0 of 5 raters came" in call(capsys, "ratings", "token", "list", *at)
    assert "no such study. Known: main, pilot" in call(
        capsys, "ratings", "status", "--ratings", url, "--study", "x", status=2
    )
