"""Shapes of the things, in a box of 1000 × 1000 units, tested with whole numbers at pixel centres.

Each shape gives its parts from back to front: where a part is, and its colour as (what it is made from, per cent of
brightness), where "what" is the thing's own colour or a fixed one.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from zgbench.datasets.mini.classes import PALETTE, Colour

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Part = tuple[Mask, Colour]
Shape = Callable[[Ints, Ints, Colour], list[Part]]


def shade(colour: Colour, percent: int) -> Colour:
    """A brighter (over 100) or darker colour, clipped to 0–255."""
    r, g, b = (min(255, c * percent // 100) for c in colour)
    return r, g, b


def ellipse(u: Ints, v: Ints, cu: int, cv: int, ru: int, rv: int) -> Mask:
    """Inside of an ellipse around (cu, cv) with half axes ru and rv."""
    return np.asarray(((u - cu) * rv) ** 2 + ((v - cv) * ru) ** 2 <= (ru * rv) ** 2)


def box(u: Ints, v: Ints, left: int, top: int, right: int, bottom: int) -> Mask:
    """left ≤ u < right and top ≤ v < bottom."""
    return np.asarray((u >= left) & (u < right) & (v >= top) & (v < bottom))


def polygon(u: Ints, v: Ints, *corners: tuple[int, int]) -> Mask:
    """Inside of a polygon by the even–odd rule (crossings to the right of the point), without division."""
    inside = np.zeros(np.broadcast_shapes(u.shape, v.shape), dtype=bool)
    for (u0, v0), (u1, v1) in zip(corners, (*corners[1:], corners[0]), strict=True):
        if v0 == v1:
            continue
        if v0 > v1:
            (u0, v0), (u1, v1) = (u1, v1), (u0, v0)
        inside ^= (v >= v0) & (v < v1) & ((u - u0) * (v1 - v0) < (u1 - u0) * (v - v0))
    return inside


def _apple(u: Ints, v: Ints, own: Colour) -> list[Part]:
    body = ellipse(u, v, 370, 600, 310, 370) | ellipse(u, v, 630, 600, 310, 370)
    return [
        (box(u, v, 470, 60, 540, 320), PALETTE["brown"]),
        (ellipse(u, v, 690, 150, 170, 80), PALETTE["green"]),
        (body, own),
        (body & ellipse(u, v, 290, 480, 90, 130), shade(own, 135)),
    ]


def _car(u: Ints, v: Ints, own: Colour) -> list[Part]:
    cabin = polygon(u, v, (240, 480), (360, 230), (690, 230), (830, 480))
    return [
        (cabin, own),
        (polygon(u, v, (330, 460), (410, 290), (520, 290), (520, 460)), PALETTE["light blue"]),
        (polygon(u, v, (560, 460), (560, 290), (660, 290), (750, 460)), PALETTE["light blue"]),
        (box(u, v, 20, 470, 980, 740), own),
        (box(u, v, 20, 640, 980, 740), shade(own, 70)),
        (box(u, v, 900, 520, 980, 590), PALETTE["yellow"]),
        (ellipse(u, v, 260, 740, 140, 140) | ellipse(u, v, 750, 740, 140, 140), PALETTE["black"]),
        (ellipse(u, v, 260, 740, 60, 60) | ellipse(u, v, 750, 740, 60, 60), PALETTE["silver"]),
    ]


def _house(u: Ints, v: Ints, own: Colour) -> list[Part]:
    return [
        (box(u, v, 690, 90, 800, 420), shade(PALETTE["red"], 70)),
        (box(u, v, 130, 430, 870, 980), own),
        (polygon(u, v, (20, 450), (500, 40), (980, 450)), shade(PALETTE["red"], 80)),
        (box(u, v, 430, 660, 600, 980), PALETTE["brown"]),
        (box(u, v, 210, 550, 360, 720) | box(u, v, 680, 550, 810, 720), PALETTE["dark blue"]),
        (box(u, v, 275, 550, 295, 720) | box(u, v, 735, 550, 755, 720), PALETTE["white"]),
    ]


def _tree(u: Ints, v: Ints, own: Colour) -> list[Part]:
    crown = ellipse(u, v, 500, 330, 330, 300) | ellipse(u, v, 260, 430, 240, 220) | ellipse(u, v, 740, 430, 240, 220)
    return [
        (polygon(u, v, (430, 560), (570, 560), (630, 990), (370, 990)), PALETTE["brown"]),
        (crown, own),
        (crown & ((u // 90 + 2 * (v // 90)) % 5 == 0), shade(own, 75)),
        (crown & ((2 * (u // 90) + v // 90) % 7 == 0), shade(own, 125)),
    ]


def _fish(u: Ints, v: Ints, own: Colour) -> list[Part]:
    body = ellipse(u, v, 560, 500, 400, 250)
    return [
        (polygon(u, v, (240, 500), (20, 240), (20, 760)), shade(own, 75)),
        (polygon(u, v, (430, 280), (560, 110), (700, 290)), shade(own, 75)),
        (body, own),
        (body & (u % 200 < 60) & (u < 720), shade(own, 135)),
        (ellipse(u, v, 800, 430, 65, 65), PALETTE["white"]),
        (ellipse(u, v, 815, 430, 32, 32), PALETTE["black"]),
    ]


def _boat(u: Ints, v: Ints, own: Colour) -> list[Part]:
    return [
        (box(u, v, 470, 40, 520, 700), PALETTE["brown"]),
        (polygon(u, v, (540, 60), (920, 620), (540, 620)), PALETTE["white"]),
        (polygon(u, v, (450, 160), (450, 620), (160, 620)), shade(PALETTE["white"], 85)),
        (polygon(u, v, (30, 690), (970, 690), (800, 960), (200, 960)), own),
        (polygon(u, v, (30, 690), (970, 690), (930, 760), (75, 760)), shade(own, 130)),
    ]


def _cup(u: Ints, v: Ints, own: Colour) -> list[Part]:
    ring = ellipse(u, v, 730, 520, 240, 220) & ~ellipse(u, v, 730, 520, 140, 130)
    return [
        (ring, shade(own, 80)),
        (polygon(u, v, (80, 200), (740, 200), (660, 920), (160, 920)), own),
        (ellipse(u, v, 410, 200, 330, 90), shade(own, 65)),
        (ellipse(u, v, 410, 215, 260, 55), PALETTE["brown"]),
        (box(u, v, 180, 380, 250, 800), shade(own, 125)),
    ]


def _umbrella(u: Ints, v: Ints, own: Colour) -> list[Part]:
    dome = ellipse(u, v, 500, 520, 480, 460) & (v < 520)
    hook = ellipse(u, v, 420, 880, 110, 110) & ~ellipse(u, v, 420, 880, 50, 50) & (v >= 880)
    return [
        (box(u, v, 470, 480, 530, 900) | hook, PALETTE["black"]),
        (dome, own),
        (dome & ellipse(u, v, 500, 520, 170, 460), shade(own, 140)),
        (dome & (ellipse(u, v, 500, 520, 340, 460) & ~ellipse(u, v, 500, 520, 250, 460)), shade(own, 70)),
    ]


def _flower(u: Ints, v: Ints, own: Colour) -> list[Part]:
    petals = [(500, 130), (740, 290), (660, 560), (340, 560), (260, 290)]
    parts: list[Part] = [
        (box(u, v, 470, 500, 530, 990), PALETTE["dark green"]),
        (ellipse(u, v, 660, 800, 160, 70), PALETTE["green"]),
    ]
    parts += [(ellipse(u, v, cu, cv, 180, 180), shade(own, 100 - 8 * (k % 2))) for k, (cu, cv) in enumerate(petals)]
    return [*parts, (ellipse(u, v, 500, 370, 150, 150), PALETTE["orange"])]


def _mushroom(u: Ints, v: Ints, own: Colour) -> list[Part]:
    cap = ellipse(u, v, 500, 520, 470, 440) & (v < 560)
    dots = ellipse(u, v, 300, 360, 80, 80) | ellipse(u, v, 540, 230, 85, 85) | ellipse(u, v, 740, 420, 75, 75)
    return [
        (polygon(u, v, (370, 540), (630, 540), (700, 970), (300, 970)), PALETTE["white"]),
        (cap, own),
        (cap & dots, PALETTE["white"]),
        (cap & (v >= 500), shade(own, 65)),
    ]


def _clock(u: Ints, v: Ints, own: Colour) -> list[Part]:
    ticks = (abs(u - 500) < 30) & ((v < 190) | (v >= 810)) | (abs(v - 500) < 30) & ((u < 190) | (u >= 810))
    face = ellipse(u, v, 500, 500, 390, 390)
    dark = sum(own) < 250
    hand = PALETTE["white"] if dark else PALETTE["black"]
    return [
        (ellipse(u, v, 500, 500, 480, 480), shade(PALETTE["brown"], 90)),
        (face, own),
        (face & ticks, hand),
        (box(u, v, 470, 230, 530, 520) | box(u, v, 480, 475, 720, 530), hand),
    ]


def _balloon(u: Ints, v: Ints, own: Colour) -> list[Part]:
    string = (abs(u - 500 - (v - 700) * (v - 1000) * ((v // 80) % 2 * 2 - 1) // 1500) < 28) & (v >= 700)
    return [
        (string, PALETTE["black"]),
        (polygon(u, v, (430, 780), (500, 680), (570, 780)), shade(own, 75)),
        (ellipse(u, v, 500, 370, 320, 360), own),
        (ellipse(u, v, 390, 250, 80, 110), shade(own, 145)),
    ]


def _chair(u: Ints, v: Ints, own: Colour) -> list[Part]:
    return [
        (box(u, v, 190, 30, 290, 980), own),
        (box(u, v, 190, 60, 420, 150) | box(u, v, 190, 240, 420, 330) | box(u, v, 330, 30, 420, 560), shade(own, 85)),
        (box(u, v, 180, 520, 840, 640), shade(own, 125)),
        (box(u, v, 740, 640, 840, 980) | box(u, v, 470, 640, 540, 900), shade(own, 80)),
        (box(u, v, 190, 760, 840, 810), shade(own, 70)),
    ]


def _bottle(u: Ints, v: Ints, own: Colour) -> list[Part]:
    return [
        (box(u, v, 430, 20, 570, 120), PALETTE["brown"]),
        (box(u, v, 420, 110, 580, 380), own),
        (polygon(u, v, (420, 300), (580, 300), (710, 470), (290, 470)) | box(u, v, 290, 460, 710, 980), own),
        (box(u, v, 290, 580, 710, 810), PALETTE["white"]),
        (box(u, v, 340, 640, 660, 680) | box(u, v, 340, 720, 560, 750), PALETTE["black"]),
        (box(u, v, 330, 470, 380, 580) | box(u, v, 450, 140, 480, 360), shade(own, 160)),
    ]


def _snowman(u: Ints, v: Ints, own: Colour) -> list[Part]:
    buttons = ellipse(u, v, 500, 560, 30, 30) | ellipse(u, v, 500, 700, 30, 30) | ellipse(u, v, 500, 840, 30, 30)
    return [
        (ellipse(u, v, 500, 710, 310, 280), own),
        (ellipse(u, v, 500, 330, 200, 190), shade(own, 95)),
        (box(u, v, 270, 150, 730, 210) | box(u, v, 350, 10, 650, 170), PALETTE["black"]),
        (ellipse(u, v, 430, 300, 28, 28) | ellipse(u, v, 570, 300, 28, 28) | buttons, PALETTE["black"]),
        (polygon(u, v, (490, 350), (700, 400), (490, 410)), PALETTE["orange"]),
        (box(u, v, 330, 470, 680, 530), PALETTE["red"]),
    ]


def _star(u: Ints, v: Ints, own: Colour) -> list[Part]:
    corners = (
        (500, 20),
        (614, 362),
        (975, 365),
        (684, 580),
        (793, 925),
        (500, 713),
        (207, 925),
        (316, 580),
        (25, 365),
        (386, 362),
    )
    return [
        (polygon(u, v, *corners), own),
        (
            polygon(u, v, (500, 20), (500, 500), (386, 362)) | polygon(u, v, (975, 365), (500, 500), (614, 362)),
            shade(own, 125),
        ),
        (
            polygon(u, v, (793, 925), (500, 500), (684, 580)) | polygon(u, v, (207, 925), (500, 500), (500, 713)),
            shade(own, 75),
        ),
    ]


SHAPES: dict[str, Shape] = {
    "apple": _apple, "car": _car, "house": _house, "tree": _tree, "fish": _fish, "boat": _boat, "cup": _cup,
    "umbrella": _umbrella, "flower": _flower, "mushroom": _mushroom, "clock": _clock, "balloon": _balloon,
    "chair": _chair, "bottle": _bottle, "snowman": _snowman, "star": _star,
}  # fmt: skip
"""Class name → shape."""
