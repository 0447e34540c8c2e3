"""Segment embeddings for ST: those that came with the submission, or made by zgbench from the photos."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from zgbench.datasets import Dataset
from zgbench.encoders.base import ImageTextEncoder, Vectors
from zgbench.encoders.cache import EmbeddingCache
from zgbench.errors import DataError
from zgbench.pixels.counts import Counts
from zgbench.scores.reassignment import read_embeddings
from zgbench.submission import rle, schema
from zgbench.submission.problems import Report
from zgbench.submission.reader import Reader


def submitted(path: Path, counts: Counts) -> Vectors:
    """The submission's own vectors of the counted segments, float32 [segments, d]."""
    vectors: Vectors = read_embeddings(path, counts.submitted)[counts.rows]
    return vectors


def embedded(
    reader: Reader,
    header: schema.Header,
    counts: Counts,
    dataset: Dataset,
    clip: ImageTextEncoder,
    recipe: str,
    cache: EmbeddingCache,
    progress: Callable[[int], None] = lambda _: None,
) -> Vectors:
    """Vectors made by zgbench from photo and mask, float32 [segments, d], cached by the content of photo and masks.

    Args:
        recipe: how a segment is embedded, part of the cache key.

    Raises:
        DataError: a photo is missing, damaged, or of another size than its truth.
        ModelUnavailable: the weights cannot be had.
    """
    place = {image_id: index for index, image_id in enumerate(counts.ids)}
    parts: dict[int, Vectors] = {}
    for image, masks in _masks(reader, header, dataset, place):
        photo = dataset.source.photo(image.id)
        if (photo.height, photo.width) != image.size:
            raise DataError(
                f"{image.id}: the photo is {photo.height} × {photo.width}, its truth {image.size[0]} × {image.size[1]}. Unpack the archive again."
            )
        # segments of an image are computed together and the last digits depend on the company, so all of it is in the
        # key: what another submission left in the cache never changes a result
        together = hashlib.sha256(np.asarray(photo).tobytes() + hashlib.sha256(masks.tobytes()).digest()).digest()
        contents = [together + hashlib.sha256(mask.tobytes()).digest() for mask in masks]
        if contents:
            parts[place[image.id]] = cache.get_or_make(
                clip,
                f"segment {recipe}",
                contents,
                lambda new, photo=photo, masks=masks: clip.encode_segments(photo, masks)[new],  # type: ignore[misc]
            )
        progress(1)
    return np.concatenate([parts[i] for i in sorted(parts)]) if parts else np.zeros((0, 1), dtype=np.float32)


def _masks(
    reader: Reader, header: schema.Header, dataset: Dataset, wanted: dict[str, int]
) -> Iterator[tuple[schema.Image, np.ndarray]]:
    """Each counted image once more, now with its masks, bool [n, h, w]."""
    for image in reader.images(header, Report()):
        if image.id not in wanted:
            continue
        if image.counts is not None:
            runs = rle.parse(image.counts)
            masks = [
                rle.mask_of(runs.counts[a:b], image.size)
                for a, b in zip(runs.offsets[:-1], runs.offsets[1:], strict=True)
            ]
        else:
            classes = dataset.source.truth(image.id).classes()
            masks = [classes == dataset.vocabulary.id(name) for name in image.classes or ()]
        yield image, np.stack(masks) if masks else np.zeros((0, *image.size), dtype=bool)
