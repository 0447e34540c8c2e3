"""Reads a whole submission, checks everything, and gives the counts of its images in the split's order."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from zgbench.datasets import Dataset
from zgbench.pixels import pixel_pass
from zgbench.pixels.counts import Counts, ImageCounts
from zgbench.pixels.gathered import Gathered
from zgbench.pixels.pixel_pass import Outcome, Rejected
from zgbench.storage.text import bare_id
from zgbench.submission import schema
from zgbench.submission.mask_checks import check_masks
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
    outcomes: Callable[[Gate], Iterator[Outcome]] | None = None,
) -> Counts:
    """Count every image of a submission that is to be scored.

    Args:
        report: may hold problems of the header; the submission's others are added, in the order of the file,
            whatever the number of workers.
        partial: score the images that the submission has, instead of demanding all.
        outcomes: counts the submission in place of this process and its workers: gives the outcome of every image
            that the gate lets through, in the order of the file, and what is wrong with the others.

    Raises:
        SubmissionError: with every problem.
        DataError: the truth of an image cannot be read.
    """
    gate = Gate(dataset, partial)
    if outcomes is None:
        items = _screened(in_order(reader.images, header), gate)
        stream = pixel_pass.count_all(items, dataset.source, dataset.vocabulary, workers=workers, progress=progress)
    else:
        stream = outcomes(gate)
    gathered = Gathered(gate.place)
    for outcome in stream:
        if isinstance(outcome, ImageCounts):
            gathered.add(outcome)
        else:
            for problem in outcome.problems:
                if not report.full:  # so that the report does not depend on how many problems came together
                    report.add(problem)
            if report.full:
                break
    if not partial and not report.full:
        note_missing(gate.missing(), len(dataset.ids), report)
    report.raise_if_any(str(reader.path))
    if not len(gathered):
        report.add(
            Problem("missing-images", "$.images", f"images of {dataset.key} {dataset.split}", "none", "Add images.")
        )
        report.raise_if_any(str(reader.path))
    return gathered.counts(gate.submitted)


def in_order(
    images: Callable[[schema.Header, Report], Iterator[schema.Image]], header: schema.Header
) -> Iterator[schema.Image | Rejected]:
    """Images of sound structure, and what is wrong with the others, in the order of the file.

    Args:
        images: of a reader, or of a part of its file.
    """
    noted = Report()
    for image in images(header, noted):
        if noted.problems:
            yield Rejected(noted.taken())
        yield image
    if noted.problems:
        yield Rejected(noted.taken())


class Gate:
    """Decides which images are scored. Asked once for each image, in the order of the file.

    Attributes:
        place: id of each image to be scored → its place in the split's order.
        submitted: number of segments in the images that it was asked about.
    """

    def __init__(self, dataset: Dataset, partial: bool) -> None:
        self.place = {image_id: index for index, image_id in enumerate(dataset.ids)}
        self.submitted = 0
        self._seen = bytearray(len(self.place))
        self._others: set[str] = set()
        self._dataset = dataset
        self._rest_is_fine = "[" in dataset.split or partial

    def lets_through(self, image_id: str, path: str, segments: int) -> bool | Rejected:
        """Whether an image is to be scored; what is wrong if it is unknown or repeated."""
        self.submitted += segments
        place, dataset = self.place.get(image_id), self._dataset
        if image_id in self._others or (place is not None and self._seen[place]):
            return Rejected([repeated(image_id, path)])
        if place is not None:
            self._seen[place] = True
        else:
            self._others.add(image_id)
        if image_id not in dataset.known_ids:
            return Rejected(
                [unknown(image_id, path, f"{dataset.key} {dataset.split.partition('[')[0]}", dataset.known_ids)]
            )
        if place is not None:
            return True
        if self._rest_is_fine:
            return False
        return Rejected(
            [
                Problem(
                    "image-not-at-hand",
                    f"{path}.id",
                    f"one of the {len(dataset.ids)} images of the data at hand",
                    quote(image_id),
                    "Complete the data (zgbench datasets check), or score the images at hand with --partial.",
                    image_id,
                )
            ]
        )

    def missing(self) -> list[str]:
        """Ids of the images to be scored that it was not asked about, in the split's order."""
        return [image_id for image_id, place in self.place.items() if not self._seen[place]]


def _screened(items: Iterator[schema.Image | Rejected], gate: Gate) -> Iterator[schema.Image | Rejected]:
    """Images to be scored, and what is wrong with others; those outside of the subset are passed over."""
    for item in items:
        if isinstance(item, Rejected):
            yield item
            continue
        decision = gate.lets_through(item.id, item.path, len(item.labels))
        if isinstance(decision, Rejected):
            yield decision
        elif decision:
            yield item


def repeated(image_id: str, path: str) -> Problem:
    """An image that stands in the file a second time."""
    return Problem(
        "duplicate-id", f"{path}.id", "each image once", f"{quote(image_id)} again", "Remove one of them.", image_id
    )


def unknown(image_id: str, path: str, where: str, known: frozenset[str]) -> Problem:
    """An image that the data set lacks."""
    return Problem(
        "unknown-image",
        f"{path}.id",
        f"an image of {where}",
        quote(image_id),
        f"Write {quote(bare_id(image_id))}; ids are file names without folder and ending."
        if bare_id(image_id) in known
        else "Remove it; ids are file names without their ending.",
        image_id,
    )


def note_missing(ids: list[str], of: int, report: Report) -> None:
    """One problem for all images that a submission lacks, ``of`` so many that it should have."""
    told = {problem.image for problem in report.problems}  # a spoilt image is told once, not as missing too
    missing = [image_id for image_id in ids if image_id not in told]
    if missing:
        shown = ", ".join(missing[:5]) + (", …" if len(missing) > 5 else "")
        report.add(
            Problem(
                "missing-images",
                "$.images",
                f"all {of} images",
                f"{len(missing)} missing: {shown}",
                'Add them (an image without segments has "segments": []), or score what is there with --partial.',
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
            report.add(repeated(image.id, image.path))
        elif image.id not in known_ids:
            report.add(unknown(image.id, image.path, header.dataset, known_ids))
        elif image.counts is not None:
            ((found,), _) = check_masks([image], [None])
            report.extend(found)
        seen.add(image.id)
    if not partial and not report.full:
        note_missing(sorted(known_ids - seen), len(known_ids), report)
    return len(seen)
