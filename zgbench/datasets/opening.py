"""Opens a data set by its key: a built-in one from the official archives' folders, one of one's own, or a prepared store."""

from __future__ import annotations

import difflib
import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from zgbench.datasets import store
from zgbench.datasets.catalogue import KEYS, SPECS, Spec, pc59_png
from zgbench.datasets.dataset import Dataset
from zgbench.datasets.definition import FILE
from zgbench.datasets.folder_source import FolderSource
from zgbench.datasets.located import ID, Located
from zgbench.datasets.own import find_definition, lines_of, open_own, shown
from zgbench.datasets.vocabulary import PngOrder, Vocabulary
from zgbench.errors import DataError, UsageError
from zgbench.storage.text import bare_id

_SUBSET = re.compile(r"first:(?P<first>\d+)|random:(?P<random>\d+):(?P<seed>\d+)")


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
        key: of a built-in one (``zgbench datasets list``), or the key in the ``dataset.toml`` of one of your own.
        data: folder that holds the data sets as their archives unpack, or a prepared store (``zgbench datasets
            prepare``); of a data set of your own, the folder of its ``dataset.toml``, or the folder above. Default:
            the environment variable ``ZGBENCH_DATA``.
        subset: ``first:N`` or ``random:N:SEED``; part of every signature.
        truth_dir: a folder of a built-in data set's truth in another place; for ``pc59`` it must come with ``png_order``.
        png_order: class order of PC-59 PNGs, ``alphabetical`` or ``official``.
        raw: read the raw files even where a prepared store lies.

    Raises:
        UsageError: an unknown key, subset or combination of options.
        DataError: the files are not there, or ``dataset.toml`` is wrong; the message names the archive and the place.
    """
    definition = None if key in KEYS else find_definition(key, data)
    if key not in KEYS and definition is None:
        raise UsageError(unknown(key))
    if png_order is not None and key != "pc59":
        raise UsageError(f"--png-order is about PC-59 PNGs; {key} has one class order only. Leave the option out.")
    if definition is not None:
        if truth_dir is not None:
            raise UsageError(f"--truth-dir is for built-in data sets. Say in {definition.path} where the truth lies.")
        return _take(open_own(definition, _data_folder(key, data), raw=raw), subset)
    if key == "mini":
        if truth_dir is not None:
            raise UsageError("mini is drawn by zgbench itself; leave --truth-dir out.")
        return _take(_open_mini(), subset)
    spec = SPECS[key]
    if truth_dir is not None and key == "pc59" and png_order is None:
        raise UsageError(
            f"--truth-dir {truth_dir}: PC-59 PNGs circulate in two class orders and nothing inside a PNG says which. "
            "Add --png-order alphabetical (mmsegmentation's converter: 1 = aeroplane, 2 = bag) "
            "or --png-order official (the 59-label list: 1 = aeroplane, 2 = bicycle)."
        )
    folder = None if truth_dir is not None and not _named(data) else _data_folder(key, data)
    if not raw and folder is not None and truth_dir is None and png_order is None and store.exists(folder, key):
        return _take(_from_store(spec, folder), subset)
    source = _folder_source(spec, folder, truth_dir, png_order)
    notes: list[str] = []
    ids = split_ids(spec, folder, notes)
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
        spec.unlabelled,
    )
    return _take(dataset, subset)


def builtin_vocabulary(key: str) -> Vocabulary:
    """Classes of a built-in data set, which need no data at hand."""
    if key == "mini":
        from zgbench.datasets.mini_source import mini_vocabulary

        return mini_vocabulary()
    return SPECS[key].vocabulary()


def vocabulary_of_names(names: Sequence[str]) -> tuple[Vocabulary, str | None]:
    """Classes of a plain list of names, ids from 1, and the built-in data set whose list it is, if any.

    The list of a built-in data set, in any order, comes with that data set's readable names, aliases and synsets.

    Args:
        names: each once.
    """
    ids = tuple(range(1, len(names) + 1))
    for key in KEYS:
        known = builtin_vocabulary(key)
        if len(known) == len(names) and set(known.names) == set(names):
            at = [known.names.index(name) for name in names]
            readable, also, synsets = (
                tuple(column[i] for i in at) if column else () for column in (known.readable, known.also, known.synsets)
            )
            return Vocabulary(ids, tuple(names), readable=readable, also=also, synsets=synsets), key  # type: ignore[arg-type]
    return Vocabulary(ids, tuple(names)), None


def known_ids(key: str, data: str | os.PathLike[str] | None = None) -> frozenset[str] | None:
    """Ids that a submission may hold: of the official split, which need no data at hand.

    Of a data set that is not built in they are those of its folder; None where that is not at hand.
    """
    if key == "mini":
        return _open_mini().known_ids
    if key in KEYS:
        return frozenset(SPECS[key].official_ids())
    return open_dataset(key, data).known_ids if is_known(key, data) else None


def is_known(key: str, data: str | os.PathLike[str] | None = None) -> bool:
    """Whether a data set is built in, or its ``dataset.toml`` is at hand."""
    return key in KEYS or find_definition(key, data) is not None


def unknown(key: str) -> str:
    """What to say of a key that nobody knows."""
    close = difflib.get_close_matches(key[:80], KEYS, 1, 0.7)
    return (
        f"there is no data set {key[:80]!r}{f' (did you mean {close[0]}?)' if close else ''}. Built in: {', '.join(KEYS)}. "
        f"For one of your own, give --data the folder with its {FILE}; zgbench datasets new DIR writes one."
    )


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
        spec.unlabelled,
    )


def _named(data: str | os.PathLike[str] | None) -> str | os.PathLike[str] | None:
    return data if data is not None else os.environ.get("ZGBENCH_DATA") or None


def _data_folder(key: str, data: str | os.PathLike[str] | None) -> Path:
    chosen = _named(data)
    if chosen is None:
        raise UsageError(
            f"where is the data of {key}? Give --data DIR or set ZGBENCH_DATA to the folder that holds the archives as "
            f"they unpack (VOCdevkit/ and so on). What is needed: zgbench datasets list. Without any download: data set mini."
        )
    folder = Path(chosen)
    if not folder.is_dir():
        raise UsageError(f"--data {folder}: there is no such folder.")
    return folder


def _folder_source(
    spec: Spec, folder: Path | None, truth_dir: str | os.PathLike[str] | None, png_order: PngOrder | None
) -> FolderSource:
    photos = () if folder is None else tuple(Located(folder, place.pattern) for place in spec.photos)
    if truth_dir is not None:
        written, place = spec.truths()[0], Path(truth_dir)
        if written.manifest is not None:
            raise UsageError(
                f"--truth-dir: the truth of {spec.key} is PNGs and a JSON; give --data, with both as unpacked."
            )
        if png_order is not None:
            written = replace(written, codes=pc59_png(png_order))
        name = written.pattern.rpartition("/")[2]
        truths = Located(place, f"**/{name}" if "*" in written.pattern else name)
        if not truths.any():
            raise DataError(f"--truth-dir {place}: expected a folder of {name.replace(ID, '*')} files, found none.")
        return FolderSource(truths, photos, written, _order(spec, png_order))
    assert folder is not None
    for written in spec.truths():
        truths = Located(folder, written.pattern)
        if truths.any() and (written.manifest is None or (folder / written.manifest).is_file()):
            if spec.key != "pc59" or written.kind != "png":
                return FolderSource(truths, photos, written)
            order: PngOrder = png_order or "alphabetical"
            source = FolderSource(truths, photos, replace(written, codes=pc59_png(order)), _order(spec, order))
            _refuse_other_order(source, order)
            return source
    raise DataError(_missing(spec, folder))


def _order(spec: Spec, order: PngOrder | None) -> str:
    return f", {order} class order" if spec.key == "pc59" else ""


def _missing(spec: Spec, folder: Path) -> str:
    places = "\n".join(
        f"  {Located(folder, part.pattern)}{f' and {folder / part.manifest}' if part.manifest else ''}  from {part.archive}"
        for part in spec.truths()
    )
    return f"{spec.key}: no ground truth in {folder}. Expected one of:\n{places}\nSee what is there with: zgbench datasets check --data {folder}"


def _refuse_other_order(source: FolderSource, order: PngOrder) -> None:
    """Compare PNGs with the unambiguous ``.mat`` files where both lie at hand: they must be in the order assumed."""
    _, written = SPECS["pc59"].truths()
    mat = FolderSource(Located(source.truths.folder, written.pattern), source.photos, written)
    if not mat.truths.any():
        return
    both = [i for i in list(source.truths.found())[:200] if mat.has(i)][:5]
    agreeing = total = 0
    for image_id in both:
        png, label_map = source.truth(image_id).classes(), mat.truth(image_id).classes()
        if png.shape == label_map.shape:
            labelled = label_map > 0
            agreeing += int((png == label_map)[labelled].sum())
            total += int(labelled.sum())
    if total and agreeing < 0.5 * total:
        raise DataError(
            f"{source.truths}: read in {order} class order, these PNGs contradict the .mat files beside them "
            f"({agreeing / total:.0%} of {total} labelled pixels agree). "
            f"Give --png-order {'official' if order == 'alphabetical' else 'alphabetical'}."
        )


def split_ids(spec: Spec, folder: Path | None, notes: list[str]) -> tuple[str, ...]:
    """The official split, less the images that the data folder's own list leaves out.

    Args:
        notes: what a user should know is added.

    Raises:
        DataError: the list is damaged, or of another split.
    """
    official = spec.official_ids()
    listed = folder / spec.split_list if folder is not None and spec.split_list is not None else None
    if listed is None or not listed.is_file():
        return official
    found = {line.split()[0] for line in lines_of(listed, "Restore the archive's own list.") if line.strip()}
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
            f"{listed} lists {len(extra)} ids that are not in the official split ({', '.join(map(shown, extra[:3]))}{', …' if len(extra) > 3 else ''}); they are not scored."
        )
    return ids


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
