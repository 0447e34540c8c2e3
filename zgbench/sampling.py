"""``ratings sample``: from a submission to items that people can rate."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from typing import Literal

from zgbench.datasets import Dataset, open_dataset
from zgbench.datasets.vocabulary import PngOrder
from zgbench.encoders import ImageTextEncoder, TextEncoder
from zgbench.errors import UsageError
from zgbench.evaluation import evaluate
from zgbench.pixels.collect import collect
from zgbench.protocol import preset
from zgbench.ratings import Store, known
from zgbench.ratings.content import QUESTIONS, Content
from zgbench.ratings.records import Question
from zgbench.scores.mask_hashes import canonical_masks
from zgbench.scores.subject import ProgressFactory, silent
from zgbench.submission import header_checks
from zgbench.submission.problems import Report
from zgbench.submission.reader import open_submission

_LEAST_CONTROLS = 20


@dataclass(frozen=True)
class Sampled:
    """What was put into a store.

    Attributes:
        images, items: drawn from the submission.
        new, controls, training: of the items, of control and of training items, those that were not there before.
        short: why fewer items were drawn than asked for; "" if they were not.
    """

    images: int
    items: int
    new: int
    controls: int
    training: int
    short: str = ""


def sample(
    store: Store,
    submission: str | os.PathLike[str],
    *,
    n: int = 500,
    per_image: int | None = None,
    question: Question = "T",
    reassign: Literal["tt", "st"] = "tt",
    seed: int = 0,
    k: int | None = None,
    controls: int | None = None,
    name: str | None = None,
    data: str | os.PathLike[str] | None = None,
    protocol: str | None = None,
    truth_dir: str | os.PathLike[str] | None = None,
    png_order: PngOrder | None = None,
    text_encoder: TextEncoder | None = None,
    clip: ImageTextEncoder | None = None,
    workers: int = 1,
    progress: ProgressFactory = silent,
) -> Sampled:
    """Draw segments of a submission and put them into a store, with control and training items.

    The images are drawn by the seed alone, so that two methods are rated on the same images; where they show the same
    label on the same segment they share an item.

    Args:
        n: items to draw, at most.
        per_image: segments of an image; 0: all of them, and only whole images. Default: 3 for the question T, 0 for
            T*, whose rows of scores are over wholly rated images.
        question: ``T`` shows the submission's labels, ``T*`` the classes that they are reassigned to.
        reassign: how, for ``T*``.
        k: raters for each item; default: the store's setting. What is given becomes the setting.
        controls: control items; default: one for each image drawn, so that one is at hand on any photo, at least 20.
        name: of the method, for the organiser's figures alone; default: the submission's own.
        data, protocol, truth_dir, png_order, text_encoder, clip, workers, progress: as for
            :func:`zgbench.evaluate`; the models are needed for ``T*`` only.

    Raises:
        UsageError, InputError, ModelUnavailable: see zgbench.errors.
    """
    if question not in QUESTIONS:
        raise UsageError(f"--question {question}: expected T or T*.")
    if reassign not in ("tt", "st"):
        raise UsageError(f"--reassign {reassign}: expected tt or st.")
    for option, number, least in (("n", n, 1), ("per-image", per_image, 0), ("controls", controls, 0)):
        if number is not None and number < least:
            raise UsageError(f"--{option} {number}: expected at least {least}.")
    each = (3 if question == "T" else 0) if per_image is None else per_image
    reader = open_submission(submission)
    report = Report()
    header = reader.header(report)
    if header is None or not header_checks.check_known(header, data, report):
        report.raise_if_any(str(reader.path))
        raise AssertionError("unreachable: a header is missing only with a reason")
    dataset = open_dataset(header.dataset, data, truth_dir=truth_dir, png_order=png_order)
    if question == "T":
        counts = collect(
            reader, header, dataset, report, partial=True, workers=workers,
            progress=progress("checking", len(dataset.ids)),
        )  # fmt: skip
        shown: tuple[str, ...] = counts.labels
    else:
        quick = replace(preset(protocol, header.dataset), resamples=1)  # only the reassignment is wanted
        found = evaluate(
            submission, data=data, protocol=quick, reassign=[reassign], partial=True, truth_dir=truth_dir,
            png_order=png_order, text_encoder=text_encoder, clip=clip, workers=workers, progress=progress,
        )  # fmt: skip
        counts = found.counts
        shown = tuple(map(dataset.vocabulary.name, found.reassigned[0].decision.class_id.tolist()))
    labels = {
        image_id: shown[counts.offsets[i] : counts.offsets[i + 1]] for i, image_id in enumerate(counts.ids)
    }  # fmt: skip
    chosen = _images(dataset, labels, n, each, seed)
    contents: list[Content] = []
    if chosen:
        dataset.source.photo(chosen[0])  # a rater without photos could show nothing: tell now
    by_image = {
        image.id: [
            Content(dataset.key, image.id, image.size, mask, label, question)
            for mask, label in zip(masks, labels[image.id], strict=True)
        ]
        for image, masks in canonical_masks(reader, header, dataset, set(chosen))
    }
    for image_id in chosen:
        contents += _drawn(by_image[image_id], each, seed)
    contents = contents[:n]
    if k is not None:
        store.configure(k=k)
    images = list(dict.fromkeys(content.image_id for content in contents))
    wanted = max(_LEAST_CONTROLS, len(images)) if controls is None else controls
    new = store.add_items(contents)
    store.add_source(name or header.name or reader.path.stem, question, contents)
    rounds = known.training(dataset, question, seed) if not store.has_training() else []
    return Sampled(
        images=len(images),
        items=len(contents),
        new=new,
        training=store.add_practice(rounds),
        controls=store.add_controls(known.controls(dataset, question, wanted, seed, images)),
        short=_why_short(labels, chosen, len(contents), n, each),
    )


def _why_short(labels: dict[str, tuple[str, ...]], chosen: list[str], drawn: int, n: int, each: int) -> str:
    """Why fewer items than ``n`` were drawn, with what would give more."""
    if drawn >= n:
        return ""
    holding = {image_id: len(here) for image_id, here in labels.items() if here}
    total = sum(holding.values())
    if len(chosen) == len(holding):  # every image there is
        if drawn == total:
            return f"the submission has no more: {total} segments in {len(holding)} images"
        return (
            f"all {len(holding)} images that have segments are drawn from, {each} of each at most (--per-image), of "
            f"{total} segments in all; --per-image 0 draws whole images"
        )
    return (
        f"images are drawn whole (--per-image 0), and the next one would make it more than {n}; "
        f"a larger --n, or --per-image 1 to {max(holding.values())}, comes nearer"
    )


def _images(dataset: Dataset, labels: dict[str, tuple[str, ...]], n: int, each: int, seed: int) -> list[str]:
    """Images in the seed's order until they hold n items; with ``each`` = 0 no more than n, whole images only."""
    chosen: list[str] = []
    total = 0
    for image_id in known.shuffled(dataset.ids, seed, "sample"):
        here = len(labels.get(image_id, ()))
        if not here:
            continue
        if each == 0 and total + here > n:
            if not chosen:
                raise UsageError(f"--n {n}: the first image drawn has {here} segments. Ask for at least as many.")
            break
        chosen.append(image_id)
        total += here if each == 0 else min(here, each)
        if total >= n:
            break
    return chosen


def _drawn(contents: list[Content], each: int, seed: int) -> list[Content]:
    if each == 0 or len(contents) <= each:
        return contents
    return sorted(contents, key=lambda c: hashlib.sha256(f"{seed}:{c.id}".encode()).digest())[:each]
