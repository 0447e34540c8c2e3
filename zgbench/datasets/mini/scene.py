"""A scene: two or three regions of stuff, two to four things in front of them, and words for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from zgbench.datasets.mini.classes import BY_NAME, CLASSES, PALETTE, Colour, MiniClass
from zgbench.datasets.mini.stream import Stream, mix, noise
from zgbench.datasets.mini.textures import TEXTURES
from zgbench.datasets.mini.things import SHAPES

SIZE = (96, 96)
N_VAL = 200
MIN_PIXELS = 60
"""No truth segment is smaller; a scene with one is drawn again."""

_BACK = ("sky", "wall", "curtain")
_GROUND = ("grass", "sand", "water", "road", "snow", "floor", "carpet")
_THINGS = tuple(c for c in CLASSES if c.kind == "thing")
_KEYS = {"val": 0x6D696E69_00000001, "train": 0x6D696E69_00000002}

_Y, _X = (axis.astype(np.int64) for axis in np.ogrid[: SIZE[0], : SIZE[1]])


@dataclass(frozen=True)
class Scene:
    """A drawn scene.

    Attributes:
        id: split and number, ``val_0000``.
        image: uint8 [96, 96, 3], sRGB.
        truth: uint8 [96, 96], class id of every pixel, 1 and up.
        captions: what the whole picture shows, three wordings.
        phrases: class id → phrases for what is shown of it, the plain name first.
    """

    id: str
    image: NDArray[np.uint8]
    truth: NDArray[np.uint8]
    captions: tuple[str, ...]
    phrases: dict[int, tuple[str, ...]]


@lru_cache(maxsize=N_VAL)
def scene(split: Literal["train", "val"], index: int) -> Scene:
    """Draw a scene; the same split and index give the same bytes everywhere. The last ones drawn are kept, 37 KB each.

    Args:
        index: 0 … 199 for ``val``, 0 … 10⁹ for ``train``.

    Raises:
        ValueError: no such scene.
    """
    if split not in _KEYS or not 0 <= index <= (N_VAL - 1 if split == "val" else 10**9):
        raise ValueError(f"there is no scene {split} {index}: val has {N_VAL}, train 10⁹ + 1")
    attempt = 0
    while True:
        drawn = _draw(Stream(mix(_KEYS[split]) ^ mix(index * 1000 + attempt)))
        if drawn is not None:
            image, truth, shown, words = drawn
            image.flags.writeable = truth.flags.writeable = False
            break
        attempt += 1
    phrases = {c.id: _phrases(c, colour, words) for c, colour in shown}
    return Scene(f"{split}_{index:04d}", image, truth, _captions(shown, words), phrases)


Shown = list[tuple[MiniClass, str]]


def _draw(s: Stream) -> tuple[NDArray[np.uint8], NDArray[np.uint8], Shown, Stream] | None:
    """One attempt; None when a segment came out too small."""
    image = np.zeros((*SIZE, 3), dtype=np.int64)
    truth = np.zeros(SIZE, dtype=np.uint8)
    shown: Shown = []
    for name, region in _layout(s):
        kind = BY_NAME[name]
        colour = s.choice(kind.colours)
        light = TEXTURES[name](_X, _Y, s)
        painted = np.array(_varied(PALETTE[colour], s)) * light[..., None] // 100
        image[region] = painted[region]
        truth[region] = kind.id
        shown.append((kind, colour))
    for kind in s.sample(_THINGS, s.between(2, 4)):
        colour = s.choice(kind.colours)
        before = truth.copy()
        painted_on = _put(image, truth, kind, _varied(PALETTE[colour], s), s)
        hidden = [c for c, _ in shown if c.kind == "thing" and 2 * (truth == c.id).sum() < (before == c.id).sum()]
        if hidden or painted_on < MIN_PIXELS:
            return None
        shown.append((kind, colour))
    image += noise(s.key(), SIZE, 3)[..., None]
    if any((truth == c.id).sum() < MIN_PIXELS for c, _ in shown):
        return None
    return np.clip(image, 0, 255).astype(np.uint8), truth, shown, s


def _layout(s: Stream) -> list[tuple[str, NDArray[np.bool_]]]:
    """Regions that cover the picture, painted in this order."""
    regions = [(s.choice(_BACK), np.ones(SIZE, dtype=bool))]
    horizon = s.between(34, 62)
    if regions[0][0] == "sky" and s.chance(45):
        regions.append(("mountain", _skyline(s, horizon - 16, 15, 12) <= _Y))
    grounds = s.sample(_GROUND, 2)
    regions.append((grounds[0], _skyline(s, horizon, 3, 24) <= _Y))
    if s.chance(50):
        regions.append((grounds[1], _skyline(s, s.between(horizon + 16, 84), 4, 16) <= _Y))
    return regions


def _skyline(s: Stream, height: int, amplitude: int, step: int) -> NDArray[np.int64]:
    """Height of a boundary over each column, int64 [1, w]: straight between random knots."""
    knots = [height + s.between(-amplitude, amplitude) for _ in range(SIZE[1] // step + 2)]
    x = np.arange(SIZE[1])
    height_at, part = np.array(knots, dtype=np.int64), np.asarray(x % step, dtype=np.int64)
    left, right = height_at[x // step], height_at[x // step + 1]
    return np.asarray((left * (step - part) + right * part) // step, dtype=np.int64)[None]


def _varied(colour: Colour, s: Stream) -> Colour:
    r, g, b = (min(255, max(0, c + s.between(-14, 14))) for c in colour)
    return r, g, b


def _put(image: NDArray[np.int64], truth: NDArray[np.uint8], kind: MiniClass, colour: Colour, s: Stream) -> int:
    """Paint a thing somewhere; gives the number of its pixels."""
    height = s.between(36, 58)
    width = height * s.between(88, 112) // 100
    left, top = s.between(-4, SIZE[1] - width + 4), s.between(-2, SIZE[0] - height + 2)
    # pixel centres in the shape's units: doubled coordinates keep the half pixel whole
    u = (2 * (_X - left) + 1) * 1000 // (2 * width)
    v = (2 * (_Y - top) + 1) * 1000 // (2 * height)
    if s.chance(50):
        u = 999 - u
    within = (u >= 0) & (u < 1000) & (v >= 0) & (v < 1000)
    whole = np.zeros(SIZE, dtype=bool)
    grain = noise(s.key(), SIZE, 6)
    for mask, part in SHAPES[kind.name](u, v, colour):
        here = mask & within
        image[here] = np.array(part) + grain[here][:, None]
        whole |= here
    truth[whole] = kind.id
    return int(whole.sum())


def _article(words: str) -> str:
    return ("an " if words[0] in "aeiou" else "a ") + words


def _phrases(kind: MiniClass, colour: str, s: Stream) -> tuple[str, ...]:
    other = s.choice(kind.synonyms)
    if kind.kind == "stuff":
        return kind.name, f"{colour} {kind.name}", f"the {kind.name}", other
    return kind.name, f"{_article(f'{colour} {kind.name}')}", f"{_article(kind.name)}", other


def _captions(shown: Shown, s: Stream) -> tuple[str, ...]:
    stuff = [(c, colour) for c, colour in shown if c.kind == "stuff"]
    things = [(c, colour) for c, colour in shown if c.kind == "thing"]
    plain = " and ".join(_article(c.name) for c, _ in things)
    coloured = ", ".join(_article(f"{colour} {c.name}") for c, colour in things)
    other = ", ".join(_article(s.choice(c.synonyms)) if s.chance(60) else _article(c.name) for c, _ in things)
    places = [f"{colour} {c.name}" if s.chance(50) else c.name for c, colour in stuff]
    scenery = " and ".join(places)
    return (
        f"{plain} with {' and '.join(c.name for c, _ in stuff)}",
        f"{coloured} in front of {scenery}",
        f"a picture of {scenery} with {other}",
    )
