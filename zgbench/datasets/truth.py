"""One image's ground truth, and the sources that it can be read from.

A source is small and can be pickled: worker processes get a copy and read for themselves.
Every source gives the pixels as stored and a table from stored value to class id, so that a
translation costs one look-up a value and not one a pixel.
"""

from __future__ import annotations

import hashlib
import io
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from zgbench.datasets import photo, vocabulary
from zgbench.datasets.mat_file import read_label_map
from zgbench.datasets.vocabulary import PngOrder
from zgbench.errors import DataError
from zgbench.storage import files

MAX_PIXELS = 1 << 26
"""Of a truth or photo: 64 million, a hundred times what the data sets hold."""
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


def table_of(key: str, order: PngOrder | None = None) -> NDArray[np.int32]:
    """The table of a data set's PNGs (``pas20``, ``pc59``) or of its ``LabelMap`` arrays (``pc459``)."""
    if key == "pas20":
        return table({i: i for i in vocabulary.pas20().ids}, background=0, void=(255,))
    if key == "pc59":
        return table(vocabulary.pc59_of_png(order or "alphabetical"), background=0)
    return table({i: i for i in vocabulary.pc459().ids}, background=VOID, void=(431,), wide=True)


def read_png(file: Path | io.BytesIO, name: str) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Stored values of a palette or greyscale PNG, uint8 or uint16 [h, w].

    Raises:
        DataError: not a picture, or a picture in colour (whose class values cannot be told).
    """
    from PIL import Image

    try:
        content = file.read_bytes() if isinstance(file, Path) else file.read()
        _check_chunks(content)
        # other formats than PNG run code of their own: EPS starts Ghostscript
        with Image.open(io.BytesIO(content), formats=["PNG"]) as picture:
            _check_size(picture, name)
            if picture.mode in ("P", "L"):
                return np.asarray(picture, dtype=np.uint8)
            if picture.mode in ("I;16", "I"):
                return np.asarray(picture).astype(np.uint16)
            mode = picture.mode
    except FileNotFoundError as error:
        raise DataError(f"{name}: no such file. Unpack the data set again, or see: zgbench datasets check") from error
    except DataError:
        raise
    except Exception as error:  # Pillow raises many kinds on damaged files
        raise DataError(f"{name}: not a readable PNG ({_said(error)}). Unpack the archive again.") from error
    raise DataError(
        f"{name}: expected class values (palette or greyscale PNG), found mode {mode}. Colour pictures of the truth do not say their classes; use the archive's own files."
    )


@dataclass(frozen=True)
class FolderSource:
    """PNGs or MATLAB ``LabelMap`` files, one an image, beside a folder of JPEGs, as the archives unpack."""

    key: str
    truth_dir: Path
    suffix: str
    photo_dir: Path
    order: PngOrder | None = None
    _tables: dict[str, NDArray[np.int32]] = field(default_factory=dict, compare=False, repr=False)

    def _path(self, image_id: str) -> Path:
        return self.truth_dir / f"{image_id}{self.suffix}"

    def has(self, image_id: str) -> bool:
        return self._path(image_id).is_file()

    def truth(self, image_id: str) -> Truth:
        if self.suffix == ".mat":
            values: NDArray[Any] = read_label_map(self._path(image_id))
        else:
            values = read_png(self._path(image_id), str(self._path(image_id)))
        found = Truth(values, self._table())
        if values.dtype != np.uint8 and self.suffix != ".mat":
            found = Truth(values, np.concatenate((self._table(), np.full(65280, INVALID, dtype=np.int32))))
        return found

    def _table(self) -> NDArray[np.int32]:
        if "table" not in self._tables:
            if self.suffix == ".mat" and self.key == "pc59":
                self._tables["table"] = _frequent_of_459()
            else:
                self._tables["table"] = table_of(self.key, self.order)
        return self._tables["table"]

    def photo(self, image_id: str) -> Any:
        return read_photo(self.photo_dir / f"{image_id}.jpg", str(self.photo_dir / f"{image_id}.jpg"))

    def fingerprint(self, image_ids: tuple[str, ...]) -> str:
        digest = hashlib.sha256(f"{self.key} {self.suffix} {self.order}\n".encode())
        for image_id in image_ids:
            try:
                content = self._path(image_id).read_bytes()
            except OSError as error:
                raise DataError(f"{self._path(image_id)}: cannot be read ({error.strerror}).") from error
            digest.update(image_id.encode() + hashlib.sha256(content).digest())
        return digest.hexdigest()

    def stamp(self, image_ids: tuple[str, ...]) -> str:
        return files.stamp(map(self._path, image_ids))

    def describe(self) -> str:
        order = f", {self.order} class order" if self.key == "pc59" and self.suffix == ".png" else ""
        return f"{self.truth_dir}/*{self.suffix}{order}"


def _frequent_of_459() -> NDArray[np.int32]:
    """459-list id → PC-59 id; the other classes are unlabelled for PC-59."""
    result = table(vocabulary.pc59_of_459(), background=0, wide=True)
    rare = [i for i in range(1, 460) if result[i] == INVALID]
    result[rare] = 0
    return result


def read_photo(file: Path | io.BytesIO, name: str) -> Any:
    """A photo of a data set as a PIL image in RGB, its pixels as stored."""
    try:
        content = file.read_bytes() if isinstance(file, Path) else file.read()
    except FileNotFoundError as error:
        raise DataError(
            f"{name}: no such file. The photos are needed for ST; unpack JPEGImages of the same archive."
        ) from error
    except OSError as error:
        raise DataError(f"{name}: cannot be read ({error.strerror or error}). Unpack the archive again.") from error
    return photo.decode(content, name, mend="Unpack the archive again.", max_pixels=MAX_PIXELS)


def _check_chunks(content: bytes) -> None:
    """Compare a PNG's checksums; Pillow leaves those of the pixels out, and one wrong bit there can be another class.

    Raises:
        ValueError: a chunk is damaged or cut off.
    """
    at, kind = 8, b""
    while kind != b"IEND":
        length, kind = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        end = at + 8 + length
        if end + 4 > len(content):
            raise ValueError("cut off, or no PNG")
        if zlib.crc32(content[at + 4 : end]) != int.from_bytes(content[end : end + 4], "big"):
            raise ValueError("a checksum is wrong")
        at = end + 4


def _check_size(picture: Any, name: str) -> None:
    """Before anything is unpacked."""
    if picture.width * picture.height > MAX_PIXELS:
        raise DataError(
            f"{name}: {picture.height} × {picture.width} pixels, more than {MAX_PIXELS}. No picture of the data sets is as large."
        )


def _said(error: Exception) -> str:
    """An error's text as it may be printed; it can quote the file."""
    text = str(error)[:120] or type(error).__name__
    return text if text.isprintable() else ascii(text)[1:-1]
