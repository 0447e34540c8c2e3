"""Processes that work for this one: they end when it ends, however it ends."""

from __future__ import annotations

import os
import signal
import threading
from multiprocessing import parent_process
from multiprocessing.connection import wait


def begin() -> None:
    """To be called first in a worker process.

    Ctrl-C reaches every process of a terminal; it ends the parent, which ends its workers. A parent that is killed
    outright cannot, so a thread waits for its end: a pool's worker would wait for work for ever.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
