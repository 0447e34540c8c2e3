"""What is scored: a submission, on a data set, under a protocol."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from zgbench.datasets import Dataset
from zgbench.errors import DataError, InputError
from zgbench.protocol import Protocol
from zgbench.storage.files import sha256_file
from zgbench.submission import schema
from zgbench.submission.reader import Reader

ProgressFactory = Callable[[str, int], Callable[[int], None]]
"""Called with a title and a total; gives a function that is called with each step."""


def silent(_title: str, _total: int) -> Callable[[int], None]:
    """A progress that nobody sees."""
    return lambda _: None


@dataclass(frozen=True)
class Subject:
    """What one evaluation is about; nothing of it changes on the way.

    Attributes:
        reader, header: the submission.
        sha256: of the submission's file.
        dataset: all images that are to be scored.
        stamp: of the truth's files when the evaluation began.
    """

    reader: Reader
    header: schema.Header
    sha256: str
    dataset: Dataset
    protocol: Protocol
    stamp: str
    _fingerprints: dict[tuple[str, ...], str] = field(default_factory=dict, compare=False, repr=False)

    def fingerprint(self, image_ids: tuple[str, ...]) -> str:
        """SHA-256 over the stored truth of these images; its files are read once, and must not change meanwhile."""
        if image_ids not in self._fingerprints:
            self._fingerprints[image_ids] = self.dataset.source.fingerprint(image_ids)
        return self._fingerprints[image_ids]

    def check_unchanged(self) -> None:
        """Hashes and counts were taken at different moments; they must be about the same files.

        Raises:
            InputError, DataError: the submission or the truth was changed since the evaluation began.
        """
        again = "was changed while it was being read. Nothing was written; run the command again."
        if sha256_file(self.reader.path) != self.sha256:
            raise InputError(f"{self.reader.path}: {again}")
        if self.dataset.source.stamp(self.dataset.ids) != self.stamp:
            raise DataError(f"{self.dataset.source.describe()}: the truth {again}")
