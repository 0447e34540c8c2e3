"""``mini`` seen as a data set: truth and photos are drawn when asked for, so there is nothing to download."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zgbench.datasets import mini
from zgbench.datasets.truth import Truth, table
from zgbench.datasets.vocabulary import Vocabulary
from zgbench.errors import DataError


@cache
def mini_vocabulary() -> Vocabulary:
    """The classes of ``mini``."""
    return Vocabulary(
        tuple(c.id for c in mini.CLASSES),
        tuple(c.name for c in mini.CLASSES),
        synsets=tuple(_SYNSETS.get(c.name, ()) for c in mini.CLASSES),
    )


_SYNSETS = {
    "house": ("house.n.01", "dwelling.n.01"),
    "fish": ("fish.n.01",),
    "boat": ("boat.n.01", "sailing_vessel.n.01", "ship.n.01"),
    "cup": ("cup.n.01", "mug.n.04"),
    "flower": ("flower.n.01", "flower.n.02"),
    "mushroom": ("mushroom.n.01", "mushroom.n.02", "fungus.n.01"),
    "chair": ("chair.n.01", "stool.n.01"),
    "star": ("star.n.01", "star.n.03"),
    "sky": ("sky.n.01", "celestial_sphere.n.01"),
    "grass": ("grass.n.01", "lawn.n.01", "grassland.n.01"),
    "sand": ("sand.n.01", "beach.n.01"),
    "water": ("water.n.01", "body_of_water.n.01"),
    "snow": ("snow.n.01", "snow.n.02"),
    "floor": ("floor.n.01", "floorboard.n.01"),
    "mountain": ("mountain.n.01", "range.n.04", "natural_elevation.n.01", "peak.n.04"),
}
"""Class → synsets in WordNet 3.1, where its name alone would be read too narrowly or in another sense."""


@cache
def mini_ids() -> tuple[str, ...]:
    """Ids of the validation scenes, ``val_0000`` and so on."""
    return tuple(f"val_{index:04d}" for index in range(mini.N_VAL))


@cache
def _table() -> NDArray[np.int32]:
    return table({i: i for i in mini_vocabulary().ids}, background=0)


@dataclass(frozen=True)
class MiniSource:
    """Draws the scenes of ``mini``."""

    def _index(self, image_id: str) -> int:
        if image_id not in mini_ids():
            raise DataError(f"mini has no image {image_id!r}; its ids run from {mini_ids()[0]} to {mini_ids()[-1]}.")
        return int(image_id.removeprefix("val_"))

    def has(self, image_id: str) -> bool:
        return image_id in mini_ids()

    def truth(self, image_id: str) -> Truth:
        return Truth(mini.scene("val", self._index(image_id)).truth, _table())

    def photo(self, image_id: str) -> Any:
        from PIL import Image

        return Image.fromarray(mini.scene("val", self._index(image_id)).image)

    def photo_bytes(self, image_id: str) -> bytes:
        content = io.BytesIO()
        self.photo(image_id).save(content, format="JPEG", quality=95)
        return content.getvalue()

    def fingerprint(self, image_ids: tuple[str, ...]) -> str:
        digest = hashlib.sha256(b"mini\n")
        for image_id in image_ids:
            digest.update(image_id.encode() + mini.scene("val", self._index(image_id)).truth.tobytes())
        return digest.hexdigest()

    def stamp(self, image_ids: tuple[str, ...]) -> str:
        return ""

    def describe(self) -> str:
        return "drawn by zgbench"
