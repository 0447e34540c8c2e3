"""Work on a data set that survives being killed: one finished image, one file, written whole or not at all."""

from __future__ import annotations

import base64
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from reference_method.merging import Vectors
from zgbench.errors import UsageError
from zgbench.storage.files import check_folder, write_bytes


@dataclass(frozen=True)
class Record:
    """What became of one image.

    Attributes:
        id, size: of the image, height and width.
        segments: as in a submission: ``label`` and ``counts`` or ``class``.
        embeddings: float32 [n, d] of the segments, or None where the method has none.
        error: why the image could not be worked on; it then has no segments.
        weights: model → hash of the weights that were used.
    """

    id: str
    size: tuple[int, int]
    segments: list[dict[str, str]]
    embeddings: Vectors | None = None
    error: str | None = None
    weights: dict[str, str] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """As stored."""
        found: dict[str, Any] = {"id": self.id, "size": list(self.size), "segments": self.segments}
        found["weights"] = self.weights
        if self.embeddings is not None:
            found["shape"] = list(self.embeddings.shape)
            found["float32"] = base64.b64encode(self.embeddings.astype("<f4").tobytes()).decode()
        if self.error is not None:
            found["error"] = self.error
        return json.dumps(found, ensure_ascii=False).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Record:
        """The opposite of :meth:`to_bytes`."""
        raw = json.loads(content)
        vectors = None
        if "shape" in raw:
            vectors = np.frombuffer(base64.b64decode(raw["float32"]), dtype="<f4").reshape(raw["shape"])
        return cls(
            raw["id"], (raw["size"][0], raw["size"][1]), raw["segments"], vectors, raw.get("error"), raw["weights"]
        )


class WorkFolder:
    """The finished images of a run, beside the submission that they will become.

    The folder is there from the first finished image on.

    Args:
        target: the submission's path; the folder is ``<target>.work``.
        key: everything that the images' records depend on. A folder with another key belongs to another run.

    Raises:
        UsageError: the folder belongs to another run.
        ZgbenchError: it could not be written.
    """

    def __init__(self, target: Path, key: dict[str, Any]) -> None:
        self.path = target.with_name(target.name + ".work")
        self._content = content = json.dumps(key, indent=1, sort_keys=True).encode()
        self._about = about = self.path / "run.json"
        self._begun = False
        if about.is_file() and about.read_bytes() != content and any(self.path.glob("image-*.json")):
            try:
                before = dict(json.loads(about.read_bytes()))
            except (ValueError, TypeError):
                before = {"nothing": "that can be read"}
            differs = sorted(k for k in {*key, *before} if key.get(k) != before.get(k))
            raise UsageError(
                f"{self.path} holds finished images of another run (it differs in {', '.join(differs)}). "
                f"Give the same settings to go on with it, choose another --out, or remove that folder to begin anew."
            )
        check_folder(target.parent)

    def load(self, image_id: str) -> Record | None:
        """A finished image, None when there is none."""
        place = self._place(image_id)
        try:
            return Record.from_bytes(place.read_bytes()) if place.is_file() else None
        except (ValueError, LookupError, TypeError):
            return None  # damaged on the disk: made again

    def save(self, record: Record) -> None:
        """Note that an image is finished; the folder is made with the first, so that a start that failed leaves none."""
        if not self._begun:
            self.path.mkdir(parents=True, exist_ok=True)
            write_bytes(self._about, self._content)
            self._begun = True
        write_bytes(self._place(record.id), record.to_bytes())

    def remove(self) -> None:
        """Delete the folder, when its images are in the submission."""
        shutil.rmtree(self.path, ignore_errors=True)

    def _place(self, image_id: str) -> Path:
        return self.path / f"image-{quote(image_id, safe='')}.json"
