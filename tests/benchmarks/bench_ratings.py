"""How long a rater waits: 200 raters at once, 10,000 ratings, and everything that can go wrong, on both databases.

    python tests/benchmarks/bench_ratings.py [--only sqlite|postgresql] [--think 2] [--repeat 1] [--json]

Raters are threads of one process, as they are on the rating page; each thinks for a while (exponentially distributed)
before it answers. Answers are sent twice, acknowledgements are lost, transactions are broken off, leases run out; on
PostgreSQL connections are ended by the server as well. At the end nothing acknowledged may be lost, nothing doubled, no
item above k. What is timed is "rate and get next": one call, from the answer to the next item.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.benchmarks.machine import describe
from tests.ratings.conftest import contents
from tests.ratings.postgres import binaries, running

K = 3
LEASE_S = 8.0
MISSING = 77
GOAL_MS = {"sqlite": 150, "postgresql": 50}
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
PARTS = 5
"""A run's calls are cut into so many parts in time, each with a 95th percentile of its own."""


@contextmanager
def database(kind: str) -> Iterator[str]:
    """A store of its own, gone afterwards."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield str(Path(folder) / "ratings.db")
    else:
        with running() as server:
            yield server.new_database()


def sabotage(url: str, stop: threading.Event, ended: list[int]) -> None:
    """End one connection of the store a second."""
    import psycopg

    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        while not stop.wait(1.0):
            ended += connection.execute(
                "SELECT pid FROM (SELECT pid FROM pg_stat_activity WHERE application_name = 'zgbench' "
                "ORDER BY random() LIMIT 1) AS victim WHERE pg_terminate_backend(pid)"
            ).fetchall()


def measure(kind: str, raters: int, ratings: int, think_s: float, *, as_json: bool) -> None:
    """One run: what was waited, and what is left to show for it."""
    from tests.ratings.load import Trouble, cut_lines, invite, run, verify
    from zgbench.ratings import open_store

    with database(kind) as url, open_store(url) as store:
        store.configure(k=K, min_seconds=0, lease_s=LEASE_S)
        store.add_items(contents(-(-ratings // K)))
        store.add_items(contents(100, "c", known=3), kind="control")
        tokens = invite(store, raters)
        cut_lines(store)
        stop, ended = threading.Event(), []
        saboteur = threading.Thread(target=sabotage, args=(url, stop, ended))
        if kind == "postgresql":
            saboteur.start()
        started = time.perf_counter()
        found = run(store, tokens, Trouble(think_s=think_s), seed=0, lease_s=LEASE_S, limit_s=900)
        took = time.perf_counter() - started
        stop.set()
        if kind == "postgresql":
            saboteur.join()
        totals = verify(store, found.acknowledged, found.sent)
    assert totals["counting"] == totals["wanted"], totals
    p50, p95, p99 = np.quantile(found.seconds, [0.5, 0.95, 0.99]) * 1000
    kept = f"{len(found.acknowledged)} acknowledged: none lost, none doubled, none above k={K}"
    if as_json:
        parts = [float(np.quantile(part, 0.95)) * 1000 for part in np.array_split(np.array(found.seconds), PARTS)]
        row = {"what": f"rate and get next, p95, {raters} raters, {NAMES[kind]}", "unit": "ms", "ours": parts}
        row |= {"goal": {"under": GOAL_MS[kind]}, "note": f"p95 of the whole {p95:.1f} ms; {kept}"}
        print(json.dumps(row, ensure_ascii=False), flush=True)
        return
    print(
        f"{kind:10} {raters} raters, thinking {think_s:g} s: {totals['counting']} ratings count of {totals['wanted']} wanted, "
        f"{kept}; {took:.0f} s\n"
        f"           rate and get next: median {p50:.1f} ms, p95 {p95:.1f} ms, p99 {p99:.1f} ms, worst {max(found.seconds) * 1000:.0f} ms "
        f"({len(found.seconds)} calls)\n"
        f"           {dict(sorted(found.happened.items()))}" + (f", {len(ended)} connections ended" if ended else "")
    )


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=tuple(GOAL_MS))
    parser.add_argument("--raters", type=int, default=200)
    parser.add_argument("--ratings", type=int, default=10_000)
    parser.add_argument("--think", type=float, default=2.0)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print JSON lines")
    options = parser.parse_args()
    kinds = [kind for kind in GOAL_MS if options.only in (None, kind)]
    if "postgresql" in kinds and binaries() is None:
        print("needs PostgreSQL's server (Debian: apt-get install postgresql)", file=sys.stderr)
        return MISSING
    if importlib.util.find_spec("sqlalchemy") is None or importlib.util.find_spec("psycopg") is None:
        print("needs SQLAlchemy and psycopg: pip install 'zgbench[ratings]'", file=sys.stderr)
        return MISSING
    if not options.json:
        print(describe())
    for _ in range(options.repeat):
        for kind in kinds:
            measure(kind, options.raters, options.ratings, options.think, as_json=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
