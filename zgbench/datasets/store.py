"""The prepared store: truth and photos of a split in one Arrow table (Hugging Face ``datasets``), so that raw files are not needed again.

Lies in ``<data>/zgbench-store/<key>/`` and opens with ``datasets.load_from_disk`` too. The truth is kept as
greyscale PNG of *class ids* (0 background or unlabelled, 65535 void), so a class order is settled once and for all.
Each has its CRC-32 beside it, so that a damaged store is told and not scored on.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zgbench.datasets.dataset import Dataset
from zgbench.datasets.definition import FILE
from zgbench.datasets.label_png import read_label_png
from zgbench.datasets.truth import INVALID, Truth, read_photo
from zgbench.errors import DataError, ZgbenchError
from zgbench.extras import need
from zgbench.storage.files import new_folder, stamp
from zgbench.storage.plain_arrow import plain_stream

FORMAT = "zgbench-store/2"
_VOID_16 = 65535
_COLUMNS = {"id", "truth", "truth_crc", "photo", "photo_crc"}


def place(folder: Path, key: str) -> Path:
    """Where the store of a data set lies below a data folder."""
    return folder / "zgbench-store" / key


def exists(folder: Path, key: str) -> bool:
    """Whether a finished store is there."""
    return (place(folder, key) / "zgbench.json").is_file()


def prepare(dataset: Dataset, folder: Path, progress: Callable[[int], None] = lambda _: None) -> Path:
    """Write the store of a data set, whole or not at all; an older one is replaced.

    Args:
        dataset: every image of its split must be readable; photos are taken along where they exist.
        folder: data folder to write below.
        progress: called with 1 after each image.

    Raises:
        DataError: an image is missing or damaged.
        ModelUnavailable: the package ``datasets`` is not installed.
    """
    need("store", "datasets prepare")
    import datasets as hf

    target = place(folder, dataset.key)
    with new_folder(target) as temporary, _explaining(target):
        rows = temporary / "rows"
        kinds = {"id": "string", "truth": "binary", "truth_crc": "uint32", "photo": "binary", "photo_crc": "uint32"}
        features = hf.Features({name: hf.Value(kind) for name, kind in kinds.items()})
        hf.disable_progress_bars()
        written = hf.Dataset.from_generator(
            _rows,
            gen_kwargs={"dataset": dataset, "progress": [progress]},
            features=features,
            cache_dir=str(temporary / "cache"),
            keep_in_memory=True,
            fingerprint=hashlib.sha256(f"{dataset.key}{dataset.split}".encode()).hexdigest()[:16],
        )
        written.save_to_disk(str(rows))
        shutil.rmtree(temporary / "cache", ignore_errors=True)
        about = {
            "format": FORMAT,
            "key": dataset.key,
            "split": dataset.split,
            "ids": list(dataset.ids),
            "notes": list(dataset.notes),
            "made_from": dataset.source.describe(),
        }
        if dataset.definition is not None:
            about["definition_sha256"] = dataset.definition.sha256
            (temporary / FILE).write_text(dataset.definition.text, encoding="utf-8")
        (temporary / "zgbench.json").write_text(json.dumps(about, indent=1), encoding="utf-8")
    return target


@contextmanager
def _explaining(target: Path) -> Iterator[None]:
    """What went wrong, in place of the library's error about it."""
    import datasets as hf

    try:
        yield
    except hf.exceptions.DatasetGenerationError as error:
        cause: BaseException = error
        while cause.__cause__ is not None and not isinstance(cause, ZgbenchError):
            cause = cause.__cause__
        if isinstance(cause, (ZgbenchError, OSError)):
            raise cause from error
        raise ZgbenchError(f"cannot write {target}: {cause}.") from error


def _rows(dataset: Dataset, progress: list[Callable[[int], None]]) -> Iterator[dict[str, Any]]:
    from PIL import Image

    for image_id in dataset.ids:
        classes = dataset.source.truth(image_id).classes()
        if (classes == INVALID).any():
            raise DataError(f"{image_id}: the truth holds values that {dataset.key} does not define.")
        truth = io.BytesIO()
        Image.fromarray(np.where(classes < 0, _VOID_16, classes).astype(np.uint16)).save(truth, format="PNG")
        try:
            photo_bytes = dataset.source.photo_bytes(image_id)
        except (OSError, DataError):
            photo_bytes = None
        yield {
            "id": image_id, "truth": truth.getvalue(), "truth_crc": zlib.crc32(truth.getvalue()),
            "photo": photo_bytes, "photo_crc": zlib.crc32(photo_bytes or b""),
        }  # fmt: skip
        progress[0](1)


