"""The masks of a submission in canonical form, by which its segments are found among rated items."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from zgbench.datasets import Dataset
from zgbench.pixels.counts import Counts
from zgbench.ratings.content import canonical, mask_sha256
from zgbench.submission import rle, schema
from zgbench.submission.problems import Report
from zgbench.submission.reader import Reader


def canonical_masks(
    reader: Reader, header: schema.Header, dataset: Dataset, wanted: Collection[str]
) -> Iterator[tuple[schema.Image, list[str]]]:
    """The wanted images of a checked submission, each with a canonical run-length text a segment."""
    for image in reader.images(header, Report()):
        if image.id not in wanted:
            continue
        if image.counts is not None:
            runs = rle.parse(image.counts)
            bounds = zip(runs.offsets[:-1], runs.offsets[1:], strict=True)
            yield image, [canonical(runs.counts[a:b]) for a, b in bounds]
        else:
            classes = dataset.source.truth(image.id).classes()
            masks = (classes == dataset.vocabulary.id(name) for name in image.classes or ())
            yield image, [canonical(rle.runs_of(mask)) for mask in masks]


def mask_hashes(
    reader: Reader, header: schema.Header, dataset: Dataset, counts: Counts, wanted: Collection[str]
) -> list[str]:
    """The hash of each counted segment's mask, "" in images that are not wanted."""
    found = [""] * len(counts.labels)
    place = {image_id: index for index, image_id in enumerate(counts.ids)}
    for image, masks in canonical_masks(reader, header, dataset, place.keys() & wanted):
        first = int(counts.offsets[place[image.id]])
        found[first : first + len(masks)] = [mask_sha256(mask, image.size) for mask in masks]
    return found
