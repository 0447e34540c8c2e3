"""``zgbench datasets check``: what of a data set is at hand, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from zgbench.datasets import store
from zgbench.datasets.catalogue import SPECS
from zgbench.datasets.dataset import Dataset
from zgbench.datasets.definition import Definition, read_definition
from zgbench.datasets.located import Located
from zgbench.datasets.opening import open_dataset
from zgbench.datasets.truth import INVALID
from zgbench.errors import DataError

_SHOWN = 5


@dataclass
class Checked:
    """What was found of one data set.

    Attributes:
        verdict: ``complete``; ``usable, not official``; ``incomplete``; or ``not usable``.
        lines: for people.
    """

    key: str
    verdict: str = "not usable"
    lines: list[str] = field(default_factory=list)


def check_builtin(key: str, folder: Path, progress: Callable[[int], None] = lambda _: None) -> Checked:
    """Check a built-in data set in a data folder."""
    spec = SPECS[key]
    found, ids = Checked(key), spec.official_ids()
    in_use: tuple[str, ...] = ()
    told: list[str] = []
    try:
        dataset = open_dataset(key, folder)
        ids = dataset.ids
        found.verdict, told = _read(dataset, f"{len(spec.official_ids())} in the official split", progress)
        in_use = (dataset.source.describe().partition(",")[0],)
    except DataError as error:
        told = [str(error)]
    parts = [(Located(folder, t.pattern), "truth", t.archive) for t in spec.truths()]
    parts += [(Located(folder, p.pattern), "ST (photos)", p.archive) for p in spec.photos]
    counted = [
        (place, sum(place.has(i) for i in ids) if place.any() else 0, use, archive) for place, use, archive in parts
    ]
    anything = {use for _, number, use, _ in counted if number}
    told_of: set[tuple[str, str]] = set()
    for place, number, use, archive in counted:
        # of several places those are told that hold something; where none does, the first of each archive
        if number or str(place) in in_use or (use not in anything and (use, archive) not in told_of):
            told_of.add((use, archive))
            found.lines.append(
                f"{_state(number, len(ids)):14} {number} of {len(ids)} in {place} ({use}); archive: {archive}"
            )
    if store.exists(folder, key):
        found.lines.append(f"prepared store: {store.place(folder, key)}")
    found.lines += told if "truth" in anything or in_use else []
    return found


def check_own(path: Path, folder: Path, progress: Callable[[int], None] = lambda _: None) -> Checked:
    """Check a data set of one's own.

    Args:
        path: of its ``dataset.toml``.
        folder: data folder, in which a prepared store may lie.
    """
    found = Checked(path.parent.name)
    try:
        definition = read_definition(path)
        found.key = definition.key
        found.lines.append(_about(definition))
        dataset = open_dataset(definition.key, folder)
        if dataset.definition is None or dataset.definition.path != path:
            raise DataError(
                f"{path}: another {path.name} of the same key is found before it. Give one of them another key."
            )
        said = (
            "no number of images in dataset.toml"
            if definition.images is None
            else f"{definition.images} in the whole split"
        )
        found.verdict, told = _read(dataset, said, progress)
        if definition.photos is None:
            found.lines.append("no photos: no ST, and no ratings by people")
        else:
            place = Located(path.parent, definition.photos)
            number = sum(place.has(i) for i in dataset.ids)
            if place.any() or not store.exists(folder, definition.key):
                found.lines.append(
                    f"{_state(number, len(dataset.ids)):14} {number} of {len(dataset.ids)} in {place} (ST: photos)"
                )
        found.lines += told
        if not definition.licence or not definition.citation:
            found.lines.append("citation or licence is empty: fill them in before others use it")
    except DataError as error:
        found.lines.append(str(error))
    return found


def _about(definition: Definition) -> str:
    return f"{definition.title}, {definition.split}: {len(definition.classes)} classes, from {definition.path}; in signatures {definition.key}@{definition.sha256[:8]}"


def _state(number: int, of: int) -> str:
    return "found" if number == of else "PARTLY MISSING" if number else "MISSING"


def _read(dataset: Dataset, of: str, progress: Callable[[int], None]) -> tuple[str, list[str]]:
    """Read every file of truth: the verdict, and what to say."""
    missing = [image_id for image_id in dataset.ids if not dataset.source.has(image_id)]
    there = set(dataset.ids) - set(missing)
    damaged: list[str] = []
    seen: set[int] = set()
    for image_id in (i for i in dataset.ids if i in there):
        try:
            truth = dataset.source.truth(image_id)
            stored = np.unique(truth.pixels)
            classes = truth.table[stored]
            if (classes == INVALID).any():
                values = stored[classes == INVALID].tolist()
                shown = f"{', '.join(map(str, values[:_SHOWN]))}{', …' if len(values) > _SHOWN else ''}"
                damaged.append(
                    f"{image_id}: the truth holds values that {dataset.key} does not define (another class list?): {shown}"
                )
            seen.update(classes[classes > 0].tolist())
        except DataError as error:
            damaged.append(str(error))
        progress(1)
    readable = len(dataset.ids) - len(missing) - len(damaged)
    lines = [
        f"truth: {readable} readable of {len(dataset.ids)} listed images ({of}), read from {dataset.source.describe()}",
        *dataset.notes,
    ]
    absent = [dataset.vocabulary.name(c) for c in dataset.vocabulary.ids if c not in seen]
    if absent and seen:
        lines.append(
            f"classes that no image shows: {len(absent)} of {len(dataset.vocabulary)}: {', '.join(absent[:_SHOWN])}{', …' if len(absent) > _SHOWN else ''}"
        )
    if missing:
        lines.append(
            f"truth missing for {len(missing)} images: {', '.join(missing[:_SHOWN])}{', …' if len(missing) > _SHOWN else ''}"
        )
    lines += damaged[:_SHOWN] + ([f"… and {len(damaged) - _SHOWN} more damaged"] if len(damaged) > _SHOWN else [])
    if missing or damaged:
        return "incomplete", lines
    unsaid = dataset.definition is not None and dataset.definition.images is None
    return "complete" if dataset.official or unsaid else "usable, not official", lines
