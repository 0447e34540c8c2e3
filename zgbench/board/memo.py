"""What was worked out of a board as it is now, kept for the next visitor in the same process."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import TypeVar, cast

from zgbench.board.store import Board

K = TypeVar("K")
T = TypeVar("T")
_kept: dict[tuple[Hashable, ...], object] = {}
_MOST = 64
"""Results that stay in memory; a ranking of 200 methods takes about half a MB."""


def remembered(board: Board, key: tuple[Hashable, ...], make: Callable[[], T]) -> T:
    """What ``make`` gives, worked out once for a board of this content. Do not change what is given.

    Args:
        key: what is worked out, and everything beside the board that it depends on.
    """
    whole = (board.folder, board.version, *key)
    with suppress(KeyError):  # not asked first: the thread of another visitor may forget it in between
        return cast(T, _kept[whole])
    made = make()
    keep(_kept, whole, made, _MOST)
    return made


def keep(kept: dict[K, T], key: K, value: T, most: int) -> T:
    """Add a value and forget the oldest ones past ``most``, beside other visitors' threads that do so as well."""
    kept[key] = value
    for old in list(kept)[: max(0, len(kept) - most)]:
        kept.pop(old, None)
    return value
