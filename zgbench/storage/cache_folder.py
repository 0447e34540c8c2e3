"""Where zgbench keeps what it can make or fetch again."""

from __future__ import annotations

import os
from pathlib import Path


def cache_dir() -> Path:
    """``ZGBENCH_CACHE``, or ``zgbench`` in the user's cache folder."""
    chosen = os.environ.get("ZGBENCH_CACHE")
    return Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "zgbench"
