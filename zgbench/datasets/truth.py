"""One image's ground truth, and the sources that it can be read from.

A source is small and can be pickled: worker processes get a copy and read for themselves.
Every source gives the pixels as stored and a table from stored value to class id, so that a
translation costs one look-up a value and not one a pixel.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from zgbench.datasets import photo
from zgbench.datasets.label_png import MAX_PIXELS
from zgbench.errors import DataError

VOID = -1
"""Pixels that count nowhere."""
INVALID = -2
"""Stored values that the data set does not define: the file is damaged or of another make."""


@dataclass(frozen=True)
class Truth:
    """Ground truth of one image.

    Attributes:
        pixels: uint8 or uint16 [h, w], values as stored.
        table: int32 [256 or 65536], stored value → class id ≥ 1, 0 background or unlabelled, VOID or INVALID.
    """

    pixels: NDArray[np.uint8] | NDArray[np.uint16]
    table: NDArray[np.int32]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.pixels.shape[0], self.pixels.shape[1]

    def classes(self) -> NDArray[np.int32]:
        """Class id a pixel, int32 [h, w]: ≥ 1 class, 0 background or unlabelled, −1 void."""
        return self.table[self.pixels]


class TruthSource(Protocol):
    """Where ground truth and photos are read from."""

    def truth(self, image_id: str) -> Truth:
        """Ground truth of an image. Raises DataError when it is missing or damaged."""
        ...

    def photo(self, image_id: str) -> Any:
        """The photo, a PIL image in RGB. Raises DataError when it is missing or damaged."""
        ...

    def photo_bytes(self, image_id: str) -> bytes | None:
        """The photo's file, None where there is none."""
        ...

    def has(self, image_id: str) -> bool:
        """Whether ground truth of the image is at hand (not whether it can be read)."""
        ...

    def fingerprint(self, image_ids: tuple[str, ...]) -> str:
        """SHA-256 over the stored truth of these images: equal content, equal fingerprint."""
        ...

    def stamp(self, image_ids: tuple[str, ...]) -> str:
        """Another text when a file of these images' truth was changed meanwhile; costs no reading."""
        ...

    def describe(self) -> str:
        """What is read and from where, for people."""
        ...


def table(
    mapping: dict[int, int], *, background: int, void: tuple[int, ...] = (), wide: bool = False
) -> NDArray[np.int32]:
    """Look-up table of a stored-value → class-id mapping; ``background`` is what the value 0 becomes."""
    result = np.full(65536 if wide else 256, INVALID, dtype=np.int32)
    for value, class_id in mapping.items():
        result[value] = class_id
    result[0] = background
    result[list(void)] = VOID
    return result


def read_photo(file: Path | io.BytesIO, name: str) -> Any:
    """A photo of a data set as a PIL image in RGB, its pixels as stored."""
    try:
        content = file.read_bytes() if isinstance(file, Path) else file.read()
    except FileNotFoundError as error:
        raise DataError(
            f"{name}: no such file. The photos are needed for ST; unpack those of the same data set."
        ) from error
    except OSError as error:
        raise DataError(f"{name}: cannot be read ({error.strerror or error}). Unpack the archive again.") from error
    return photo.decode(content, name, mend="Unpack the archive again.", max_pixels=MAX_PIXELS)
