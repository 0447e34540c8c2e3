"""What ``--engine ray`` asks of Ray, and what it says when Ray fails: without a cluster, with a stand-in for Ray.

That a real cluster does the same is seen in tests/end_to_end/test_ray_cluster.py.
"""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from zgbench.datasets import Dataset, open_dataset
from zgbench.errors import InternalError, UsageError
from zgbench.pixels import ray_engine
from zgbench.pixels.collect import collect
from zgbench.pixels.counts import Counts
from zgbench.submission.parquet_reader import ParquetReader
from zgbench.submission.problems import Report


class RayError(Exception):
    """Stands in for Ray's own."""


class Ray(ModuleType):
    """Ray as far as it is used: tasks are worked on here, one after the other, in ``order``."""

    def __init__(self) -> None:
        super().__init__("ray")
        self.__spec__ = ModuleSpec("ray", None)
        self.asked: list[Any] = []
        self.there, self.refuses, self.fails = False, None, False  # type: bool, Exception | None, bool
        self.order = lambda parts: parts
        self.contexts: list[Any] = []

    def is_initialized(self) -> bool:
        return self.there

    def init(self, **how: Any) -> None:
        self.asked.append(how)
        if self.refuses is not None:
            raise self.refuses

    def shutdown(self) -> None:
        self.asked.append("shutdown")

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": 2.0}

    def from_items(self, items: list[Any], override_num_blocks: int) -> Any:
        assert override_num_blocks == len(items), "a task a span"

        def iter_batches(**_: Any) -> Iterator[Any]:
            for item in self.order(items):
                if self.fails:
                    raise RayError("all nodes are gone")
                yield self.task(pa.Table.from_pylist([item]))

        def map_batches(task: Any, **_: Any) -> Any:
            self.task = task
            return SimpleNamespace(iter_batches=iter_batches)

        return SimpleNamespace(map_batches=map_batches)


