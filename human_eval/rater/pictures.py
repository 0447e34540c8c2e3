"""Pictures of items, drawn once for everybody who is shown the same one; and how their labels are spelt."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, lru_cache

import numpy as np

from rater.texts import EXAMPLE
from zgbench.datasets import Dataset, open_dataset
from zgbench.errors import ZgbenchError
from zgbench.ratings import Item
from zgbench.ratings.picture import View, draw
from zgbench.ratings.words import spoken


def picture(item: Item, view: View, *, marked: bool = True) -> bytes:
    """The item's picture, a JPEG file.

    Args:
        marked: with its segment; else the bare photo, of the same size.
    """
    kept = replace(item, ticket="", seconds_shown=0.0)
    if not marked and view != "zoom":  # the same for all items of a photo
        kept = replace(kept, id="", label="", counts=_whole(item.size))
    return _drawn(kept, "outline" if not marked and view != "zoom" else view, marked)


def words(item: Item) -> str:
    """The label as people write it. Classes (T*) are spelt alike whether they come from a method or a control item."""
    if item.question != "T*":
        return item.label
    try:
        return spoken(_dataset(item.dataset).vocabulary, item.label)
    except ZgbenchError:
        return item.label


@cache
def example() -> bytes:
    """The picture of the instructions."""
    key, image_id, name = EXAMPLE
    dataset = _dataset(key)
    class_id = dict(zip(dataset.vocabulary.names, dataset.vocabulary.ids, strict=True))[name]
    return draw(
        dataset.source.photo(image_id), np.asarray(dataset.source.truth(image_id).classes() == class_id), "outline"
    )


@lru_cache(maxsize=256)  # of some 60 kB each
def _drawn(item: Item, view: View, marked: bool) -> bytes:
    return draw(_dataset(item.dataset).source.photo(item.image_id), item.mask(), view, marked=marked)


@cache
def _whole(size: tuple[int, int]) -> str:
    from zgbench.submission import rle

    return rle.encode(rle.runs_of(np.ones(size, dtype=bool)))


@cache
def _dataset(key: str) -> Dataset:
    return open_dataset(key)
