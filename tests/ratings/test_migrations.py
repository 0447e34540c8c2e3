"""Opening a store: new, old, newer, somebody else's, by many at once."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

import zgbench
from tests.ratings.acting import free, rate_all
from tests.ratings.clock import Clock
from tests.ratings.conftest import contents
from zgbench.ratings import Store, open_store
from zgbench.ratings.database import Database, StoreUnavailable, resolve, shown
from zgbench.ratings.exporting import rows
from zgbench.ratings.migrate import VERSION_TABLE, migrate
from zgbench.ratings.migrations import REVISIONS
from zgbench.ratings.tables import metadata

FOLDER = Path(zgbench.__file__).parent / "ratings/migrations"


def test_every_revision_is_known_and_they_follow_one_another() -> None:
    script = ScriptDirectory(str(FOLDER))
    assert tuple(reversed([revision.revision for revision in script.walk_revisions()])) == REVISIONS


def test_the_migrations_make_the_tables_that_the_code_expects(store: Store) -> None:
    with store.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, metadata) == []


INVITATION = "zg_68ea7e589f5f699f9feb62a74ab9b6a27ea7f38b"


def store_of_version_1(url: str) -> None:
    """A study in the middle, as the code of version 1 left it: ``store_0001.sql``."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    database = Database(resolve(url))

    def fill(connection: Connection) -> None:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for line in Path(__file__).with_name("store_0001.sql").read_text().splitlines():
            connection.exec_driver_sql(line)
        if not database.sqlite:
            connection.exec_driver_sql("SELECT setval('zgbench_ratings_seq_seq', 3)")

    try:
        database.write(fill)
    finally:
        database.close()


def test_a_study_of_version_1_goes_on(url: str, clock: Clock) -> None:
    """Answers, settings, invitations, rules, and the item on the screen stay; the next study has its own."""
    store_of_version_1(url)
    clock.now += 20
    with open_store(url, clock=clock) as store:
        assert store.study.name == "main"
        assert (store.settings.k, store.settings.min_seconds, store.settings.control_every) == (2, 0.5, 3)
        assert [rule.text for rule in store.exclusions()] == ["controls<0.7 min=5"]
        assert [(row["image_id"], row["score"], row["seconds"]) for row in rows(store)] == [
            ("j0", 0, 2.0), ("c0", 1, 2.0), ("j1", 2, 2.0),
        ]  # fmt: skip
        assert all(row["item"] == item_id_of(row) for row in rows(store))
        rater = store.sign_in(INVITATION)
        assert rater is not None and (rater.name, rater.trained, rater.consented) == ("Ann", True, True)
        item = store.next_item(rater)
        assert item is not None and (item.ticket, item.image_id) == ("65dde3317632fa0f.0", "c1")
        assert sum(free(store)) == 10 - 2 - 1
        shown = []
        while item is not None:
            clock.now += 2
            shown.append(item.image_id)
            item = store.rate(rater, item.ticket, 3).current
        assert shown == ["c1", "i2", "i1", "i0"]  # what lay there; then the images in order, first those put in first
        assert store.progress(rater).answered == 7
        session = store.enter(INVITATION)
        assert session is not None and store.who(session) == rater
        assert store.enter_with_identity("https://id.example", "17") is not None
        assert {token.name for token in store.tokens()} == {"Ann", "boss"}
        assert len(store.practice(rater).items) == 2
        with open_store(url, study="pilot", clock=clock) as other:
            assert (rows(other), other.tokens(), other.exclusions(), other.settings.k) == ([], [], [], 3)
            assert other.sign_in(INVITATION) is None and other.who(session) == "unknown"
            assert other.study.mark != store.study.mark
            other.add_items(contents(3))
            somebody = other.sign_in(other.make_token("Ann"))
            assert somebody is not None and somebody.id != rater.id
            assert len(rate_all(other, somebody)) == 3
            assert {row["item"] for row in rows(other)} == {content.id for content in contents(3)}
        assert len(rows(store)) == 7
    with pytest.raises(zgbench.InputError, match=r"no such study\. Known: main, pilot"):
        open_store(url, study="other", create=False)


