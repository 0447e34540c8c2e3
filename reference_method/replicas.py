"""One model replica on each device, and work for whichever is free."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import Any

from zgbench.errors import InternalError
from zgbench.storage.workers import begin as begin_worker

Make = Callable[[str], Any]
"""Device → a worker with the methods ``prepare``, of an item, and ``work``, of what that gave for a group of them, and with
``lanes``, threads that prepare at a time; pickled to the processes of several devices."""
_AHEAD = 2
"""Groups that are prepared while one is worked on: with one, the threads would be idle at its end."""


def on_devices(make: Make, groups: Sequence[Sequence[Any]], devices: Sequence[str]) -> Iterator[Any]:
    """What ``work`` gives for each group of items: in order on one device, else in the order in which they are done.

    On one device items of the next groups are prepared beside the work.

    Raises:
        InternalError: a process was killed.
    """
    if len(devices) == 1:
        if groups:
            yield from _ahead(make(devices[0]), iter(groups))
        return
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    for device in devices:
        queue.put(device)
    with ProcessPoolExecutor(len(devices), context, _start, (make, queue)) as pool:
        futures = [pool.submit(_work, group) for group in groups]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool as error:
            raise InternalError(
                "a worker process was killed (out of memory?). What was finished is kept: the same command goes on with it."
            ) from error
        finally:
            for future in futures:
                future.cancel()


def _give_way() -> None:
    """Let this thread wait for a processor longer than others of this process: who works is who the others wait for."""
    with contextlib.suppress(OSError, AttributeError):  # a system without priorities of threads
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 5)


def _ahead(worker: Any, groups: Iterator[Sequence[Any]]) -> Iterator[Any]:
    coming: deque[list[Future[Any]]] = deque()
    threads = ThreadPoolExecutor(worker.lanes, initializer=_give_way)
    try:
        while True:
            for group in islice(groups, _AHEAD + 1 - len(coming)):
                coming.append([threads.submit(worker.prepare, item) for item in group])
            if not coming:
                return
            yield worker.work([prepared.result() for prepared in coming.popleft()])
    finally:
        threads.shutdown(cancel_futures=True)


def whole(worker: Any, group: Sequence[Any]) -> Any:
    """A group alone: its items are prepared side by side, then worked on."""
    with ThreadPoolExecutor(worker.lanes) as threads:
        return worker.work(list(threads.map(worker.prepare, group)))


_worker: Any = None
_waiting: list[Any] = []


def _start(make: Make, devices: Any) -> None:
    begin_worker()
    _waiting[:] = [make, devices]


def _work(group: Sequence[Any]) -> Any:
    global _worker
    if _worker is None:  # made here and not at the start, so that an error of its making is told and not a dead worker
        make, devices = _waiting
        _worker = make(devices.get())
    return whole(_worker, group)
