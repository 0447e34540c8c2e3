"""Writes PNGs byte by byte, in any colour type and bit depth: no image library has a say in what lies in the file."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

import numpy as np

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))


def png(
    samples: np.ndarray,
    colour_type: int,
    bits: int,
    palette: Sequence[Sequence[int]] | None = None,
    *,
    interlaced: bool = False,
    chunks: Sequence[tuple[bytes, bytes]] = (),
) -> bytes:
    """A PNG of samples, [h, w] or [h, w, channels], each below 2 ** bits; ``chunks`` stand before the pixels."""
    assert samples.shape[2:] == ((_CHANNELS[colour_type],) if _CHANNELS[colour_type] > 1 else ())
    height, width = samples.shape[:2]
    head = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, int(interlaced))
    passes = [samples[top::down, left::right] for top, left, down, right in _ADAM7] if interlaced else [samples]
    data = b"".join(_line(row, bits) for part in passes if part.size for row in part)
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
    if palette is not None:
        content += chunk(b"PLTE", bytes(value for colour in palette for value in colour))
    for kind, body in chunks:
        content += chunk(kind, body)
    return content + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk with its checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _line(row: np.ndarray, bits: int) -> bytes:
    """A row of samples, the first in the highest bits, filter 0."""
    text = "".join(f"{int(sample):0{bits}b}" for sample in row.ravel())
    text += "0" * (-len(text) % 8)
    return b"\0" + bytes(int(text[k : k + 8], 2) for k in range(0, len(text), 8))


def voc_colour(index: int) -> tuple[int, int, int]:
    """As in the VOC development kit (``VOClabelcolormap.m``): three bits at a time, from the highest."""
    r = g = b = 0
    c = index
    for j in range(8):
        r |= (c & 1) << (7 - j)
        g |= (c >> 1 & 1) << (7 - j)
        b |= (c >> 2 & 1) << (7 - j)
        c >>= 3
    return r, g, b
