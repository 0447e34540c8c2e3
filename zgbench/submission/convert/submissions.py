"""From one format of a submission to another."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from zgbench.errors import InputError, UsageError
from zgbench.storage.text import MARK
from zgbench.submission import rle, schema
from zgbench.submission.convert.options import Options
from zgbench.submission.masks.coco import check_size
from zgbench.submission.problems import Report
from zgbench.submission.reader import SUFFIXES, open_submission
from zgbench.submission.writer import SubmissionWriter

_KEYS = dict.fromkeys(schema.HEADER_KEYS, True) | dict.fromkeys(
    ("annotations", "categories", "info", "licenses"), False
)
_IMAGE_KEYS = {"segments": True, "size": True, "file_name": False, "height": False, "width": False}
"""Keys of a JSON that only a submission has, or only COCO's files."""


def is_submission(path: Path) -> bool:
    """Whether a file should be read as a submission: by its ending, and a JSON by its first keys."""
    if not path.name.endswith(SUFFIXES):
        return False
    if not path.name.endswith(".json"):
        return True
    import ijson

    try:
        with path.open("rb") as file:
            if file.read(len(MARK)) != MARK:
                file.seek(0)
            for prefix, event, value in ijson.parse(file):
                if (prefix, event) == ("", "start_array"):
                    return False
                if (prefix, event) == ("", "map_key") and value in _KEYS:
                    return _KEYS[value]
                if (prefix, event) == ("images.item", "map_key") and value in _IMAGE_KEYS:
                    return _IMAGE_KEYS[value]
    except (OSError, ijson.JSONError, ValueError, UnicodeError):
        pass
    return True  # its reader says best what is wrong


def rewrite(
    source: Path, target: Path, options: Options, progress: Callable[[int], None]
) -> tuple[int, int, list[str]]:
    """Write a submission in another format; numbers of images and segments, and what should be known.

    Raises:
        SubmissionError: the source breaks the contract.
    """
    reader = open_submission(source)
    report = Report()
    header = reader.header(report)
    report.raise_if_any(str(source))
    assert header is not None
    if (options.resize or options.overlap != "error") and header.track != "free":
        raise UsageError("--resize and --overlap are about masks; the submission's track is oracle.")
    mask_key = "counts" if header.track == "free" else "class"
    name, dataset = options.name or header.name, options.dataset or header.dataset
    images = 0
    anew = options.resize or options.overlap != "error" or options.data is not None
    if anew and header.embeddings is not None:
        raise UsageError(
            f"{source} names embeddings, a row a segment: segments cannot be changed here. Write the submission again with SubmissionWriter."
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        with SubmissionWriter(
            target,
            name=name,
            dataset=dataset,
            track=header.track,
            method=header.method,
            data=options.data if anew else None,
        ) as writer:
            if header.embeddings is not None:
                if target.parent.resolve() != source.parent.resolve():
                    raise UsageError(
                        f"{source} names embeddings beside it ({header.embeddings}); write the target into the same folder."
                    )
                writer.name_embeddings(header.embeddings)
            for image in reader.images(header, report):
                report.raise_if_any(str(source))
                if anew and header.track == "free":
                    writer.add(
                        image.id, _masks(image, source), image.labels, overlap=options.overlap, resize=options.resize
                    )
                else:
                    masks = (
                        [c.decode("utf-8", "surrogatepass") for c in image.counts]
                        if image.counts is not None
                        else image.classes or []
                    )
                    writer.add_raw(
                        image.id,
                        image.size,
                        [{"label": t, mask_key: m} for t, m in zip(image.labels, masks, strict=True)],
                    )
                images += 1
                progress(1)
            report.raise_if_any(str(source))
    return images, writer.segments, writer.notes


def _masks(image: schema.Image, source: Path) -> object:
    """Masks of an image, bool [n, h, w]; a map of nothing where it has none."""
    height, width = image.size
    check_size(height, width, f"{source}: {image.path}.size")
    runs = rle.parse(image.counts or [])
    sums = runs.sums()
    for index in range(len(image.labels)):
        if index in runs.errors or sums[index] != height * width:
            wrong = runs.errors.get(index, f"the runs sum to {sums[index]}, expected {height * width}")
            raise InputError(f"{source}: {image.where(index)}.counts: bad run lengths, {wrong}.")
    if not image.labels:
        return np.zeros((height, width), dtype=np.int32)
    return np.stack(
        [rle.mask_of(runs.counts[a:b], image.size) for a, b in zip(runs.offsets[:-1], runs.offsets[1:], strict=True)]
    )
