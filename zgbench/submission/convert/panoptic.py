"""A COCO-panoptic folder: PNGs of segment ids, and a JSON that says what each segment is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zgbench.datasets.label_png import read_ids_png
from zgbench.errors import InputError
from zgbench.storage.text import is_companion, read_json
from zgbench.submission.convert.label_files import Labels, categories_of, read_labels
from zgbench.submission.convert.options import Item, Notes, Options
from zgbench.submission.masks.labels import one_text, spans
from zgbench.submission.masks.objects import values_in
from zgbench.submission.problems import quote

_MAX_ID = (1 << 24) - 1
_GREY = 1 + 256 + 65536  # what was RGB (v, v, v) before an optimiser made it grey


def panoptic_manifest(folder: Path) -> tuple[Path, Mapping[str, Any]] | None:
    """The folder's COCO-panoptic JSON and its path, None when there is none.

    Raises:
        InputError: a JSON file that cannot be read, or several of them.
    """
    found = []
    for path in sorted(folder.glob("*.json")):
        if is_companion(path.name) or path.name == "categories.json":
            continue
        content = read_json(path)
        annotations = content.get("annotations") if isinstance(content, Mapping) else None
        if isinstance(annotations, list) and any(
            isinstance(a, Mapping) and "segments_info" in a for a in annotations[:10]
        ):
            found.append((path, content))
    if len(found) > 1:
        raise InputError(
            f"{folder}: holds several panoptic files, {', '.join(path.name for path, _ in found)}. Keep one."
        )
    return found[0] if found else None


def panoptic_images(
    folder: Path, path: Path, manifest: Mapping[str, Any], options: Options, notes: Notes
) -> tuple[list[str], Iterator[Item]]:
    """Ids of the images that there are, and the images.

    Raises:
        InputError: the JSON or a PNG breaks the format, or they contradict each other.
    """
    options.unused("a COCO-panoptic folder", "--background", "--legend", "--palette", "--overlap")
    names = _class_names(path, manifest, options)
    annotations = manifest["annotations"]
    ids = [Path(_file_name(a, f"{path}: annotations[{index}]")).stem for index, a in enumerate(annotations)]
    return ids, _images(folder, path, annotations, names, options, notes)


def _file_name(annotation: Any, where: str) -> str:
    if not isinstance(annotation, Mapping) or not isinstance(annotation.get("file_name"), str):
        raise InputError(f"{where}: expected file_name and segments_info, found {quote(annotation)}.")
    file: str = annotation["file_name"]
    if Path(file).name != file or "\\" in file:
        raise InputError(f"{where}.file_name: expected a bare file name, found {quote(file)}.")
    return file


def _class_names(path: Path, manifest: Mapping[str, Any], options: Options) -> Mapping[int, Any]:
    if options.labels is not None:
        labels: Labels = read_labels(options.labels, options.first)
        if labels.classes is None:
            raise InputError(
                f"{options.labels}: expected names of category ids ({{id: name}}), for the segments of {path}."
            )
        return labels.classes
    if options.annotations is not None:
        content = read_json(options.annotations)
        return categories_of(
            content.get("categories") if isinstance(content, Mapping) else None, f"{options.annotations}: categories"
        )
    return categories_of(manifest["categories"], f"{path}: categories") if manifest.get("categories") else {}


def _images(
    folder: Path,
    path: Path,
    annotations: list[Mapping[str, Any]],
    names: Mapping[int, Any],
    options: Options,
    notes: Notes,
) -> Iterator[Item]:
    for index, annotation in enumerate(annotations):
        where = f"{path}: annotations[{index}]"
        file = annotation["file_name"]
        named = _segments(annotation.get("segments_info"), where, names, path, options)
        place = _place(folder, file, where)
        ids = _ids(place, named)
        held = {int(v) for v in values_in(ids)} - {0}
        unnamed = held - set(named)
        if unnamed:
            raise InputError(
                f"{place}: holds the ids {spans(unnamed)}, which segments_info lacks (it has {spans(named)}). Black (0) is what lies in no segment.{_swapped(held, named)}"
            )
        lost = [i for i in named if i not in held]
        if lost and held.isdisjoint(named):
            raise InputError(
                f"{place}: holds none of the ids that segments_info names ({spans(named)}).{_swapped(held, named)}"
            )
        notes.count(
            "segments of segments_info lie nowhere in their PNG and were left out",
            len(lost),
            f"{place.name}, id {lost[0] if lost else ''}",
        )
        yield Item(Path(file).stem, ids, {i: label for i, label in named.items() if i in held}, background=0)


def _segments(info: Any, where: str, names: Mapping[int, Any], path: Path, options: Options) -> dict[int, Any]:
    """Label of each segment id."""
    if not isinstance(info, list):
        raise InputError(f"{where}.segments_info: expected a list, found {quote(info)}.")
    found: dict[int, Any] = {}
    for index, segment in enumerate(info):
        place = f"{where}.segments_info[{index}]"
        value = segment.get("id") if isinstance(segment, Mapping) else None
        if type(value) is not int:
            raise InputError(
                f"{place}: expected an id, a whole number; found {quote(segment if value is None else value)}."
            )
        if value == 0:
            raise InputError(f"{place}: the id 0 is black, which lies in no segment. Number segments from 1.")
        if not 0 < value <= _MAX_ID:
            raise InputError(f"{place}: the id {value} is no colour: expected 1–{_MAX_ID} (id = R + 256·G + 65536·B).")
        label = _label(segment, place, names, path, options)
        if value in found:
            raise InputError(
                f"{place}: the id {value} stands there twice, with the labels {quote(found[value])} and {quote(label)}. Give each segment of an image its own id and colour."
            )
        found[value] = label
    return found


def _label(segment: Mapping[str, Any], place: str, names: Mapping[int, Any], path: Path, options: Options) -> Any:
    for key in ("label", "labels", "category_name"):
        if segment.get(key) is not None and options.labels is None:
            return one_text(segment[key], f"{place}.{key}", options.tags)
    category = segment.get("category_id")
    if category is None:
        raise InputError(
            f"{place}: expected a label (a text), or a category_id whose name stands under categories; found the keys {quote(sorted(segment), 120)}."
        )
    if type(category) is not int or category not in names:
        has = f"which has {spans(names)}" if names else "which is not there"
        raise InputError(
            f"{place}.category_id: {quote(category)} has no name in categories of {path.name}, {has}. Put the names there, or give --labels FILE ({{id: name}}) or --annotations FILE with categories."
        )
    return one_text(names[category], f"{place}: category {category}", options.tags)


def _place(folder: Path, file: str, where: str) -> Path:
    if (folder / file).is_file():
        return folder / file
    found = sorted(
        path for path in folder.glob(f"*/{_plain(file)}") if path.is_file()
    )  # COCO keeps PNGs in a folder of their own
    if not found:
        raise InputError(f"{where}: there is no {quote(file)} in {folder} or a folder in it.")
    return found[0]


def _plain(file: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in file)


def _ids(place: Path, named: Mapping[int, Any]) -> NDArray[np.int64]:
    ids, grey = read_ids_png(place)
    if grey and not ({int(v) for v in values_in(ids)} - {0} <= set(named)):
        scaled = ids * _GREY
        if {int(v) for v in values_in(scaled)} - {0} <= set(named):
            return np.asarray(scaled)
    return ids


def _swapped(held: set[int], named: Mapping[int, Any]) -> str:
    turned = {(i & 255) << 16 | (i & 0xFF00) | i >> 16 for i in held}
    return " With red and blue exchanged they fit: OpenCV writes BGR." if turned <= set(named) and held else ""
