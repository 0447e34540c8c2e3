"""Parquet and Arrow files from strangers: what must be looked at before Arrow does.

Arrow hands a column of an extension type to the class that some package in this process has registered for the type's
name, with bytes that the file brings along, as soon as the file is opened, even for its metadata alone. Such a class may
do anything with them: Ray Data's unpickled them before version 2.55 (CVE-2026-41486).
"""

from __future__ import annotations

import base64
from pathlib import Path

_NAME = b"ARROW:extension:name"
_MAX_SCHEMA = 1 << 20
_CHUNK = 1 << 20
_REFUSED = "a column is of an Arrow extension type, which is not read; cast it to a plain type"


def _in_base64(text: bytes) -> tuple[bytes, ...]:
    """The characters that stand for a text within a longer one, wherever in a group of three bytes it begins."""
    return tuple(
        base64.b64encode(bytes(before) + text + bytes(2))[-(-8 * before // 6) : 8 * (before + len(text)) // 6]
        for before in range(3)
    )


_ENCODED = _in_base64(_NAME)  # Parquet keeps Arrow's schema in base64


def plain(path: Path) -> Path:
    """The path of a Parquet file, when its columns are of Arrow's own types: ``pq.read_table(plain(path))``.

    What is not Parquet is left for Arrow to refuse.

    Raises:
        ValueError: a column is of an extension type.
        OSError: there is no such file.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(size - 8, 0))
        file.seek(max(size - 8 - int.from_bytes(file.read(4), "little"), 0))  # what the file says of itself
        kept = b""
        while chunk := file.read(_CHUNK):
            kept += chunk
            if any(encoded in kept for encoded in _ENCODED):
                raise ValueError(_REFUSED)
            kept = kept[-2 * len(_NAME) :]
    return path


def plain_stream(path: Path) -> Path:
    """The path of an Arrow IPC stream, when its columns are of Arrow's own types.

    Raises:
        ValueError: a column is of an extension type, or the file does not begin with a schema.
        OSError: there is no such file.
    """
    with path.open("rb") as file:
        begin = file.read(8)
        size = int.from_bytes(begin[4:], "little")
        if begin[:4] != b"\xff\xff\xff\xff" or size > _MAX_SCHEMA:
            raise ValueError("it does not begin with an Arrow schema")
        if _NAME in file.read(size):
            raise ValueError(_REFUSED)
    return path
