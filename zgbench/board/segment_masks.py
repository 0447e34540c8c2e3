"""The masks of one image of a submission, read without going through the whole file again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zgbench.board.memo import keep
from zgbench.datasets import Vocabulary
from zgbench.errors import InputError
from zgbench.submission import rle, schema
from zgbench.submission.problems import Report
from zgbench.submission.reader import open_submission

Mask = NDArray[np.bool_]
_files: dict[tuple[Path, int], dict[str, schema.Image]] = {}
_KEPT = 2
"""Submissions whose run lengths stay in memory, some MB each."""


def segments_of(
    file: Path, image_id: str, truth: NDArray[np.int32] | None, vocabulary: Vocabulary
) -> tuple[list[Mask], list[str]] | None:
    """Masks, bool [h, w] each, and labels.

    Args:
        truth: class ids, int32 [h, w], for submissions that name the truth's segments; None where it is not at hand.

    Returns:
        None where the truth is needed and not there.

    Raises:
        InputError: the submission cannot be read, or has no such image.
    """
    image = _images(file).get(image_id)
    if image is None:
        raise InputError(f"{file.name} has no image {image_id}.")
    if image.counts is None:
        if truth is None:
            return None
        return [truth == vocabulary.id(name) for name in image.classes or ()], image.labels
    runs = rle.parse(image.counts)
    spans = zip(runs.offsets[:-1], runs.offsets[1:], strict=True)
    return [rle.mask_of(runs.counts[a:b], image.size) for a, b in spans], image.labels


def _images(file: Path) -> dict[str, schema.Image]:
    key = (file, file.stat().st_mtime_ns)
    images = _files.pop(key, None)  # and to the end again, as what was asked for last
    if images is None:
        reader, report = open_submission(file), Report()
        header = reader.header(report)
        images = {image.id: image for image in reader.images(header, report)} if header is not None else {}
        report.raise_if_any(str(file))
    return keep(_files, key, images, _KEPT)
