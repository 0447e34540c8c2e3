"""A data set that is ready to be scored on: its images, its classes and where its truth is read from."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

from zgbench.datasets import store
from zgbench.datasets.catalogue import KEYS, Part, Spec, spec_of
from zgbench.datasets.truth import FolderSource, TruthSource
from zgbench.datasets.vocabulary import PngOrder, Vocabulary
from zgbench.errors import DataError, InputError, UsageError
from zgbench.storage.files import sha256_lines
from zgbench.storage.text import bare_id, decode, without_companions

_MAX_LIST = 16 << 20
_SUBSET = re.compile(r"first:(?P<first>\d+)|random:(?P<random>\d+):(?P<seed>\d+)")


@dataclass(frozen=True)
class Dataset:
    """Images with ground truth.

    Attributes:
        key: ``pas20``, ``pc59``, ``pc459`` or ``mini``.
        split: name of the split, with the subset if one was taken (``val``, ``val[first:1000]``).
        ids: the images to be scored, in the split's order.
        known_ids: every image of the official split; a submission may hold these and no others.
        vocabulary: the classes.
        source: where truth and photos are read from.
        official: whether ``ids`` is exactly the official split.
        notes: what a user should know about this data set as found, one sentence each.
        released_drops_background: see :class:`zgbench.datasets.catalogue.Spec`.
    """

    key: str
    split: str
    ids: tuple[str, ...]
    known_ids: frozenset[str]
    vocabulary: Vocabulary
    source: TruthSource
    official: bool
    notes: tuple[str, ...] = ()
    released_drops_background: bool = False

    def ids_sha256(self) -> str:
        """SHA-256 of the ids, a line each, in order."""
        return sha256_lines(self.ids)

    def only(self, ids: tuple[str, ...]) -> Dataset:
        """The same data set reduced to some of its images (keeps the split's order)."""
        wanted = set(ids)
        kept = tuple(i for i in self.ids if i in wanted)
        return replace(self, ids=kept, official=self.official and kept == self.ids)


def open_dataset(
    key: str,
    data: str | os.PathLike[str] | None = None,
    *,
    subset: str | None = None,
    truth_dir: str | os.PathLike[str] | None = None,
    png_order: PngOrder | None = None,
    raw: bool = False,
) -> Dataset:
    """Open a data set.

    Args:
        key: ``pas20``, ``pc59``, ``pc459`` or ``mini``.
        data: folder that holds ``VOCdevkit/`` and ``pascal-context/`` as the archives unpack, or a prepared store
            (``zgbench datasets prepare``). Default: the environment variable ``ZGBENCH_DATA``.
        subset: ``first:N`` or ``random:N:SEED``; part of every signature.
        truth_dir: a folder of truth PNGs in another place; for ``pc59`` it must come with ``png_order``.
        png_order: class order of PC-59 PNGs, ``alphabetical`` or ``official``.
        raw: read the raw files even where a prepared store lies.

    Raises:
        UsageError: an unknown key, subset or combination of options.
        DataError: the files are not there; the message names the archive and the place.
    """
    if key not in KEYS:
        raise UsageError(f"there is no data set {key!r}. Known: {', '.join(KEYS)}.")
    if png_order is not None and key != "pc59":
        raise UsageError(f"--png-order is about PC-59 PNGs; {key} has one class order only. Leave the option out.")
    if key == "mini":
        if truth_dir is not None:
            raise UsageError("mini is drawn by zgbench itself; leave --truth-dir out.")
        return _take(_open_mini(), subset)
    spec = spec_of(key)
    if truth_dir is not None and key == "pc59" and png_order is None:
        raise UsageError(
            f"--truth-dir {truth_dir}: PC-59 PNGs circulate in two class orders and nothing inside a PNG says which. "
            "Add --png-order alphabetical (the usual converter: 1 = aeroplane, 2 = bag) "
            "or --png-order official (the 59-label list: 1 = aeroplane, 2 = bicycle)."
        )
    folder = _data_folder(key, data, needed=truth_dir is None)
    if not raw and folder is not None and truth_dir is None and png_order is None and store.exists(folder, key):
        return _take(_from_store(spec, folder), subset)
    source = _folder_source(spec, folder, truth_dir, png_order)
    notes: list[str] = []
    ids = _split_ids(spec, folder, source, notes)
    official = spec.official_ids()
    dataset = Dataset(
        key,
        spec.split,
        ids,
        frozenset(official),
        spec.vocabulary(),
        source,
        ids == official,
        tuple(notes),
        spec.released_drops_background,
    )
    return _take(dataset, subset)


def known_ids(key: str) -> frozenset[str]:
    """Ids of the official split, which need no data at hand."""
    if key == "mini":
        return _open_mini().known_ids
    return frozenset(spec_of(key).official_ids())


def _open_mini() -> Dataset:
    from zgbench.datasets.mini_source import MiniSource, mini_ids, mini_vocabulary

    ids = mini_ids()
    return Dataset("mini", "val", ids, frozenset(ids), mini_vocabulary(), MiniSource(), True)


def _from_store(spec: Spec, folder: Path) -> Dataset:
    source, split, ids, notes = store.open_store(folder, spec.key)
    official = spec.official_ids()
    return Dataset(
        spec.key,
        split,
        ids,
        frozenset(official),
        spec.vocabulary(),
        source,
        ids == official,
        notes,
        spec.released_drops_background,
    )


def _data_folder(key: str, data: str | os.PathLike[str] | None, *, needed: bool) -> Path | None:
    chosen = data if data is not None else os.environ.get("ZGBENCH_DATA") or None
    if chosen is None:
        if needed:
            raise UsageError(
                f"where is the data of {key}? Give --data DIR or set ZGBENCH_DATA to the folder that holds VOCdevkit/ "
                f"and pascal-context/. What is needed: zgbench datasets list. Without any download: data set mini."
            )
        return None
    folder = Path(chosen)
    if not folder.is_dir():
        raise UsageError(f"--data {folder}: there is no such folder.")
    return folder


def _folder_source(
    spec: Spec, folder: Path | None, truth_dir: str | os.PathLike[str] | None, png_order: PngOrder | None
) -> FolderSource:
    photos = (folder or Path()) / spec.photos.path
    if truth_dir is not None:
        place = Path(truth_dir)
        suffix = ".mat" if spec.key == "pc459" else ".png"
        if not place.is_dir() or not any(without_companions(place.glob(f"*{suffix}"))):
            raise DataError(f"--truth-dir {place}: expected a folder of *{suffix} files, found none.")
        return FolderSource(spec.key, place, suffix, photos, png_order)
    assert folder is not None
    for part in spec.truths:
        place = folder / part.path
        if place.is_dir() and any(without_companions(place.glob(f"*{part.suffix}"))):
            order: PngOrder | None = (
                (png_order or "alphabetical") if spec.key == "pc59" and part.suffix == ".png" else None
            )
            source = FolderSource(spec.key, place, part.suffix, photos, order)
            if order is not None:
                _refuse_other_order(source, folder)
            return source
    raise DataError(_missing(spec, folder))


def _missing(spec: Spec, folder: Path) -> str:
    places = "\n".join(f"  {folder / part.path}/*{part.suffix}  from {part.archive}" for part in spec.truths)
    return f"{spec.key}: no ground truth in {folder}. Expected one of:\n{places}\nSee what is there with: zgbench datasets check --data {folder}"


def _refuse_other_order(source: FolderSource, folder: Path) -> None:
    """Compare PNGs with the unambiguous ``.mat`` files where both lie at hand: they must be in the order assumed."""
    mat = FolderSource("pc59", folder / "pascal-context/trainval", ".mat", source.photo_dir)
    both = [p.stem for p in sorted(without_companions(source.truth_dir.glob("*.png")))[:200] if mat.has(p.stem)][:5]
    agreeing = total = 0
    for image_id in both:
        png, label_map = source.truth(image_id).classes(), mat.truth(image_id).classes()
        if png.shape == label_map.shape:
            labelled = label_map > 0
            agreeing += int((png == label_map)[labelled].sum())
            total += int(labelled.sum())
    if total and agreeing < 0.5 * total:
        raise DataError(
            f"{source.truth_dir}: read in {source.order} class order, these PNGs contradict the .mat files beside them "
            f"({agreeing / total:.0%} of {total} labelled pixels agree). "
            f"Give --png-order {'official' if source.order == 'alphabetical' else 'alphabetical'}."
        )


def _split_ids(spec: Spec, folder: Path | None, source: FolderSource, notes: list[str]) -> tuple[str, ...]:
    """The official split, less the images that the data folder's own list leaves out."""
    official = spec.official_ids()
    listed = folder / spec.split_list if folder is not None else None
    if listed is None or not listed.is_file():
        return official
    try:
        if listed.stat().st_size > _MAX_LIST:
            raise DataError(f"{listed}: has more than {_MAX_LIST >> 20} MiB. Restore the archive's own list.")
        found = {line.split()[0] for line in decode(listed.read_bytes(), str(listed)).splitlines() if line.strip()}
    except OSError as error:
        raise DataError(f"{listed}: cannot be read as a list of image ids ({error}).") from error
    except DataError:
        raise
    except InputError as error:
        raise DataError(str(error)) from error
    of_split = set(official)
    here = {i if i in of_split or bare_id(i) not in of_split else bare_id(i) for i in found}  # some list the files
    ids = tuple(i for i in official if i in here)
    if not ids:
        raise DataError(
            f"{listed}: none of its {len(here)} ids is in the official {spec.key} {spec.split} split ({len(official)} images). Restore the archive's own list."
        )
    if len(ids) < len(official):
        notes.append(f"{listed} lists {len(ids)} of the {len(official)} official images: the scores are not official.")
    extra = sorted(here - of_split)
    if extra:
        notes.append(
            f"{listed} lists {len(extra)} ids that are not in the official split ({', '.join(map(_shown, extra[:3]))}{', …' if len(extra) > 3 else ''}); they are not scored."
        )
    return ids


def _shown(image_id: str) -> str:
    """An id from a file as it may be printed."""
    return image_id[:60] if image_id.isprintable() else ascii(image_id[:60])[1:-1]


def _take(dataset: Dataset, subset: str | None) -> Dataset:
    if subset is None:
        return dataset
    match = _SUBSET.fullmatch(subset)
    number = int(match["first"] or match["random"]) if match else 0
    if match is None or number < 1:
        raise UsageError(f"--subset {subset}: expected first:N or random:N:SEED with N ≥ 1, e.g. first:1000.")
    if number > len(dataset.ids):
        raise UsageError(f"--subset {subset}: the split has only {len(dataset.ids)} images.")
    if match["first"]:
        ids = dataset.ids[:number]
    else:  # the order of hashes, so that every language and version draws the same images
        seed = int(match["seed"])
        drawn = sorted(dataset.ids, key=lambda i: hashlib.sha256(f"{seed}:{i}".encode()).digest())[:number]
        ids = tuple(i for i in dataset.ids if i in set(drawn))
    return replace(dataset, ids=ids, split=f"{dataset.split}[{subset}]", official=False)


def parts_of(spec: Spec) -> tuple[Part, ...]:
    """Every folder that can be of use for a data set."""
    return (*spec.truths, spec.photos)
