"""What segmentation libraries give, told by its structure: no library is imported.

Taken are label maps, masks, and the results of segment-anything (``generate``), supervision, detectron2, torchvision and
transformers (``post_process_panoptic|instance|semantic_segmentation``). Above 300 lines: one small function a library, told
apart in one place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from zgbench.errors import UsageError
from zgbench.submission.masks import labels as texts
from zgbench.submission.masks.arrays import as_masks, to_numpy
from zgbench.submission.masks.coco import is_rle, mask_of
from zgbench.submission.masks.labels import Classes, Tags
from zgbench.submission.masks.segments import Segments
from zgbench.submission.problems import quote

Background = int | Sequence[int] | None | Literal["default"]
_OWN_LABELS = ("label", "class_name", "category_name")
_CLASS_IDS = ("category_id", "label_id", "class_id")


@dataclass(frozen=True)
class Naming:
    """How segments get their labels.

    Attributes:
        labels: as given to ``SubmissionWriter.add``; None where the segments bring labels or class ids along.
        classes: names of class ids.
        background: values of a label map that lie in no segment.
        tags: what to do with several tags of one segment.
    """

    labels: Any = None
    classes: Classes | None = None
    background: Background = "default"
    tags: Tags | None = None


def segments_of(where: str, given: Any, naming: Naming, scores: Any = None) -> Segments:
    """The segments of an image.

    Args:
        where: the image, for messages.
        given: see the module.
        scores: one number a segment; by default what the object brings along.

    Raises:
        UsageError, InputError: not such an object, or labels that do not fit it.
    """
    if isinstance(given, Mapping) and "panoptic_seg" in given:  # detectron2's result of a whole model
        given = given["panoptic_seg"]
    if isinstance(given, Mapping) and "segments_info" in given and "segmentation" in given:
        return _panoptic(where, given["segmentation"], given["segments_info"], naming, scores)
    if (
        isinstance(given, tuple)
        and len(given) == 2
        and (given[1] is None or _is_info(given[1]))
        and not _is_info(given[0])
    ):
        return _panoptic(where, given[0], given[1], naming, scores)
    if hasattr(given, "mask") and hasattr(given, "class_id"):
        return _supervision(where, given, naming, scores)
    if hasattr(given, "pred_masks"):
        ids = getattr(given, "pred_classes", None)
        found = scores if scores is not None else getattr(given, "scores", None)
        return _masks(where, to_numpy(given.pred_masks, f"{where}: pred_masks"), naming, found, ids)
    if isinstance(given, Mapping) and "masks" in given:  # torchvision
        found = scores if scores is not None else given.get("scores")
        return _masks(where, to_numpy(given["masks"], f"{where}: masks"), naming, found, given.get("labels"))
    if isinstance(given, Mapping) and (is_rle(given) or "segmentation" in given):
        given = [given]
    if isinstance(given, Mapping):
        raise UsageError(
            f"{where}: an object with the keys {quote(sorted(map(str, given)), 200)} is no kind of segments that is known here; see docs/convert.md."
        )
    if isinstance(given, (list, tuple)) and all(isinstance(item, Mapping) for item in given):
        return _dictionaries(where, given, naming, scores)
    array = to_numpy(given, f"{where}: segments")
    if array.ndim == 2 and array.dtype.kind in "iu":
        return _label_map(where, array, naming, scores)
    if array.ndim == 2 and array.dtype.kind == "f":
        raise UsageError(
            f"{where}: expected an integer label map [h, w] or masks [n, h, w], got {array.dtype} {array.shape}. Label maps are whole numbers: .astype(int)."
        )
    if array.ndim == 3 and array.dtype.kind in "iuf" and not isinstance(naming.labels, Mapping):
        _hint_at_axes(where, array, naming.labels)
    if array.ndim not in (2, 3, 4):
        raise UsageError(
            f"{where}: expected an integer label map [h, w] or masks [n, h, w], got {array.dtype} {array.shape}."
        )
    return _masks(where, array, naming, scores, None)


def _is_info(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, Mapping) and "id" in item for item in value)


def _hint_at_axes(where: str, array: NDArray[Any], labels: Any) -> None:
    if isinstance(labels, Sequence) and not isinstance(labels, str) and len(labels) == array.shape[2] != array.shape[0]:
        raise UsageError(
            f"{where}: {array.shape[2]} labels, and masks of shape {array.shape}: the masks' axis comes first, masks.transpose(2, 0, 1)."
        )
    if array.shape[0] == 1 and array.dtype.kind in "iu" and array.max() > 1 and array.max() != 255:
        raise UsageError(
            f"{where}: shape {array.shape} looks like a label map with an axis for the batch; give segments[0]."
        )


def _label_map(where: str, array: NDArray[Any], naming: Naming, scores: Any) -> Segments:
    if naming.classes is not None and naming.labels is not None:
        raise UsageError(f"{where}: give labels (of these segments) or classes (names of class ids), not both.")
    values = values_in(array)
    none = _background(where, values, naming)
    held = [v for v in values if v not in none]
    if naming.classes is not None:
        named = texts.of_classes(naming.classes, held, where)
    elif isinstance(naming.labels, Mapping):
        named = texts.text_mapping(naming.labels, where, naming.tags)
    elif naming.labels is None:
        raise UsageError(f"{where}: give labels, or classes (names of class ids).")
    else:
        if none != {0}:
            raise UsageError(
                f"{where}: with background={naming.background} give labels as a mapping from the map's values."
            )
        named = dict(enumerate(texts.text_list(naming.labels, where, naming.tags), start=1))
    wrong = texts.mismatch(held, named)
    if wrong:
        raise UsageError(f"{where}: {wrong}")
    place = {value: index for index, value in enumerate(named, start=1)}
    return Segments(
        list(named.values()), label_map=relabelled(array, values, place), scores=_scores(where, scores, len(named))
    )


def values_in(array: NDArray[Any]) -> list[int]:
    """The values of an integer array, ascending."""
    if array.size and array.dtype.kind in "iu" and array.min() >= 0 and array.max() < 1 << 16:
        return [int(v) for v in np.flatnonzero(np.bincount(array.ravel()))]
    return [int(v) for v in np.unique(array)]


def relabelled(array: NDArray[Any], values: list[int], place: Mapping[int, int]) -> NDArray[np.int32]:
    """The array with ``place`` of each value, 0 where it has none; ``values`` are all that occur."""
    targets = np.array([place.get(v, 0) for v in values], dtype=np.int32)
    if values and values[0] >= 0 and values[-1] < 1 << 16:
        table = np.zeros(values[-1] + 1, dtype=np.int32)
        table[values] = targets
        return np.asarray(table.take(array))
    return (
        targets[np.searchsorted(np.array(values, dtype=array.dtype), array)]
        if values
        else np.zeros(array.shape, np.int32)
    )


def _background(where: str, values: list[int], naming: Naming) -> set[int]:
    background = naming.background
    if background == "default":
        classes = naming.classes
        if classes is not None and 0 in values and (not isinstance(classes, Mapping) or 0 in classes):
            name = classes[0]
            raise UsageError(
                f"{where}: the map holds 0, and the classes call 0 {quote(name)}. Say whether that is a class (background=None) or lies in no segment (background=0)."
            )
        return {0}
    if background is None:
        return set()
    if isinstance(background, str):
        raise UsageError(f"background={quote(background)}: expected a value of the map, several, or None.")
    return {int(background)} if isinstance(background, (int, np.integer)) else {int(v) for v in background}


def _masks(where: str, array: NDArray[Any], naming: Naming, scores: Any, class_ids: Any) -> Segments:
    masks = as_masks(array, where)
    named = _named(where, len(masks), "masks", naming, class_ids)
    return Segments(named, masks=masks, scores=_scores(where, scores, len(masks)))


def _named(where: str, n: int, what: str, naming: Naming, class_ids: Any, own: list[Any] | None = None) -> list[str]:
    """A label for each of n segments: those given, those brought along, or names of their class ids."""
    if naming.labels is not None:
        if isinstance(naming.labels, Mapping):
            raise UsageError(f"{where}: {n} {what} want a list of {n} labels, not a mapping.")
        found = texts.text_list(naming.labels, where, naming.tags)
        if len(found) != n:
            raise UsageError(f"{where}: {n} {what} want a list of {n} labels, got {len(found)}.")
        return found
    if naming.classes is not None:
        if class_ids is None:
            raise UsageError(
                f"{where}: classes name class ids, and these {what} have none. Give labels, a text for each."
            )
        ids = [int(i) for i in np.asarray(to_numpy(class_ids, f"{where}: class ids")).ravel()]
        names = texts.of_classes(naming.classes, sorted(set(ids)), where)
        return [names[i] for i in ids]
    if own is not None:
        return [texts.one_text(label, f"{where}, label {index}", naming.tags) for index, label in enumerate(own)]
    raise UsageError(
        f"{where}: the {what} bring no labels along. Give labels (a text for each){' or classes (names of their class ids)' if class_ids is not None else ''}."
    )


def _scores(where: str, scores: Any, n: int) -> NDArray[np.float64] | None:
    if scores is None:
        return None
    found = to_numpy(scores, f"{where}: scores").astype(np.float64).ravel()
    if len(found) != n or np.isnan(found).any():
        raise UsageError(
            f"{where}: expected {n} scores, a number for each segment, got {len(found)}{' with NaN' if np.isnan(found).any() else ''}."
        )
    return found


def _supervision(where: str, given: Any, naming: Naming, scores: Any) -> Segments:
    n = len(given)
    if given.mask is None:
        if n:
            raise UsageError(
                f"{where}: the Detections have {n} boxes and no masks. zgbench scores masks; take a model that gives them."
            )
        return Segments([])
    own = given.data.get("class_name") if isinstance(getattr(given, "data", None), Mapping) else None
    found = scores if scores is not None else given.confidence
    masks = as_masks(to_numpy(np.asarray(given.mask), f"{where}: mask"), where)
    named = _named(where, n, "detections", naming, given.class_id, None if own is None else [str(name) for name in own])
    return Segments(named, masks=masks, scores=_scores(where, found, n))


def _dictionaries(where: str, given: Sequence[Mapping[str, Any]], naming: Naming, scores: Any) -> Segments:
    """Results of SAM's ``generate``, COCO annotations, or bare run lengths."""
    if not given:
        if naming.labels:
            raise UsageError(f"{where}: no masks, but {len(naming.labels)} labels.")
        return Segments([])
    if any("segments_info" in item for item in given):
        raise UsageError(
            f"{where}: a list of {len(given)} results, one an image of the batch. Give one of them: results[0]."
        )
    masks = []
    for index, item in enumerate(given):
        mask = item if is_rle(item) else item.get("segmentation")
        place = f"{where}: segments[{index}]"
        if mask is None:
            raise UsageError(
                f"{place}: expected a segmentation (a mask or run lengths), found the keys {quote(sorted(map(str, item)), 200)}."
            )
        masks.append(
            mask_of(mask, place) if isinstance(mask, (Mapping, list)) and not _is_grid(mask) else to_numpy(mask, place)
        )
    shapes = sorted({mask.shape for mask in masks})
    if len(shapes) > 1:
        raise UsageError(
            f"{where}: masks of different shapes, {' and '.join(map(str, shapes[:4]))}. Give them one shape."
        )
    own = _brought(given, _OWN_LABELS)
    ids = _brought(given, _CLASS_IDS)
    kept = _brought(given, ("score", "predicted_iou"))
    named = _named(where, len(given), "masks", naming, ids, own)
    return Segments(
        named,
        masks=as_masks(np.stack(masks), where),
        scores=_scores(where, scores if scores is not None else kept, len(given)),
    )