class Context(SimpleNamespace):
    """Ray Data's settings."""

    def copy(self) -> Context:
        return Context(execution_options=SimpleNamespace())


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> Ray:
    found, data, exceptions = Ray(), ModuleType("ray.data"), ModuleType("ray.exceptions")

    @contextmanager
    def current(context: Any) -> Iterator[None]:
        found.contexts.append(context)
        yield

    data.from_items = found.from_items  # type: ignore[attr-defined]
    data.DataContext = SimpleNamespace(get_current=Context, current=current)  # type: ignore[attr-defined]
    exceptions.RayError = RayError  # type: ignore[attr-defined]
    found.data = data
    for name, module in (("ray", found), ("ray.data", data), ("ray.exceptions", exceptions)):
        monkeypatch.setitem(sys.modules, name, module)
    for name in ("RAY_ADDRESS", "RAY_USAGE_STATS_ENABLED", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"):
        monkeypatch.setenv(name, "")  # so that what is set below is undone
        monkeypatch.delenv(name)
    for name in ("ray", "ray.data"):
        monkeypatch.setattr(logging.getLogger(name), "level", logging.INFO)
    return found


def test_a_cluster_of_ones_own(ray: Ray) -> None:
    """Not whatever runs on this machine; without its dashboard; gone afterwards, also after an error; nothing is reported."""
    with pytest.raises(KeyError, match="mine"), ray_engine.connected(None) as given:
        assert given is ray
        raise KeyError("mine")
    (how, end) = ray.asked
    assert (how["address"], how["include_dashboard"], how["log_to_driver"], end) == ("local", False, False, "shutdown")
    assert logging.getLogger("ray.data").level == logging.ERROR
    assert ray_engine.os.environ["RAY_USAGE_STATS_ENABLED"] == "0"


@pytest.mark.parametrize("given", [True, False])
def test_a_cluster_that_runs(given: bool, ray: Ray, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its address, or that of the environment; somebody listens there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"ray://127.0.0.1:{server.getsockname()[1]}"
        if not given:
            monkeypatch.setenv("RAY_ADDRESS", address)
        with ray_engine.connected(address if given else None):
            pass
    assert ray.asked[0]["address"] == address and ray.asked[0]["include_dashboard"] is None


def test_a_connection_that_there_is_stays(ray: Ray) -> None:
    ray.there = True
    with ray_engine.connected("127.0.0.1:1") as given:
        assert given is ray
    assert ray.asked == []


@pytest.mark.parametrize("refuses", [ValueError("no such place"), RuntimeError("version"), ConnectionError("refused")])
def test_a_cluster_that_refuses(refuses: Exception, ray: Ray) -> None:
    ray.refuses = refuses
    with pytest.raises(UsageError, match=rf"--ray-address auto: .*cannot be reached \({refuses}\).*ray start --head"):  # noqa: SIM117
        with ray_engine.connected("auto"):
            raise AssertionError("not reached")
    assert "shutdown" not in ray.asked


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1"])
def test_nobody_listens(address: str, ray: Ray) -> None:
    """Told at once: Ray itself would try for minutes."""
    with pytest.raises(UsageError, match=rf"--ray-address {address}: .*ray start --head"):  # noqa: SIM117
        with ray_engine.connected(address):
            raise AssertionError("not reached")
    assert ray.asked == []


def counted(path: Path, dataset: Dataset, steps: list[int] | None = None) -> Counts:
    """By the engine where ``steps`` are wanted, else in this process."""
    reader, report = ParquetReader(path), Report()
    header = reader.header(report)
    assert header is not None
    if steps is None:
        return collect(reader, header, dataset, report)
    return collect(
        reader, header, dataset, report,
        outcomes=lambda gate: ray_engine.outcomes(reader, header, dataset, gate, progress=steps.append),
    )  # fmt: skip


@pytest.mark.parametrize("images", [4, 16])
def test_counts_are_those_of_one_process(
    images: int, ray: Ray, submission: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of a subset, whose other images are passed over, and where a span holds more than a batch."""
    monkeypatch.setattr(ray_engine, "FEWEST_ROWS", 40)
    monkeypatch.setattr(ray_engine, "BATCH", 3)
    dataset, steps = open_dataset("mini", subset=f"first:{images}"), list[int]()
    found, alone = counted(submission, dataset, steps), counted(submission, dataset)
    assert len(found.ids) == images and found.ids == alone.ids and found.labels == alone.labels
    for name in ("offsets", "image", "segment", "cls", "pixels", "first"):
        assert np.array_equal(getattr(found, name), getattr(alone, name)), name
    assert found.submitted == alone.submitted
    assert len(steps) > 1 and sum(steps) == 16
    assert ray.contexts[0].execution_options.preserve_order is True


@pytest.mark.parametrize(
    ("order", "says"),
    [
        (lambda parts: parts[::-1], r"expected part 0, got \d+\. Nothing was written"),
        (lambda parts: parts[:1] + parts, r"expected part 1, got 0\. Nothing"),
        (lambda parts: parts[:-1], r"\d+ of \d+ parts came back\. Nothing was written"),
    ],
    ids=["turned", "twice", "lost"],
)
def test_each_part_is_taken_once_and_in_order(
    order: Any, says: str, ray: Ray, submission: Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_engine, "FEWEST_ROWS", 40)
    ray.order = order
    with pytest.raises(InternalError, match=says):
        counted(submission, dataset, [])


def test_a_cluster_that_gives_up(ray: Ray, submission: Path, dataset: Dataset) -> None:
    ray.fails = True
    with pytest.raises(InternalError, match=r"the cluster gave up \(all nodes are gone\)\. .*without --engine ray"):
        counted(submission, dataset, [])
    assert ray.asked[-1] == "shutdown"


def test_a_file_without_rows_asks_nothing_of_the_cluster(ray: Ray, dataset: Dataset) -> None:
    assert list(ray_engine._tables([], None)) == []  # type: ignore[arg-type]
    assert ray.contexts == []
