"""``zgbench reference run PHOTO…``: photos of one's own, segmented and labelled.

Each photo gives three files, which are written together or not at all: a picture to look at, the segments as a
submission of one image, and a label map whose values are the segments' places in it, from 1.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from reference_method.merging import Segment
from zgbench.datasets import photo as photos
from zgbench.errors import DataError, UsageError
from zgbench.overlay import draw, palette
from zgbench.storage.files import check_folder, replacing_all

FORMATS = ("JPEG", "PNG", "WEBP")
ENDINGS = (".jpg", ".jpeg", ".png", ".webp")
PICTURE, SUBMISSION, LABEL_MAP = ".segments.png", ".segments.json", ".label_map.png"

Namer = Callable[[Image.Image], list[Segment]]


@dataclass(frozen=True)
class Photo:
    """A photo and where its results go: ``target`` with PICTURE, SUBMISSION and LABEL_MAP behind it."""

    source: Path
    target: Path

    def results(self) -> tuple[Path, Path, Path]:
        """Picture, submission, label map."""
        picture, submission, label_map = (
            self.target.with_name(self.target.name + end) for end in (PICTURE, SUBMISSION, LABEL_MAP)
        )
        return picture, submission, label_map


def collect(given: Sequence[str], out: str | None) -> list[Photo]:
    """Photos, and all photos of folders (not of folders in them), with where their results go.

    Args:
        out: folder for the results; None: beside each photo.

    Raises:
        UsageError: nothing there, two photos with the same results, or a result that would replace a photo.
    """
    sources: dict[Path, Path] = {}
    missing = [name for name in given if not Path(name).exists()]
    if missing:
        raise UsageError(f"there is no {', '.join(missing[:5])}{' …' if len(missing) > 5 else ''}.")
    for place in map(Path, given):
        found = _of_folder(place) if place.is_dir() else [place]
        if not found:
            raise UsageError(f"{place}: holds no photo ({', '.join(ENDINGS)}).")
        for source in found:
            sources.setdefault(source.resolve(), source)
    if out is not None and Path(out).is_file():
        raise UsageError(f"--out {out}: expected a folder for the results, found a file.")
    found = [Photo(s, (Path(out) if out is not None else s.parent) / s.stem) for s in sources.values()]
    owners: dict[str, Path] = {}
    for photo in found:
        key = os.path.normcase(photo.target.absolute())
        if key in owners:
            raise UsageError(
                f"{owners[key]} and {photo.source} would both be written to {photo.results()[0]}. Rename one, or run them "
                f"one by one with an --out each."
            )
        owners[key] = photo.source
        replaced = next((sources[r.resolve()] for r in photo.results() if r.resolve() in sources), None)
        if replaced is not None:
            raise UsageError(f"the results of {photo.source} would replace the photo {replaced}. Give another --out.")
    for folder in {photo.target.parent for photo in found}:
        check_folder(folder)
    return found


def _of_folder(folder: Path) -> list[Path]:
    """Its photos; not what this command wrote, nor hidden files (``._x.jpg`` is what macOS leaves beside x.jpg)."""
    return sorted(
        place
        for place in folder.iterdir()
        if place.suffix.lower() in ENDINGS
        and place.is_file()
        and not place.name.startswith(".")
        and not place.name.endswith((PICTURE, LABEL_MAP))
    )


def label(
    found: Sequence[Photo], load: Callable[[], tuple[Namer, dict[str, Any]]]
) -> Iterator[tuple[Photo, list[Segment] | DataError]]:
    """Segment photos and write the results, one after another; one that cannot be read costs itself alone.

    Args:
        load: gives what names the segments of a photo, and a submission's name with what it says of its method;
            called when the first photo was read.
    """
    loaded: tuple[Namer, dict[str, Any]] | None = None
    for photo in found:
        try:
            picture = _read(photo.source)
        except DataError as error:
            yield photo, error
            continue
        loaded = loaded or load()
        segments = loaded[0](picture)
        _write(photo, picture, segments, loaded[1])
        yield photo, segments


class Labeller:
    """:func:`label` on one device, a photo at a time, for :func:`reference_method.replicas.on_devices`.

    Args:
        load: device → what ``label`` takes; called when the first photo was read.
    """

    lanes = 1

    def __init__(self, load: Callable[[str], tuple[Namer, dict[str, Any]]], device: str) -> None:
        self._load = cache(partial(load, device))

    def prepare(self, photo: Photo) -> Photo:
        """Nothing: a photo is one piece of work."""
        return photo

    def work(self, photos: Sequence[Photo]) -> tuple[Photo, list[str] | DataError]:
        """The one photo of a group and its segments' labels, or why it has none."""
        ((photo, found),) = label(photos, self._load)
        return photo, found if isinstance(found, DataError) else [segment.label for segment in found]


def _read(source: Path) -> Image.Image:
    mend = "Give a JPEG, PNG or WebP file."
    try:
        content = source.read_bytes()
    except OSError as error:
        raise DataError(f"{source}: cannot be read ({error.strerror or error}). {mend}") from error
    found: Image.Image = photos.decode(content, str(source), mend=mend, formats=FORMATS, upright=True)
    return found


def _write(photo: Photo, picture: Image.Image, segments: list[Segment], method: dict[str, Any]) -> None:
    from zgbench.submission import rle

    numbers = np.zeros((picture.height, picture.width), np.uint8 if len(segments) < 256 else np.uint16)
    for number, segment in enumerate(segments, start=1):
        numbers[segment.mask] = number
    label_map = Image.fromarray(numbers)
    if numbers.dtype == np.uint8:
        label_map.putpalette([0, 0, 0, *palette(255)])
    with replacing_all(*photo.results()) as (shown, submission, values):
        draw(picture, [s.mask for s in segments], [s.label for s in segments]).save(shown, format="PNG")
        label_map.save(values, format="PNG")
        raw = [{"label": s.label, "counts": rle.encode(rle.runs_of(s.mask))} for s in segments]
        image = {"id": photo.target.name, "size": [picture.height, picture.width], "segments": raw}
        whole = {"format": "zgbench/1", "name": method["name"], "dataset": "photos", "track": "free",
                 "method": {k: v for k, v in method.items() if k != "name"}, "images": [image]}  # fmt: skip
        submission.write_text(json.dumps(whole, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def caution(preset: str | None) -> None:
    """Say what the models of preset mini do not know."""
    if preset == "mini":
        print(
            "caution: the small models of --preset mini know drawn scenes only; what they call a photo's segments means nothing.",
            file=sys.stderr,
        )
