"""The pixel pass: submission and truth in, ``N[s, c]`` out, every image looked at once, in parallel processes.

No mask and no label map is ever materialised: see :mod:`zgbench.pixels.joint_histograms`.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain, islice
from multiprocessing import get_context
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zgbench.datasets.truth import Truth, TruthSource
from zgbench.datasets.vocabulary import Vocabulary
from zgbench.errors import DataError, InternalError
from zgbench.pixels.counts import NOWHERE, ImageCounts
from zgbench.pixels.joint_histograms import Entries, UndefinedValue, joint_counts
from zgbench.storage.workers import begin as begin_worker
from zgbench.submission.mask_checks import Strip, check_masks, lay_out
from zgbench.submission.problems import Problem, quote
from zgbench.submission.schema import Image

BATCH = 32
"""Images sent to a worker at once."""
TOGETHER = 8
"""Images that are parsed and counted at once: enough to spread numpy's overhead, few enough to stay in the cache."""


@dataclass(frozen=True)
class Rejected:
    """What is wrong with an image that is not counted."""

    problems: list[Problem]


Int32 = NDArray[np.int32]
Item = Image | Rejected
Outcome = ImageCounts | Rejected


def count_batch(items: list[Item], source: TruthSource, vocabulary: Vocabulary) -> list[Outcome]:
    """Counts of some images, or what is wrong with them; what was found wrong before is passed on in its place.

    Raises:
        DataError: the truth of one of them cannot be read.
    """
    images = [item for item in items if isinstance(item, Image)]
    parts = [images[at : at + TOGETHER] for at in range(0, len(images), TOGETHER)]
    oracle = bool(images) and images[0].classes is not None
    found = (_oracle(part, source, vocabulary) if oracle else _free(part, source) for part in parts)
    counted = chain.from_iterable(found)
    return [next(counted) if isinstance(item, Image) else item for item in items]


def _free(images: list[Image], source: TruthSource) -> list[Outcome]:
    """Track ``free``: check the masks and count."""
    truths = [source.truth(image.id) for image in images]
    problems, strip = check_masks(images, [truth.size for truth in truths])
    sound = [index for index, found in enumerate(problems) if not found]
    counted = iter(_counted([images[index] for index in sound], [truths[index] for index in sound], strip))
    return [
        Rejected(found) if found else _image_counts(image, None, *next(counted))
        for image, found in zip(images, problems, strict=True)
    ]


def _image_counts(
    image: Image, truth: list[int] | None, segments: Int32, classes: Int32, pixels: Int32, void: Int32 | None
) -> ImageCounts:
    return ImageCounts(image.id, image.size, image.labels, truth, segments, classes, pixels, image.first, void)


def _oracle(images: list[Image], source: TruthSource, vocabulary: Vocabulary) -> list[Outcome]:
    """Track ``oracle``: how many pixels of each class the truths show."""
    truths = [source.truth(image.id) for image in images]
    nothing = np.zeros(0, dtype=np.int64)
    alone = lay_out([truth.pixels.size for truth in truths], [0] * len(images), nothing, nothing, nothing)
    return [
        _count_oracle(image, truth.size, *found[1:3], vocabulary)
        for image, truth, found in zip(images, truths, _counted(images, truths, alone), strict=True)
    ]


def _counted(images: list[Image], truths: list[Truth], strip: Strip) -> list[Entries]:
    try:
        return joint_counts(truths, strip)
    except UndefinedValue as error:
        raise DataError(
            f"{images[error.image].id}: {error}. The file is damaged or of another make; see zgbench datasets check."
        ) from error


def _count_oracle(
    image: Image, size: tuple[int, int], classes: Int32, pixels: Int32, vocabulary: Vocabulary
) -> Outcome:
    """Track ``oracle``: segment k is the whole truth segment of the class it names; the truth has ``pixels`` of each."""
    present = dict(zip(classes.tolist(), pixels.tolist(), strict=True))
    problems = []
    if image.size != size:
        problems.append(
            Problem(
                "wrong-size",
                f"{image.path}.size",
                f"{list(size)} (height, width of the truth)",
                f"{list(image.size)}",
                "Write the truth's size.",
                image.id,
            )
        )
    owner: dict[int, int] = {}
    for index, name in enumerate(image.classes or ()):
        class_id = vocabulary.id(name)
        names = ", ".join(vocabulary.name(c) for c in sorted(present) if c > 0)
        if class_id is None or class_id not in present:
            problems.append(
                Problem(
                    "class",
                    f"{image.where(index)}.class",
                    f"a class that this image's truth shows: {names}",
                    quote(name),
                    "Name each truth segment by its class.",
                    image.id,
                    index,
                )
            )
        elif class_id in owner:
            problems.append(
                Problem(
                    "duplicate-class",
                    f"{image.where(index)}.class",
                    "each truth segment once",
                    f"{quote(name)} again (segment {owner[class_id]})",
                    "Give one label for each truth segment.",
                    image.id,
                    index,
                )
            )
        else:
            owner[class_id] = index
    if problems:
        return Rejected(problems)
    segments = np.array([owner.get(c, NOWHERE) for c in classes.tolist()], dtype=np.int32)
    named = [vocabulary.id(name) or 0 for name in image.classes or ()]
    return _image_counts(image, named, segments, classes, pixels, None)


def count_all(
    items: Iterable[Item],
    source: TruthSource,
    vocabulary: Vocabulary,
    *,
    workers: int = 1,
    progress: Callable[[int], None] = lambda _: None,
) -> Iterator[Outcome]:
    """Count images as they are read, in order, with a bounded number in flight.

    Args:
        items: consumed lazily.
        workers: processes; 1 counts in this one.
        progress: called with the number of images after each batch.

    Raises:
        InternalError: a worker process died.
    """
    stream = iter(items)
    batches: Iterator[list[Item]] = iter(lambda: list(islice(stream, BATCH)), [])
    if workers <= 1:
        for batch in batches:
            yield from count_batch(batch, source, vocabulary)
            progress(len(batch))
        return
    with ExitStack() as stack:
        pool = ProcessPoolExecutor(
            workers, mp_context=get_context("spawn"), initializer=_keep, initargs=(source, vocabulary)
        )
        stack.callback(pool.shutdown, wait=True, cancel_futures=True)
        waiting: deque[Future[list[Outcome]]] = deque()
        try:
            for batch in batches:
                waiting.append(pool.submit(_count_kept, batch))
                if len(waiting) > 3 * workers:
                    yield from _next(waiting, progress)
            while waiting:
                yield from _next(waiting, progress)
        except BrokenProcessPool as error:
            raise InternalError(
                "a worker process was killed (out of memory?). Nothing was written. Try again with --workers 1. "
                'A script that calls zgbench.evaluate with workers must do so under if __name__ == "__main__".'
            ) from error


def _next(waiting: deque[Future[list[Outcome]]], progress: Callable[[int], None]) -> list[Outcome]:
    outcomes = waiting.popleft().result()
    progress(len(outcomes))
    return outcomes


_kept: list[Any] = []


def _keep(source: TruthSource, vocabulary: Vocabulary) -> None:
    begin_worker()
    _kept[:] = [source, vocabulary]


def _count_kept(items: list[Item]) -> list[Outcome]:
    return count_batch(items, *_kept)


def default_workers() -> int:
    """Number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