def _is_grid(value: Any) -> bool:
    """Whether nested lists are a mask [h, w] and no polygons: 0 and 1 alone, in rows of one length."""
    return (
        isinstance(value, list)
        and len({len(row) if isinstance(row, list) else -1 for row in value}) == 1
        and all(isinstance(row, list) and row and all(cell in (0, 1) for cell in row) for row in value)
    )


def _brought(given: Sequence[Mapping[str, Any]], keys: tuple[str, ...]) -> list[Any] | None:
    """What every item has under the first of some keys that all have."""
    for key in keys:
        if all(item.get(key) is not None for item in given):
            return [item[key] for item in given]
    return None


def _panoptic(where: str, segmentation: Any, info: Any, naming: Naming, scores: Any) -> Segments:
    """A map of segment ids and what is known of each: detectron2's ``panoptic_seg``, transformers' ``post_process_*``."""
    if info is None:
        raise UsageError(
            f"{where}: panoptic_seg comes without segments_info. Give the label map and labels for its values."
        )
    if isinstance(segmentation, list) and info and all(isinstance(runs, list) for runs in segmentation):
        raise UsageError(
            f"{where}: run lengths of transformers (return_coco_annotation=True) are not read. Leave that option out: the map comes as a tensor."
        )
    array = to_numpy(segmentation, f"{where}: segmentation")
    ids = [_segment_id(item, f"{where}: segments_info[{index}]") for index, item in enumerate(info)]
    twice = sorted({i for i in ids if ids.count(i) > 1})
    own, class_ids = _brought(info, _OWN_LABELS), _brought(info, _CLASS_IDS)
    if twice:
        raise UsageError(
            f"{where}: segments_info names the id {twice[0]} {ids.count(twice[0])} times. Number the segments apart."
        )
    found = scores if scores is not None else _brought(info, ("score",))
    named = _named(where, len(ids), "segments", naming, class_ids, own)
    if array.ndim == 3:  # return_binary_maps
        if len(array) != len(ids):
            raise UsageError(f"{where}: {len(array)} masks, but segments_info has {len(ids)} entries.")
        return Segments(named, masks=as_masks(array, where), scores=_scores(where, found, len(ids)))
    if array.ndim != 2 or (array.dtype.kind == "f" and (array != np.floor(array)).any()):
        raise UsageError(f"{where}: expected a map of segment ids [h, w], got {array.dtype} {array.shape}.")
    array = array.astype(np.int64)
    values = values_in(array)
    unknown = [v for v in values if v > 0 and v not in set(ids)]
    if unknown:
        raise UsageError(
            f"{where}: the map holds the ids {texts.spans(unknown)}, which segments_info lacks (it has {texts.spans(ids)})."
        )
    place = {value: index for index, value in enumerate(ids, start=1)}  # 0 is a segment where segments_info says so
    label_map = relabelled(array, values, place)
    present = sorted(place[v] for v in values if v in place)
    if len(present) < len(ids):  # small ones vanish when a library resizes its map
        keep = np.array([p - 1 for p in present], dtype=np.int64)
        again = np.zeros(len(ids) + 1, dtype=np.int32)
        again[keep + 1] = np.arange(1, len(keep) + 1)
        kept = _scores(where, found, len(ids))
        return Segments(
            [named[k] for k in keep], label_map=again[label_map], scores=kept[keep] if kept is not None else None
        )
    return Segments(named, label_map=label_map, scores=_scores(where, found, len(ids)))


def _segment_id(item: Any, where: str) -> int:
    value = item.get("id") if isinstance(item, Mapping) else None
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise UsageError(f"{where}.id: expected a whole number, found {quote(value)}.")
    return int(value)
