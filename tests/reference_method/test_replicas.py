"""How groups of images reach a worker: in order, some prepared ahead, none prepared that nobody will work on."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from reference_method.replicas import on_devices, whole


class _Worker:
    """Notes what it was asked for; the item "bad" cannot be prepared."""

    def __init__(self, lanes: int = 2) -> None:
        self.lanes = lanes
        self.prepared: list[str] = []
        self._lock = threading.Lock()
        self.together = threading.Barrier(lanes)

    def prepare(self, item: str) -> str:
        with self._lock:
            self.prepared.append(item)
        if item == "bad":
            raise ValueError(item)
        if item.startswith("pair"):
            self.together.wait(timeout=30)  # ends only if as many as there are lanes are prepared at a time
        return item.upper()

    def work(self, group: list[str]) -> str:
        return "+".join(group)


def _on_one(worker: _Worker, groups: Sequence[Sequence[str]]):
    return on_devices(lambda _: worker, groups, ["cpu"])


def test_groups_come_in_order_and_two_are_prepared_ahead() -> None:
    worker = _Worker()
    found = _on_one(worker, [["a", "b"], ["c"], ["d"], ["e"], ["f"]])
    assert next(found) == "A+B"
    assert "e" not in worker.prepared and "f" not in worker.prepared
    assert list(found) == ["C", "D", "E", "F"]
    assert sorted(worker.prepared) == list("abcdef")


def test_items_are_prepared_side_by_side() -> None:
    assert list(_on_one(_Worker(), [["pair 1", "pair 2"], ["pair 3"], ["pair 4"]])) == [
        "PAIR 1+PAIR 2",
        "PAIR 3",
        "PAIR 4",
    ]
    assert whole(_Worker(), ["pair 1", "pair 2"]) == "PAIR 1+PAIR 2"


def test_an_error_comes_where_its_group_would() -> None:
    found = _on_one(_Worker(), [["a"], ["bad"], ["c"]])
    assert next(found) == "A"
    with pytest.raises(ValueError, match="bad"):
        next(found)


def test_who_stops_early_leaves_nothing_running() -> None:
    worker, prepare, go = _Worker(lanes=1), _Worker.prepare, threading.Event()

    def slow(item: str) -> str:
        found = prepare(worker, item)
        assert item == "0" or go.wait(timeout=30)
        return found

    worker.prepare = slow  # type: ignore[method-assign]
    found = _on_one(worker, [[str(k)] for k in range(100)])
    assert next(found) == "0"
    threading.Timer(1, go.set).start()  # "1" is on its way till then, "2" waits for its turn
    found.close()
    assert go.is_set() and "2" not in worker.prepared


def test_nothing_to_do_makes_no_worker() -> None:
    assert list(on_devices(pytest.fail, [], ["cpu"])) == []
