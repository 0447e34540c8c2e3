"""SIGTERM and SIGHUP end a command as Ctrl-C does: what is half-written is removed, and workers are ended."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

_SIGNALS = ("SIGTERM", "SIGHUP")


class Stopped(KeyboardInterrupt):
    """The process was asked to end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number, self.name = number, signal.Signals(number).name


@contextlib.contextmanager
def stopping() -> Iterator[None]:
    """Raise Stopped inside the block when the process is asked to end; a signal that was ignored stays so (nohup)."""

    def stop(number: int, _frame: FrameType | None) -> None:
        raise Stopped(number)

    before = {}
    for name in _SIGNALS:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:
            with contextlib.suppress(ValueError):  # only the main thread may
                before[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