def item_id_of(row: dict[str, Any]) -> str:
    """The hash that a row's item must have."""
    from zgbench.ratings.content import item_id, mask_sha256

    mask = mask_sha256(row["counts"], (row["height"], row["width"]))
    return item_id(row["dataset"], row["image_id"], mask, row["label"], row["question"])


def test_many_open_a_new_store_at_once(url: str) -> None:
    failures: list[BaseException] = []
    stores: list[Store] = []
    gate = threading.Barrier(6)

    def work() -> None:
        try:
            gate.wait()
            stores.append(open_store(url))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    try:
        assert failures == []
        assert len(stores) == 6
        assert all(store.settings.k == 3 for store in stores)
    finally:
        for store in stores:
            store.close()


def test_a_newer_store_is_refused(url: str) -> None:
    with open_store(url) as store:
        store.database.write(lambda c: c.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")))
    with pytest.raises(zgbench.InputError, match=r"made by a newer zgbench \(tables of version 9999"):
        open_store(url)


def test_a_migration_that_fails_leaves_nothing(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from alembic import command

    upgrade = command.upgrade

    def broken(*arguments: object) -> None:
        upgrade(*arguments)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "upgrade", broken)
    with pytest.raises(KeyboardInterrupt):
        open_store(url)
    monkeypatch.undo()
    with open_store(url) as store:
        assert store.tokens() == []


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("not a database, but long enough to be taken for one\n" * 40)
    with pytest.raises(zgbench.InputError, match="not a SQLite database"):
        open_store(tmp_path / "text.db")
    with sqlite3.connect(tmp_path / "other.db") as connection:
        connection.execute("CREATE TABLE accounts (id INTEGER)")
    connection.close()
    with pytest.raises(zgbench.InputError, match="a SQLite database of another program"):
        open_store(tmp_path / "other.db")
    with pytest.raises(zgbench.InputError, match="there is no such file"):
        open_store(tmp_path / "none.db", create=False)
    assert not (tmp_path / "none.db").exists()
    with pytest.raises(zgbench.InputError, match="there is no folder"):
        open_store(tmp_path / "no/none.db")


@pytest.mark.parametrize("url", ["mysql://u:secret@h/d", "postgresql+psycopg://u:secret@h", "nonsense://"])
def test_other_urls_are_refused_without_their_password(url: str) -> None:
    with pytest.raises(zgbench.UsageError) as error:
        resolve(url)
    assert "secret" not in str(error.value)
    assert error.value.exit_status == 2


def test_where_the_store_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ZGBENCH_RATINGS", raising=False)
    with pytest.raises(zgbench.UsageError, match="set ZGBENCH_RATINGS"):
        resolve(None)
    monkeypatch.setenv("ZGBENCH_RATINGS", str(tmp_path / "r.db"))
    assert resolve(None).database == str(tmp_path / "r.db")
    found = resolve("postgresql://anna:secret@db.example:5433/study")
    assert found.drivername == "postgresql+psycopg"
    assert shown(found) == "postgresql+psycopg://anna:***@db.example:5433/study"


def test_a_server_that_cannot_be_reached_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from zgbench.ratings import database

    monkeypatch.setattr(database, "_PATIENCE_S", 0.1)
    unreachable = Database(resolve("postgresql+psycopg://u:secret@127.0.0.1:1/d"))
    with pytest.raises(StoreUnavailable) as error:
        migrate(unreachable)
    assert "Check that it can be reached" in str(error.value) and "secret" not in str(error.value)
    assert error.value.exit_status == 2


def test_sqlite_writes_ahead_and_syncs(sqlite_store: Store) -> None:
    with sqlite_store.database.engine.connect() as connection:
        pragma = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragma == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
