"""Truth and photos as files in folders, one an image."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zgbench.datasets.located import Located
from zgbench.datasets.truth import Truth, read_photo
from zgbench.datasets.truth_files import TruthFiles
from zgbench.errors import DataError
from zgbench.storage import files


@dataclass(frozen=True)
class FolderSource:
    """Files of ground truth, beside photos, as the archives unpack.

    Attributes:
        truths: where each image's truth lies.
        photos: where each photo lies, best place first.
        written: how the truth is written.
        note: for people, such as the class order that was assumed.
    """

    truths: Located
    photos: tuple[Located, ...]
    written: TruthFiles
    note: str = ""

    def has(self, image_id: str) -> bool:
        return self.truths.has(image_id)

    def truth(self, image_id: str) -> Truth:
        return self.written.read(self.truths.path(image_id), image_id, self.truths.folder)

    def photo(self, image_id: str) -> Any:
        path = self._photo_path(image_id)
        return read_photo(path, str(path))

    def photo_bytes(self, image_id: str) -> bytes | None:
        path = self._photo_path(image_id)
        return path.read_bytes() if path.is_file() else None

    def _photo_path(self, image_id: str) -> Path:
        if not self.photos:
            raise DataError(f"{image_id}: the data set has no photos, so what looks at them (ST) cannot be had.")
        return next(
            (place.path(image_id) for place in self.photos if place.has(image_id)), self.photos[0].path(image_id)
        )

    def fingerprint(self, image_ids: tuple[str, ...]) -> str:
        digest = hashlib.sha256(self.written.fingerprint())
        for image_id, place in zip(image_ids, self.truths.places(image_ids), strict=True):
            try:
                with open(place, "rb", buffering=0) as file:  # noqa: PTH123
                    content = file.read()
            except OSError as error:
                raise DataError(f"{place}: cannot be read ({error.strerror}).") from error
            digest.update(image_id.encode() + hashlib.sha256(content).digest())
            digest.update(self.written.facts(image_id, self.truths.folder))
        return digest.hexdigest()

    def stamp(self, image_ids: tuple[str, ...]) -> str:
        beside = [] if self.written.manifest is None else [self.truths.folder / self.written.manifest]
        return files.stamp([*self.truths.places(image_ids), *beside])

    def describe(self) -> str:
        return f"{self.truths}{self.note}"
