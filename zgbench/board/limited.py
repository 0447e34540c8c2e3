"""A zgbench command in a process of its own that may use only so much memory and time.

The limits are the kernel's: data memory and processor time (``setrlimit``), set by the child on itself before anything
of the command is imported; the clock on the wall is watched by the parent. The limit on data memory counts what a
process has written or may write (heap, arrays, tensors), not mapped files or reserved addresses, of which PyTorch takes
gigabytes.
"""

from __future__ import annotations

import os
import runpy
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MAX_OUTPUT = 64 << 10
"""Bytes of each stream that are kept; a report is capped far below."""
_OUT_OF_MEMORY = (
    "MemoryError", "bad_alloc", "malloc of size", "realloc of size", "not enough memory", "can't allocate",
    "Memory allocation", "failed to map segment",
)  # fmt: skip
_PR_SET_PDEATHSIG = 1
_CRASHES = (signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS)
"""How libraries die that do not look at what malloc gave them."""


@dataclass(frozen=True)
class Limits:
    """What a command may use.

    Attributes:
        memory: bytes of data memory.
        seconds: on the wall; a process may use twice that of processor time.
        file: bytes of any one file that it writes.
    """

    memory: int
    seconds: float
    file: int = 2 << 30


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes:
        status: exit status as the command line documents it; None where a limit ended it.
        out, error: the beginning of what it wrote.
        broken: the limit that it broke, as a sentence; empty where none was.
    """

    status: int | None
    out: str
    error: str
    broken: str = ""


def run_limited(
    arguments: Sequence[str],
    folder: Path,
    limits: Limits,
    environment: Mapping[str, str] | None = None,
    wanted: Callable[[], bool] = lambda: True,
) -> Ended:
    """Run ``zgbench ARGUMENTS`` in a folder.

    Args:
        arguments: of the command line. They must not hold anything that a stranger wrote.
        environment: of the child; default: this process's.
        wanted: asked every second; where nobody waits for the command any more, it is ended.

    The child leads a process group of its own, and the whole group is killed when the time is up.
    """
    command = [sys.executable, "-P", "-m", "zgbench.board.limited", str(limits.memory), str(limits.seconds), str(limits.file), *arguments]  # fmt: skip
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as error:
        child = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=error,
            start_new_session=True,
        )  # fmt: skip
        until, status = time.monotonic() + limits.seconds, None
        try:
            while status is None and (left := until - time.monotonic()) > 0 and wanted():
                with suppress(subprocess.TimeoutExpired):
                    status = child.wait(min(left, 1.0))
        finally:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        texts = [_beginning(out), _beginning(error)]
    broken = _broken(status, texts[1], limits)
    return Ended(None if broken else status, texts[0], texts[1], broken)


def _beginning(file: object) -> str:
    file.seek(0)  # type: ignore[attr-defined]
    content: bytes = file.read(MAX_OUTPUT)  # type: ignore[attr-defined]
    return content.decode("utf-8", "replace")


def _broken(status: int | None, error: str, limits: Limits) -> str:
    memory = f"it needed more than {limits.memory / (1 << 30):g} GiB of memory"
    if status is None or status == -signal.SIGXCPU:
        return f"it took longer than {limits.seconds:g} seconds"
    if status < 0:
        return f"it crashed; probably {memory}" if -status in _CRASHES else f"it was ended by signal {-status}"
    return memory if status and any(sign in error for sign in _OUT_OF_MEMORY) else ""


def _main(words: Sequence[str]) -> None:
    """The child: limits first, then the command."""
    import ctypes
    import resource

    memory, seconds, file = int(words[0]), float(words[1]), int(words[2])
    processor = 2 * int(seconds) + 2
    for kind, most in ((resource.RLIMIT_DATA, memory), (resource.RLIMIT_CPU, processor), (resource.RLIMIT_FSIZE, file)):
        resource.setrlimit(kind, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError):  # where the machine itself runs out of memory, this process goes first
        Path("/proc/self/oom_score_adj").write_text("1000")
    with suppress(AttributeError, OSError):  # Linux: end with the server, however that ends
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    sys.argv = ["zgbench", *words[3:]]
    runpy.run_module("zgbench", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main(sys.argv[1:])
