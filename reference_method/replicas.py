"""One model replica on each device, and work for whichever is free."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from zgbench.errors import InternalError
from zgbench.storage.workers import begin as begin_worker

Make = Callable[[str], Any]
"""Device → a worker with a method ``work``; pickled to the processes of several devices."""


def on_devices(make: Make, tasks: Sequence[Any], devices: Sequence[str]) -> Iterator[Any]:
    """What ``work`` gives for each task: in order on one device, else in the order in which they are done.

    Raises:
        InternalError: a process was killed.
    """
    if len(devices) == 1:
        worker = make(devices[0]) if tasks else None
        for task in tasks:
            assert worker is not None
            yield worker.work(task)
        return
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    for device in devices:
        queue.put(device)
    with ProcessPoolExecutor(len(devices), context, _start, (make, queue)) as pool:
        futures = [pool.submit(_work, task) for task in tasks]
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


_worker: Any = None
_waiting: list[Any] = []


def _start(make: Make, devices: Any) -> None:
    begin_worker()
    _waiting[:] = [make, devices]


def _work(task: Any) -> Any:
    global _worker
    if _worker is None:  # made here and not at the start, so that an error of its making is told and not a dead worker
        make, devices = _waiting
        _worker = make(devices.get())
    return _worker.work(task)
