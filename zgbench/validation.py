"""``validate``: everything that evaluate would reject, without scoring."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from zgbench.datasets import known_ids, open_dataset
from zgbench.datasets.vocabulary import PngOrder
from zgbench.pixels.collect import check_alone, collect
from zgbench.scores.segment_embeddings import read_embeddings
from zgbench.submission import header_checks, schema
from zgbench.submission.problems import Report
from zgbench.submission.reader import Reader, open_submission


@dataclass(frozen=True)
class Validated:
    """A sound submission.

    Attributes:
        header: its name, data set, track and method.
        images: number of images checked.
        against_truth: whether sizes and truth segments were compared with the data set's files.
    """

    header: schema.Header
    images: int
    against_truth: bool

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "format": "zgbench-validation/1", "valid": True, "name": self.header.name, "dataset": self.header.dataset,
            "track": self.header.track, "images": self.images, "against_truth": self.against_truth,
        }  # fmt: skip


def validate(
    submission: str | os.PathLike[str],
    *,
    data: str | os.PathLike[str] | None = None,
    partial: bool = False,
    workers: int = 1,
    truth_dir: str | os.PathLike[str] | None = None,
    png_order: PngOrder | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Validated:
    """Check a submission.

    Args:
        data: folder of the data sets. Without it (and without ``ZGBENCH_DATA``) everything is checked but the sizes
            of the truth and the truth segments that track ``oracle`` names.
        partial: images may be missing.

    Raises:
        SubmissionError: with every problem in ``report``.
    """
    reader = open_submission(submission)
    report = Report()
    header = reader.header(report)
    if header is None or not header_checks.check_known(header, data, report):
        report.raise_if_any(str(reader.path))
        raise AssertionError("unreachable: a header is missing only with a reason")
    at_hand = (
        data is not None or truth_dir is not None or bool(os.environ.get("ZGBENCH_DATA")) or header.dataset == "mini"
    )
    if at_hand:
        dataset = open_dataset(header.dataset, data, truth_dir=truth_dir, png_order=png_order)
        images = len(collect(reader, header, dataset, report, partial=partial, workers=workers, progress=progress).ids)
    else:
        ids = known_ids(header.dataset)
        assert ids is not None, "a data set that is not built in is known only with its data at hand"
        images = check_alone(reader, header, ids, report, partial=partial, progress=progress)
    _check_embeddings(reader, header)
    report.raise_if_any(str(reader.path))
    return Validated(header, images, at_hand)


def _check_embeddings(reader: Reader, header: schema.Header) -> None:
    if header.embeddings is not None:
        total = sum(len(image.labels) for image in reader.images(header, Report()))
        read_embeddings(reader.path.with_name(header.embeddings), total)
