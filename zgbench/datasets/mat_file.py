"""Reads ``LabelMap`` from a MATLAB 5 file: a matrix of numbers and nothing else, in bounded memory.

A file from elsewhere should not be able to do more than to be wrong. A general reader follows cells, structs and objects
and unpacks whatever a compressed variable holds; here everything but one plain matrix is passed over unread.
Format: "MAT-File Format", MathWorks, level 5.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from zgbench.errors import DataError

MAX_BYTES = 64 << 20
"""Of a file, and of all that it unpacks to; the published ones have some kilobytes."""
_HEADER = 128
_MATRIX, _COMPRESSED = 14, 15
_NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_NUMERIC_CLASSES = range(6, 16)  # double, single, and the integers
_COMPLEX = 0x800

Order = Literal["little", "big"]


class _Damaged(ValueError):
    """The file is not what the format wants."""


def read_label_map(path: Path) -> NDArray[np.uint16]:
    """``LabelMap`` of a PASCAL Context ``.mat`` file, uint16 [h, w].

    Raises:
        DataError: no such file, damaged, without a LabelMap, or larger than any photo's.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise _Damaged(f"more than {MAX_BYTES >> 20} MiB")
        values = _label_map(content)
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file. Unpack the data set again, or see: zgbench datasets check") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}).") from error
    except (_Damaged, zlib.error) as error:
        raise DataError(f"{path}: not a readable MATLAB file ({error}). Unpack the archive again.") from error
    if values is None:
        raise DataError(
            f"{path}: holds no variable 'LabelMap'. Expected the .mat files of the full PASCAL Context release."
        )
    if not (values.size and values.min() >= 0 and values.max() <= 65535):
        raise DataError(f"{path}: LabelMap should be a matrix of ids 0–459, found {values.dtype} {values.shape}.")
    return values.astype(np.uint16)


def _label_map(content: bytes) -> NDArray[Any] | None:
    endings: dict[bytes, Order] = {b"\x00\x01IM": "little", b"\x01\x00MI": "big"}
    order = endings.get(content[124:_HEADER])
    if order is None:
        raise _Damaged("no MATLAB 5 header; versions 4 and 7.3 are not read")
    left = MAX_BYTES
    for kind, body in _elements(content[_HEADER:], order):
        if kind == _COMPRESSED:
            unpacked = zlib.decompressobj().decompress(body, left + 1)
            left -= len(unpacked)
            if left < 0:
                raise _Damaged(f"unpacks to more than {MAX_BYTES >> 20} MiB")
            kind, body = next(_elements(unpacked, order), (0, b""))
        if kind == _MATRIX:
            parts = _elements(body, order)
            flags, sides, name = (next(parts, (0, b""))[1] for _ in range(3))
            if name.rstrip(b"\0") == b"LabelMap":
                return _matrix(flags, sides, next(parts, (0, b"")), order)
    return None


def _matrix(flags: bytes, sides: bytes, real: tuple[int, bytes], order: Order) -> NDArray[Any]:
    flag = int.from_bytes(flags[:4], order)
    if flag & 0xFF not in _NUMERIC_CLASSES or flag & _COMPLEX:
        raise _Damaged("LabelMap is not a matrix of numbers")
    sign = "<" if order == "little" else ">"
    height, width = np.frombuffer(sides, f"{sign}i4").tolist() if len(sides) == 8 else (0, 0)
    kind = np.dtype(sign + _NUMBERS[real[0]]) if real[0] in _NUMBERS else None
    if kind is None or height < 1 or width < 1 or height * width * kind.itemsize != len(real[1]):
        raise _Damaged(f"LabelMap says {height} × {width} and holds {len(real[1])} bytes")
    return np.frombuffer(real[1], kind).reshape(width, height).T  # column by column


def _elements(data: bytes, order: Order) -> Iterator[tuple[int, bytes]]:
    """Type and content of the data elements that stand one after the other."""
    at = 0
    while at + 8 <= len(data):
        kind, length = (int.from_bytes(data[k : k + 4], order) for k in (at, at + 4))
        start = at + 8
        if kind >> 16:  # a small element: its length and up to four bytes of content in the tag
            kind, length, start = kind & 0xFFFF, kind >> 16, at + 4
            if length > 4:
                raise _Damaged("a small data element of more than 4 bytes")
        if start + length > len(data):
            raise _Damaged("cut off")
        yield kind, data[start : start + length]
        at = start + length
        if kind != _COMPRESSED:
            at += -at % 8
