"""Human ratings as a table: image_id, segment, label shown, rater, score 0–3.

A rating belongs to what was shown: T* for a verification (table 1 of the paper). A row of another label on the same
segment is about another question and is not used.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zgbench.counts import Counts
from zgbench.csv_table import read_csv
from zgbench.datasets import Vocabulary
from zgbench.errors import InputError
from zgbench.protocol import HumanAggregate
from zgbench.submission.problems import quote

COLUMNS = ("image_id", "segment", "label", "rater", "score")
SCORES = (0, 1, 2, 3)
LEVELS = (1, 2, 3)
_SHOWN = 20

Item = tuple[str, int, str]
"""Image id, index of the segment in its image, label shown."""


@dataclass(frozen=True)
class Ratings:
    """Each item's latest score by each rater."""

    items: Mapping[Item, Mapping[str, int]]
    sha256: str

    def aggregated(
        self, counts: Counts, class_id: NDArray[np.int64], vocabulary: Vocabulary, how: HumanAggregate
    ) -> NDArray[np.float64]:
        """One score a segment for the label T* that it was reassigned to, float64 [segments]; NaN where nobody rated it."""
        names = dict(zip(vocabulary.ids, vocabulary.names, strict=True))
        local = np.arange(len(counts.labels)) - counts.offsets[counts.owner]
        found = np.full(len(counts.labels), np.nan)
        for place, (image, segment, chosen) in enumerate(
            zip(counts.owner.tolist(), local.tolist(), class_id.tolist(), strict=True)
        ):
            scores = self.items.get((counts.ids[image], segment, names[chosen]))
            if scores:
                found[place] = aggregate(list(scores.values()), how)
        return found


def aggregate(scores: list[int], how: HumanAggregate) -> float:
    """One score from several, 0–3.

    ``median``: of an even number the lower middle. ``majority``: the most frequent; of equally frequent ones the lowest.
    """
    ordered = sorted(scores)
    if how == "median":
        return float(ordered[(len(ordered) - 1) // 2])
    if how == "mean":
        return sum(ordered) / len(ordered)
    if how == "min":
        return float(ordered[0])
    return float(max(SCORES, key=lambda s: (ordered.count(s), -s)))


def fully_rated(counts: Counts, rated: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Images whose segments all have ratings, bool [images]; an image without segments has none missing."""
    missing = np.bincount(counts.owner[np.isnan(rated)], minlength=len(counts.ids))
    return np.asarray(missing == 0)


def read_ratings(path: str | os.PathLike[str]) -> Ratings:
    """Read ratings from CSV or Parquet.

    Columns: ``image_id``, ``segment`` (index in its image, from 0), ``label`` (as shown), ``rater`` and ``score``
    (0 incorrect, 1 partially correct, 2 correct but too general or too specific, 3 correct). Optional: ``time``; a
    rater's latest row on an item counts, without ``time`` the last one in the file. Other columns are ignored.

    Raises:
        InputError: not such a table; lists every bad row, up to a limit.
    """
    import pandas as pd

    from zgbench.files import sha256_file

    file = Path(path)
    try:
        if file.suffix == ".parquet":
            table = pd.read_parquet(file).reset_index(drop=True)
        elif file.suffix == ".csv":
            table = read_csv(file)
        else:
            raise InputError(
                f"--ratings {file}: expected a .csv or .parquet file with the columns {', '.join(COLUMNS)}."
            )
    except (OSError, ValueError, UnicodeDecodeError) as error:  # pandas' parser errors are ValueErrors
        raise InputError(f"--ratings {file}: cannot be read as a table ({quote(str(error), 120)[1:-1]}).") from error
    missing = [column for column in COLUMNS if column not in table.columns]
    if missing:
        raise InputError(f"--ratings {file}: no column {', '.join(missing)}. Expected {', '.join(COLUMNS)}.")
    if "time" in table.columns:
        table = table.iloc[_order(table["time"], file)]
    items: dict[Item, dict[str, int]] = {}
    bad: list[str] = []
    columns = (table[column].tolist() for column in COLUMNS)
    for row, image, segment, label, rater, score in zip(table.index.tolist(), *columns, strict=True):
        place, value = _whole(segment), _whole(score)
        if place is None or place < 0:
            bad.append(f"row {row}, segment: expected a whole number ≥ 0; found {quote(segment)}")
        elif value not in SCORES:
            bad.append(f"row {row}, score: expected 0, 1, 2 or 3; found {quote(score)}")
        elif not str(rater):
            bad.append(f"row {row}, rater: expected a name; found nothing")
        else:
            items.setdefault((str(image), place, str(label)), {})[str(rater)] = value
    if bad:
        more = f"\n  … and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
        raise InputError(f"--ratings {file}: {len(bad)} bad rows\n  " + "\n  ".join(bad[:_SHOWN]) + more)
    return Ratings(items, sha256_file(file))


def _order(times: Any, file: Path) -> NDArray[np.intp]:
    """Rows from the earliest to the latest time; seconds or timestamps."""
    import pandas as pd

    seconds = pd.to_numeric(times, errors="coerce")
    if seconds.isna().any():
        try:
            seconds = pd.to_datetime(times, utc=True, format="ISO8601")
        except (ValueError, TypeError) as error:
            raise InputError(
                f"--ratings {file}, column time: expected seconds or ISO 8601 timestamps ({quote(str(error), 120)[1:-1]})."
            ) from error
    return np.argsort(seconds.to_numpy(), kind="stable")


def _whole(value: Any) -> int | None:
    if type(value) is str and len(value) == 1 and value in "0123456789":
        return int(value)
    try:
        number = float(value)
        return int(number) if number == int(number) else None
    except (TypeError, ValueError, OverflowError):
        return None
