"""``zgbench datasets new``: writes a ``dataset.toml`` from a look at the folder, and says what it guessed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from zgbench.datasets.catalogue import KEYS
from zgbench.datasets.class_list import MOST_CLASSES, MOST_ID
from zgbench.datasets.class_names import NO_CLASS, read_names
from zgbench.datasets.definition import FILE, FORMAT, KEY, KEY_RULE, read_definition
from zgbench.datasets.label_png import Palette, read_label_png
from zgbench.datasets.located import Located
from zgbench.datasets.look import SPLITS, Group, Seen, files_below, look
from zgbench.datasets.truth_files import Codes, Manifest, TruthFiles, manifest
from zgbench.errors import DataError, UsageError
from zgbench.storage.files import replacing

MOST_READ = 2000
"""Files of truth that are read to see which values are in use."""
_VOID = re.compile(r"_*(void|ignored?|unknown)_*", re.IGNORECASE)
_NAMES = ("classes", "class_names", "classnames", "labels", "label_names", "names", "categories", "objectInfo150")
_MAX_NAMES = 4 << 20


@dataclass
class Guess:
    """What will be written, and what to say about it.

    Attributes:
        seen: what the folder shows.
        guessed: what may be otherwise, a sentence each.
        missing: what only its owner can fill in.
    """

    key: str
    split: str
    truth: str
    photos: str | None
    images: int
    ids: str | None = None
    panoptic: str | None = None
    palette: Palette = "auto"
    offset: int = 0
    background: list[int] = field(default_factory=list)
    void: list[int] = field(default_factory=list)
    classes: list[dict[str, Any]] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    guessed: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def new(folder: Path, key: str | None = None, progress: Callable[[int], None] = lambda _: None) -> Guess:
    """Write ``dataset.toml`` into a folder.

    Args:
        folder: holds photos and ground truth, one file an image each.
        key: of the data set; by default the folder's name.
        progress: called with 1 for each file of truth that was read.

    Raises:
        UsageError: no such folder, or it has a ``dataset.toml`` already.
        DataError: nothing in it can be ground truth.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: there is no such folder.")
    target = folder / FILE
    if target.exists():
        raise UsageError(f"{target}: is there already. Edit it, or move it away to begin anew.")
    name = key if key is not None else _key_of(folder.resolve().name)
    if not KEY.fullmatch(name) or name in KEYS:
        raise UsageError(f"--key {name[:80]}: expected {KEY_RULE}, and no key that is built in.")
    files = files_below(folder)
    listed = _manifest_in(files)
    found = _panoptic(folder, files, name, listed) if listed is not None else _masks(folder, files, name, progress)
    _split_list(folder, files, found)
    found.missing += ["title, citation and licence"]
    with replacing(target) as temporary:
        temporary.write_text(_written(found), encoding="utf-8")
        read_definition(temporary)  # what was written must be sound
    return found


def _key_of(name: str) -> str:
    plain = re.sub("[^a-z0-9_-]+", "-", name.lower()).strip("-_")[:40] or "mine"
    return f"my-{plain}"[:40] if plain in KEYS else plain


def _masks(folder: Path, files: list[Path], key: str, progress: Callable[[int], None]) -> Guess:
    seen = look(folder, files)
    guess = Guess(key, seen.split or "val", seen.truth.pattern, None, len(seen.truth.files))
    _tell_files(guess, seen, folder)
    values = _values(seen.truth, guess, progress)
    named, source = _names(folder, seen)
    _classes(guess, values, named, source)
    return guess


def _tell_files(guess: Guess, seen: Seen, folder: Path) -> None:
    guess.seen.append(f"truth: {len(seen.truth.files)} files {guess.truth}")
    if seen.photos is None:
        guess.guessed.append("no photos were found that go with the truth; without them there is no ST and no rating")
        return
    guess.photos = seen.photos.pattern if seen.photos.folder == seen.truth.folder else _any_ending(seen.photos)
    common = seen.photos.files.keys() & seen.truth.files.keys()
    guess.seen.append(f"photos: {len(common)} of {len(seen.photos.files)} go with a file of truth, {guess.photos}")


def _any_ending(photos: Group) -> str:
    """The photos' pattern; with several endings (.jpg, .JPG, .png) in one folder, any of them."""
    places = {file.parent for file in list(photos.files.values())[:1]}
    endings = {f.suffix for place in places for f in place.iterdir() if f.suffix.lower() in (".jpg", ".jpeg", ".png")}
    if len(endings) > 1 and "*" not in photos.folder and photos.after in endings:
        stems = [f.stem for place in places for f in place.iterdir() if f.suffix in endings]
        if len(stems) == len(set(stems)):
            return photos.pattern.removesuffix(photos.after) + ".*"
    return photos.pattern


