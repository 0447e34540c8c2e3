"""Outcomes of the pixel pass as an Arrow table: how they travel between the machines of a cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from zgbench.errors import DataError, InputError
from zgbench.pixels.counts import ImageCounts
from zgbench.pixels.pixel_pass import Outcome, Rejected
from zgbench.submission.problems import Problem

_ERRORS: dict[str, type[InputError]] = {"InputError": InputError, "DataError": DataError}


@dataclass(frozen=True)
class Found:
    """What a part of a submission holds at one place.

    Attributes:
        id, path: of the image; None where its structure is so spoilt that it cannot be counted.
        segments: how many it has.
        outcome: of the pixel pass; None for an image that is not asked for.
        error: why reading cannot go on.
    """

    id: str | None = None
    path: str = ""
    segments: int = 0
    outcome: Outcome | None = None
    error: InputError | None = None


def pack(part: int, found: list[Found]) -> Any:
    """A table of one row an element, or one row that says that there is none.

    Args:
        part: number of the part of the submission, in the column ``part``.
    """
    import pyarrow as pa

    rows = found or [Found()]
    counted = [f.outcome if isinstance(f.outcome, ImageCounts) else None for f in rows]
    problems = [f.outcome.problems if isinstance(f.outcome, Rejected) else None for f in rows]

    def ints(name: str) -> Any:
        values = [None if c is None else getattr(c, name) for c in counted]
        return pa.array(values, pa.list_(pa.int32()))

    return pa.table(
        {
            "part": pa.array([part] * len(rows), pa.int64()),
            "id": pa.array([f.id for f in rows], pa.string()),
            "path": pa.array([f.path for f in rows], pa.string()),
            "count": pa.array([f.segments for f in rows], pa.int64()),
            "error": pa.array([None if f.error is None else type(f.error).__name__ for f in rows], pa.string()),
            "message": pa.array([None if f.error is None else str(f.error) for f in rows], pa.string()),
            "problems": pa.array([None if p is None else json.dumps([asdict(x) for x in p]) for p in problems], pa.string()),
            "labels": pa.array([None if c is None else c.labels for c in counted], pa.list_(pa.string())),
            "truth": ints("truth"), "size": ints("size"),
            "segments": ints("segments"), "classes": ints("classes"), "pixels": ints("pixels"), "void": ints("void"),
        }
    )  # fmt: skip


def unpack(table: Any) -> Iterator[Found]:
    """The elements of :func:`pack`, in order; a placeholder for none is left out."""
    for row in table.to_pylist():
        outcome: Outcome | None = None
        if row["problems"] is not None:
            outcome = Rejected([Problem(**problem) for problem in json.loads(row["problems"])])
        elif row["size"] is not None:
            height, width = row["size"]
            segments, classes, pixels = (
                np.array(row[name], dtype=np.int32) for name in ("segments", "classes", "pixels")
            )
            void = None if row["void"] is None else np.array(row["void"], dtype=np.int32)
            about = (row["id"], (height, width), row["labels"], row["truth"])
            outcome = ImageCounts(*about, segments, classes, pixels, void=void)
        error = None if row["error"] is None else _ERRORS[row["error"]](row["message"])
        if row["id"] is not None or outcome is not None or error is not None:
            yield Found(row["id"], row["path"], row["count"], outcome, error)
