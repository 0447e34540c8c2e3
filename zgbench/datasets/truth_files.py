"""How a data set's files of ground truth are written, and what their values mean."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from zgbench.datasets.label_png import MAX_PIXELS, Palette, read_ids_png, read_label_png, read_png_samples
from zgbench.datasets.mat_file import read_label_map
from zgbench.datasets.truth import INVALID, VOID, Truth
from zgbench.errors import DataError

Kind = Literal["png", "npy", "mat", "ade20k", "panoptic"]
"""Grey or palette PNG; numpy array; PASCAL Context's MATLAB ``LabelMap``; ADE20K's ``_seg.png``; COCO panoptic PNG and JSON."""
VALUES = 1 << 16
_MAX_JSON = 1 << 29


@dataclass(frozen=True)
class Codes:
    """What stored values mean.

    Attributes:
        classes: (stored value, class id) pairs.
        background: stored values that are no class; a prediction on them is wrong under the background rule ``count``.
        void: stored values of pixels that count nowhere.
        rest: what every other value is: 0 (background), VOID, or INVALID (an error).
    """

    classes: tuple[tuple[int, int], ...]
    background: tuple[int, ...] = ()
    void: tuple[int, ...] = ()
    rest: int = INVALID

    @staticmethod
    def same(ids: tuple[int, ...], **others: Any) -> Codes:
        """Stored values that are class ids themselves."""
        return Codes(tuple((i, i) for i in ids), **others)

    def table(self) -> NDArray[np.int32]:
        """int32 [65536], stored value → class id ≥ 1, 0, VOID or INVALID."""
        return _table(self)


@lru_cache(maxsize=32)
def _table(codes: Codes) -> NDArray[np.int32]:
    result = np.full(VALUES, codes.rest, dtype=np.int32)
    for value, class_id in codes.classes:
        result[value] = class_id
    result[list(codes.background)] = 0
    result[list(codes.void)] = VOID
    result.flags.writeable = False
    return result


@dataclass(frozen=True)
class TruthFiles:
    """Files of ground truth as they lie in a data folder.

    Attributes:
        pattern: see :class:`zgbench.datasets.located.Located`.
        codes: what stored values mean; of ``panoptic``, what category ids mean.
        kind: how a file is written.
        manifest: path of the COCO-panoptic JSON (``panoptic``).
        palette: ``index`` takes a palette PNG's indices for the values, whatever its colours.
        archive: which archive holds them.
    """

    pattern: str
    codes: Codes
    kind: Kind = "png"
    manifest: str | None = None
    palette: Palette = "auto"
    archive: str = ""

    def read(self, path: Path, image_id: str, folder: Path) -> Truth:
        """Ground truth of an image.

        Raises:
            DataError: the file is missing, damaged, or not written as ``kind`` says.
        """
        if self.kind == "panoptic":
            return self._panoptic(path, image_id, manifest(folder / str(self.manifest)).segments(image_id))
        if self.kind == "mat":
            values: NDArray[Any] = read_label_map(path)
        elif self.kind == "npy":
            values = _npy(path)
        elif self.kind == "ade20k":
            values = _ade20k(path)
        else:
            values = read_label_png(path, palette=self.palette)
        return Truth(values, self.codes.table())

    def _panoptic(self, path: Path, image_id: str, segments: dict[int, int]) -> Truth:
        ids, grey = read_ids_png(path)
        if grey:
            raise DataError(f"{path}: expected RGB (id = R + 256·G + 65536·B), found grey. Unpack the archive again.")
        found, inverse = np.unique(ids, return_inverse=True)
        strange = [i for i in found.tolist() if i and i not in segments]
        if strange:
            raise DataError(
                f"{path}: holds the segment ids {strange[:5]}, which {self.manifest} does not list for this image. "
                "PNGs and JSON must be of one archive."
            )
        # a category keeps its id, raised by one, so that black (0) stays what lies in no segment
        values = np.array([segments[i] + 1 if i else 0 for i in found.tolist()], dtype=np.uint16)
        table = _raised(self.codes)
        if (table[values] == INVALID).any():
            other = [int(v) - 1 for v in values if table[v] == INVALID]
            raise DataError(
                f"{self.manifest}: gives {image_id} the category ids {other[:5]}, which are no class, background or void."
            )
        return Truth(values[inverse.reshape(ids.shape)], table)

    def facts(self, image_id: str, folder: Path) -> bytes:
        """What besides the image's own file says what its truth is: for its fingerprint."""
        if self.kind != "panoptic":
            return b""
        return json.dumps(sorted(manifest(folder / str(self.manifest)).segments(image_id).items())).encode()

    def fingerprint(self) -> bytes:
        """What besides files says what a truth is: for its fingerprint."""
        return hashlib.sha256(f"{self.kind} {self.palette}\n".encode() + self.codes.table().tobytes()).digest()


