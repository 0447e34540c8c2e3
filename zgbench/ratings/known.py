"""Control and training items: segments of the truth under labels whose score is beyond dispute."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from zgbench.datasets import Dataset
from zgbench.ratings.content import Content, canonical, draw
from zgbench.ratings.records import Question
from zgbench.ratings.words import GROUP_OF, TOO_GENERAL, spoken
from zgbench.submission import rle

_LEAST = 0.02  # of the picture: large enough to be seen on a phone
_ALIKE = 0.5  # the smaller of two parts of a half-right segment, beside the larger
_ROUND = (3, 0, 2, 1, 3, 1, 0, 2)
"""Right answers of the training round, in order."""


def shuffled(ids: tuple[str, ...], seed: int, purpose: str) -> list[str]:
    """Image ids in an order that follows from a seed; the same images come first whatever else there is."""
    return sorted(ids, key=lambda i: hashlib.sha256(f"{seed}:{purpose}:{i}".encode()).digest())


def controls(dataset: Dataset, question: Question, n: int, seed: int) -> list[Content]:
    """Up to ``n`` items, half of them right (3: the true class) and half wrong (0: a class of another group).

    One an image; fewer where the truth has too few large segments of plain classes.
    """
    found: list[Content] = []
    for image_id in shuffled(dataset.ids, seed, "control"):
        if len(found) >= n:
            break
        classes = dataset.source.truth(image_id).classes()
        parts = list(_parts(dataset, classes))
        if not parts:
            continue
        name, mask = parts[draw(seed, image_id, 0) % len(parts)]
        right = len(found) % 2 == 0
        label = name if right else _wrong(dataset, classes, name, draw(seed, image_id, 1))
        if label is not None:
            found.append(_content(dataset, image_id, mask, spoken(label), question, 3 if right else 0))
    return found


def training(dataset: Dataset, question: Question, seed: int) -> list[Content]:
    """The training round: two items for each score, as far as the truth has them, each with an explanation."""
    waiting = list(enumerate(_ROUND))
    found: dict[int, Content] = {}
    for image_id in shuffled(dataset.ids, seed, "training"):
        if not waiting:
            break
        classes = dataset.source.truth(image_id).classes()
        for place, known in waiting:
            made = _example(dataset, image_id, classes, known, question, draw(seed, image_id, known))
            if made is not None:
                found[place] = made
                waiting.remove((place, known))
                break  # one an image
    return [found[place] for place in sorted(found)]


def _parts(dataset: Dataset, classes: NDArray[np.int32]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Names and masks of the large segments of plain classes."""
    for class_id, name in zip(dataset.vocabulary.ids, dataset.vocabulary.names, strict=True):
        if name in GROUP_OF:
            mask = classes == class_id
            if mask.mean() >= _LEAST:
                yield name, mask


def _wrong(dataset: Dataset, classes: NDArray[np.int32], name: str, number: int) -> str | None:
    """A class of another group, of which the image shows nothing."""
    shown = {
        GROUP_OF.get(other)
        for class_id, other in zip(dataset.vocabulary.ids, dataset.vocabulary.names, strict=True)
        if (classes == class_id).any()
    }
    names = [other for other in dataset.vocabulary.names if GROUP_OF.get(other, GROUP_OF[name]) not in shown]
    return names[number % len(names)] if names else None


def _example(
    dataset: Dataset, image_id: str, classes: NDArray[np.int32], known: int, question: Question, number: int
) -> Content | None:
    parts = list(_parts(dataset, classes))
    if known == 1:
        pairs = [
            (a, b) for a in parts for b in parts
            if GROUP_OF[a[0]] != GROUP_OF[b[0]] and a[1].sum() >= b[1].sum() >= _ALIKE * a[1].sum()
        ]  # fmt: skip
        if not pairs:
            return None
        (name, mask), (other, rest) = pairs[number % len(pairs)]
        why = f"Partially correct: the segment covers the {spoken(name)}, but the {spoken(other)} as well."
        return _content(dataset, image_id, mask | rest, spoken(name), question, 1, why)
    chosen = [part for part in parts if known != 2 or GROUP_OF[part[0]] in TOO_GENERAL]
    if not chosen:
        return None
    name, mask = chosen[number % len(chosen)]
    if known == 3:
        return _content(dataset, image_id, mask, spoken(name), question, 3, f"Correct: the segment is {_a(name)}.")
    if known == 2:
        word = GROUP_OF[name]
        why = f"Correct, but too general: the segment is {_a(name)}, which is one kind of {word}."
        return _content(dataset, image_id, mask, word, question, 2, why)
    label = _wrong(dataset, classes, name, number)
    if label is None:
        return None
    why = f"Incorrect: the segment is {_a(name)}, not {_a(label)}."
    return _content(dataset, image_id, mask, spoken(label), question, 0, why)


def _a(name: str) -> str:
    word = spoken(name)
    uncounted = name in ("grass", "water", "sky", "snow", "furniture", "food")
    return word if uncounted else f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def _content(
    dataset: Dataset, image_id: str, mask: NDArray[np.bool_], label: str, question: Question, known: int,
    why: str | None = None,
) -> Content:  # fmt: skip
    size = (mask.shape[0], mask.shape[1])
    return Content(dataset.key, image_id, size, canonical(rle.runs_of(mask)), label, question, known, why)
