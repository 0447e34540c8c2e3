"""Whether ratings of a table made by hand are about the images and segments of a submission."""

from __future__ import annotations

import numpy as np

from zgbench.datasets import Dataset
from zgbench.errors import InputError
from zgbench.pixels.counts import Counts
from zgbench.scores.human_scores import Ratings
from zgbench.storage.text import bare_id
from zgbench.submission.problems import quote


def check_fit(ratings: Ratings, counts: Counts, dataset: Dataset, source: str) -> list[str]:
    """Refuse rows that can be about no segment, which would be left out without a word.

    Args:
        counts: of the images that are scored, track ``free`` or ``oracle``.
        source: of the ratings, for messages.

    Returns:
        What a user should know about rows that are not used, one sentence each.

    Raises:
        InputError: rows name images that the data set lacks, or segments that an image of the submission lacks.
    """
    if ratings.by_item:
        return []
    total = sum(len(rows) for rows in ratings.rows.values())
    segments = dict(zip(counts.ids, np.diff(counts.offsets).tolist(), strict=True))
    lost: dict[str, list[int]] = {"image": [], "segment": [], "class": [], "unscored": []}
    about: dict[int, tuple[str, int, str]] = {}
    classes = {*dataset.vocabulary.names, *dataset.vocabulary.aliases}
    for key, rows in ratings.rows.items():
        image, segment, label = key
        kind = (
            "image" if image not in dataset.known_ids
            else "unscored" if image not in segments
            else "segment" if segment >= segments[image]
            else "class" if label not in classes
            else None
        )  # fmt: skip
        if kind is not None:
            lost[kind] += rows
            about |= dict.fromkeys(rows, key)
    messages = []
    if lost["image"]:
        row = min(lost["image"])
        image = about[row][0]
        bare = bare_id(image)
        mend = f": write {quote(bare)}" if bare in dataset.known_ids else ""
        messages.append(
            f"{len(lost['image'])} of {total} rows name an image that {dataset.key} does not have, the first in row {row}: {quote(image)}. "
            f"Ids are file names without folder and ending{mend}."
        )
    if lost["segment"]:
        row = min(lost["segment"])
        image, segment, _ = about[row]
        has = segments[image]
        messages.append(
            f"{len(lost['segment'])} of {total} rows name a segment that the submission does not have, the first in row {row}: {quote(image)} has "
            f"{has} segment{'s' if has != 1 else ''}, the row is about number {segment}. Segments count from 0 in each image."
        )
    if messages:
        raise InputError("\n".join(f"--ratings {source}: {message}" for message in messages))
    notes = []
    if lost["class"]:
        row = min(lost["class"])
        notes.append(
            f"{source}: {len(lost['class'])} of {total} ratings are of labels that are no class of {dataset.key} and are not used, the first in row {row}: {quote(about[row][2])}."
        )
    if lost["unscored"]:
        notes.append(f"{source}: {len(lost['unscored'])} of {total} ratings are of images that are not scored here.")
    return notes
