"""Masks in JSON: COCO results, a COCO annotation file, or a folder with a file an image, as segment-anything writes them.

A mask is COCO's run lengths (compressed or not) or polygons; its label a text beside it, or the name of its category.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zgbench.datasets import Dataset
from zgbench.errors import InputError
from zgbench.storage.text import bare_id, is_companion, read_json
from zgbench.submission.convert.label_files import Labels, categories_of, read_labels
from zgbench.submission.convert.options import Item, Options
from zgbench.submission.masks.coco import check_size, mask_of
from zgbench.submission.masks.labels import one_text, spans
from zgbench.submission.problems import quote

LABEL_KEYS = ("label", "labels", "class_name", "category_name", "caption", "phrase")
_SCORE_KEYS = ("score", "predicted_iou", "confidence")
Found = tuple[list[str], Iterator[Item]]


def coco_file(path: Path, content: Any, options: Options, dataset: Dataset | None, known: frozenset[str]) -> Found:
    """Ids of the images and the images of COCO results (a list) or a COCO annotation file.

    Args:
        dataset: the data at hand, for sizes that the file does not say.
        known: ids of the data set.

    Raises:
        InputError: not such a file; a mask or label that is not sound.
    """
    options.unused("a COCO file", "--background", "--legend", "--palette")
    beside = read_json(options.annotations) if options.annotations is not None else {}
    about = content if isinstance(content, Mapping) else {}
    annotations = about.get("annotations") if isinstance(content, Mapping) else content
    if not isinstance(annotations, list):
        raise InputError(
            f"{path}: expected a list of COCO results, or an object with annotations; found {quote(content)}."
        )
    if any(isinstance(a, Mapping) and "segments_info" in a for a in annotations[:10]):
        raise InputError(f"{path}: a panoptic file; its masks lie in PNGs. Give the folder that holds both.")
    images = _Images(path, about.get("images") or beside.get("images") or [], known)
    labels = _Labels(path, about.get("categories") or beside.get("categories"), options)
    grouped: dict[str, list[tuple[str, Mapping[str, Any]]]] = {
        image_id: [] for image_id in images.listed if images.all_of_them
    }
    place = f"{path}: annotations" if isinstance(content, Mapping) else f"{path}: results"
    for index, annotation in enumerate(annotations):
        where = f"{place}[{index}]"
        if not isinstance(annotation, Mapping):
            raise InputError(f"{where}: expected an object with image_id and segmentation, found {quote(annotation)}.")
        grouped.setdefault(images.id_of(annotation.get("image_id"), where), []).append((where, annotation))

    def items() -> Iterator[Item]:
        for image_id, found in grouped.items():
            size = images.sizes.get(image_id) or _size_of(dataset, image_id)
            yield _item(image_id, found, size, labels, options)

    return list(grouped), items()


def mask_folder(folder: Path, files: list[Path], options: Options, dataset: Dataset | None) -> Found:
    """Ids of the images and the images of a folder with a JSON an image: a list of masks, or an object with it under annotations."""
    options.unused("a folder of masks in JSON", "--background", "--legend", "--palette")
    labels = _Labels(folder, None, options)

    def items() -> Iterator[Item]:
        for path in files:
            content = read_json(path)
            found = content.get("annotations", content.get("masks")) if isinstance(content, Mapping) else content
            if not isinstance(found, list) or not all(isinstance(item, Mapping) for item in found):
                raise InputError(
                    f"{path}: expected a list of masks, objects with a segmentation each; found {quote(content)}."
                )
            size = _size_of(dataset, path.stem)
            yield _item(
                path.stem, [(f"{path}[{index}]", item) for index, item in enumerate(found)], size, labels, options
            )

    return [path.stem for path in files], items()


def mask_files(folder: Path, known: frozenset[str]) -> list[Path]:
    """JSON files of a folder that are named after images of the data set; all of them where its images are not known."""
    found = [path for path in sorted(folder.glob("*.json")) if not is_companion(path.name)]
    return [path for path in found if path.stem in known or (not known and path.stem not in ("labels", "categories"))]


def _item(
    image_id: str,
    found: list[tuple[str, Mapping[str, Any]]],
    size: tuple[int, int] | None,
    labels: _Labels,
    options: Options,
) -> Item:
    if not found and size is not None:
        return Item(image_id, np.zeros(size, dtype=np.int32), {})
    masks = []
    for where, annotation in found:
        if "segmentation" not in annotation and "counts" not in annotation:
            boxes = " Boxes alone are no masks." if "bbox" in annotation else ""
            raise InputError(
                f"{where}: expected a segmentation, found the keys {quote(sorted(annotation), 120)}.{boxes}"
            )
        place = f"{where}.segmentation"
        masks.append(mask_of(annotation.get("segmentation", annotation), place, size if not options.resize else None))
    shapes = sorted({mask.shape for mask in masks})
    if len(shapes) > 1:
        raise InputError(
            f"{found[0][0]}: the masks of {image_id} have different sizes, {' and '.join(map(str, shapes[:4]))}."
        )
    texts = labels.of(image_id, found)
    scores = next(
        (
            [float(a[key]) for _, a in found]
            for key in _SCORE_KEYS
            if all(isinstance(a.get(key), (int, float)) for _, a in found)
        ),
        None,
    )
    return Item(image_id, np.stack(masks) if masks else [], texts, scores=scores)


class _Images:
    """Image ids and sizes of COCO's ``images``."""

    def __init__(self, path: Path, images: Any, known: frozenset[str]) -> None:
        self.sizes: dict[str, tuple[int, int]] = {}
        self._ids: dict[Any, str] = {}
        self._known = known
        if not isinstance(images, list):
            raise InputError(f"{path}: images: expected a list, found {quote(images)}.")
        for index, image in enumerate(images):
            where = f"{path}: images[{index}]"
            if not isinstance(image, Mapping) or not isinstance(image.get("id"), (int, str)):
                raise InputError(f"{where}: expected an object with id and file_name, found {quote(image)}.")
            name = bare_id(image["file_name"]) if isinstance(image.get("file_name"), str) else self._named(image["id"])
            if image["id"] in self._ids:
                raise InputError(f"{where}: the id {quote(image['id'])} stands there twice.")
            self._ids[image["id"]] = name
            height, width = image.get("height"), image.get("width")
            if type(height) is int and type(width) is int:
                check_size(height, width, where)
                self.sizes[name] = (height, width)
        self.listed = [name for name in self._ids.values() if not known or name in known]
        self.all_of_them = all(name in self.sizes for name in self.listed)

    def id_of(self, given: Any, where: str) -> str:
        """The data set's id of an annotation's image."""
        if not isinstance(given, (int, str)) or isinstance(given, bool):
            raise InputError(f"{where}.image_id: expected an image's id, found {quote(given)}.")
        if given in self._ids:
            return self._ids[given]
        name = self._named(given)
        if self._known and name not in self._known:
            mend = "It stands in no images[].id" if self._ids else "The file has no images that say which file that is"
            raise InputError(
                f"{where}.image_id: {quote(given)} is no image of the data set. {mend}; a COCO file with images (id, file_name) can be given with --annotations."
            )
        return name

    def _named(self, given: Any) -> str:
        """An id as the data set writes it: COCO's numbers have 12 digits in file names."""
        padded = f"{given:012d}" if isinstance(given, int) and given >= 0 else ""
        return padded if padded in self._known else bare_id(str(given))


