"""Looks at a folder and finds which files are photos, which are ground truth, and what an image's id is."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from zgbench.datasets.label_png import read_png_samples
from zgbench.datasets.located import ID, is_image_id, walk
from zgbench.errors import DataError
from zgbench.storage.text import is_companion

MOST_FILES = 1_000_000
SPLITS = ("val", "validation", "valid", "val2017", "test", "testing")
"""Names of folders and lists that hold the images to be scored, best first."""
_OTHERS = ("train", "training", "trainval", "train2017", "unlabeled", "unlabeled2017")
_PHOTO = (".jpg", ".jpeg", ".png")
_TRUTH = (".png", ".npy")
_LIKELY = re.compile(r"label_?ids|label|mask|seg|gt|annot|truth|class", re.IGNORECASE)
_UNLIKELY = re.compile(r"colou?r|instance|visual|overlay|predict|parts?_\d", re.IGNORECASE)


@dataclass(frozen=True)
class Group:
    """Files of one kind whose names differ by the image's id only.

    Attributes:
        folder: below the folder looked at, ``*`` for what differs; empty for the folder itself.
        before, after: what stands around the id in the file's name.
        files: image id → path.
    """

    folder: str
    before: str
    after: str
    files: dict[str, Path]

    @property
    def pattern(self) -> str:
        """As ``dataset.toml`` has it."""
        name = f"{self.before}{ID}{self.after}"
        return f"{self.folder}/{name}" if self.folder else name


@dataclass(frozen=True)
class Seen:
    """What was found.

    Attributes:
        truth: files of ground truth.
        photos: None where there are none.
        split: name of the split, if a folder's name tells.
    """

    truth: Group
    photos: Group | None
    split: str | None


def look(folder: Path, files: list[Path]) -> Seen:
    """Find photos and truth below a folder.

    Args:
        files: as :func:`files_below` gives them.

    Raises:
        DataError: none of them can be truth.
    """
    by_place: dict[tuple[str, str], list[Path]] = defaultdict(list)
    for file in files:
        here = file.parent.relative_to(folder).as_posix()
        by_place["" if here == "." else here, file.suffix.lower()].append(file)
    pictures = {place: files for place, files in by_place.items() if place[1] in _PHOTO}
    merged = _merged({place: files for place, files in by_place.items() if place[1] in (*_PHOTO, ".npy")})
    photos = [group for (_, ending), group in merged.items() if ending in (".jpg", ".jpeg")]
    truths = [group for (_, ending), group in merged.items() if ending in _TRUTH and _is_truth(group)]
    photos += [group for (_, ending), group in merged.items() if ending == ".png" and group not in truths]
    if not truths:
        raise DataError(
            f"{folder}: found no ground truth: no folder of grey or palette PNGs or .npy files ({sum(map(len, pictures.values()))} pictures in all). "
            "Bring the masks, one file an image, then try again."
        )
    best: tuple[tuple[int, int, int], Group, Group | None] | None = None
    for truth in truths:
        for part in _parts(truth):
            for photo in [*photos, None]:
                score, a, b = _paired(part, photo)
                if best is None or score > best[0]:
                    best = (score, a, b)
    assert best is not None
    _, truth, found = best
    names = [part for group in (truth, found) if group is not None for part in group.folder.split("/")]
    return Seen(truth, found, next((split for split in SPLITS if split in names), None))


def files_below(folder: Path) -> list[Path]:
    """Files of a data set's folder; those of other splits than the one to be scored are left out.

    Raises:
        DataError: too many.
    """
    found: list[Path] = []
    for place, folders, files in walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "zgbench-store"]
        if any(name in SPLITS for name in folders):
            folders[:] = [name for name in folders if name not in _OTHERS]
        found += [Path(place, name) for name in files if not is_companion(name) and is_image_id(name)]
        if len(found) > MOST_FILES:
            raise DataError(f"{folder}: holds more than {MOST_FILES} files. Give the folder of the data set alone.")
    return found


def _merged(by_place: dict[tuple[str, str], list[Path]]) -> dict[tuple[str, str], Group]:
    """Sibling folders of one kind are put together, as those of cities or scenes."""
    by_parent: dict[tuple[str, str], list[str]] = defaultdict(list)
    for place, ending in by_place:
        by_parent[place.rpartition("/")[0] if place else place, ending].append(place)
    merged: dict[tuple[str, str], Group] = {}
    for (parent, ending), places in by_parent.items():
        alone = [p for p in places if len(places) == 1 or not p or not _alike(p, places, by_place, ending)]
        for place in alone:
            merged[place, ending] = _group(place, ending, by_place[place, ending])
        rest = [p for p in places if p not in alone]
        if rest:
            chosen = next((f"{parent}/{s}".lstrip("/") for s in SPLITS if f"{parent}/{s}".lstrip("/") in rest), None)
            if chosen is not None:
                merged[chosen, ending] = _group(chosen, ending, by_place[chosen, ending])
            else:
                shape = f"{parent}/*".lstrip("/")
                merged[shape, ending] = _group(shape, ending, [f for p in rest for f in by_place[p, ending]])
    return merged


def _alike(place: str, places: list[str], by_place: dict[tuple[str, str], list[Path]], ending: str) -> bool:
    """Whether a folder is one of many of its kind: it shares no file name with its siblings."""
    own = {file.name for file in by_place[place, ending]}
    return (
        all(own.isdisjoint(f.name for f in by_place[other, ending]) for other in places if other != place)
        and len(places) > 2
    )


def _group(folder: str, ending: str, files: list[Path]) -> Group:
    suffix = Counter(file.suffix for file in files).most_common(1)[0][0]
    return Group(folder, "", suffix, {file.name.removesuffix(suffix): file for file in files if file.suffix == suffix})


def _is_truth(group: Group) -> bool:
    """Whether most of a few files hold one number a pixel."""
    if group.after == ".npy":
        return True
    files = list(group.files.values())
    looked = files[:: max(1, len(files) // 12)][:12]
    grey = 0
    for file in looked:
        try:
            grey += read_png_samples(file, str(file), role="truth").colour_type in (0, 3)
        except DataError:
            continue
    return grey > 0


def _parts(group: Group) -> list[Group]:
    """A folder that holds several files an image (``_color``, ``_labelIds``), one group for each ending of the name."""
    endings = Counter(_ending(name) for name in group.files)
    parts = [group]
    for after, number in endings.most_common(20):
        if after and number > 1:
            files = {n.removesuffix(after): f for n, f in group.files.items() if n.endswith(after) and n != after}
            parts.append(Group(group.folder, "", after + group.after, files))
    return [part for part in parts if part is group or _is_truth(part)]


def _ending(stem: str) -> str:
    """The last part of a name that no number is in, ``_gtFine_labelIds``."""
    match = re.search(r"(?:[_.-][A-Za-z][A-Za-z0-9]*)+$", stem)
    return match.group() if match else ""


def _paired(truth: Group, photos: Group | None) -> tuple[tuple[int, int, int], Group, Group | None]:
    """How well files of truth and photos fit each other, and both by common ids."""
    name = f"{truth.folder} {truth.after}"
    likely = bool(_LIKELY.search(name)) - 2 * bool(_UNLIKELY.search(name))
    if photos is None:
        return (0, likely, len(truth.files)), truth, None
    tries = [photos]
    for after in {_ending(stem) for stem in list(photos.files)[:1000]} - {""}:
        files = {n.removesuffix(after): f for n, f in photos.files.items() if n.endswith(after) and n != after}
        tries.append(Group(photos.folder, "", after + photos.after, files))
    best = max(tries, key=lambda group: len(group.files.keys() & truth.files.keys()))
    common = best.files.keys() & truth.files.keys()
    if not common:
        return (-1, 0, 0), truth, None
    return (len(common), likely, -abs(len(truth.files) - len(common))), truth, best
