"""Image by image, segment by segment: what a method said, what became of it, and the pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from zgbench.board.entry import Entry
from zgbench.board.method import Opened, opened
from zgbench.board.overlap import overlap, widened
from zgbench.board.store import Board
from zgbench.board.submissions import find, folders
from zgbench.errors import DataError, InputError, UsageError, ZgbenchError
from zgbench.overlay import GREY, draw
from zgbench.scores import metrics
from zgbench.scores.comparison import vocabulary_of

if TYPE_CHECKING:
    import pandas as pd
    from PIL import Image

Order = Literal["split", "best", "worst", "different"]


def segment_table(board: Board, entry_id: str, group_key: str) -> pd.DataFrame:
    """A row a segment of the images that the group is about.

    Returns:
        ``image_id``, ``segment`` (from 0), ``label``, ``class`` (T*), ``similarity``, ``rated`` (NaN where nobody did),
        ``kept``, ``why``, ``iou`` with the truth of T*, ``covers`` (class that fills most of it, empty where unlabelled
        pixels do), ``covers_iou`` with its truth, ``pixels`` (void left out).
    """
    import pandas as pd

    row = opened(board, entry_id, group_key)
    counts, reassigned = row.stored.counts, row.row.reassigned
    vocabulary = vocabulary_of(row.stored)
    names = dict(zip(vocabulary.ids, vocabulary.names, strict=True)) | {0: ""}
    found = widened(overlap(counts), max(vocabulary.ids))
    majority, chosen = found.majority(), reassigned.decision.class_id
    kept = row.row.assigned > 0
    rated = reassigned.rated if reassigned.rated is not None else np.full(len(chosen), np.nan)
    table = pd.DataFrame(
        {
            "image_id": np.array(counts.ids, dtype=object)[counts.owner],
            "segment": np.arange(len(chosen)) - counts.offsets[counts.owner],
            "label": list(counts.labels),
            "class": [names[c] for c in chosen.tolist()],
            "similarity": reassigned.decision.similarity,
            "rated": rated,
            "kept": kept,
            "why": _why(row),
            "iou": found.iou(chosen),
            "covers": [names[c] for c in majority.tolist()],
            "covers_iou": found.iou(majority),
            "pixels": found.area,
        }
    )
    return table[row.row.images[counts.owner]].reset_index(drop=True)


def _why(row: Opened) -> list[str]:
    verify, reassigned = row.told.verify, row.row.reassigned
    if verify.startswith("h"):
        level = float(verify.removeprefix("h>="))
        assert reassigned.rated is not None
        return [
            "nobody rated it" if np.isnan(r) else f"rated {r:g}, {'at least' if r >= level else 'below'} {level:g}"
            for r in reassigned.rated
        ]
    tau = row.stored.protocol.tau(reassigned.how)
    return [
        f"cosine {s:.3f} {'≥' if s >= np.float32(tau) else '<'} {tau:g}"
        for s in reassigned.decision.similarity.tolist()
    ]


def image_table(
    board: Board, entry_id: str, group_key: str, order: Order = "split", other: str | None = None
) -> pd.DataFrame:
    """A row an image.

    Args:
        order: of the split; ``best`` or ``worst`` IoU first; ``different``: the largest difference from ``other`` first.
        other: another entry of the group.

    Returns:
        ``image_id``, ``iou`` (mean over the image's classes, NaN where it has none), ``segments``, ``kept``; with
        ``other``, also ``other_iou`` and ``difference`` (iou − other_iou).

    Raises:
        UsageError: no such order, or ``different`` without ``other``.
    """
    import pandas as pd

    if order not in ("split", "best", "worst", "different") or (order == "different" and other is None):
        raise UsageError(f"order {order!r}: expected split, best or worst, or different with another method.")
    row = opened(board, entry_id, group_key)
    counts = row.stored.counts
    n = len(counts.ids)
    table = pd.DataFrame(
        {
            "image_id": list(counts.ids),
            "segments": np.diff(counts.offsets),
            "kept": np.bincount(counts.owner[row.row.assigned > 0], minlength=n),
        }
    )[row.row.images].reset_index(drop=True)
    table.insert(1, "iou", _image_iou(row))
    if other is not None:
        table.insert(2, "other_iou", _image_iou(opened(board, other, group_key)))
        table.insert(3, "difference", table["iou"] - table["other_iou"])
    if order == "different":
        largest = table["difference"].abs().sort_values(ascending=False, kind="stable", na_position="last")
        return table.loc[largest.index].reset_index(drop=True)
    if order in ("best", "worst"):
        table = table.sort_values("iou", ascending=order == "worst", kind="stable", na_position="last")
    return table.reset_index(drop=True)


def _image_iou(row: Opened) -> Any:
    statistics = metrics.statistics(row.class_counts(), "v1")
    iou, shown = (statistics.per_image[:, statistics.layout[k]].toarray().ravel() for k in ("iou", "images"))
    return np.where(shown > 0, iou, np.nan)


def search(table: pd.DataFrame, text: str, by: Literal["label", "class", "any"] = "any") -> pd.DataFrame:
    """Rows of a segment table that hold a text in their label or class (T*, or what they cover), case ignored."""
    columns = {"label": ["label"], "class": ["class", "covers"], "any": ["label", "class", "covers"]}[by]
    wanted = text.casefold().strip()
    hit = np.zeros(len(table), dtype=bool)
    for column in columns:
        hit |= table[column].str.casefold().str.contains(wanted, regex=False).to_numpy(dtype=bool)
    return table[hit].reset_index(drop=True)


@dataclass(frozen=True)
class Pictures:
    """RGB pictures of one image, enlarged to at least 480 pixels; None where something is missing.

    Attributes:
        photo: as it is.
        truth: its classes, coloured and named.
        prediction: the segments, coloured, with their free-text labels on them.
        missing: why one is None, and what to do, a sentence each.
    """

    photo: Image.Image | None
    truth: Image.Image | None
    prediction: Image.Image | None
    missing: tuple[str, ...]


def pictures(board: Board, entry_id: str, image_id: str, data: Path | None, group_key: str | None = None) -> Pictures:
    """The pictures of one image of an entry.

    Args:
        group_key: colours a predicted segment as its class T* is coloured in the truth, and rejected ones grey.

    Raises:
        UsageError: the entry has no such image.
    """
    from zgbench.datasets import open_dataset

    entry = board.entry(entry_id)
    counts = entry.stored().counts
    if image_id not in counts.ids:
        raise UsageError(f"{entry_id} has no image {image_id[:80]!r}.")
    size = counts.sizes[counts.ids.index(image_id)]
    missing: list[str] = []
    photo: Any = None
    truth_picture = None
    truth: Any = None
    try:
        dataset = open_dataset(entry.dataset, data)
        if dataset.facts().get("definition_sha256") != entry.stored().result["dataset"].get("definition_sha256"):
            raise DataError(f"the result was made with another dataset.toml than the one at hand ({dataset.key}).")
    except ZgbenchError as error:
        missing.append(f"Photo and truth: {error}")
    else:
        source = dataset.source
        try:
            photo = source.photo(image_id)
        except ZgbenchError as error:
            missing.append(f"Photo: {error}")
        try:
            truth = source.truth(image_id).classes()
        except ZgbenchError as error:
            missing.append(f"Truth: {error}")
    if photo is not None and (photo.height, photo.width) != size:
        missing.append(f"Photo: it is {photo.height} × {photo.width}, the result's image {size[0]} × {size[1]}.")
        photo = None
    if truth is not None and truth.shape == size:
        vocabulary = vocabulary_of(entry.stored())
        classes = [int(c) for c in np.unique(truth) if c > 0]
        masks, names = [truth == c for c in classes], [vocabulary.name(c) for c in classes]
        truth_picture = draw(_canvas(photo, size), masks, names, classes)
    colours = None if group_key is None else _colours(opened(board, entry_id, group_key), image_id)
    prediction, why = _prediction(board, entry, image_id, size, photo, truth, colours)
    if why:
        missing.append(why)
    plain = draw(photo, [], []) if photo is not None else None
    return Pictures(plain, truth_picture, prediction, tuple(missing))


def submission_file(board: Board, entry: Entry) -> Path | None:
    """Where the submission behind an entry lies, None where it is not at hand."""
    return find(board.folder, entry.submission_sha256)


def _prediction(
    board: Board, entry: Entry, image_id: str, size: tuple[int, int], photo: Any, truth: Any, colours: list[int] | None
) -> tuple[Any, str]:
    """The drawn segments, or why there are none."""
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
        return None, "Prediction: the truth's segments were named, and the truth is not at hand."
    masks, labels = found
    return draw(_canvas(photo, size), masks, labels, colours), ""


def _colours(row: Opened, image_id: str) -> list[int]:
    """A colour number a segment: its class, or GREY where it was rejected."""
    counts = row.stored.counts
    at = counts.ids.index(image_id)
    assigned = row.row.assigned[int(counts.offsets[at]) : int(counts.offsets[at + 1])]
    colours: list[int] = np.where(assigned > 0, assigned, GREY).tolist()
    return colours


def _canvas(photo: Any, size: tuple[int, int]) -> Any:
    """The photo, or grey of its height and width."""
    from PIL import Image

    return photo if photo is not None else Image.new("RGB", (size[1], size[0]), (128, 128, 128))
