"""What the values of label maps and the class ids of results mean: a class list that zgbench knows, or a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zgbench.datasets import vocabulary as vocabularies
from zgbench.datasets.catalogue import SPECS
from zgbench.errors import InputError, UsageError
from zgbench.storage.csv_table import read_csv
from zgbench.storage.text import bare_id, read_json, read_text
from zgbench.submission.problems import quote

_AS_STORED = ("ade150", "ade847", "cityscapes19", "coco133", "cocostuff171")
CLASS_LABELS = ("pas20", "pc59-alphabetical", "pc59-official", "pc459", *_AS_STORED)
"""Class lists by name. PC-59 ids circulate in two orders, so the order must be told."""
_VALUE_COLUMNS = ("value", "id", "segment_id", "class_id", "category_id", "index", "segment")
_LABEL_COLUMNS = ("label", "name", "class", "class_name", "category")
_IMAGE_COLUMNS = ("image_id", "image", "file_name", "file")


@dataclass(frozen=True)
class Labels:
    """Labels by image and value, or of classes for all images.

    Attributes:
        name: as given, for messages.
        images: image id → labels by value, or a list of labels in the order of the segments.
        classes: class id → name, or None.
        known: whether it is one of ``CLASS_LABELS``.
    """

    name: str
    images: dict[str, dict[int, Any] | list[Any]] | None = None
    classes: dict[int, Any] | None = None
    known: bool = False

    def of(self, image_id: str) -> dict[int, Any] | list[Any]:
        """Labels of an image. Raises InputError when there are none."""
        if self.classes is not None:
            return self.classes
        assert self.images is not None
        if image_id not in self.images:
            raise InputError(
                f"{self.name}: has no labels for the image {quote(image_id)} (it has them for {len(self.images)} images, such as {quote(next(iter(self.images), ''))})."
            )
        return self.images[image_id]


def read_labels(given: str, first: int | None) -> Labels:
    """Labels from a class list by name, or from a file.

    Files: JSON ``{image id: {value: label}}``, ``{image id: [label, …]}``, ``{value: label}``, ``[label, …]``, COCO's
    ``{"categories": …}`` or ``{"id2label": …}``; CSV with the columns image_id, value and label, or value and label; a text
    file with a class a line.

    Args:
        first: number of the first class of a list (default 1).

    Raises:
        InputError, UsageError: no such file, or not of that form.
    """
    if given in CLASS_LABELS:
        names = class_names(given)
        if first is not None and given in _AS_STORED:  # their ids have gaps; models count the classes in order
            names = dict(enumerate(names.values(), start=first))
        elif first is not None:
            names = {value + first - 1: name for value, name in names.items()}
        return Labels(given, classes=names, known=True)
    path = Path(given)
    if not path.is_file():
        raise UsageError(
            f"--labels {given}: there is no such file, and no class list of that name. Class lists: {', '.join(CLASS_LABELS)}."
        )
    suffix = path.suffix.lower()
    if suffix in (".csv", ".tsv"):
        found = _table(path)
    elif suffix == ".txt":
        lines = [line.strip() for line in read_text(path).splitlines()]
        found = Labels(
            given, classes=dict(enumerate((line for line in lines if line), start=1 if first is None else first))
        )
        first = None
    elif suffix == ".json":
        content = read_json(path)
        found = _json(given, content, 1 if first is None else first)
        first = None if isinstance(content, list) else first
    else:
        raise UsageError(
            f"--labels {given}: expected a file that ends in .json, .csv, .tsv or .txt, or one of {', '.join(CLASS_LABELS)}."
        )
    if first is not None:
        raise UsageError(
            f"--first says how a list of classes is numbered; {given} says the values itself. Leave it out."
        )
    if not (found.images or found.classes):
        raise InputError(f"{given}: holds no labels.")
    return found


def class_names(key: str) -> dict[int, str]:
    """Value (as the data set's own files number it) → name, of one of ``CLASS_LABELS``."""
    if key in SPECS:
        found = SPECS[key].vocabulary()
    else:
        order: vocabularies.PngOrder = "official" if key.endswith("official") else "alphabetical"
        classes = vocabularies.pc59()
        return {value: classes.name(class_id) for value, class_id in vocabularies.pc59_of_png(order).items()}
    return dict(zip(found.ids, found.names, strict=True))


def categories_of(content: Any, where: str) -> dict[int, str]:
    """Names by id of COCO's ``categories``.

    Raises:
        InputError: an entry without id or name, or an id twice.
    """
    found: dict[int, str] = {}
    if not isinstance(content, list):
        raise InputError(f"{where}: expected a list of categories, found {quote(content)}.")
    for index, item in enumerate(content):
        if not isinstance(item, Mapping) or type(item.get("id")) is not int or not isinstance(item.get("name"), str):
            raise InputError(f"{where}[{index}]: expected an id (a whole number) and a name, found {quote(item)}.")
        if item["id"] in found:
            raise InputError(
                f"{where}[{index}]: the id {item['id']} stands there twice ({quote(found[item['id']])}, {quote(item['name'])})."
            )
        found[item["id"]] = item["name"]
    return found


_FORMS = "Expected {image id: {value: label}}, {image id: [label, …]}, {value: label} or [label, …]"


def _json(name: str, content: Any, first: int) -> Labels:
    if isinstance(content, Mapping) and "categories" in content:
        return Labels(name, classes=dict(categories_of(content["categories"], f"{name}: categories")))
    if isinstance(content, Mapping) and isinstance(content.get("id2label"), Mapping):
        content = content["id2label"]
    if isinstance(content, list):
        if content and all(isinstance(item, Mapping) for item in content):
            return Labels(name, classes=dict(categories_of(content, name)))
        _check_texts(content, name)
        return Labels(name, classes=dict(enumerate(content, start=first)))
    if not isinstance(content, Mapping):
        raise InputError(f"{name}: {_FORMS}, found {quote(content)}.")
    if content and all(isinstance(value, str) for value in content.values()):
        return Labels(name, classes=_by_value(content, name))
    images: dict[str, dict[int, Any] | list[Any]] = {}
    for image, given in content.items():
        where = f"{name}: {quote(image)}"
        if isinstance(given, list):
            _check_texts(given, where)
        elif not isinstance(given, Mapping):
            raise InputError(f"{where}: {_FORMS}; found {quote(given)}.")
        bare = bare_id(image)
        if bare in images:
            raise InputError(f"{where}: labels for {quote(bare)} stand there twice, under two names.")
        images[bare] = list(given) if isinstance(given, list) else _by_value(given, where)
    return Labels(name, images=images)


def _check_texts(given: list[Any], where: str) -> None:
    for index, label in enumerate(given):
        if not isinstance(label, (str, list)):
            raise InputError(f"{where}[{index}]: expected a label, a text; found {quote(label)}.")


def _by_value(given: Mapping[str, Any], where: str) -> dict[int, Any]:
    found: dict[int, Any] = {}
    for key, label in given.items():
        value = _whole(key)
        if value is None:
            raise InputError(f"{where}: the key {quote(key)} is no whole number. {_FORMS}.")
        if value in found:
            raise InputError(f"{where}: the value {value} stands there twice.")
        if not isinstance(label, (str, list)):
            raise InputError(f"{where}, value {value}: expected a label, a text; found {quote(label)}.")
        found[value] = label
    return found


def _whole(text: Any) -> int | None:
    try:
        number = int(text)
    except (TypeError, ValueError):
        return None
    return number if abs(number) < 1 << 31 else None


def _table(path: Path) -> Labels:
    try:
        table = read_csv(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as a table ({quote(str(error), 120)[1:-1]}).") from error
    columns = {str(column).lower(): column for column in table.columns}

    def one_of(names: tuple[str, ...]) -> str | None:
        return next((columns[name] for name in names if name in columns), None)

    image, label = one_of(_IMAGE_COLUMNS), one_of(_LABEL_COLUMNS)
    value = one_of(_VALUE_COLUMNS)
    if value is None or label is None:
        raise InputError(
            f"{path}: expected the columns image_id, value and label (or value and label), found {quote(', '.join(map(str, table.columns)), 200)}."
        )
    images: dict[str, dict[int, Any] | list[Any]] = {}
    classes: dict[int, Any] = {}
    for row, cells in enumerate(table.to_dict("records")):
        number = _whole(cells[value])
        where = f"{path}: row {row}"
        if number is None:
            raise InputError(f"{where}, {value}: expected a whole number, found {quote(cells[value])}.")
        if not cells[label]:
            raise InputError(f"{where}, {label}: expected a label, found nothing.")
        place = classes if image is None else images.setdefault(bare_id(cells[image]), {})
        assert isinstance(place, dict)
        if number in place:
            raise InputError(
                f"{where}: the value {number}{'' if image is None else f' of {quote(bare_id(cells[image]))}'} has two labels, {quote(place[number])} and {quote(cells[label])}."
            )
        place[number] = cells[label]
    return Labels(str(path), images=None if image is None else images, classes=classes if image is None else None)
