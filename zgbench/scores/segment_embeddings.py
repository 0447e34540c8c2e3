"""Segment embeddings for ST: those that came with the submission, or made by zgbench from the photos."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zgbench.datasets import Dataset
from zgbench.encoders.base import ImageTextEncoder, Vectors
from zgbench.encoders.cache import EmbeddingCache
from zgbench.errors import DataError, InputError
from zgbench.pixels.counts import Counts
from zgbench.submission import rle, schema
from zgbench.submission.problems import Report, quote
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


def read_embeddings(path: Path, segments: int) -> NDArray[Any]:
    """A submission's own segment embeddings.

    Args:
        path: safetensors file with one tensor [segments, d], bfloat16, float16, float32 or float64.
        segments: how many the submission has.

    Returns:
        float32 [segments, d].

    Raises:
        InputError: no such file, another shape or type, or a value that is not finite.
    """
    from safetensors import SafetensorError, safe_open

    def bad(expected: str, found: str) -> InputError:
        return InputError(
            f"{path}: expected {expected}, found {found}. Write embeddings with SubmissionWriter.add(..., embeddings=...)."
        )

    if not path.is_file():
        raise InputError(
            f'{path}: there is no such file, though the submission names it under "embeddings". Put it beside the submission.'
        )
    try:
        with safe_open(str(path), framework="numpy") as file:
            keys = list(file.keys())
            if len(keys) != 1:
                raise bad("one tensor", f"{len(keys)}: {quote(str(keys))}")
            view = file.get_slice(keys[0])
            shape, kind = tuple(view.get_shape()), str(view.get_dtype())
            if kind not in ("BF16", "F16", "F32", "F64"):
                raise bad("bfloat16, float16, float32 or float64", kind)
            if len(shape) != 2 or shape[0] != segments or shape[1] < 1:
                raise bad(f"shape [{segments}, d] (a row a segment, in file order)", str(list(shape)))
        # read and not mapped: a file that is cut short meanwhile is then an error and not the end of the process
        with path.open("rb") as raw:
            start = 8 + int.from_bytes(raw.read(8), "little")
            raw.seek(start)
            stored = "<u2" if kind == "BF16" else f"<f{int(kind[1:]) // 8}"
            read = np.fromfile(raw, dtype=stored, count=shape[0] * shape[1])
        if read.size != shape[0] * shape[1]:
            raise bad(f"{shape[0]} × {shape[1]} numbers", f"{read.size}; the file was changed while it was being read")
        if kind == "BF16":  # the upper half of a float32
            read = (read.astype(np.uint32) << 16).view(np.float32)
        tensor = read.reshape(shape).astype(np.float32)
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise InputError(f"{path}: not a readable safetensors file ({quote(str(error), 120)[1:-1]}).") from error
    wrong = np.flatnonzero(~np.isfinite(tensor).all(axis=1))
    if len(wrong):
        raise bad("finite numbers", f"NaN or infinity in row {int(wrong[0])} ({len(wrong)} rows in all)")
    zero = np.flatnonzero(~tensor.any(axis=1))
    if len(zero):
        raise bad("vectors with a direction", f"all zeros in row {int(zero[0])} ({len(zero)} rows in all)")
    return tensor
