"""What the cross-checks say of a stored result, kept by its content: it is checked once, however often it is shown."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from zgbench.board.checks import RULES, violations
from zgbench.encoders.cache import cache_dir
from zgbench.errors import DataError, ZgbenchError
from zgbench.protocol import VERSION
from zgbench.scores.result import load_result
from zgbench.storage.files import sha256_file, write_bytes


def beside(path: Path, result: dict[str, Any]) -> dict[Path, str]:
    """The files that belong to a result file → their SHA-256, as it says."""
    return {path.with_name(Path(told["name"]).name): told["sha256"] for told in result["files"].values()}


def verdict(path: Path, result: dict[str, Any], sha256: str, *, anew: bool = False) -> tuple[str, ...]:
    """Every rule that a stored result breaks, a sentence each; empty for a sound one.

    The files beside it are hashed each time. What the numbers are like follows from the content alone, and is taken
    from the cache where the same content was checked before.

    Args:
        result, sha256: content of the result file, and its hash.
        anew: take nothing from the cache.

    Raises:
        InputError, DataError: the files cannot be read.
    """
    for place, told in beside(path, result).items():
        if not place.is_file() or sha256_file(place) != told:
            return (f"{place.name} is missing, or not the file that it was made with",)
    if not anew and (known := _known(sha256)) is not None:
        return known
    stored = load_result(path)
    if stored.result != result:
        raise DataError(f"{path}: was changed while it was being read.")
    found = tuple(violations(stored))
    keep(sha256, found)
    return found


def keep(sha256: str, wrong: tuple[str, ...]) -> None:
    """Put a verdict into the cache; without a writable one it is worked out by each process."""
    with suppress(ZgbenchError):
        write_bytes(_place(sha256), json.dumps(wrong).encode())


def _known(sha256: str) -> tuple[str, ...] | None:
    try:
        found = json.loads(_place(sha256).read_bytes())
    except (OSError, ValueError):
        return None
    return tuple(map(str, found)) if isinstance(found, list) else None


def _place(sha256: str) -> Path:
    return cache_dir() / "board" / sha256[:2] / f"{sha256}.checked-{VERSION}.{RULES}.json"
