"""The classes of ``mini``: ordinary words, each with free-text synonyms or finer names, and the colours it comes in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Colour = tuple[int, int, int]

PALETTE: dict[str, Colour] = {
    "red": (206, 44, 40), "green": (66, 160, 62), "blue": (48, 92, 204), "yellow": (238, 206, 50), "orange": (240, 140, 36),
    "purple": (142, 66, 182), "pink": (240, 132, 180), "white": (236, 236, 236), "black": (40, 40, 44), "brown": (134, 84, 42),
    "grey": (134, 136, 140), "dark green": (28, 98, 44), "light blue": (140, 196, 240), "turquoise": (38, 172, 172),
    "beige": (226, 200, 150), "dark blue": (30, 46, 120), "golden": (222, 170, 44), "silver": (188, 194, 204),
}  # fmt: skip
"""Colour names and their sRGB values, 0–255."""


@dataclass(frozen=True)
class MiniClass:
    """A class.

    Attributes:
        id: 1 and up, without gaps.
        kind: a countable ``thing`` or amorphous ``stuff``.
        synonyms: other words for it, or for a finer kind of it.
        colours: names in ``PALETTE``, one of which a scene draws it in.
    """

    id: int
    name: str
    kind: Literal["thing", "stuff"]
    synonyms: tuple[str, ...]
    colours: tuple[str, ...]


_THINGS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("apple", ("granny smith apple", "ripe apple"), ("red", "green", "yellow")),
    ("car", ("automobile", "sedan"), ("red", "blue", "yellow", "black")),
    ("house", ("cottage", "small home"), ("white", "beige", "pink", "light blue")),
    ("tree", ("oak tree", "leafy tree"), ("green", "dark green", "orange")),
    ("fish", ("goldfish", "tropical fish"), ("orange", "blue", "silver", "purple")),
    ("boat", ("sailboat", "sailing boat"), ("brown", "red", "dark blue", "white")),
    ("cup", ("mug", "coffee cup"), ("white", "red", "turquoise", "purple")),
    ("umbrella", ("beach umbrella", "rain umbrella"), ("purple", "red", "yellow", "turquoise")),
    ("flower", ("daisy", "blossom"), ("pink", "white", "yellow", "purple")),
    ("mushroom", ("toadstool", "fungus"), ("red", "brown", "beige")),
    ("clock", ("wall clock", "round clock"), ("white", "golden", "black")),
    ("balloon", ("party balloon", "air balloon"), ("red", "blue", "pink", "green")),
    ("chair", ("wooden chair", "stool"), ("brown", "black", "turquoise", "orange")),
    ("bottle", ("glass bottle", "wine bottle"), ("dark green", "light blue", "brown")),
    ("snowman", ("snowman with a hat", "frosty the snowman"), ("white", "light blue")),
    ("star", ("golden star", "five-pointed star"), ("yellow", "golden", "silver")),
)

_STUFF: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("sky", ("cloudy sky", "the heavens"), ("light blue", "blue", "dark blue")),
    ("grass", ("lawn", "green meadow"), ("green", "dark green")),
    ("sand", ("sandy beach", "desert sand"), ("beige", "golden")),
    ("water", ("sea water", "rippling water"), ("blue", "turquoise", "dark blue")),
    ("road", ("asphalt road", "street"), ("grey", "black")),
    ("wall", ("brick wall", "stone wall"), ("red", "brown", "orange")),
    ("snow", ("fresh snow", "snowfall"), ("white",)),
    ("floor", ("wooden floor", "floorboards"), ("brown", "beige")),
    ("carpet", ("rug", "checkered carpet"), ("purple", "red", "turquoise")),
    ("curtain", ("drapes", "striped curtain"), ("pink", "yellow", "green", "purple")),
    ("mountain", ("mountain range", "rocky peak"), ("grey", "brown", "dark blue")),
)

CLASSES: tuple[MiniClass, ...] = tuple(
    MiniClass(i, name, "thing" if i <= len(_THINGS) else "stuff", synonyms, colours)
    for i, (name, synonyms, colours) in enumerate((*_THINGS, *_STUFF), start=1)
)
"""All classes, by ascending id: the things first."""

BY_NAME: dict[str, MiniClass] = {c.name: c for c in CLASSES}