def _values(truth: Group, guess: Guess, progress: Callable[[int], None]) -> list[int]:
    """Stored values in use."""
    files = list(truth.files.items())
    chosen = files[:: -(-len(files) // MOST_READ)]
    if truth.after.endswith(".png"):
        try:
            read_label_png(chosen[0][1])
        except DataError as error:
            if "palette" not in str(error):
                raise
            guess.palette = "index"
            guess.guessed.append(
                'the PNGs have a palette of their own: their indices are taken for the values (palette = "index")'
            )
    kind: Any = "npy" if truth.after.endswith(".npy") else "png"
    written = TruthFiles(guess.truth, Codes(()), kind, palette=guess.palette)
    used: set[int] = set()
    for image_id, file in chosen:
        used.update(np.unique(written.read(file, image_id, file.parent).pixels).tolist())
        progress(1)
    looked = "" if len(chosen) == len(files) else f" (in {len(chosen)} of them)"
    shown = sorted(used)
    guess.seen.append(
        f"values in use{looked}: {', '.join(map(str, shown[:12]))}{f', … {shown[-1]}' if len(shown) > 12 else ''}"
    )
    return shown


def _classes(guess: Guess, values: list[int], named: dict[int, str] | None, source: str) -> None:
    """Background, void, offset and classes from the values in use and the names that a file gives."""
    if 255 in values and not (named and 255 in named):
        guess.void.append(255)
        guess.guessed.append("255 is void: its pixels count nowhere")
    if named is not None:
        if 0 in named and not NO_CLASS.fullmatch(named[0]):
            guess.offset = 1
            guess.guessed.append(
                f"{source} names the value 0 ({named[0]!r}), so it is a class: ids are the values plus 1 (offset = 1)"
            )
        for value, name in named.items():
            if NO_CLASS.fullmatch(name):
                (guess.void if _VOID.fullmatch(name) or value not in (0,) else guess.background).append(value)
                guess.guessed.append(
                    f"{name!r} ({value}) is {'void' if value in guess.void else 'background'} and no class"
                )
        guess.classes = [
            {"id": value + guess.offset, "name": name} for value, name in named.items() if not NO_CLASS.fullmatch(name)
        ]
        guess.seen.append(f"classes: {len(guess.classes)} names from {source}")
    if 0 in values and not (named and 0 in named):
        guess.background.append(0)
        guess.guessed.append(
            "0 is background: no class, and a prediction on it is wrong. Put it into void if its pixels are not annotated; if it is a class, give offset = 1"
        )
    known = {one["id"] - guess.offset for one in guess.classes} | set(guess.background) | set(guess.void)
    unnamed = [value for value in values if value not in known]
    if len(unnamed) > MOST_CLASSES or (unnamed and unnamed[-1] + guess.offset > MOST_ID):
        raise DataError(
            f"the files hold {len(unnamed)} values up to {unnamed[-1]}: these are no class ids but, it seems, numbers of instances."
        )
    guess.classes += [{"id": value + guess.offset, "name": f"class {value}"} for value in unnamed]
    if unnamed:
        guess.missing.append(f"names of {len(unnamed)} classes, called class {unnamed[0]} and so on")
    guess.void.sort()


def _names(folder: Path, seen: Seen) -> tuple[dict[int, str] | None, str]:
    """Stored value → name from a file of class names, if there is one."""
    first = next(iter(seen.truth.files.values())).parent
    for place in dict.fromkeys((folder, first, first.parent)):
        for name in _NAMES:
            for ending in (".txt", ".csv", ".tsv", ".json", ".names"):
                file = place / f"{name}{ending}"
                if file.is_file() and file.stat().st_size <= _MAX_NAMES and (found := read_names(file)):
                    return found, file.relative_to(folder).as_posix() if file.is_relative_to(folder) else file.name
    return None, ""


def _manifest_in(below: list[Path]) -> Manifest | None:
    """A COCO-panoptic JSON, that of the split first."""
    files = sorted(
        (f for f in below if f.suffix == ".json"),
        key=lambda f: ("panoptic" not in f.name, "val" not in f.name, len(f.parts), f),
    )
    for file in files[:20]:
        try:
            with file.open("rb") as opened:
                if b"{" not in opened.read(64):
                    continue
            return manifest(file)
        except (OSError, DataError):
            continue
    return None


def _panoptic(folder: Path, files: list[Path], key: str, listed: Manifest) -> Guess:
    some = next(iter(listed.images), "")
    places = [file.parent for file in files if file.name == f"{some}.png"]
    fitting = [p for p in places if all((p / f"{i}.png").is_file() for i in list(listed.images)[:5])]
    fitting.sort(key=lambda p: (p.name != listed.path.stem, p.as_posix()))
    if not fitting:
        raise DataError(
            f"{listed.path}: found no PNGs of the images that it lists, such as {some}.png. Unpack them beside it."
        )
    pattern = (fitting[0].relative_to(folder) / "{id}.png").as_posix()
    guess = Guess(key, next((s for s in SPLITS if s in listed.path.stem), "val"), pattern, None, len(listed.images))
    guess.panoptic = listed.path.relative_to(folder).as_posix()
    guess.seen.append(f"truth: {guess.panoptic} lists {len(listed.images)} images, with PNGs {pattern}")
    for photo in (file for file in files if file.name == f"{some}.jpg"):
        guess.photos = (photo.parent.relative_to(folder) / "{id}.jpg").as_posix()
        number = sum(Located(folder, guess.photos).has(image_id) for image_id in listed.images)
        guess.seen.append(f"photos: {number} of them, {guess.photos}")
        break
    used = {category for segments in listed.images.values() for category in segments.values()}
    known = {
        c["id"]: c
        for c in listed.categories
        if isinstance(c, dict) and isinstance(c.get("name"), str) and type(c.get("id")) is int
    }
    guess.offset = 1 if 0 in used or 0 in known else 0
    for number in sorted(used | set(known)):
        category = known.get(number, {})
        thing = category.get("isthing")
        kind = {"kind": "thing" if thing else "stuff"} if thing in (0, 1) else {}
        guess.classes.append({"id": number + guess.offset, "name": category.get("name", f"class {number}"), **kind})
    guess.guessed.append("pixels of no segment (black) are void; background = [0] makes predictions on them wrong")
    if unnamed := used - set(known):
        guess.missing.append(f"names of {len(unnamed)} categories that the JSON does not name")
    return guess


def _split_list(folder: Path, below: list[Path], guess: Guess) -> None:
    """A list of ids beside the data, that of the split first."""
    files = [
        f for f in below if f.suffix == ".txt" and f.stem in (guess.split, *SPLITS) and f.stat().st_size < _MAX_NAMES
    ]
    truths = Located(folder, guess.truth)
    for file in sorted(files, key=lambda f: ((guess.split, *SPLITS).index(f.stem), len(f.parts), f.as_posix())):
        lines = [
            line.strip() for line in file.read_text(encoding="utf-8-sig", errors="replace").splitlines() if line.strip()
        ]
        there = sum(truths.has(line) for line in lines[:2000])
        if lines and len(set(lines)) == len(lines) and there == len(lines[:2000]):
            guess.ids, guess.images = file.relative_to(folder).as_posix(), len(lines)
            guess.seen.append(f"split: {len(lines)} ids in {guess.ids}")
            return


def _written(guess: Guess) -> str:
    def text(value: str) -> str:
        return json.dumps(value, ensure_ascii=False)

    lines = [
        f"format = {text(FORMAT)}",
        f'key = {text(guess.key)}  # what a submission names in "dataset"',
        f"title = {text(guess.key)}  # fill in",
        f"split = {text(guess.split)}",
        f"images = {guess.images}  # of the whole split; with another number, results are marked as not official",
    ]
    lines += [f"ids = {text(guess.ids)}"] if guess.ids is not None else []
    lines += [f"photos = {text(guess.photos)}"] if guess.photos is not None else []
    lines += ['citation = ""  # fill in', 'licence = ""  # fill in', "", "classes = ["]
    for one in guess.classes:
        kind = f", kind = {text(one['kind'])}" if "kind" in one else ""
        lines.append(f"    {{ id = {one['id']}, name = {text(one['name'])}{kind} }},")
    lines += ["]", "", "[truth]", f"files = {text(guess.truth)}"]
    lines += [f"panoptic = {text(guess.panoptic)}"] if guess.panoptic is not None else []
    lines += [f"palette = {text(guess.palette)}"] if guess.palette != "auto" else []
    lines += [f"offset = {guess.offset}  # class id = stored value + offset"] if guess.offset else []
    lines += [
        f"background = {guess.background}  # no class; a prediction on it is wrong",
        f"void = {guess.void}  # counts nowhere",
    ]
    return "\n".join(lines) + "\n"
