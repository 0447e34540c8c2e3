"""The pictures of one image: photo, ground truth, one or two predictions, and the difference of two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zgbench.board import correctness
from zgbench.board.entry import Entry
from zgbench.board.method import Opened, opened
from zgbench.board.store import Board
from zgbench.board.submissions import find, folders
from zgbench.errors import DataError, InputError, UsageError, ZgbenchError
from zgbench.overlay import GREY, draw
from zgbench.scores.comparison import rule_of, vocabulary_of

if TYPE_CHECKING:
    from PIL import Image

_NARROW, _WIDE = 288, 900
"""Width in pixels at which a label still stands 12 pixels high: a column of a phone's page; an enlarged picture."""
_LEAST = 0.01
"""Smaller segments, as a share of the image, bear their label in enlarged pictures only."""


@dataclass(frozen=True)
class Pictures:
    """RGB pictures of one image, enlarged to at least 480 pixels (960 where large); None where something is missing or not asked for.

    Attributes:
        photo: as it is.
        truth: its classes, coloured and named.
        prediction: the segments, coloured, with their free-text labels on them.
        other: the same of another method.
        difference: where only one of the two is right; its ``shares`` as in :func:`zgbench.board.correctness.shares`.
        alt: name of a picture → what it shows, for people who cannot see it. It holds labels: show it as text.
        missing: why one is None, and what to do, a sentence each.
    """

    photo: Image.Image | None = None
    truth: Image.Image | None = None
    prediction: Image.Image | None = None
    other: Image.Image | None = None
    difference: Image.Image | None = None
    shares: dict[str, float] = field(default_factory=dict)
    alt: dict[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Scene:
    """What is at hand of an image: photo, truth int32 [h, w], and the canvas to draw on."""

    size: tuple[int, int]
    photo: Any
    truth: Any
    canvas: Any
    missing: tuple[str, ...]


def pictures(
    board: Board, entry_id: str, image_id: str, data: Path | None, group_key: str | None = None,
    other_id: str | None = None, *, large: bool = False,
) -> Pictures:  # fmt: skip
    """The pictures of one image of an entry, and of another one beside it.

    Labels are at least 12 pixels high wherever a picture is shown at least 288 pixels wide (900 for ``large`` ones,
    which name small segments too).

    Args:
        group_key: colours a predicted segment as its class T* is coloured in the truth, and rejected ones grey.
        other_id: another entry with the same group.

    Raises:
        UsageError: the entry has no such image.
    """
    entry = board.entry(entry_id)
    scene = _scene(entry, image_id, data)
    missing = list(scene.missing)
    made: dict[str, Any] = {}
    alt: dict[str, str] = {}
    if scene.photo is not None:
        made["photo"], alt["photo"] = draw(scene.photo, [], [], short=_short(large)), f"Photo {image_id}"
    if scene.truth is not None:
        vocabulary = vocabulary_of(entry.stored())
        classes = [int(c) for c in np.unique(scene.truth) if c > 0]
        masks, names = [scene.truth == c for c in classes], [vocabulary.name(c) for c in classes]
        made["truth"] = _draw(scene, masks, names, classes, large)
        alt["truth"] = f"Ground truth: {_list(names)}"
    maps = {}
    for key, one in (("prediction", entry_id), ("other", other_id)):
        if one is None:
            continue
        found, why = _segments(board, board.entry(one), image_id, scene.truth)
        if found is None:
            missing.append(why)
            continue
        masks, labels = found
        classes = _assigned(opened(board, one, group_key), image_id) if group_key is not None else []
        colours = [c if c > 0 else GREY for c in classes] if group_key is not None else None
        made[key] = _draw(scene, masks, labels, colours, large)
        alt[key] = f"Prediction, {len(labels)} segments: {_list(labels)}"
        if group_key is not None:
            maps[key] = correctness.class_map(masks, classes, scene.size)
    told: dict[str, float] = {}
    if scene.truth is not None and len(maps) == 2:
        codes = correctness.compared(scene.truth, maps["prediction"], maps["other"], rule_of(entry.stored()))
        told = correctness.shares(codes)
        made["difference"] = correctness.drawn(draw(scene.canvas, [], [], short=_short(large)), codes)
        alt["difference"] = "Difference: " + ", ".join(f"{100 * told[s]:.1f} % {s}" for s in correctness.SIDES)
    return Pictures(**made, shares=told, alt=alt, missing=tuple(dict.fromkeys(missing)))


def submission_file(board: Board, entry: Entry) -> Path | None:
    """Where the submission behind an entry lies, None where it is not at hand."""
    return find(board.folder, entry.submission_sha256)


def _scene(entry: Entry, image_id: str, data: Path | None) -> _Scene:
    """Photo and truth, as far as they are at hand and fit."""
    from PIL import Image

    from zgbench.datasets import open_dataset

    counts = entry.stored().counts
    if image_id not in counts.ids:
        raise UsageError(f"{entry.id} has no image {image_id[:80]!r}.")
    size = counts.sizes[counts.ids.index(image_id)]
    missing: list[str] = []
    photo: Any = None
    truth: Any = None
    try:
        dataset = open_dataset(entry.dataset, data)
        if dataset.facts().get("definition_sha256") != entry.stored().result["dataset"].get("definition_sha256"):
            raise DataError(f"the result was made with another dataset.toml than the one at hand ({dataset.key}).")
    except ZgbenchError as error:
        missing.append(f"Photo and ground truth: {error}")
    else:
        try:
            photo = dataset.source.photo(image_id)
        except ZgbenchError as error:
            missing.append(f"Photo: {error}")
        try:
            truth = dataset.source.truth(image_id).classes()
        except ZgbenchError as error:
            missing.append(f"Ground truth: {error}")
    if photo is not None and (photo.height, photo.width) != size:
        missing.append(f"Photo: it is {photo.height} × {photo.width}, the result's image {size[0]} × {size[1]}.")
        photo = None
    if truth is not None and truth.shape != size:
        missing.append(f"Ground truth: it is {truth.shape[0]} × {truth.shape[1]}, not {size[0]} × {size[1]}.")
        truth = None
    canvas = photo if photo is not None else Image.new("RGB", (size[1], size[0]), (128, 128, 128))
    return _Scene(size, photo, truth, canvas, tuple(missing))


def _draw(scene: _Scene, masks: Sequence[Any], labels: Sequence[str], colours: Any, large: bool) -> Any:
    least = 0 if large else _LEAST * scene.size[0] * scene.size[1]
    named = [label if mask.sum() >= least else "" for mask, label in zip(masks, labels, strict=True)]
    return draw(scene.canvas, masks, named, colours, text=12 / (_WIDE if large else _NARROW), short=_short(large))


def _short(large: bool) -> int:
    """Least short side of a picture, pixels."""
    return 960 if large else 480


def _segments(board: Board, entry: Entry, image_id: str, truth: Any) -> tuple[Any, str]:
    """Masks and labels of a prediction, or None and why."""
    from zgbench.board.segment_masks import segments_of

    file = submission_file(board, entry)
    if file is None:
        places = " or ".join(str(f.name) for f in folders(board.folder)[:1])
        return None, (
            f"Prediction: the submission (SHA-256 {entry.submission_sha256[:12]}…) is not at hand. Put it into the board's folder {places}/."
        )
    try:
        found = segments_of(file, image_id, truth, vocabulary_of(entry.stored()))
    except InputError as error:
        return None, f"Prediction: {error}"
    if found is None:
        return None, "Prediction: the ground truth's segments were named, and the ground truth is not at hand."
    return found, ""


def _assigned(row: Opened, image_id: str) -> list[int]:
    """Class of every segment of an image, 0 where it was rejected."""
    counts = row.stored.counts
    at = counts.ids.index(image_id)
    found: list[int] = row.row.assigned[int(counts.offsets[at]) : int(counts.offsets[at + 1])].tolist()
    return found


def _list(names: Sequence[str], most: int = 8) -> str:
    """The commonest names."""
    seen = [name for name, _ in Counter(names).most_common()]
    more = f" and {len(seen) - most} more" if len(seen) > most else ""
    return ", ".join(seen[:most]) + more if seen else "nothing"
