"""Reads a whole submission, checks everything, and gives the counts of its images in the split's order."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from zgbench import pixel_pass
from zgbench.counts import Counts, ImageCounts, stack
from zgbench.datasets import Dataset
from zgbench.submission import schema
from zgbench.submission.masks import check_masks
from zgbench.submission.problems import Problem, Report, quote
from zgbench.submission.reader import Reader

Progress = Callable[[int], None]


def collect(
    reader: Reader,
    header: schema.Header,
    dataset: Dataset,
    report: Report,
    *,
    partial: bool = False,
    workers: int = 1,
    progress: Progress = lambda _: None,
) -> Counts:
    """Count every image of a submission that is to be scored.

    Args:
        report: may hold problems of the header; the submission's others are added.
        partial: score the images that the submission has, instead of demanding all.

    Raises:
        SubmissionError: with every problem.
        DataError: the truth of an image cannot be read.
    """
    seen: set[str] = set()
    wanted = frozenset(dataset.ids)
    submitted = [0]
    images = _known(_tallied(reader.images(header, report), submitted), dataset, wanted, seen, report, partial)
    found: dict[str, ImageCounts] = {}
    for outcome in pixel_pass.count_all(images, dataset.source, dataset.vocabulary, workers=workers, progress=progress):
        if isinstance(outcome, ImageCounts):
            found[outcome.id] = outcome
        else:
            report.extend(outcome.problems)
    if not partial and not report.full:
        note_missing(dataset.ids, seen, report)
    report.raise_if_any(str(reader.path))
    if not found:
        report.add(
            Problem("missing-images", "$.images", f"images of {dataset.key} {dataset.split}", "none", "Add images.")
        )
        report.raise_if_any(str(reader.path))
    return stack((found[image_id] for image_id in dataset.ids if image_id in found), submitted[0])


def note_missing(ids: tuple[str, ...], seen: set[str], report: Report) -> None:
    """One problem for all images that a submission lacks."""
    there = seen | {problem.image for problem in report.problems}  # a spoilt image is told once, not as missing too
    missing = [image_id for image_id in ids if image_id not in there]
    if missing:
        shown = ", ".join(missing[:5]) + (", …" if len(missing) > 5 else "")
        report.add(
            Problem(
                "missing-images",
                "$.images",
                f"all {len(ids)} images",
                f"{len(missing)} missing: {shown}",
                'Add them (an image without segments has "segments": []), or score what is there with --partial.',
            )
        )


def _tallied(images: Iterator[schema.Image], segments: list[int]) -> Iterator[schema.Image]:
    """Pass images on, adding up their segments."""
    for image in images:
        segments[0] += len(image.labels)
        yield image


def _known(
    images: Iterator[schema.Image],
    dataset: Dataset,
    wanted: frozenset[str],
    seen: set[str],
    report: Report,
    partial: bool,
) -> Iterator[schema.Image]:
    """Images to be scored; unknown and repeated ones are noted, those outside of the subset passed over."""
    subset = "[" in dataset.split
    for image in images:
        if image.id in seen:
            report.add(
                Problem(
                    "duplicate-id",
                    f"{image.path}.id",
                    "each image once",
                    f"{quote(image.id)} again",
                    "Remove one of them.",
                    image.id,
                )
            )
            continue
        seen.add(image.id)
        if image.id not in dataset.known_ids:
            report.add(
                Problem(
                    "unknown-image",
                    f"{image.path}.id",
                    f"an image of {dataset.key} {dataset.split.partition('[')[0]}",
                    quote(image.id),
                    "Remove it; ids are file names without their ending.",
                    image.id,
                )
            )
        elif image.id in wanted:
            yield image
        elif not subset and not partial:
            report.add(
                Problem(
                    "image-not-at-hand",
                    f"{image.path}.id",
                    f"one of the {len(dataset.ids)} images of the data at hand",
                    quote(image.id),
                    "Complete the data (zgbench datasets check), or score the images at hand with --partial.",
                    image.id,
                )
            )


def check_alone(
    reader: Reader,
    header: schema.Header,
    known_ids: frozenset[str],
    report: Report,
    *,
    partial: bool = False,
    progress: Progress = lambda _: None,
) -> int:
    """Check a submission without the data set's files: everything but sizes and truth segments.

    The images that must be there are those of the official split, unless ``partial``.

    Returns:
        The number of images.
    """
    seen: set[str] = set()
    for image in reader.images(header, report):
        progress(1)
        if image.id in seen:
            report.add(
                Problem(
                    "duplicate-id",
                    f"{image.path}.id",
                    "each image once",
                    f"{quote(image.id)} again",
                    "Remove one of them.",
                    image.id,
                )
            )
        elif image.id not in known_ids:
            report.add(
                Problem(
                    "unknown-image",
                    f"{image.path}.id",
                    f"an image of {header.dataset}",
                    quote(image.id),
                    "Remove it; ids are file names without their ending.",
                    image.id,
                )
            )
        elif image.counts is not None:
            found = check_masks([image], [None])[0]
            if isinstance(found, list):
                report.extend(found)
        seen.add(image.id)
    if not partial and not report.full:
        note_missing(tuple(sorted(known_ids)), seen, report)
    return len(seen)
