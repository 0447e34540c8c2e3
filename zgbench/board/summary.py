"""What paired tests need of a stored result, kept ready on disk.

Per-image statistics and the scores of the bootstrap resamples of one row; made once from the statistics file and kept
in the user's cache folder under the hash of the result file, so a summary can be absent but never stale.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from zgbench.board.entry import Entry, ScoreRow
from zgbench.board.true_names import fitting
from zgbench.encoders.cache import cache_dir
from zgbench.errors import ZgbenchError
from zgbench.scores import metrics
from zgbench.scores.comparison import row_of, statistics_of, vocabulary_of
from zgbench.scores.text_generation import Hits
from zgbench.statistics import resampling
from zgbench.storage.files import write_bytes

Float = NDArray[np.float64]
_FORMAT = 1


@dataclass(frozen=True)
class Summary:
    """One row of one result.

    Attributes:
        statistics: per image.
        samples: score → float64 [resamples], the scores of the bootstrap resamples.
    """

    statistics: metrics.Statistics | Hits
    samples: Mapping[str, Float]

    def ratio(self, score: str) -> tuple[Float, Float] | None:
        """Per-image numbers, float64 [images] each, whose sums' ratio is the score; None for ``iou_dataset``."""
        table, layout = self.statistics.per_image, self._layout
        if score == "iou_dataset":
            return None
        above, below = {"iou_image": ("iou", "images"), "tgq": ("hits", "all")}.get(
            score, (f"found.{score.removeprefix('recall.')}", "recalled")
        )
        return (table[:, layout[above]].toarray().ravel(), table[:, layout[below]].toarray().ravel())

    @property
    def _layout(self) -> Mapping[str, int]:
        return {"hits": 0, "all": 1} if isinstance(self.statistics, Hits) else self.statistics.layout

    def by_class(self) -> tuple[sparse.csr_matrix, int]:
        """Intersections and unions, float64 [images, 2 · classes], and the number of classes."""
        assert isinstance(self.statistics, metrics.Statistics)
        return self.statistics.per_image[:, self.statistics.layout["I"] :], self.statistics.n_classes


def summary(entry: Entry, row: ScoreRow) -> Summary:
    """The summary of a row.

    Raises:
        InputError, DataError: the result's files are missing or damaged.
    """
    with suppress(OSError, ValueError, KeyError, zipfile.BadZipFile, EOFError):
        return _load(_place(entry, row))
    made = _made(entry, row)
    keep(entry, row, made)
    return made


def keep(entry: Entry, row: ScoreRow, made: Summary) -> None:
    """Put a summary into the cache; without a writable one it is made anew each time."""
    with suppress(ZgbenchError):
        write_bytes(_place(entry, row), _packed(made))


def _place(entry: Entry, row: ScoreRow) -> Path:
    return cache_dir() / "board" / entry.sha256[:2] / f"{entry.sha256}.{row.group}.npz"


def _made(entry: Entry, row: ScoreRow) -> Summary:
    stored = entry.stored()
    found: metrics.Statistics | Hits
    if row.reassign == "TGQ":
        found = fitting(stored)
    else:
        found = statistics_of(stored, row_of(stored, (row.reassign, row.verify)), vocabulary_of(stored))
    protocol = stored.protocol
    drawn = weights(found.per_image.shape[0], protocol.resamples, protocol.seed)
    return Summary(found, found.scores(resampling.weighted_sums(found.per_image, drawn)))


@lru_cache(maxsize=2)
def weights(n_images: int, resamples: int, seed: int) -> resampling.Resamples:
    """How often each resample drew each image; kept, for all rows of a group share them."""
    return resampling.Resamples(n_images, resamples, seed)


def _packed(found: Summary) -> bytes:
    table = found.statistics.per_image
    names = list(found.samples)
    arrays = {
        "format": np.array(_FORMAT), "data": table.data, "indices": table.indices, "indptr": table.indptr,
        "shape": np.array(table.shape), "scores": np.array(names),
        "samples": np.stack([found.samples[name] for name in names]),
    }  # fmt: skip
    if isinstance(found.statistics, metrics.Statistics):
        layout = found.statistics.layout
        arrays |= {
            "columns": np.array(list(layout)), "places": np.array(list(layout.values())),
            "classes": np.array(found.statistics.n_classes),
        }  # fmt: skip
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def _load(place: Path) -> Summary:
    with np.load(place, allow_pickle=False) as stored:
        if int(stored["format"]) != _FORMAT:
            raise ValueError("another format")
        table = sparse.csr_matrix((stored["data"], stored["indices"], stored["indptr"]), tuple(stored["shape"]))
        samples = dict(zip(stored["scores"].tolist(), stored["samples"], strict=True))
        if "columns" not in stored:
            return Summary(Hits(table), samples)
        layout = dict(zip(stored["columns"].tolist(), stored["places"].tolist(), strict=True))
        return Summary(metrics.Statistics(table, layout, int(stored["classes"])), samples)
