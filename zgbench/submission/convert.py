"""``convert``: between the formats of a submission, and into one from what methods commonly write."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zgbench.datasets import vocabulary as vocabularies
from zgbench.datasets.label_png import MAX_PIXELS
from zgbench.errors import InputError, UsageError
from zgbench.submission.problems import Report, quote
from zgbench.submission.reader import SUFFIXES, open_submission
from zgbench.submission.writer import SubmissionWriter

CLASS_LABELS = ("pas20", "pc59-alphabetical", "pc59-official", "pc459")
"""What the values of label maps can mean when they are class ids."""


@dataclass(frozen=True)
class Converted:
    """What was written."""

    path: Path
    images: int
    segments: int


def convert(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    name: str | None = None,
    dataset: str | None = None,
    labels: str | os.PathLike[str] | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Converted:
    """Write a submission from another file or folder.

    Args:
        source: a submission of any format; a COCO-panoptic folder (one ``*.json`` with ``annotations`` whose
            ``segments_info`` carry a ``label``, and PNGs whose colour is id = R + 256·G + 65536·B); or a folder of
            label maps (PNG, ``<image id>.png``, 0 = in no segment).
        target: ``.json``, ``.json.gz`` or ``.parquet``.
        name, dataset: of the method and its data set, for a folder.
        labels: for label maps: a JSON file ``{image id: {value: label}}``, or what class ids the values are, one of
            ``CLASS_LABELS``. PC-59 ids circulate in two orders, so the order must be told.

    Raises:
        UsageError: a folder without the options that it needs.
        InputError: the source cannot be read.
        SubmissionError: the source's labels or ids break the contract.
    """
    source, target = Path(source), Path(target)
    if not target.name.endswith(SUFFIXES):
        raise UsageError(f"{target}: expected a name that ends in {', '.join(SUFFIXES)}.")
    if source.is_dir():
        if name is None or dataset is None:
            raise UsageError(f"{source} is a folder: give --name (of the method) and --dataset as well.")
        manifest = _panoptic_manifest(source)
        if manifest is not None:
            images = _panoptic_images(source, manifest)
        elif labels is not None:
            images = _label_maps(source, labels)
        else:
            raise UsageError(
                f"{source} holds label maps: give --labels FILE.json ({{image id: {{value: label}}}}), or say which class ids "
                f"the values are: --labels {', '.join(CLASS_LABELS)}."
            )
        with SubmissionWriter(target, name=name, dataset=dataset) as writer:
            counted = [0, 0]
            for image_id, label_map, named in images:
                writer.add(image_id, label_map, named)
                counted[0] += 1
                counted[1] += len(named)
                progress(1)
        return Converted(target, *counted)
    return _between_formats(source, target, progress)


def _between_formats(source: Path, target: Path, progress: Callable[[int], None]) -> Converted:
    reader = open_submission(source)
    report = Report()
    header = reader.header(report)
    report.raise_if_any(str(source))
    assert header is not None
    mask_key = "counts" if header.track == "free" else "class"
    counted = [0, 0]
    with SubmissionWriter(
        target, name=header.name, dataset=header.dataset, track=header.track, method=header.method
    ) as writer:
        if header.embeddings is not None:
            if target.parent.resolve() != source.parent.resolve():
                raise UsageError(
                    f"{source} names embeddings beside it ({header.embeddings}); write the target into the same folder."
                )
            writer.name_embeddings(header.embeddings)
        for image in reader.images(header, report):
            report.raise_if_any(str(source))
            masks = (
                [c.decode("utf-8", "surrogatepass") for c in image.counts]
                if image.counts is not None
                else image.classes or []
            )
            writer.add_raw(
                image.id, image.size, [{"label": t, mask_key: m} for t, m in zip(image.labels, masks, strict=True)]
            )
            counted[0] += 1
            counted[1] += len(masks)
            progress(1)
        report.raise_if_any(str(source))
    return Converted(target, *counted)


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: not readable as JSON ({quote(str(error), 120)[1:-1]}).") from error


def _panoptic_manifest(folder: Path) -> dict[str, Any] | None:
    """The folder's COCO-panoptic JSON, None when there is none."""
    for path in sorted(folder.glob("*.json")):
        content = _read_json(path)
        if isinstance(content, dict) and isinstance(content.get("annotations"), list):
            return content
    return None