def open_store(
    folder: Path, key: str, definition_sha256: str | None = None
) -> tuple[StoreSource, str, tuple[str, ...], tuple[str, ...]]:
    """Source, split, ids and notes of a prepared store.

    Args:
        definition_sha256: of the ``dataset.toml``, which must be the one that the store was prepared with.

    Raises:
        DataError: the store is damaged or of another version, or ``dataset.toml`` was changed since.
    """
    path = place(folder, key)
    try:
        about = json.loads((path / "zgbench.json").read_text(encoding="utf-8"))
        if about["format"] != FORMAT or about["key"] != key:
            raise DataError(
                f"{path}: format {about['format']!r}, expected {FORMAT!r}. Run zgbench datasets prepare again."
            )
        if about.get("definition_sha256") != definition_sha256:
            raise DataError(f"{path}: was prepared with another {FILE}. Run zgbench datasets prepare again.")
        source = StoreSource(path)
        ids = tuple(about["ids"])
        if tuple(source.index()) != ids:
            raise DataError(f"{path}: the table and its list of ids differ. Run zgbench datasets prepare again.")
        return source, str(about["split"]), ids, tuple(about["notes"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: damaged ({error}). Remove it and run zgbench datasets prepare again.") from error


@dataclass(frozen=True)
class StoreSource:
    """Reads truth and photos from a prepared store through a memory map."""

    path: Path
    _open: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def __reduce__(self) -> tuple[type[StoreSource], tuple[Path]]:
        return StoreSource, (self.path,)  # the memory map stays in its process

    def _table(self) -> Any:
        if "table" not in self._open:
            import pyarrow as pa

            try:
                tables = []
                for file in self._files():
                    tables.append(pa.ipc.open_stream(pa.memory_map(str(plain_stream(file)))).read_all())
                    tables[-1].validate(full=True)  # offsets out of bounds would crash the process later
                self._open["table"] = pa.concat_tables(tables) if tables else None
            except (OSError, ValueError, pa.ArrowException) as error:
                raise DataError(
                    f"{self.path}: damaged ({str(error)[:120]!a}). Remove it and run zgbench datasets prepare again."
                ) from error
            if self._open["table"] is None or not set(self._open["table"].column_names) >= _COLUMNS:
                del self._open["table"]
                raise DataError(f"{self.path}: holds no rows of this format. Run zgbench datasets prepare again.")
        return self._open["table"]

    def index(self) -> dict[str, int]:
        """Image id → row."""
        if "index" not in self._open:
            self._open["index"] = {i: n for n, i in enumerate(self._table()["id"].to_pylist())}
        found: dict[str, int] = self._open["index"]
        return found

    def has(self, image_id: str) -> bool:
        return image_id in self.index()

    def _bytes(self, column: str, image_id: str) -> bytes | None:
        if image_id not in self.index():
            raise DataError(f"{self.path}: holds no image {image_id!r}. Run zgbench datasets prepare again.")
        row = self.index()[image_id]
        content: bytes | None = self._table()[column][row].as_py()
        if zlib.crc32(content or b"") != self._table()[f"{column}_crc"][row].as_py():
            raise DataError(
                f"{self.path}: the {column} of {image_id} is damaged. Remove it and run zgbench datasets prepare again."
            )
        return content

    def _files(self) -> list[Path]:
        return sorted((self.path / "rows").glob("data-*.arrow"))

    def truth(self, image_id: str) -> Truth:
        content = self._bytes("truth", image_id) or b""
        return Truth(read_label_png(content, f"{self.path}[{image_id}]"), _identity())

    def photo(self, image_id: str) -> Any:
        content = self._bytes("photo", image_id)
        if content is None:
            raise DataError(f"{self.path}: holds no photo of {image_id} (none was there when it was prepared).")
        return read_photo(io.BytesIO(content), f"{self.path}[{image_id}]")

    def photo_bytes(self, image_id: str) -> bytes | None:
        return self._bytes("photo", image_id)

    def fingerprint(self, image_ids: tuple[str, ...]) -> str:
        digest = hashlib.sha256(b"store\n")
        for image_id in image_ids:
            digest.update(image_id.encode() + hashlib.sha256(self._bytes("truth", image_id) or b"").digest())
        return digest.hexdigest()

    def stamp(self, image_ids: tuple[str, ...]) -> str:
        return stamp([*self._files(), self.path / "zgbench.json"])

    def describe(self) -> str:
        return str(self.path)


def _identity() -> NDArray[np.int32]:
    result = np.arange(65536, dtype=np.int32)
    result[_VOID_16] = -1
    return result
