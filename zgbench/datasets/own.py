"""Data sets of one's own: where a ``dataset.toml`` is looked for, and how it is opened."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from zgbench.datasets import store
from zgbench.datasets.dataset import Dataset
from zgbench.datasets.definition import FILE, KEY, Definition, read_definition
from zgbench.datasets.folder_source import FolderSource
from zgbench.datasets.located import Located, is_image_id
from zgbench.datasets.truth import TruthSource
from zgbench.datasets.truth_files import manifest
from zgbench.errors import DataError, InputError
from zgbench.storage.text import decode

_MAX_LIST = 16 << 20


def find_definition(key: str, data: str | os.PathLike[str] | None = None) -> Definition | None:
    """The ``dataset.toml`` of a key, in the data folder, in a folder of that name in it, or in a prepared store.

    Raises:
        DataError: a file that can be meant is wrong.
    """
    folder = data if data is not None else os.environ.get("ZGBENCH_DATA")
    if not folder or not KEY.fullmatch(key):
        return None
    for place in (Path(folder), Path(folder, key), store.place(Path(folder), key)):
        if (place / FILE).is_file():
            found = read_definition(place / FILE)
            if found.key == key:
                return found
    return None


def definitions(folder: Path) -> Iterator[Path]:
    """Every ``dataset.toml`` that a data folder has: its own, or those of the folders in it and of prepared stores."""
    if (folder / FILE).is_file():
        yield folder / FILE
        return
    yield from sorted(folder.glob(f"*/{FILE}"))
    yield from sorted(folder.glob(f"zgbench-store/*/{FILE}"))


def open_own(definition: Definition, folder: Path, *, raw: bool) -> Dataset:
    """Open a data set of one's own.

    Args:
        folder: data folder, in which a prepared store may lie.
        raw: read the raw files even where there is a store.

    Raises:
        DataError: files are missing or damaged.
    """
    place = definition.path.parent
    prepared = store.exists(folder, definition.key)
    if prepared and (not raw or place == store.place(folder, definition.key)):
        stored, _, listed, told = store.open_store(folder, definition.key, definition.sha256)
        return _own(definition, listed, stored, told)
    truths = Located(place, definition.truth.pattern)
    if not truths.any():
        raise DataError(
            f"{definition.path}: [truth] files = {definition.truth.pattern!r}: there is no such file. Mend the pattern, or bring the files."
        )
    photos = () if definition.photos is None else (Located(place, definition.photos),)
    source = FolderSource(truths, photos, definition.truth)
    ids = _own_ids(definition, source)
    notes: tuple[str, ...] = ()
    if definition.images is not None and len(ids) != definition.images:
        notes = (
            f"{definition.path} says that the split has {definition.images} images, and {len(ids)} are listed: the scores are not official.",
        )
    return _own(definition, ids, source, notes)


def _own(definition: Definition, ids: tuple[str, ...], source: TruthSource, notes: tuple[str, ...]) -> Dataset:
    return Dataset(
        definition.key, definition.split, ids, frozenset(ids), definition.vocabulary, source,
        len(ids) == definition.images, notes, definition.released_drops_background, definition=definition,
    )  # fmt: skip


def _own_ids(definition: Definition, source: FolderSource) -> tuple[str, ...]:
    """The ids of the split list, of the panoptic JSON, or of the files of truth."""
    if definition.ids is None:
        place = definition.path.parent
        if definition.truth.manifest is not None:
            return tuple(manifest(place / definition.truth.manifest).images)
        return tuple(source.truths.found())
    listed = definition.path.parent / definition.ids
    lines = [line.strip() for line in lines_of(listed, "Write one id a line.") if line.strip()]
    seen: set[str] = set()
    for line in lines:
        if not is_image_id(line):
            raise DataError(
                f"{listed}: {shown(line)!r} is no image id. Write one id a line: file names without folder and ending."
            )
        if line in seen:
            raise DataError(f"{listed}: lists {shown(line)!r} twice. Remove one.")
        seen.add(line)
    if not lines:
        raise DataError(f"{listed}: lists no image. Write one id a line, or leave ids out of {definition.path}.")
    if not any(source.has(line) for line in lines[:1000]):
        example = next(iter(source.truths.found()), "")
        raise DataError(
            f"{listed}: none of its ids has a file {source.truths}; the files' ids are such as {shown(example)!r}, the list's such as "
            f"{shown(lines[0])!r}. Write ids without folder and ending."
        )
    return tuple(lines)


def lines_of(path: Path, mend: str) -> list[str]:
    """Lines of a list of image ids. Raises DataError."""
    try:
        if path.stat().st_size > _MAX_LIST:
            raise DataError(f"{path}: has more than {_MAX_LIST >> 20} MiB. {mend}")
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read as a list of image ids ({error}). {mend}") from error
    try:
        return decode(content, str(path)).splitlines()
    except InputError as error:
        raise DataError(f"{error} {mend}") from error


def shown(image_id: str) -> str:
    """An id from a file as it may be printed."""
    return image_id[:60] if image_id.isprintable() else ascii(image_id[:60])[1:-1]
