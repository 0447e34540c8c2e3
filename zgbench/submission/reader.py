"""Opens a submission of either format."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from zgbench.errors import InputError
from zgbench.submission import schema
from zgbench.submission.json_reader import JsonReader
from zgbench.submission.parquet_reader import ParquetReader
from zgbench.submission.problems import Report

SUFFIXES = (".json", ".json.gz", ".parquet")


class Reader(Protocol):
    """Reads a submission in two steps."""

    path: Path

    def header(self, report: Report) -> schema.Header | None:
        """The checked header, None when images cannot be checked without it."""
        ...

    def images(self, header: schema.Header, report: Report) -> Iterator[schema.Image]:
        """Images of sound structure; problems of the others go to ``report``."""
        ...


def suffix_of(path: Path) -> str:
    """One of ``SUFFIXES``. Raises InputError for any other."""
    for suffix in SUFFIXES:
        if path.name.endswith(suffix):
            return suffix
    raise InputError(f"{path}: expected a file that ends in {', '.join(SUFFIXES)}.")


def stem_of(path: Path) -> str:
    """File name without the submission suffix."""
    return path.name.removesuffix(suffix_of(path))


def open_submission(path: str | os.PathLike[str]) -> Reader:
    """A reader for a file.

    Raises:
        InputError: no such file, or not one of the formats by its ending.
    """
    path = Path(path)
    suffix = suffix_of(path)
    if not path.is_file():
        raise InputError(f"{path}: there is no such file.")
    return ParquetReader(path) if suffix == ".parquet" else JsonReader(path)