class _Labels:
    """Labels of masks: those given with ``--labels``, those beside the masks, or names of categories."""

    def __init__(self, path: Path, categories: Any, options: Options) -> None:
        self._given: Labels | None = read_labels(options.labels, options.first) if options.labels is not None else None
        self._names: Mapping[int, Any] = categories_of(categories, f"{path}: categories") if categories else {}
        self._options = options

    def of(self, image_id: str, found: list[tuple[str, Mapping[str, Any]]]) -> list[str]:
        """One label a mask."""
        if self._given is not None and self._given.images is not None:
            texts = self._given.of(image_id)
            if isinstance(texts, Mapping):
                texts = (
                    [texts[k] for k in sorted(texts)]
                    if sorted(texts) in (list(range(len(found))), list(range(1, len(found) + 1)))
                    else list(texts.values())
                )
            if len(texts) != len(found):
                raise InputError(
                    f"{self._given.name}: {len(texts)} labels for {quote(image_id)}, which has {len(found)} masks. Give one for each, in their order."
                )
            return [
                one_text(text, f"{self._given.name}: {image_id}[{k}]", self._options.tags)
                for k, text in enumerate(texts)
            ]
        names = self._names if self._given is None else (self._given.classes or {})
        return [self._one(where, annotation, names) for where, annotation in found]

    def _one(self, where: str, annotation: Mapping[str, Any], names: Mapping[int, Any]) -> str:
        for key in LABEL_KEYS if self._given is None else ():
            if annotation.get(key) is not None:
                return one_text(annotation[key], f"{where}.{key}", self._options.tags)
        category = annotation.get("category_id")
        if category is None:
            raise InputError(
                f"{where}: no label beside the mask ({', '.join(LABEL_KEYS)}) and no category_id; found the keys {quote(sorted(annotation), 120)}. Give --labels FILE ({{image id: [label, …]}})."
            )
        if type(category) is not int or category not in names:
            has = f"the categories are {spans(names)}" if names else "there are no categories"
            raise InputError(
                f"{where}.category_id: {quote(category)} has no name: {has}. Give --labels FILE ({{id: name}}) or --annotations FILE with categories."
            )
        return one_text(names[category], f"{where}: category {category}", self._options.tags)


def _size_of(dataset: Dataset | None, image_id: str) -> tuple[int, int] | None:
    if dataset is None or not dataset.source.has(image_id):
        return None
    return dataset.source.truth(image_id).size
