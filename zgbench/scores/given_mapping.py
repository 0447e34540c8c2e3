"""A mapping made once, by people or a language model, as a table: judges become repeatable.

A CSV file with the columns ``label``, ``class`` and, if wanted, ``level`` (0 name, 1 synonym, 2 kind, 3 part); ``none``
means that the label is no class of the list, and an empty cell that nobody has decided yet. A column ``segments`` (how
often a label occurs, as ``zgbench mapping new`` writes it) is passed over.
"""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zgbench.datasets import Vocabulary
from zgbench.errors import InputError, UsageError
from zgbench.pixels.counts import Counts
from zgbench.ratings.spreadsheet import shield, unshield
from zgbench.scores.reassignment import Decision, distinct_labels
from zgbench.storage.csv_table import read_csv
from zgbench.storage.files import sha256_file, write_bytes
from zgbench.submission.problems import Report, quote
from zgbench.submission.reader import open_submission

NONE = "none"
"""Stands for no class of the list."""
COLUMNS = ("label", "class", "level", "segments")
_LEVELS = {"": None, "0": 0, "1": 1, "2": 2, "3": 3}
_SHOWN = 20


@dataclass(frozen=True)
class GivenMapping:
    """A table that was read and checked against a class list.

    Attributes:
        classes: label → class id, 0 for none of the list; labels that nobody has decided are absent.
        levels: label → 0–3, for the labels of a class; empty for a table without levels.
    """

    name: str
    sha256: str
    classes: Mapping[str, int]
    levels: Mapping[str, int]

    @property
    def signature(self) -> str:
        """Name and hash of the table."""
        return f"{self.name}@{self.sha256[:8]}"

    def of_segments(self, labels: tuple[str, ...]) -> tuple[Decision, list[str]]:
        """T* and level of every segment, and the distinct labels that the table does not decide."""
        distinct, inverse = distinct_labels(labels)
        classes = np.array([self.classes.get(label, 0) for label in distinct], dtype=np.int64)
        levels = np.array([self.levels.get(label, -1) for label in distinct], dtype=np.int8)
        decision = Decision(
            classes[inverse], np.ones(len(labels), dtype=np.float32), levels[inverse] if self.levels else None
        )
        return decision, [label for label in distinct if label not in self.classes]


def class_id_of(vocabulary: Vocabulary) -> Callable[[str], int | None]:
    """Finds a class by its name, readable name or alias; 0 for ``none``, None where there is no such class."""
    also = {text: i for texts, i in zip(vocabulary.also, vocabulary.ids, strict=False) for text in texts}
    readable = dict(zip(vocabulary.readable, vocabulary.ids, strict=False))
    known = also | vocabulary.aliases | readable | dict(zip(vocabulary.names, vocabulary.ids, strict=True))
    return lambda name: 0 if name == NONE and NONE not in known else known.get(name)


def read_pairs(path: Path, vocabulary: Vocabulary, *, undecided: bool) -> list[tuple[str, int, int | None]]:
    """Rows of a table of labels and classes: label, class id (0 for none), level.

    Args:
        undecided: let rows without a class pass; they are left out.

    Raises:
        InputError: not such a table; tells every bad row, up to a limit.
    """
    try:
        table = read_csv(path)
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8. Save the table as CSV in UTF-8.") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not a readable CSV table ({quote(str(error), 160)[1:-1]}).") from error
    columns = list(table.columns)
    missing = [name for name in ("label", "class") if name not in columns]
    if missing:
        raise InputError(
            f"{path}: no column {', '.join(missing)}. Expected the columns label and class"
            f"{' (level is optional)' if undecided else ''}, found {quote(', '.join(map(str, columns)), 160)}."
        )
    class_of, found, bad, seen = class_id_of(vocabulary), [], [], dict[str, int]()
    levels = table["level"] if "level" in columns else [""] * len(table)
    for number, (label, name, level) in enumerate(zip(table["label"], table["class"], levels, strict=True), start=2):
        label, name = unshield(label), unshield(name).strip()
        if label in seen and undecided:
            bad.append(f"row {number}: the label {quote(label, 80)} stands in row {seen[label]} already; keep one")
            continue
        seen[label] = number
        if not name and undecided:
            continue
        class_id = class_of(name)
        if class_id is None:
            bad.append(f"row {number}: {quote(name, 80)} is no class of the list, no alias and not {NONE!r}")
        elif level.strip() not in _LEVELS:
            bad.append(f"row {number}: level {quote(level, 40)}: expected 0, 1, 2, 3 or nothing")
        else:
            found.append((label, class_id, _LEVELS[level.strip()]))
    if bad:
        more = f"\n  and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
        raise InputError(f"{path}: {len(bad)} bad rows:\n  " + "\n  ".join(bad[:_SHOWN]) + more)
    if not found:
        raise InputError(f"{path}: holds no {'decided label' if undecided else 'pair of label and class'}.")
    return found


def read_mapping(path: str | os.PathLike[str], vocabulary: Vocabulary) -> GivenMapping:
    """Read a table for ``evaluate --mapping``.

    Raises:
        InputError: see :func:`read_pairs`; or levels stand in some rows of a class only.
    """
    file = Path(path)
    rows = read_pairs(file, vocabulary, undecided=True)
    levels = {label: level for label, class_id, level in rows if class_id and level is not None}
    without = [label for label, class_id, level in rows if class_id and level is None]
    if levels and without:
        raise InputError(
            f"{file}: {len(without)} labels of a class have no level ({quote(without[0], 80)} is the first), others have. "
            "Give a level to all of them or to none."
        )
    return GivenMapping(file.stem, sha256_file(file), {label: class_id for label, class_id, _ in rows}, levels)


def new_mapping(submission: str | os.PathLike[str], target: Path) -> int:
    """Write the empty table of a submission's distinct labels, the commonest first (then by the alphabet).

    Returns:
        The number of distinct labels.

    Raises:
        SubmissionError, InputError: the submission cannot be read.
        UsageError: the target is there already; what people filled in is never written over.
    """
    if target.exists():
        raise UsageError(
            f"{target}: is there already, and may hold people's work. Choose another name, or move it away."
        )
    reader, report = open_submission(submission), Report()
    header = reader.header(report)
    report.raise_if_any(str(reader.path))
    assert header is not None
    found: Counter[str] = Counter()
    for image in reader.images(header, report):
        found.update(image.labels)
    report.raise_if_any(str(reader.path))
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(
        [shield(label), "", "", n] for label, n in sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
    )
    write_bytes(target, text.getvalue().encode())
    return len(found)


def told(counts: Counts, missing: list[str]) -> str:
    """What a table lacks, in a sentence; empty for nothing."""
    if not missing:
        return ""
    lacking = set(missing)
    segments = sum(label in lacking for label in counts.labels)
    some = ", ".join(quote(label, 40) for label in missing[:5])
    return (
        f"the mapping decides {len(set(counts.labels)) - len(missing)} of {len(set(counts.labels))} distinct labels; "
        f"{segments} of {len(counts.labels)} segments have no class for want of: {some}{', …' if len(missing) > 5 else ''}"
    )
