"""Export and import: everything comes through, nothing becomes a formula, nothing is taken on trust."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import zgbench
from tests.ratings.acting import free, invited, rate_all
from tests.ratings.clock import Clock
from tests.ratings.conftest import SIZE, contents, hidden, mask_text
from zgbench.ratings import Store, export_csv, export_parquet, import_table, open_store, quality, status
from zgbench.ratings.answers import MAX_REASON
from zgbench.ratings.content import Content
from zgbench.ratings.exporting import rows
from zgbench.ratings.spreadsheet import shield, unshield
from zgbench.scores.human_scores import read_ratings

FORMULAE = ("=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "'=1", "'", "''", "'''=x", "plain", "a=1", "'quoted'", "")


@pytest.mark.parametrize("cell", FORMULAE)
def test_no_cell_is_a_formula(cell: str) -> None:
    assert shield(cell)[:1] not in ("=", "+", "-", "@", "\t", "\r")
    assert unshield(shield(cell)) == cell


@given(st.text(alphabet="'=+-@\t\rab \n\"", max_size=8))
def test_shielding_can_be_undone(cell: str) -> None:
    assert unshield(shield(cell)) == cell
    assert shield(cell)[:1] not in ("=", "+", "-", "@", "\t", "\r")


def busy(store: Store, clock: Clock) -> None:
    """Some of everything: scores, a change of mind, a skip, a cannot tell, controls, strange labels."""
    store.configure(control_every=3)
    store.add_items(contents(4, question="T*"))
    store.add_items(
        [Content("mini", f"odd{k}", SIZE, mask_text(), label, "T*") for k, label in enumerate(FORMULAE[:4])]
    )
    store.add_items([Content("mini", "odd", SIZE, mask_text(), 'say "cat", ’tis', "T")])
    store.add_controls(hidden(4, "T*"))
    for name in ("a", "b"):
        rater = invited(store, name)
        item = store.next_item(rater)
        assert item is not None
        clock.now += 1.25
        item = store.skip(rater, item.ticket, "=too small").current
        assert item is not None
        clock.now += 1.25
        item = store.rate(rater, item.ticket, 0).current
        assert item is not None
        item = store.undo(rater, item.ticket).current
        assert item is not None
        clock.now += 3.0
        item = store.rate(rater, item.ticket, "cannot_tell").current
        clock.now += 1.25
        rate_all(store, rater, 1 if name == "a" else 3)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_study_moves_to_another_store(suffix: str, store: Store, clock: Clock, tmp_path: Path) -> None:
    busy(store, clock)
    path = tmp_path / f"out{suffix}"
    path.write_bytes(export_csv(store) if suffix == ".csv" else export_parquet(store))
    n = len(rows(store))
    with open_store(tmp_path / "second.db", clock=clock) as second:
        assert import_table(second, path) == (n, n)
        assert import_table(second, path) == (0, n)  # once more changes nothing
        assert rows(second) == rows(store)
        free(second)
        here, there = status(store, resamples=20), status(second, resamples=20)
        assert there.by_question == here.by_question
        assert (there.answers_given, there.items_done) == (here.answers_given, here.items_done)
        figures = [{**q.__dict__, "name": ""} for q in quality(store)]
        moved = [{**q.__dict__, "name": ""} for q in quality(second)]
        assert sorted(moved, key=str) == sorted(figures, key=str)
        assert any(q["controls_seen"] for q in figures) and any(q["skipped"] for q in figures)
    assert import_table(store, path) == (0, n)  # and home again


def test_a_table_says_what_the_store_says(sqlite_store: Store, clock: Clock, tmp_path: Path) -> None:
    busy(sqlite_store, clock)
    sqlite_store.close()
    (tmp_path / "out.csv").write_bytes(export_csv(sqlite_store))
    (tmp_path / "out.parquet").write_bytes(export_parquet(sqlite_store))
    of_store = read_ratings(sqlite_store.database.name)
    assert of_store.items
    for name in ("out.csv", "out.parquet"):
        table = read_ratings(tmp_path / name)
        assert table.items == of_store.items
        assert table.images == of_store.images
        assert table.sha256 == of_store.sha256


def test_no_cell_of_an_export_is_a_formula(sqlite_store: Store, clock: Clock) -> None:
    busy(sqlite_store, clock)
    text = export_csv(sqlite_store).decode()
    cells = [cell for line in csv.reader(io.StringIO(text, newline="")) for cell in line]
    assert not [cell for cell in cells if cell[:1] in ("=", "+", "-", "@", "\t", "\r")]
    assert "'=1+1" in cells and "'=too small" in cells


def test_raters_are_named_by_their_ids_only(sqlite_store: Store) -> None:
    sqlite_store.add_items(contents(1))
    rater = invited(sqlite_store, "Anna Example")
    rate_all(sqlite_store, rater)
    assert b"Anna" not in export_csv(sqlite_store)
    assert rater.id.encode() in export_csv(sqlite_store)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("label", "another", "item: its hash does not fit"),
        ("label", "a\u202eb", "label: found the bidirectional control character"),
        ("counts", "zzz", "mask: character 0"),
        ("counts", "0", "mask: its runs cover 0 pixels, not 4 × 6"),
        ("score", "7", "score: expected 0 to 3; found '7'"),
        ("score", "", "score: expected 0 to 3"),
        ("answer", "maybe", "answer: expected score, cannot_tell, skipped, withdrawn"),
        ("rater", "Robert'); --", "rater: expected"),
        ("ticket", "1", "ticket: expected"),
        ("time", "noon", "time: expected an ISO 8601"),
        ("seconds", "nan", "seconds: expected a number"),
        ("height", "99999999999", "height: expected 1 to 65536"),
        ("question", "U", "question: expected T or T*"),
        ("kind", "training", "kind: expected item, control"),
    ],
)
def test_bad_rows_are_refused(column: str, value: str, message: str, sqlite_store: Store, tmp_path: Path) -> None:
    sqlite_store.add_items(contents(1))
    rate_all(sqlite_store, invited(sqlite_store, "a"))
    path = tmp_path / "t.csv"
    path.write_bytes(export_csv(sqlite_store))
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table[column] = value
    table.to_csv(path, index=False)
    with open_store(tmp_path / "second.db") as second:
        with pytest.raises(zgbench.InputError) as error:
            import_table(second, path)
        assert f"row 0, {message}" in str(error.value)
        assert rows(second) == []


def test_a_row_with_a_comma_too_many_is_not_cut(sqlite_store: Store, tmp_path: Path) -> None:
    sqlite_store.add_items(contents(1))
    rate_all(sqlite_store, invited(sqlite_store, "a"))
    header, first, *others = export_csv(sqlite_store).splitlines(keepends=True)
    path = tmp_path / "t.csv"
    path.write_bytes(b"".join([b"\xef\xbb\xbf" + header, first, *others]))  # spreadsheets write a byte order mark
    with open_store(tmp_path / "second.db") as second:
        assert import_table(second, path) == (1, 1)
    path.write_bytes(b"".join([header, first.rstrip(b"\n") + b",more\n", *others]))
    with (
        open_store(tmp_path / "third.db") as third,
        pytest.raises(zgbench.InputError, match="cannot be read as a table"),
    ):
        import_table(third, path)


def test_files_that_are_no_export(sqlite_store: Store, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("image_id,score\nx,1\n")
    (tmp_path / "a.parquet").write_text("no")
    (tmp_path / "a.xls").write_text("")
    for name, message in (("a.csv", "no column item"), ("a.parquet", "cannot be read"), ("a.xls", "expected a .csv")):
        with pytest.raises(zgbench.InputError, match=message):
            import_table(sqlite_store, tmp_path / name)


# ---- rules


def study_with_a_bad_rater(store: Store, clock: Clock) -> None:
    """Raters a and b answer 3, bad answers 0, also where 3 is known to be right."""
    store.configure(control_every=4)
    store.add_items(contents(20, question="T*"))
    store.add_controls(hidden(20, "T*"))
    for name, answer in (("a", 3), ("b", 2), ("bad", 0)):
        rate_all(store, invited(store, name), answer)


def test_raters_are_left_out_by_rule_only(sqlite_store: Store, clock: Clock, tmp_path: Path) -> None:
    store = sqlite_store
    study_with_a_bad_rater(store, clock)
    figures = {q.name: q for q in quality(store)}
    assert figures["bad"].control_accuracy == 0 and figures["bad"].controls_seen >= 5
    assert figures["a"].control_accuracy == figures["b"].control_accuracy == 1  # 2 is within 1 of 3
    assert (figures["bad"].agreement, figures["bad"].bias) == (0, -2)  # below 2 and 3
    assert (figures["a"].agreement, figures["a"].exact, figures["a"].bias) == (1, 0, 1)  # above 0 and 2
    assert (figures["b"].agreement, figures["b"].exact, figures["b"].bias) == (1, 1, 0)  # between 0 and 3
    before = rows(store)
    with pytest.raises(zgbench.UsageError, match="Measures: controls"):
        store.add_exclusion("niceness<0.5")
    rule = store.add_exclusion("controls < 0.5", min=3)
    assert rule.text == "controls<0.5 min=3"
    assert store.add_exclusion("controls<0.5 min=3").id == rule.id
    assert [q.name for q in quality(store) if q.excluded_by] == ["bad"]
    told = status(store, resamples=20)
    assert len(told.excluded) == 1
    assert told.by_question["T*"].ratings == 40
    assert [{**row, "excluded": ""} for row in rows(store)] == before  # nothing is deleted
    (tmp_path / "out.csv").write_bytes(export_csv(store))
    store.close()
    for source in (store.database.name, tmp_path / "out.csv"):
        found = read_ratings(source)
        assert found.excluded == ("controls<0.5 min=3",)
        assert {score for scores in found.items.values() for score in scores.values()} == {2, 3}
    assert store.revoke_exclusion(rule.id)
    assert not store.revoke_exclusion(rule.id)
    assert rows(store) == before
    assert len(store.exclusions()) == 1


def test_a_rule_says_nothing_about_who_did_little(sqlite_store: Store, clock: Clock) -> None:
    study_with_a_bad_rater(sqlite_store, clock)
    sqlite_store.add_exclusion("controls<0.5", min=50)
    sqlite_store.add_exclusion("seconds<2", min=1)
    sqlite_store.add_exclusion("cannot_tell>0.9")
    assert not any(q.excluded_by for q in quality(sqlite_store))
    sqlite_store.add_exclusion("seconds<=2", min=1)
    assert all(q.excluded_by == "seconds<=2 min=1" for q in quality(sqlite_store))


def test_the_status_of_a_store(store: Store, clock: Clock) -> None:
    empty = status(store)
    assert (empty.items, empty.answers_wanted, empty.by_question, empty.seconds_median) == (0, 0, {}, None)
    assert quality(store) == []
    busy(store, clock)
    found = status(store, resamples=20)
    assert (found.items, found.answers_wanted, found.controls, found.raters, found.raters_active) == (9, 27, 4, 2, 2)
    assert found.answers_given == sum(27 - f for f in [sum(free(store))])
    assert found.per_hour == len([r for r in rows(store) if r["answer"] in ("score", "cannot_tell")])
    assert found.seconds_median == 2
    clock.now += 3601
    later = status(store, resamples=20)
    assert (later.per_hour, later.raters_active) == (0, 0)
    assert later.to_dict()["by_question"]["T*"]["cannot_tell"] == found.by_question["T*"].cannot_tell


def test_a_long_reason_is_cut(store: Store, clock: Clock, tmp_path: Path) -> None:
    store.configure(k=1)
    store.add_items(contents(1))
    rater = invited(store, "a")
    item = store.next_item(rater)
    assert item is not None
    store.skip(rater, item.ticket, "x" * (MAX_REASON + 1))
    reason = "x" * MAX_REASON
    written = export_csv(store).decode()
    assert written.count(reason) == 1 and reason + "x" not in written
    path = tmp_path / "longer.csv"
    path.write_text(written.replace(reason, reason + "more"))
    with open_store(tmp_path / "second.db", clock=clock) as second:
        assert import_table(second, path) == (1, 1)
        assert export_csv(second).decode().count(reason) == 1 and "more" not in export_csv(second).decode()
