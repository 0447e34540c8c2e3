"""COCO's compressed run lengths, one character at a time."""

from __future__ import annotations

import numpy as np


def compress(mask: np.ndarray) -> str:
    """Bool [h, w] → text."""
    runs, current = [0], False
    for value in mask.flatten(order="F"):
        if bool(value) != current:
            runs.append(0)
            current = not current
        runs[-1] += 1
    text = ""
    for i, run in enumerate(runs):
        x = run - (runs[i - 2] if i > 2 else 0)
        while True:
            bits, x = x & 31, x >> 5
            more = not (x == -1 and bits & 16) and not (x == 0 and not bits & 16)
            text += chr(bits + 48 + (32 if more else 0))
            if not more:
                break
    return text


def decompress(text: str, size: tuple[int, int]) -> np.ndarray:
    """Text → bool [h, w]."""
    runs: list[int] = []
    at = 0
    while at < len(text):
        x, shift = 0, 0
        while True:
            c = ord(text[at]) - 48
            x |= (c & 31) << shift
            at, shift = at + 1, shift + 5
            if not c & 32:
                if c & 16:
                    x -= 1 << shift
                break
        runs.append(x + (runs[-2] if len(runs) > 2 else 0))
    flat = np.zeros(size[0] * size[1], dtype=bool)
    position = 0
    for i, run in enumerate(runs):
        flat[position : position + run] = i % 2 == 1
        position += run
    assert position == flat.size
    return flat.reshape(size, order="F")
