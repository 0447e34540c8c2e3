"""The real VOC sample, many times over, under new ids."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sample import SHARED, make

from zgbench import SubmissionWriter, open_dataset
from zgbench.datasets import Dataset
from zgbench.datasets.truth import Truth, TruthSource
from zgbench.submission.problems import Report
from zgbench.submission.reader import open_submission


@dataclass(frozen=True)
class ReplicatedSource:
    """Reads, decodes and hashes the original's file anew for each of its copies."""

    original: TruthSource

    def truth(self, image_id: str) -> Truth:
        return self.original.truth(_original(image_id))

    def photo(self, image_id: str) -> Any:
        return self.original.photo(_original(image_id))

    def has(self, image_id: str) -> bool:
        return self.original.has(_original(image_id))

    def fingerprint(self, image_ids: tuple[str, ...]) -> str:
        digest = hashlib.sha256()
        for image_id in image_ids:
            digest.update(image_id.encode() + self.original.fingerprint((_original(image_id),)).encode())
        return digest.hexdigest()

    def stamp(self, image_ids: tuple[str, ...]) -> str:
        digest = hashlib.sha256()
        for image_id in image_ids:
            digest.update(self.original.stamp((_original(image_id),)).encode())
        return digest.hexdigest()

    def describe(self) -> str:
        return f"copies of {self.original.describe()}"


def _original(image_id: str) -> str:
    return image_id.rpartition("x")[0]


def replicated(times: int) -> Dataset:
    """The sample ``times`` times."""
    sample = open_dataset("pas20", SHARED)
    ids = tuple(f"{image_id}x{copy}" for copy in range(times) for image_id in sample.ids)
    return replace(sample, ids=ids, known_ids=frozenset(ids), source=ReplicatedSource(sample.source), official=False)


def submission(path: Path, times: int) -> int:
    """A Parquet submission about it. Returns the number of segments."""
    reader = open_submission(
        make(path.with_name("once.parquet"), SHARED, "pas20", list(open_dataset("pas20", SHARED).ids))
    )
    header = reader.header(Report())
    assert header is not None
    images = list(reader.images(header, Report()))
    with SubmissionWriter(path, name="bench", dataset="pas20") as writer:
        for copy in range(times):
            for image in images:
                masks = zip(image.labels, image.counts or (), strict=True)
                segments = [{"label": label, "counts": text.decode()} for label, text in masks]
                writer.add_raw(f"{image.id}x{copy}", image.size, segments)
    return times * sum(len(image.labels) for image in images)
