"""Human ratings as ``evaluate`` reads them: a store, an export of one, or a table made by hand.

A rating belongs to what was shown: T* for a verification (table 1 of the paper). A rating of another label on the same
segment is about another question and is not used.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from zgbench.datasets import Vocabulary
from zgbench.errors import InputError
from zgbench.pixels.counts import Counts
from zgbench.protocol import HumanAggregate
from zgbench.ratings.content import item_id
from zgbench.ratings.spreadsheet import unshield
from zgbench.storage.csv_table import read_csv
from zgbench.storage.plain_arrow import plain
from zgbench.submission.problems import quote

COLUMNS = ("image_id", "segment", "label", "rater", "score")
EXPORTED = ("item", "image_id", "rater", "answer", "score", "time", "excluded")
SCORES = (0, 1, 2, 3)
LEVELS = (1, 2, 3)
QUESTION: Literal["T*"] = "T*"
_SHOWN = 20

Key = tuple[str, int, str] | str
"""Image id, index of the segment in its image and label shown; or the id of an item, which stands for all of these."""


@dataclass(frozen=True)
class Ratings:
    """Each item's latest score by each rater.

    Attributes:
        items: by segment and label, or by item id.
        images: ids of the images that hold rated segments.
        by_item: whether the keys are item ids, which are found by the content of a segment's mask.
        excluded: the rules that left somebody out.
        rows: of a table made by hand, the numbers of the rows on each image, segment and label.
    """

    items: Mapping[Key, Mapping[str, int]]
    images: frozenset[str] = frozenset()
    by_item: bool = False
    excluded: tuple[str, ...] = field(default=())
    rows: Mapping[tuple[str, int, str], list[int]] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """Hash of the scores that count: the same for a store and for its exports."""
        digest = hashlib.sha256()
        for told, key in sorted((str(key), key) for key in self.items):
            shown = repr(key) if isinstance(key, str) else told
            for rater, score in sorted(self.items[key].items()):
                digest.update(f"{shown}\t{rater!r}\t{score}\n".encode())
        return digest.hexdigest()

    def aggregated(
        self,
        counts: Counts,
        class_id: NDArray[np.int64],
        vocabulary: Vocabulary,
        how: HumanAggregate,
        dataset: str = "",
        masks: list[str] | None = None,
    ) -> NDArray[np.float64]:
        """One score a segment for the label T* that it was reassigned to, float64 [segments]; NaN where nobody rated it.

        Args:
            dataset, masks: the data set's key and the hash of each segment's mask, needed where ``by_item``.
        """
        names = dict(zip(vocabulary.ids, vocabulary.names, strict=True))
        local = np.arange(len(counts.labels)) - counts.offsets[counts.owner]
        found = np.full(len(counts.labels), np.nan)
        for place, (image, segment, chosen) in enumerate(
            zip(counts.owner.tolist(), local.tolist(), class_id.tolist(), strict=True)
        ):
            if not chosen:
                continue  # no class: nothing was shown
            key: Key = (counts.ids[image], segment, names[chosen])
            if self.by_item:
                if masks is None or not masks[place]:
                    continue
                key = item_id(dataset, counts.ids[image], masks[place], names[chosen], QUESTION)
            scores = self.items.get(key)
            if not scores and not self.by_item:  # people may have been shown another published name of the class
                others = (name for name, of in vocabulary.aliases.items() if of == chosen)
                scores = next((s for name in others if (s := self.items.get((counts.ids[image], segment, name)))), None)
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


def read_ratings(source: str | os.PathLike[str]) -> Ratings:
    """Read ratings from a store or a table.

    A store is a ``postgresql+psycopg://`` URL or a SQLite file. A table ends in ``.csv`` or ``.parquet`` and was
    written by ``zgbench ratings export``, or has the columns ``image_id``, ``segment`` (index in its image, from 0),
    ``label`` (as shown), ``rater`` and ``score`` (0 incorrect, 1 partially correct, 2 correct but too general or too
    specific, 3 correct). Optional: ``time``; a rater's latest row on an item counts, without ``time`` the last one in
    the file. Other columns are ignored.

    Raises:
        InputError: not such a table or store; lists every bad row, up to a limit.
    """
    given = os.fspath(source)
    file = Path(given)
    if "://" in given or (file.suffix not in (".csv", ".tsv", ".parquet") and _is_sqlite(file)):
        return _from_store(given)
    table = _read_table(file)
    exported = "item" in table.columns and "segment" not in table.columns
    columns = EXPORTED if exported else COLUMNS
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise InputError(f"--ratings {file}: no column {', '.join(missing)}. Expected {', '.join(columns)}.")
    if "time" in table.columns:
        table = table.iloc[_order(table["time"], file)]
    return _exported(table, file) if exported else _by_hand(table, file)


def _is_sqlite(file: Path) -> bool:
    try:
        with file.open("rb") as content:
            return content.read(16) == b"SQLite format 3\0"
    except OSError:
        return file.suffix in (".db", ".sqlite", ".sqlite3")


def _from_store(url: str) -> Ratings:
    from zgbench.ratings import open_store
    from zgbench.ratings.latest import latest_scores

    with open_store(url, create=False) as store:
        items, images, excluded = latest_scores(store, QUESTION)
    return Ratings(items, images, True, excluded)


def _read_table(file: Path) -> Any:
    import pandas as pd

    try:
        if file.suffix == ".parquet":
            return pd.read_parquet(plain(file)).reset_index(drop=True)
        if file.suffix in (".csv", ".tsv"):
            table = read_csv(file)
            for column in range(table.shape[1]):
                cells = table.iloc[:, column].tolist()
                if any(cell.startswith("'") for cell in cells):  # no other cell is shielded
                    table.isetitem(column, [unshield(cell) for cell in cells])
            return table
    except (OSError, ValueError, UnicodeDecodeError) as error:  # pandas' parser errors are ValueErrors
        raise InputError(f"--ratings {file}: cannot be read as a table ({quote(str(error), 120)[1:-1]}).") from error
    raise InputError(
        f"--ratings {file}: expected a .csv or .parquet file with the columns {', '.join(COLUMNS)}, or a ratings store (a database URL or a SQLite file)."
    )


def _by_hand(table: Any, file: Path) -> Ratings:
    items: dict[Key, dict[str, int]] = {}
    rows: dict[tuple[str, int, str], list[int]] = {}
    bad: list[str] = []
    images, segments, labels, raters, scores = (table[column].tolist() for column in COLUMNS)
    columns = (images, _wholes(segments), segments, labels, raters, _wholes(scores), scores)
    for row, image, place, segment, label, rater, value, score in zip(table.index.tolist(), *columns, strict=True):
        if place is None or place < 0:
            bad.append(f"row {row}, segment: expected a whole number ≥ 0; found {quote(segment)}")
        elif value is None or value not in SCORES:
            bad.append(f"row {row}, score: expected 0, 1, 2 or 3; found {quote(score)}")
        elif not str(rater):
            bad.append(f"row {row}, rater: expected a name; found nothing")
        else:
            key = (str(image), place, str(label))
            items.setdefault(key, {})[str(rater)] = value
            rows.setdefault(key, []).append(row)
    _refuse(bad, file)
    return Ratings(items, frozenset(str(image) for image in table["image_id"]), rows=rows)


def _exported(table: Any, file: Path) -> Ratings:
    """Rows of ``zgbench ratings export``: the log of all answers, of which each rater's latest on an item counts."""
    items: dict[Key, dict[str, int]] = {}
    bad: list[str] = []
    images: dict[Key, str] = {}
    rules: set[str] = set()
    asked = table["question"].tolist() if "question" in table.columns else [QUESTION] * len(table)
    known = table["k"].tolist() if "k" in table.columns else [1] * len(table)
    columns = (table[column].tolist() for column in EXPORTED if column != "time")
    for row, question, k, item, image, rater, answer, score, excluded in zip(
        table.index.tolist(), asked, known, *columns, strict=True
    ):
        if question != QUESTION or _whole(k) == 0:  # of a control item, which belongs to no submission
            continue
        value = _whole(score)
        if answer == "score" and value not in SCORES:
            bad.append(f"row {row}, score: expected 0, 1, 2 or 3; found {quote(score)}")
        elif not rater or not item:
            bad.append(f"row {row}: expected an item and a rater; found nothing")
        elif excluded:
            rules.add(str(excluded))
        elif answer == "score" and value is not None:
            items.setdefault(str(item), {})[str(rater)] = value
            images[str(item)] = str(image)
        elif answer in ("cannot_tell", "withdrawn"):
            items.get(str(item), {}).pop(str(rater), None)
        elif answer != "skipped":
            bad.append(f"row {row}, answer: expected score, cannot_tell, skipped or withdrawn; found {quote(answer)}")
    _refuse(bad, file)
    left = {key: scores for key, scores in items.items() if scores}
    return Ratings(left, frozenset(images[key] for key in left), True, tuple(sorted(rules)))


def _refuse(bad: list[str], file: Path) -> None:
    if bad:
        more = f"\n  … and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
        raise InputError(f"--ratings {file}: {len(bad)} bad rows\n  " + "\n  ".join(bad[:_SHOWN]) + more)


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


def _wholes(values: list[Any]) -> Iterator[int | None]:
    """:func:`_whole` of each; of equal texts once."""
    known: dict[str, int | None] = {}
    for value in values:
        if type(value) is not str:
            yield _whole(value)
        else:
            if value not in known:
                known[value] = _whole(value)
            yield known[value]


def _whole(value: Any) -> int | None:
    if type(value) is str and len(value) == 1 and value in "0123456789":
        return int(value)
    try:
        number = float(value)
        return int(number) if number == int(number) else None
    except (TypeError, ValueError, OverflowError):
        return None
