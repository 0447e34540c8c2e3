"""What a page keeps in memory: the newest so many, whoever else keeps something meanwhile."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from zgbench.board.memo import keep


def test_the_oldest_are_forgotten() -> None:
    kept: dict[int, str] = {}
    assert [keep(kept, k, str(k), 3) for k in range(6)] == list("012345")
    assert kept == {3: "3", 4: "4", 5: "5"}
    keep(kept, 4, "again", 2)  # one that is there keeps its place
    assert kept == {4: "again", 5: "5"}


def test_beside_other_threads() -> None:
    kept: dict[int, int] = {}
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda k: keep(kept, k % 37, k, 4), range(20_000)))
    assert found == list(range(20_000)) and len(kept) <= 4
