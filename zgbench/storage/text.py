"""Text files as people have them: UTF-8 with or without a byte order mark, any line ending; and files that come along unasked."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from zgbench.errors import InputError

MARK = codecs.BOM_UTF8
_WIDE = {
    codecs.BOM_UTF32_LE: "UTF-32", codecs.BOM_UTF32_BE: "UTF-32", codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16",
}  # fmt: skip
_COMPANIONS = ("thumbs.db", "desktop.ini", "ehthumbs.db", "icon\r", "__macosx")
_PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".npy", ".npz", ".mat", ".xml", ".txt")
"""Endings that a list of images may leave on their names."""


def refuse_wide(start: bytes, name: str) -> None:
    """Tell a file in UTF-16 or UTF-32 by its first bytes.

    Raises:
        InputError: it is one.
    """
    for mark, kind in _WIDE.items():  # UTF-32's marks come first: the one of UTF-16 begins them
        if start.startswith(mark):
            raise InputError(f"{name}: the text is {kind} (as > in Windows PowerShell writes). Save it as UTF-8.")
    if start[:1] and b"\0" in start[:2]:
        raise InputError(f"{name}: begins with a zero byte: no text, or UTF-16 without a mark. Save it as UTF-8.")


def decode(content: bytes, name: str) -> str:
    """A text file's content, its byte order mark left out.

    Args:
        name: for messages.

    Raises:
        InputError: not UTF-8; the message names the encoding or the place.
    """
    refuse_wide(content, name)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{name}: line {line} is not UTF-8 (byte 0x{content[error.start]:02x}; Latin-1 or Windows-1252?). Save the file as UTF-8."
        ) from error


def read_text(path: Path) -> str:
    """See :func:`decode`.

    Raises:
        InputError: no such file, or not UTF-8.
    """
    try:
        return decode(path.read_bytes(), str(path))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}).") from error


def read_json(path: Path) -> Any:
    """A JSON file's value.

    Raises:
        InputError: no such file, not UTF-8, or not JSON.
    """
    import json

    text = read_text(path)
    try:
        return json.loads(text, object_pairs_hook=_Once)
    except (ValueError, RecursionError) as error:
        said = str(error)[:200]
        raise InputError(
            f"{path}: not readable as JSON ({said if said.isprintable() else ascii(said)[1:-1]})."
        ) from error


class _Once(dict[str, Any]):
    """A JSON object; a key that stands there twice would silently be the last."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        if len(self) < len(pairs):
            seen: set[str] = set()
            twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
            raise ValueError(f"the key {twice[:60]!a} stands there twice in one object")


def is_companion(name: str) -> bool:
    """Whether a file was put there by an operating system (``._a.png``, ``.DS_Store``, ``Thumbs.db``), or is hidden."""
    return name.startswith(".") or name.lower() in _COMPANIONS


def without_companions(paths: Iterable[Path]) -> Iterator[Path]:
    """Paths that no operating system put there."""
    return (path for path in paths if not is_companion(path.name))


def bare_id(text: str) -> str:
    """A file name or path as an image id: without its folders and the ending of a picture."""
    name = PurePosixPath(text.replace("\\", "/")).name
    path = PurePosixPath(name)
    return path.stem if path.suffix.lower() in _PICTURES else name
