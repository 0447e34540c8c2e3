"""A folder for the files that the readers read."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

VARIABLE = "ZGBENCH_FUZZ_SCRATCH"
"""Says where, to a process that cannot clean up itself: libFuzzer ends without a word to Python."""


@cache
def scratch() -> Path:
    """The folder, in memory where there is such a thing; it goes with the process that made it."""
    if VARIABLE in os.environ:
        return Path(os.environ[VARIABLE])
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="zgbench-fuzz-", dir=memory if memory.is_dir() else None))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
