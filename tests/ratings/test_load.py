"""Many raters at once, with everything going wrong: modest sizes. The full ones: tests/benchmarks/bench_ratings.py."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg

from tests.ratings.conftest import contents
from tests.ratings.load import Trouble, cut_lines, invite, run, verify
from tests.ratings.postgres import Server, running
from zgbench.ratings import Store, open_store

ROOT = Path(__file__).resolve().parents[2]
LEASE_S = 0.8


def filled(url: str, items: int, raters: int) -> tuple[Store, list[str]]:
    """A store with items, a few controls and raters."""
    store = open_store(url)
    store.configure(k=3, min_seconds=0, lease_s=LEASE_S, control_every=10)
    store.add_items(contents(items))
    store.add_items(contents(10, "c", known=3), kind="control")
    return store, invite(store, raters)


def test_nothing_is_lost_doubled_or_above_k(url: str) -> None:
    store, tokens = filled(url, items=50, raters=16)
    trouble = Trouble(doubled=0.1, unheard=0.06, cut=0.08, away=0.02, undo=0.05, skip=0.02)
    with store:
        cut_lines(store)
        found = run(store, tokens, trouble, seed=1, lease_s=LEASE_S, limit_s=90)
        totals = verify(store, found.acknowledged, found.sent)
    assert totals["counting"] == totals["wanted"] == 150
    for what in ("doubled", "unheard", "cut", "undo"):
        assert found.happened[what], f"the simulation had no {what}"


def test_a_writing_process_is_killed(url: str) -> None:
    store, tokens = filled(url, items=60, raters=12)
    with store:
        command = [sys.executable, "-m", "tests.ratings.load", url, "1", str(LEASE_S)]
        writers = [
            subprocess.Popen([*command, *tokens[at::2]], stdout=subprocess.PIPE, text=True, cwd=ROOT) for at in (0, 1)
        ]
        told: list[list[str]] = [[], []]
        readers = [
            threading.Thread(target=lambda to=to, w=w: to.extend(w.stdout or ()), daemon=True)  # type: ignore[misc]
            for to, w in zip(told, writers, strict=True)
        ]
        for reader in readers:
            reader.start()
        until = time.monotonic() + 60
        while len(told[0]) < 15 and writers[0].poll() is None and time.monotonic() < until:
            time.sleep(0.005)
        writers[0].kill()  # −9, in the middle of whatever it does
        for writer, reader in zip(writers, readers, strict=True):
            writer.wait(120)
            reader.join(30)
            assert writer.stdout is not None
            writer.stdout.close()
        assert len(told[0]) >= 15 and writers[1].returncode == 0
        # the last line of the killed one may be cut short
        lines = [line.split() for line in told[0] + told[1] if line.endswith("\n")]
        totals = verify(store, {ticket: int(score) for ticket, score in lines})
        assert totals["counting"] <= totals["wanted"]
        left = run(store, tokens, Trouble(), seed=2, lease_s=LEASE_S, limit_s=60)  # what it held comes free
        assert verify(store, left.acknowledged)["counting"] == 180


def test_the_postgresql_server_is_killed() -> None:
    with running() as server:
        store, tokens = filled(server.new_database(), items=60, raters=8)
        with store:
            found = None

            def rate() -> None:
                nonlocal found
                found = run(
                    store, tokens, Trouble(doubled=0.3, think_s=0.03, steady=False), seed=1, lease_s=LEASE_S, limit_s=90
                )

            worker = threading.Thread(target=rate)
            worker.start()
            time.sleep(0.6)
            server.kill()
            server.start()
            time.sleep(0.3)
            server.kill()
            server.start()
            worker.join(120)
            assert found is not None, "a rater was not served again after the server came back"
            totals = verify(store, found.acknowledged, found.sent)
    assert totals["counting"] == totals["wanted"] == 180


def test_connections_are_terminated(postgres: Server) -> None:
    url = postgres.new_database()
    store, tokens = filled(url, items=40, raters=8)
    stop = threading.Event()
    ended = 0

    def sabotage() -> None:
        nonlocal ended
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            while not stop.wait(0.05):
                ended += len(
                    connection.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'zgbench' "
                        "AND datname = current_database() ORDER BY random() LIMIT 2"
                    ).fetchall()
                )

    with store:
        saboteur = threading.Thread(target=sabotage)
        saboteur.start()
        try:
            found = run(store, tokens, Trouble(think_s=0.01, steady=False), seed=3, lease_s=LEASE_S, limit_s=90)
        finally:
            stop.set()
            saboteur.join()
        totals = verify(store, found.acknowledged, found.sent)
    assert ended > 5
    assert totals["counting"] == totals["wanted"] == 120
