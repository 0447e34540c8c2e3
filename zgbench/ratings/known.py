"""Control and training items: segments of the truth under labels whose score is beyond dispute."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from zgbench.datasets import Dataset
from zgbench.ratings.content import Content, canonical, draw
from zgbench.ratings.records import Question
from zgbench.ratings.words import GROUP_OF, TOO_GENERAL, spoken
from zgbench.submission import rle

_LEAST = 0.02  # of the picture: large enough to be seen on a phone
OTHER = 0.2
"""Share of a segment that may show something else under words that still count as right: raters are told so. Words that
fit more than this share, but less than the rest, are partially right."""

_HALF = (0.4, 0.6)  # share that the words of a partially right example fit: far from both limits
_ROUND = (3, 0, 2, 1, 3, 1, 0, 2)
"""Right answers of a round of practice, in order."""

_ROUNDS = 3


def shuffled(ids: tuple[str, ...], seed: int, purpose: str) -> list[str]:
    """Image ids in an order that follows from a seed; the same images come first whatever else there is."""
    return sorted(ids, key=lambda i: hashlib.sha256(f"{seed}:{purpose}:{i}".encode()).digest())


def controls(dataset: Dataset, question: Question, n: int, seed: int, images: Sequence[str] = ()) -> list[Content]:
    """Up to ``n`` items, half of them right (3: the true class) and half wrong (0: a class of another group).

    One an image; fewer where the truth has too few large segments of plain classes.

    Args:
        images: to take first: a control is hidden among the items of its own photo.
    """
    found: list[Content] = []
    first = shuffled(tuple(images), seed, "control")
    for image_id in [*first, *shuffled(tuple(set(dataset.ids) - set(first)), seed, "control")]:
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
            found.append(_content(dataset, image_id, mask, label, question, 3 if right else 0))
    return found


def training(dataset: Dataset, question: Question, seed: int) -> list[list[Content]]:
    """Rounds of practice: two items for each score, as far as the truth has them, each with an explanation."""
    waiting = list(enumerate(_ROUND * _ROUNDS))
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
    rounds = [[found[place] for place in sorted(found) if place // len(_ROUND) == n] for n in range(_ROUNDS)]
    return [contents for contents in rounds if contents]


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
            if GROUP_OF[a[0]] != GROUP_OF[b[0]] and _HALF[0] <= a[1].sum() / (a[1].sum() + b[1].sum()) <= _HALF[1]
        ]  # fmt: skip
        if not pairs:
            return None
        (name, mask), (other, rest) = pairs[number % len(pairs)]
        return _content(dataset, image_id, mask | rest, name, question, 1, other)
    chosen = [part for part in parts if known != 2 or GROUP_OF[part[0]] in TOO_GENERAL]
    if not chosen:
        return None
    name, mask = chosen[number % len(chosen)]
    if known == 3:
        return _content(dataset, image_id, mask, name, question, 3, name)
    if known == 2:
        return _content(dataset, image_id, mask, GROUP_OF[name], question, 2, name)
    label = _wrong(dataset, classes, name, number)
    if label is None:
        return None
    return _content(dataset, image_id, mask, label, question, 0, name)


def reason(why: str) -> tuple[int, str] | None:
    """Right answer and true class behind an explanation, for a page to say in its language; None for a written one.

    Stores of older versions hold explanations as English sentences.
    """
    score, bar, name = why.partition("|")
    return (int(score), name) if bar and score in ("0", "1", "2", "3") else None


def _content(
    dataset: Dataset, image_id: str, mask: NDArray[np.bool_], name: str, question: Question, known: int,
    shows: str = "",
) -> Content:  # fmt: skip
    """An item under the name of a class or group: for T as people write it, for T* as the classes of ordinary items are.

    Args:
        shows: the class that the segment shows (under 1: that it shows as well), which explains the answer.
    """
    size = (mask.shape[0], mask.shape[1])
    label = spoken(dataset.vocabulary, name) if question == "T" else name
    why = f"{known}|{spoken(dataset.vocabulary, shows)}" if shows else None
    return Content(dataset.key, image_id, size, canonical(rle.runs_of(mask)), label, question, known, why)
