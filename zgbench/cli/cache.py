"""``zgbench cache info | clear``, as seen from a terminal."""

from __future__ import annotations

import argparse
import json

from zgbench.errors import ZgbenchError
from zgbench.storage.cache_folder import PARTS, cache_dir


def info(options: argparse.Namespace) -> int:
    """``zgbench cache info``."""
    sizes = {name: part.size() for name, part in PARTS.items()}
    if options.json:
        parts = {name: {"files": files, "bytes": size} for name, (files, size) in sizes.items()}
        print(json.dumps({"folder": str(cache_dir()), "parts": parts}, indent=1, ensure_ascii=False))
        return 0
    print(f"{cache_dir()} (ZGBENCH_CACHE names another place)")
    for name, (files, size) in sizes.items():
        print(f"  {name:10} {_told(size):>9}  {files:6,} files  {PARTS[name].use}")
    print("All of it can be made or fetched again: zgbench cache clear [PART …]")
    return 0


def clear(options: argparse.Namespace) -> int:
    """``zgbench cache clear``: what is named, or all but the models, which took a download."""
    for name in options.parts or [name for name in PARTS if name != "models"]:
        files, size = PARTS[name].size()
        try:
            PARTS[name].clear()
        except OSError as error:
            raise ZgbenchError(f"{error.filename}: cannot be removed ({error.strerror}).") from error
        print(f"{name}: {files:,} files, {_told(size)} removed")
    return 0


def _told(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
