"""How alike two classes are: what Open mIoU credits a wrong class with."""

from __future__ import annotations

import csv
import hashlib
import io
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zgbench import lexicon
from zgbench.datasets import Vocabulary
from zgbench.errors import InputError
from zgbench.scores.lexical import class_list

Float = NDArray[np.float64]
_MOST_BYTES = 64 << 20


@dataclass(frozen=True)
class Similarity:
    """Similarity of predicted (rows) and true class (columns).

    Attributes:
        name: in the signature of a score: what it was made by, with hashes.
        matrix: float64 [classes, classes], 0 to 1, 1 on the diagonal, in the vocabulary's order.
        given: whether it is a table of the user's own.
    """

    name: str
    matrix: Float
    given: bool = False


def path_similarity(vocabulary: Vocabulary) -> Similarity:
    """1 / (1 + edges on the shortest way through a common hypernym) of the nearest two synsets of two classes.

    A class without a synset in WordNet is like itself alone.
    """
    return _by_path(class_list(vocabulary))


@lru_cache(maxsize=8)
def _by_path(classes: lexicon.ClassList) -> Similarity:
    found = lexicon.load()
    synsets = found.mapper(classes).compiled.synsets
    above = [_above([found.hierarchy.above(synset) for synset in synsets[i]]) for i in classes.ids]
    n = len(above)
    matrix = np.eye(n)
    for i in range(n):
        for j in range(i):
            small, large = sorted((above[i], above[j]), key=len)
            ways = [distance + large[at] for at, distance in small.items() if at in large]
            if ways:
                matrix[i, j] = matrix[j, i] = 1 / (1 + min(ways))
    told = hashlib.sha256(repr(classes).encode()).hexdigest()[:8]
    return Similarity(f"path,{found.name}@{found.sha256[:8]},classes={told}", matrix)


def _above(each: list[dict[int, int]]) -> dict[int, int]:
    """Ancestors of any of a class's synsets → the least distance."""
    found: dict[int, int] = {}
    for one in each:
        for synset, distance in one.items():
            found[synset] = min(distance, found.get(synset, distance))
    return found


def read_similarity(path: str | os.PathLike[str], vocabulary: Vocabulary) -> Similarity:
    """A table of one's own: ``.csv`` with the class names in its first row (true) and first column (predicted).

    Raises:
        InputError: it cannot be read, a class is missing, or a number is not one of 0 to 1 (1 on the diagonal).
    """
    place = Path(path)
    try:
        if place.stat().st_size > _MOST_BYTES:
            raise InputError(f"{place}: more than {_MOST_BYTES >> 20} MB is no table of similarities.")
        content = place.read_bytes()
        rows = [row for row in csv.reader(io.StringIO(content.decode("utf-8-sig"))) if row]
    except OSError as error:
        raise InputError(f"{place}: {error.strerror or error}. Expected a .csv of similarities.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{place}: not a .csv in UTF-8 ({error}).") from error
    head = [name.strip() for name in rows[0][1:]] if rows else []
    side = [row[0].strip() for row in rows[1:]]
    for what, names in (("first row", head), ("first column", side)):
        missing = [name for name in vocabulary.names if name not in names]
        if missing or len(set(names)) < len(names):
            why = f"no {', '.join(map(ascii, missing[:5]))}" if missing else "a name stands twice"
            raise InputError(
                f"{place}: {what}: {why}. Expected each of the {len(vocabulary.names)} class names once, as zgbench mapping explain and per-class tables write them."
            )
    matrix = np.empty((len(vocabulary.names), len(vocabulary.names)))
    columns = [head.index(name) for name in vocabulary.names]
    for i, name in enumerate(vocabulary.names):
        row = rows[1 + side.index(name)][1:]
        for j, column in enumerate(columns):
            text = row[column] if column < len(row) else ""
            matrix[i, j] = _number(text, f"{place}: row {name!a}, column {vocabulary.names[j]!a}", diagonal=i == j)
    return Similarity(f"{_plain(place.name)}@{hashlib.sha256(content).hexdigest()[:8]}", matrix, given=True)


def _number(text: str, where: str, *, diagonal: bool) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 <= value <= 1 or (diagonal and value != 1):
        raise InputError(f"{where}: found {text[:20]!a}, expected {'1' if diagonal else 'a number from 0 to 1'}.")
    return value


def _plain(name: str) -> str:
    """A file name as a part of a signature."""
    return "".join(c if (c.isalnum() and c.isascii()) or c in "._-" else "_" for c in name)[:40]
