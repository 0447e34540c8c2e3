"""One model replica on each device, and work for whichever is free."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from zgbench.errors import InternalError
from zgbench.storage.workers import begin as begin_worker

Make = Callable[[str], Any]
"""Device → a worker with the methods ``prepare``, of a task, and ``work``, of what that gave; pickled to the processes of
several devices."""


def on_devices(make: Make, tasks: Sequence[Any], devices: Sequence[str]) -> Iterator[Any]:
    """What ``work`` gives for each task: in order on one device, else in the order in which they are done.

    On one device the next task is prepared in a thread beside the work.

    Raises:
        InternalError: a process was killed.
    """
    if len(devices) == 1:
        if tasks:
            yield from _one_ahead(make(devices[0]), tasks)
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


def _one_ahead(worker: Any, tasks: Sequence[Any]) -> Iterator[Any]:
    with ThreadPoolExecutor(1) as thread:
        ready = thread.submit(worker.prepare, tasks[0])
        for task in [*tasks[1:], None]:
            prepared = ready.result()
            if task is not None:
                ready = thread.submit(worker.prepare, task)
            yield worker.work(prepared)


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
    return _worker.work(_worker.prepare(task))
