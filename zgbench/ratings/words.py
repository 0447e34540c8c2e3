"""Plain words for groups of classes, from which control and training items take answers that nobody can dispute.

A class's group is a label that is *correct but too general* for it; a class of another group is *incorrect* for it.
Classes that are in no group, or whose group has no everyday word that is clearly more general, are not used so.
"""

from __future__ import annotations

from functools import cache

from zgbench.datasets import Vocabulary

GROUPS: dict[str, tuple[str, ...]] = {
    "animal": ("bird", "cat", "cow", "dog", "fish", "horse", "sheep"),
    "vehicle": ("aeroplane", "bicycle", "boat", "bus", "car", "motorbike", "train", "truck"),
    "furniture": ("bed", "bench", "cabinet", "chair", "diningtable", "shelves", "sofa", "table"),
    "electronic device": ("computer", "keyboard", "tvmonitor"),
    "plant": ("flower", "grass", "pottedplant", "tree"),
    "container": ("bag", "bottle", "cup"),
    "food": ("apple",),
    "decoration": ("balloon",),
    "person": ("person",),
    "snowman": ("snowman",),
    "umbrella": ("umbrella",),
    "clock": ("clock",),
    "weather": ("sky", "snow"),
    "water": ("water",),
    "mountain": ("mountain",),
    "building": ("building", "house"),
    "road": ("road", "sidewalk", "track"),
}  # fmt: skip

TOO_GENERAL = frozenset({"animal", "vehicle", "furniture", "electronic device", "plant", "container"})
"""Groups whose word is a label for their members that is correct but too general."""

GROUP_OF = {name: group for group, names in GROUPS.items() for name in names}
"""Class name → group."""


def spoken(vocabulary: Vocabulary, name: str) -> str:
    """A class name as people write it, in one spelling whoever put it in: ``pottedplant`` is ``potted plant``.

    What is no class of the vocabulary stays as it is.
    """
    return _spellings(vocabulary.names, vocabulary.readable or vocabulary.names).get(name.casefold(), name)


@cache
def _spellings(names: tuple[str, ...], readable: tuple[str, ...]) -> dict[str, str]:
    shown = {text.casefold(): text for text in readable}
    return shown | {name.casefold(): text for name, text in zip(names, readable, strict=True)}