Item = tuple[str, NDArray[np.int64], dict[int, str]]


def _panoptic_images(folder: Path, manifest: dict[str, Any]) -> Iterator[Item]:
    for index, annotation in enumerate(manifest["annotations"]):
        where = f"{folder}: annotations[{index}]"
        try:
            file = str(annotation["file_name"])
            named = {int(s["id"]): s["label"] for s in annotation["segments_info"]}
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"{where}: expected file_name and segments_info with an id and a label each ({error})."
            ) from error
        if Path(file).name != file:
            raise InputError(f"{where}.file_name: expected a bare file name, found {quote(file)}.")
        place = folder / file
        if not place.is_file():  # COCO keeps PNGs in a folder of their own
            found = sorted(folder.glob(f"*/{file}"))
            if not found:
                raise InputError(f"{where}: there is no {file} in {folder} or a folder in it.")
            place = found[0]
        ids = _colours(place)
        unnamed = sorted(set(np.unique(ids).tolist()) - {0} - set(named))
        if unnamed:
            raise InputError(
                f"{place}: holds the ids {unnamed[:5]}, which segments_info lacks. Black (0) is what lies in no segment."
            )
        yield Path(file).stem, ids, {i: label for i, label in named.items() if (ids == i).any()}


def _colours(path: Path) -> NDArray[np.int64]:
    from PIL import Image

    try:
        with Image.open(path, formats=["PNG"]) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise InputError(f"{path}: {picture.height} × {picture.width} pixels, more than {MAX_PIXELS}.")
            if picture.mode not in ("RGB", "RGBA"):
                raise InputError(f"{path}: expected an RGB PNG (id = R + 256·G + 65536·B), found mode {picture.mode}.")
            rgb = np.asarray(picture, dtype=np.int64)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{path}: not a readable PNG ({quote(str(error), 120)[1:-1]}).") from error
    return rgb[..., 0] + 256 * rgb[..., 1] + 65536 * rgb[..., 2]


def _label_maps(folder: Path, labels: str | os.PathLike[str]) -> Iterator[Item]:
    from zgbench.datasets.label_png import read_label_png

    names = _class_names(str(labels)) if str(labels) in CLASS_LABELS else None
    table = None if names is not None else _label_table(Path(labels))
    files = sorted(folder.glob("*.png"))
    if not files:
        raise InputError(f"{folder}: holds no .png.")
    for path in files:
        values = read_label_png(path, role="label map").astype(np.int64)
        if names is not None and str(labels) == "pas20":
            values[values == 255] = 0  # the usual border value of VOC-like maps
        present = [v for v in np.unique(values).tolist() if v != 0]
        named = names if names is not None else (table or {}).get(path.stem, {})
        missing = [v for v in present if v not in named]
        if missing:
            raise InputError(f"{path}: holds the values {missing[:5]}, for which {labels} has no label.")
        yield path.stem, values, {v: named[v] for v in present}


def _class_names(key: str) -> dict[int, str]:
    if key == "pas20":
        found = vocabularies.pas20()
    elif key == "pc459":
        found = vocabularies.pc459()
    else:
        order: vocabularies.PngOrder = "official" if key.endswith("official") else "alphabetical"
        classes = vocabularies.pc59()
        return {value: classes.name(class_id) for value, class_id in vocabularies.pc59_of_png(order).items()}
    return dict(zip(found.ids, found.names, strict=True))


def _label_table(path: Path) -> dict[str, dict[int, str]]:
    content = _read_json(path)
    try:
        return {str(image): {int(value): label for value, label in named.items()} for image, named in content.items()}
    except (AttributeError, ValueError) as error:
        raise InputError(f"{path}: expected {{image id: {{value: label}}}} ({error}).") from error
