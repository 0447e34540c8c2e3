"""A folder of label maps, one file an image, or one ``.npz`` with all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from zgbench.errors import InputError, UsageError
from zgbench.storage.text import bare_id
from zgbench.submission.convert.label_files import CLASS_LABELS, Labels, read_labels
from zgbench.submission.convert.legend import read_legend, values_of
from zgbench.submission.convert.map_files import as_map, map_files, npz_maps, npz_names, read_map, read_rgb
from zgbench.submission.convert.options import Item, Notes, Options
from zgbench.submission.masks.labels import spans
from zgbench.submission.masks.objects import values_in
from zgbench.submission.problems import quote

_BORDER = 255


def label_maps(source: Path, options: Options, notes: Notes) -> tuple[list[str], Iterator[Item]]:
    """Ids of the images that there are, and the images.

    Raises:
        UsageError: neither labels nor a legend.
        InputError: a map that is none, or values without a label.
    """
    options.unused("a folder of label maps", "--annotations")
    if options.legend is None and options.labels is None:
        raise UsageError(
            f"{source} holds label maps: give --labels FILE (.json with {{image id: {{value: label}}}}, .csv or .txt), or say which class ids "
            f"the values are: --labels {', '.join(CLASS_LABELS)}. For RGB maps give --legend FILE."
        )
    if source.is_file():
        options.unused("a .npz file", "--palette", "--legend")
        labels = read_labels(str(options.labels), options.first)
        ids = [bare_id(name) for name in npz_names(source)]
        return ids, _by_value(
            (
                (f"{source}[{quote(i)[1:-1]}]", bare_id(i), as_map(v, f"{source}[{quote(i)[1:-1]}]"))
                for i, v in npz_maps(source)
            ),
            labels,
            options,
            notes,
        )
    files = map_files(source)
    ids = [path.stem for path in files]
    if options.legend is not None:
        options.unused("a map with a legend", "--first", "--background", "--palette")
        return ids, _by_colour(files, options.legend)
    labels = read_labels(str(options.labels), options.first)
    if labels.images is not None:
        left = sorted(set(labels.images) - set(ids))
        notes.count(f"images of {labels.name} have no map in {source}", len(left), left[0] if left else "")
    return ids, _by_value(
        ((str(path), path.stem, read_map(path, options.palette)) for path in files), labels, options, notes
    )


def _by_colour(files: list[Path], given: str) -> Iterator[Item]:
    legend = read_legend(given)
    for path in files:
        values, labels = values_of(read_rgb(path), legend, str(path))
        yield Item(path.stem, values, labels)


def _by_value(
    maps: Iterator[tuple[str, str, NDArray[Any]]], labels: Labels, options: Options, notes: Notes
) -> Iterator[Item]:
    none = _background(labels, options)
    numbering = _Numbering(labels, options)
    for where, image_id, values in maps:
        given = labels.of(image_id)
        named = dict(enumerate(given, start=1)) if isinstance(given, list) else given
        present = values_in(values)
        held = [v for v in present if v not in none]
        lacking = [v for v in held if v not in named]
        if lacking:
            raise InputError(
                f"{where}: holds the values {spans(held)}; {labels.name} has {_given(named)}: no label for {spans(lacking)}. {_hint(lacking, labels, options)}"
            )
        if options.background is None and 0 in named and 0 in none and 0 in present:
            raise InputError(
                f"{where}: {labels.name} calls the value 0 {quote(named[0])}, but 0 lies in no segment unless you say so: --background none if it is one, --background 0 if not."
            )
        if labels.images is not None:
            unused = sorted(set(named) - set(held))
            notes.count(
                f"labels of {labels.name} are for values that their map does not hold, and were left out",
                len(unused), f"{image_id}, value {unused[0] if unused else ''}",
            )  # fmt: skip
        numbering.see(present)
        yield Item(image_id, values, {v: named[v] for v in held}, background=tuple(sorted(none)))
    notes.plain += numbering.remark()


def _given(named: dict[int, Any]) -> str:
    return f"labels for {spans(named)}" if named else "none"


def _hint(lacking: list[int], labels: Labels, options: Options) -> str:
    if (
        labels.known
        and options.first is None
        and labels.classes
        and (gap := min(labels.classes)) > 1
        and min(lacking) < gap
    ):
        first = labels.classes[gap]
        return f"{labels.name} numbers classes as its own files do ({gap} = {first}); --first 0 counts them in order (0 = {first}), as models do."
    if labels.known and 0 in lacking:
        return "With classes from 1, 0 lies in no segment: leave --background out."
    if labels.known and options.first is None and labels.classes and max(lacking) > max(labels.classes):
        return f"{labels.name} ends at {max(labels.classes)}; name the values that lie in no segment with --background, such as --background 0,{max(lacking)}."
    return "Give each value a label, or name those that lie in no segment with --background (default 0), such as --background 0,255."


def _background(labels: Labels, options: Options) -> set[int]:
    """Values that lie in no segment."""
    if options.background is not None:
        return set(options.background)
    found = set() if options.first == 0 else {0}
    if labels.known and _BORDER not in (labels.classes or {}):
        found.add(_BORDER)  # the usual border of VOC, and what mmsegmentation makes of 0 where it counts classes from 0
    return found


class _Numbering:
    """Sees over all maps whether class ids look counted from 0 where they are read as the data set numbers them."""

    def __init__(self, labels: Labels, options: Options) -> None:
        self._classes, self._name = labels.classes or {1: ""}, labels.name
        self._asks = labels.known and options.first is None and options.background is None
        self._maps = self._dense = 0
        self._seen: set[int] = set()

    def see(self, present: list[int]) -> None:
        """Note the values of a map."""
        self._maps += 1
        self._dense += 0 not in present
        self._seen |= set(present)

    def remark(self) -> list[str]:
        """A sentence when the values would fit classes counted from 0 better."""
        last, n = max(self._classes), len(self._classes)
        held = self._seen - {_BORDER}
        if not self._asks or not held:
            return []
        if last > n + 1:  # a list with gaps, as 459's without unknown is not
            signs = (
                f"no map holds a value above {max(held)}, and {self._name} numbers its {n} classes from {min(self._classes)} to {last}"
                if max(held) < n
                else ""
            )
        else:
            signs = (
                f"{self._dense} of {self._maps} maps give every pixel a class, and none holds {last}, the last of {self._name}"
                if last not in held and 2 * self._dense > self._maps
                else ""
            )
        first = self._classes[min(self._classes)]
        return [f"{signs}: they may count classes from 0 (0 = {first}). If so, give --first 0."] if signs else []
