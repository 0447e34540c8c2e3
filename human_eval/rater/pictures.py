"""Pictures of items, drawn once for everybody who is shown the same one."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, lru_cache

import numpy as np

from rater.texts import EXAMPLE
from zgbench.datasets import Dataset, open_dataset
from zgbench.ratings import Item
from zgbench.ratings.picture import View, draw


def picture(item: Item, view: View) -> bytes:
    """The item's picture, a JPEG file."""
    return _drawn(replace(item, ticket="", seconds_shown=0.0), view)


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
def _drawn(item: Item, view: View) -> bytes:
    return draw(_dataset(item.dataset).source.photo(item.image_id), item.mask(), view)


@cache
def _dataset(key: str) -> Dataset:
    return open_dataset(key)
