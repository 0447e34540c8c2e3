"""``convert``: looks at what a source is, and writes a submission from it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from zgbench.datasets import Dataset, known_ids, open_dataset
from zgbench.datasets.label_png import Palette
from zgbench.errors import InputError, UsageError
from zgbench.storage.text import bare_id, read_json
from zgbench.submission.convert import submissions
from zgbench.submission.convert.instances import coco_file, mask_files, mask_folder
from zgbench.submission.convert.label_maps import label_maps
from zgbench.submission.convert.options import Item, Notes, Options
from zgbench.submission.convert.panoptic import panoptic_images, panoptic_manifest
from zgbench.submission.masks.labels import Tags
from zgbench.submission.masks.segments import Overlap
from zgbench.submission.problems import quote
from zgbench.submission.reader import SUFFIXES
from zgbench.submission.writer import SubmissionWriter

ProgressFactory = Callable[[str, int | None], Callable[[int], None]]


@dataclass(frozen=True)
class Converted:
    """What was written.

    Attributes:
        notes: what a user should know about it, one sentence each.
    """

    path: Path
    images: int
    segments: int
    notes: tuple[str, ...] = ()


def _silent(_title: str, _total: int | None) -> Callable[[int], None]:
    return lambda _: None


def convert(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    name: str | None = None,
    dataset: str | None = None,
    labels: str | os.PathLike[str] | None = None,
    first: int | None = None,
    background: int | Sequence[int] | None = None,
    legend: str | os.PathLike[str] | None = None,
    palette: Palette = "auto",
    annotations: str | os.PathLike[str] | None = None,
    data: str | os.PathLike[str] | None = None,
    overlap: Overlap = "error",
    resize: Literal["nearest"] | bool = False,
    tags: Tags | None = None,
    progress: ProgressFactory = _silent,
) -> Converted:
    """Write a submission from another file or folder; docs/convert.md shows each kind.

    Args:
        source: a submission of any format; a folder of label maps (``<image id>.png``, ``.npy``, ``.npz`` or ``.tif``, 0 = in no
            segment) or one ``.npz`` with all; a COCO-panoptic folder (PNGs whose colour is id = R + 256·G + 65536·B, and a JSON
            whose ``segments_info`` carry a ``label`` or a ``category_id``); COCO results or annotations (``.json``); a folder
            with a JSON of masks an image.
        target: ``.json``, ``.json.gz`` or ``.parquet``.
        name, dataset: of the method and its data set; for all but a submission.
        labels: what values or masks mean: a class list by name (``CLASS_LABELS``; PC-59 ids circulate in two orders, so the
            order must be told), or a file, see :func:`zgbench.submission.convert.label_files.read_labels`.
        first: number of the first class in label maps, where ``labels`` is a list of classes (default 1).
        background: values of label maps that lie in no segment (default 0; with ``first=0`` none); empty: all lie in one.
        legend: of maps whose colours mean labels, see :func:`zgbench.submission.convert.legend.read_legend`.
        palette: ``index`` takes the indices of palette PNGs for values, whatever their colours.
        annotations: a COCO file with the ``images`` and ``categories`` that results leave out.
        data: the data folder: sizes are compared with the truth's.
        overlap, resize, tags: see :meth:`zgbench.SubmissionWriter.add`.
        progress: called with a title and a total, gives a function that is called with each step.

    Raises:
        UsageError: options that are missing, or of no use for the source.
        InputError: the source cannot be read, or says something that cannot be.
        SubmissionError: the source's labels or ids break the contract.
    """
    source, target = Path(source), Path(target)
    if not target.name.endswith(SUFFIXES):
        raise UsageError(f"{target}: expected a name that ends in {', '.join(SUFFIXES)}.")
    if resize not in (False, True, "nearest"):
        raise UsageError(f"--resize {resize}: expected nearest.")
    values = None if background is None else (background,) if isinstance(background, int) else tuple(background)
    options = Options(
        name, dataset, _text(labels), first, values, _text(legend), palette, Path(annotations) if annotations is not None else None,
        Path(data) if data is not None else None, overlap, bool(resize), tags,
    )  # fmt: skip
    if not source.exists():
        raise InputError(f"{source}: there is no such file or folder.")
    if source.is_file() and submissions.is_submission(source):
        options.unused("a submission", "--labels", "--first", "--background", "--legend", "--palette", "--annotations")
        images, segments, notes = submissions.rewrite(source, target, options, progress("converting", None))
        return Converted(target, images, segments, tuple(notes))
    if name is None or dataset is None:
        raise UsageError(
            f"{source} is {'a folder' if source.is_dir() else 'no submission yet'}: give --name (of the method) and --dataset as well."
        )
    return _from_elsewhere(source, target, name, dataset, options, progress)


def _text(given: str | os.PathLike[str] | None) -> str | None:
    return os.fspath(given) if given is not None else None


def _from_elsewhere(
    source: Path, target: Path, name: str, key: str, options: Options, progress: ProgressFactory
) -> Converted:
    notes = Notes()
    opened = open_dataset(key, options.data) if options.data is not None or (options.resize and key == "mini") else None
    if options.resize and opened is None:
        raise UsageError("--resize needs the truth's sizes: give --data DIR as well.")
    known = known_ids(key, options.data)
    ids, items = _open(source, options, notes, opened, known or frozenset())
    if known is not None:  # a data set of one's own that is not at hand: evaluate will tell
        _check_ids(source, ids, known, key)
    step = progress("converting", len(ids))
    images = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the writer's notes are given back
        with SubmissionWriter(target, name=name, dataset=key, data=opened) as writer:
            for item in items:
                writer.add(
                    item.image_id, item.segments, item.labels, classes=item.classes, scores=item.scores, background=item.background,
                    overlap=options.overlap, resize=options.resize, tags=options.tags,
                )  # fmt: skip
                images += 1
                step(1)
    return Converted(target, images, writer.segments, (*notes.sentences(), *writer.notes))


def _open(
    source: Path, options: Options, notes: Notes, dataset: Dataset | None, known: frozenset[str]
) -> tuple[list[str], Iterator[Item]]:
    """What a source is, told by what lies there."""
    if source.is_file():
        if source.suffix.lower() == ".npz":
            return label_maps(source, options, notes)
        if source.suffix.lower() == ".json":
            return coco_file(source, read_json(source), options, dataset, known)
        raise UsageError(
            f"{source}: expected a submission ({', '.join(SUFFIXES)}), COCO results (.json), label maps (.npz), or a folder."
        )
    manifest = panoptic_manifest(source)
    if manifest is not None:
        return panoptic_images(source, *manifest, options, notes)
    files = mask_files(source, known)
    if files:
        return mask_folder(source, files, options, dataset)
    return label_maps(source, options, notes)


def _check_ids(source: Path, ids: list[str], known: frozenset[str], key: str) -> None:
    """Refuse a source with images that the data set lacks before anything is read.

    Raises:
        InputError: there are such.
    """
    strange = [image_id for image_id in ids if image_id not in known]
    if not strange:
        return
    bare = bare_id(strange[0])
    ends = sorted({strange[0][len(i) :] for i in known if strange[0].startswith(i)}, key=len)
    mend = (
        f"Name it {quote(bare)}" if bare in known
        else f"Take the ending {quote(ends[0])} off the names" if ends
        else f"Its ids look like {quote(min(known))}"
    )  # fmt: skip
    raise InputError(
        f"{source}: {len(strange)} of {len(ids)} images are none of {key}, the first: {quote(strange[0])}. Ids are file names without folder and ending. {mend}."
    )
