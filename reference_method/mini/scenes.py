"""Training scenes of ``mini``: pictures and words, never the masks."""

from __future__ import annotations

import random
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zgbench.datasets import mini

_CHUNK = 250


@dataclass(frozen=True)
class Shown:
    """What the words of one scene say of one class in it."""

    name: str
    coloured: str
    synonym: str

    def phrase(self, rng: random.Random) -> str:
        """One of the wordings, bare, with an article, or as the captioner's sentence."""
        words = rng.choices((self.name, self.coloured, self.synonym), (3, 2, 2))[0]
        return rng.choice(("{}", "{}", "a {}", "Image of a {}", "Image of a {}.")).format(words)


@dataclass(frozen=True)
class Scenes:
    """Scenes with image-level words.

    Attributes:
        images: uint8 [n, 3, 96, 96].
        captions: of each scene, three.
        shown: of each scene, the classes in it.
    """

    images: Tensor
    captions: list[tuple[str, ...]]
    shown: list[tuple[Shown, ...]]

    def batch(self, indices: list[int], rng: random.Random) -> Tensor:
        """Pictures, mirrored and shifted at random, float32 [b, 3, 96, 96] in [0, 1]."""
        found = []
        for index in indices:
            image = self.images[index]
            if rng.random() < 0.5:
                image = image.flip(-1)
            dy, dx = rng.randrange(9), rng.randrange(9)
            found.append(
                torch.nn.functional.pad(image.float(), (4, 4, 4, 4), mode="reflect")[:, dy : dy + 96, dx : dx + 96]
            )
        return torch.stack(found) / 255


def load(count: int, workers: int) -> Scenes:
    """The first ``count`` training scenes (about 250 a second and core)."""
    with ProcessPoolExecutor(workers) as pool:
        parts = list(pool.map(_draw, range(0, count, _CHUNK)))
    images = torch.from_numpy(np.concatenate([part[0] for part in parts])[:count]).permute(0, 3, 1, 2).contiguous()
    words = [one for part in parts for one in part[1]][:count]
    return Scenes(images, [captions for captions, _ in words], [shown for _, shown in words])


def _draw(start: int) -> tuple[Any, list[Any]]:
    scenes = [mini.scene("train", index) for index in range(start, start + _CHUNK)]
    words = [(s.captions, tuple(_shown(phrases) for phrases in s.phrases.values())) for s in scenes]
    return np.stack([s.image for s in scenes]), words


def _shown(phrases: tuple[str, ...]) -> Shown:
    name, coloured, _, synonym = phrases
    return Shown(name, coloured.removeprefix("a ").removeprefix("an "), synonym)