@lru_cache(maxsize=8)
def _raised(codes: Codes) -> NDArray[np.int32]:
    """The table of category ids raised by one; black is background where 0 is said to be, else void."""
    black = 0 if 0 in codes.background else VOID
    result = np.concatenate(([np.int32(black)], codes.table()[:-1]))
    if not any(value == 0 for value, _ in codes.classes):
        result[1] = codes.rest
    return result


def _npy(path: Path) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """A two-dimensional array of whole numbers 0–65535."""
    from numpy.lib import format as npy

    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            version = npy.read_magic(file)
            read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, _, dtype = read(file)
            if len(shape) != 2 or dtype.kind not in "iub" or 0 in shape:
                raise DataError(
                    f"{path}: expected whole numbers, [height, width], found {dtype} {list(shape)}. Save the label map itself."
                )
            if shape[0] * shape[1] > MAX_PIXELS:
                raise DataError(f"{path}: {shape[0]} × {shape[1]} pixels, more than {MAX_PIXELS}.")
            if size < file.tell() + shape[0] * shape[1] * dtype.itemsize:
                raise ValueError("cut off")
        values: NDArray[Any] = np.load(path, allow_pickle=False)
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file. See: zgbench datasets check") from error
    except DataError:
        raise
    except Exception as error:  # numpy raises many kinds on damaged headers, TokenError among them
        raise DataError(
            f"{path}: not a readable .npy file ({ascii(str(error)[:120])[1:-1]}). Save it again."
        ) from error
    if values.min() < 0 or values.max() >= VALUES:
        raise DataError(f"{path}: expected values 0–{VALUES - 1}, found {values.min()} to {values.max()}.")
    return values.astype(np.uint8) if values.max() < 256 else values.astype(np.uint16)


def _ade20k(path: Path) -> NDArray[np.uint16]:
    """ADE20K's object index, R // 10 · 256 + G, of a ``_seg.png``, uint16 [h, w]."""
    png = read_png_samples(path, str(path), role="truth")
    if png.samples.ndim != 3:
        raise DataError(
            f"{path}: expected ADE20K's own _seg.png, whose red and green hold the object's index. Unpack the archive again."
        )
    red, green = png.samples[..., 0].astype(np.uint16), png.samples[..., 1].astype(np.uint16)
    return red // np.uint16(10) * np.uint16(256) + green


@dataclass(frozen=True)
class Manifest:
    """A COCO-panoptic JSON.

    Attributes:
        path: of the file.
        images: image id (file name without its ending) → segment id → category id, ids ascending.
        categories: the list ``categories``, as it stands.
    """

    path: Path
    images: dict[str, dict[int, int]] = field(repr=False)
    categories: list[Any] = field(repr=False)

    def segments(self, image_id: str) -> dict[int, int]:
        """Segment id → category id of an image. Raises DataError where it is not listed."""
        if image_id not in self.images:
            raise DataError(f"{self.path}: lists no image {image_id!a}. PNGs and JSON must be of one archive.")
        return self.images[image_id]


def manifest(path: Path) -> Manifest:
    """Read a COCO-panoptic JSON; a file that did not change is not read again.

    Raises:
        DataError: no such file, or no panoptic JSON.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise DataError(
            f"{path}: no such file ({error.strerror}). It says which segment is of which category."
        ) from error
    return _manifest(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=2)
def _manifest(path: Path, _changed: int, size: int) -> Manifest:
    if size > _MAX_JSON:
        raise DataError(f"{path}: more than {_MAX_JSON >> 20} MiB, which no panoptic JSON of a validation set has.")
    try:
        content = json.loads(path.read_bytes())
        images: dict[str, dict[int, int]] = {}
        for annotation in content["annotations"]:
            stem = str(annotation["file_name"]).rpartition(".")[0]
            segments = [
                (_whole(s["id"], 1 << 24), _whole(s["category_id"], VALUES - 1)) for s in annotation["segments_info"]
            ]
            if stem in images or len(dict(segments)) < len(segments):
                raise DataError(f"{path}: {annotation['file_name']!a} or one of its segments stands there twice.")
            images[stem] = dict(segments)
        categories = content.get("categories", [])
        return Manifest(path, dict(sorted(images.items())), categories if isinstance(categories, list) else [])
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(
            f"{path}: not a COCO-panoptic JSON: expected annotations with file_name and segments_info of id and category_id ({ascii(str(error)[:100])[1:-1]})."
        ) from error


def _whole(value: object, below: int) -> int:
    if type(value) is not int or not 0 <= value < below:
        raise ValueError(f"{ascii(value)[:40]} is no id of 0–{below - 1}")
    return value
