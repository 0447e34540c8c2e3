"""The pixel pass on a Ray cluster: Ray Data reads spans of a Parquet submission and turns each into counts, in order.

A span is read, checked and counted by one task, wherever Ray puts it; only the counts travel (some hundred bytes an
image). A task is a pure function of its span, so a span whose task or result was lost with a node is simply worked
out again; spans are numbered, and each number is taken in once.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from typing import Any

from zgbench.datasets import Dataset
from zgbench.errors import DataError, InputError, InternalError, UsageError
from zgbench.extras import need
from zgbench.pixels.collect import Gate, in_order
from zgbench.pixels.counts import ImageCounts
from zgbench.pixels.outcome_blocks import Found, pack, unpack
from zgbench.pixels.pixel_pass import BATCH, Item, Outcome, Rejected, count_batch
from zgbench.submission import schema
from zgbench.submission.parquet_reader import ParquetReader, Span
from zgbench.submission.reader import Reader

FEWEST_ROWS, MOST_ROWS = 4096, 65536
"""Rows (segments) of a span: fewer are not worth a task, more make a lost one dear."""


@contextmanager
def connected(address: str | None) -> Iterator[Any]:
    """The module ``ray``, connected to a cluster.

    Args:
        address: as ``ray.init`` takes it; None: the cluster of ``RAY_ADDRESS``, else one started for this block.

    Raises:
        ModelUnavailable: Ray is not installed.
        UsageError: the cluster cannot be reached.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is reported to anybody
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # spares a warning about a default to come
    need("ray", "--engine ray")
    import ray

    if ray.is_initialized():
        yield ray
        return
    elsewhere = address or os.environ.get("RAY_ADDRESS")
    _quiet()
    try:
        _knock(elsewhere)
        ray.init(
            address=elsewhere or "local",  # left to itself, Ray joins whatever runs on this machine
            log_to_driver=False,
            configure_logging=False,
            include_dashboard=None if elsewhere else False,
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise UsageError(
            f"--ray-address {elsewhere}: the cluster cannot be reached ({error}). Start one with: ray start --head"
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _quiet() -> None:
    """Only errors: a terminal is for the scores."""
    import_module("ray.data")  # sets levels of its own when it is imported
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _knock(address: str | None) -> None:
    """Raise OSError where nobody listens; Ray itself would try for five minutes."""
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=5).close()


def outcomes(
    reader: Reader,
    header: schema.Header,
    dataset: Dataset,
    gate: Gate,
    *,
    address: str | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Iterator[Outcome]:
    """What :func:`zgbench.pixels.pixel_pass.count_all` would give, worked out on a cluster.

    Every node must see the submission and the data under the same paths.

    Args:
        gate: decides in the order of the file which images are scored.
        address: of the cluster, see :func:`connected`.
        progress: called with the number of images after each span.

    Raises:
        UsageError: not a Parquet file, no Ray, or no cluster.
        InputError, DataError: the file, or the truth of an image, cannot be read.
        InternalError: the cluster gave up.
    """
    if not isinstance(reader, ParquetReader):
        raise UsageError(
            f"{reader.path}: --engine ray reads Parquet, which can be cut into parts. Convert it first: "
            f"zgbench convert {reader.path} {reader.path.name.partition('.')[0]}.parquet"
        )
    with connected(address) as ray:
        processors = max(1, int(ray.cluster_resources().get("CPU", 1)))
        spans = plan(reader, processors)
        task = CountSpan(reader, header, dataset, frozenset(dataset.ids), reader.path.stat().st_size)
        for table in _tables(spans, task):
            found = list(unpack(table))  # the table of a span without an image of its own has a row that says so
            yield from _admitted(found, gate)
            progress(len(found))


def plan(reader: ParquetReader, processors: int) -> list[Span]:
    """The file in spans, about four a processor where they get neither too small nor too large."""
    whole = reader.spans(1)
    rows = whole[-1].stop // (4 * processors) if whole else 0
    return reader.spans(min(max(rows, FEWEST_ROWS), MOST_ROWS))


def _admitted(span: Iterable[Found], gate: Gate) -> Iterator[Outcome]:
    """The outcomes of a span that the gate lets through, and what it finds wrong."""
    for found in span:
        if found.error is not None:
            raise found.error
        decision: bool | Rejected = True
        first = gate.submitted
        if found.id is not None:
            decision = gate.lets_through(found.id, found.path, found.segments)
        if isinstance(decision, Rejected):
            yield decision
        elif decision and isinstance(found.outcome, ImageCounts):
            yield replace(found.outcome, first=first)
        elif decision and found.outcome is not None:
            yield found.outcome


def _tables(spans: list[Span], task: CountSpan) -> Iterator[Any]:
    """The table of each span, in order, each once."""
    import ray.data
    from ray.exceptions import RayError

    if not spans:
        return
    context = ray.data.DataContext.get_current().copy()
    context.enable_progress_bars = False
    context.execution_options.preserve_order = True
    expected = 0
    with ray.data.DataContext.current(context):
        numbered = [{"part": n, "start": span.start, "stop": span.stop} for n, span in enumerate(spans)]
        counted = ray.data.from_items(numbered, override_num_blocks=len(spans)).map_batches(
            task.counted, batch_size=None, batch_format="pyarrow"
        )
        try:
            for table in counted.iter_batches(batch_size=None, batch_format="pyarrow"):
                for part in table["part"].unique().to_pylist():
                    if part != expected:
                        raise InternalError(f"--engine ray: expected part {expected}, got {part}. Nothing was written.")
                    expected += 1
                yield table
        except RayError as error:
            raise InternalError(
                f"--engine ray: the cluster gave up ({error}). Nothing was written. Try again, or without --engine ray."
            ) from error
    if expected != len(spans):
        raise InternalError(f"--engine ray: {expected} of {len(spans)} parts came back. Nothing was written.")


@dataclass(frozen=True)
class CountSpan:
    """What a task needs to know.

    Attributes:
        wanted: ids of the images to be scored; others are not counted.
        size: bytes of the submission, as the driver sees it.
    """

    reader: ParquetReader
    header: schema.Header
    dataset: Dataset
    wanted: frozenset[str]
    size: int

    def counted(self, spans: Any) -> Any:
        """Spans, an Arrow table of ``part``, ``start`` and ``stop`` → what they hold, see :func:`pack`."""
        import pyarrow as pa

        return pa.concat_tables(
            [pack(row["part"], self._found(Span(row["start"], row["stop"]))) for row in spans.to_pylist()]
        )

    def _found(self, span: Span) -> list[Found]:
        found: list[Found] = []
        try:
            self._same_file()
            batch: list[Item] = []
            for item in in_order(partial(self.reader.images, span=span), self.header):
                batch.append(item)
                if len(batch) == BATCH:
                    found += self._counted(batch)
                    batch = []
            found += self._counted(batch)
        except (InputError, DataError) as error:
            found.append(Found(error=error))
        return found

    def _same_file(self) -> None:
        path = self.reader.path
        size = path.stat().st_size if path.is_file() else "no"
        if size != self.size:
            raise InputError(
                f"{path}: a node of the cluster sees {size} bytes there, not {self.size}. "
                "Put the file where every node sees it under the same path."
            )

    def _counted(self, batch: list[Item]) -> list[Found]:
        chosen = [item for item in batch if isinstance(item, Rejected) or item.id in self.wanted]
        outcomes = iter(count_batch(chosen, self.dataset.source, self.dataset.vocabulary))
        return [
            Found(outcome=next(outcomes))
            if isinstance(item, Rejected)
            else Found(item.id, item.path, len(item.labels), next(outcomes) if item.id in self.wanted else None)
            for item in batch
        ]
