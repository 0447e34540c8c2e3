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

from zgbench.board.entry import Entry, Score, ScoreRow
from zgbench.board.further import version_of
from zgbench.board.true_names import fitting
from zgbench.encoders.cache import cache_dir
from zgbench.errors import DataError, ZgbenchError
from zgbench.scores import metrics
from zgbench.scores.by_label import ByLabel
from zgbench.scores.comparison import row_of, rule_of, statistics_of, vocabulary_of
from zgbench.scores.families.united import Classes
from zgbench.scores.further import Further, further, possible, similarity_for
from zgbench.scores.registry import FAMILY_OF
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

    statistics: metrics.Statistics | Hits | Further | ByLabel
    samples: Mapping[str, Float]

    def ratio(self, score: str) -> tuple[Float, Float] | None:
        """Per-image numbers, float64 [images] each, whose sums' ratio is the score; None where it is none."""
        table = self.statistics.per_image
        if score == "iou_dataset" or isinstance(self.statistics, Further):
            return None
        if isinstance(self.statistics, ByLabel):
            above_at = 1 + self.statistics.names.index(score)
            return table[:, [above_at]].toarray().ravel(), table[:, [0]].toarray().ravel()
        layout = self._layout
        above, below = {"iou_image": ("iou", "images"), "tgq": ("hits", "all")}.get(
            score, (f"found.{score.removeprefix('recall.')}", "recalled")
        )
        return (table[:, layout[above]].toarray().ravel(), table[:, layout[below]].toarray().ravel())

    @property
    def _layout(self) -> Mapping[str, int]:
        if isinstance(self.statistics, metrics.Statistics):
            return self.statistics.layout
        return {"hits": 0, "all": 1}

    def table(self, score: str) -> sparse.csr_matrix:
        """Per-image numbers whose sums :meth:`value` makes a score of, float64 [images, columns]."""
        return self.by_class()[0] if score == "iou_dataset" else self.statistics.per_image

    def value(self, score: str, sums: Float) -> Float:
        """A score of sums, float64 [..., columns] → [...]."""
        if score == "iou_dataset":
            n = sums.shape[-1] // 2
            return metrics.mean_class_iou(sums[..., :n], sums[..., n:])
        return self.statistics.scores(sums)[score]

    def classes(self, score: str, sums: Float) -> Float | None:
        """A score of each class, float64 [..., columns of :meth:`table`] → [..., classes]; None where classes have none."""
        if isinstance(self.statistics, Further):
            return self.statistics.by_class(sums).get(score)
        if score != "iou_dataset":
            return None
        n = sums.shape[-1] // 2
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(sums[..., :n] / sums[..., n:])

    def score(self, name: str) -> Score:
        """A score with its interval."""
        value = self.statistics.scores(resampling.total(self.statistics.per_image))[name]
        told = (float(value), *resampling.interval(self.samples[name]))
        return Score(*(None if np.isnan(number) else number for number in told))

    def by_class(self) -> tuple[sparse.csr_matrix, int]:
        """Intersections and unions, float64 [images, 2 · classes], and the number of classes."""
        assert isinstance(self.statistics, metrics.Statistics)
        first, n = self.statistics.layout["I"], self.statistics.n_classes
        return self.statistics.per_image[:, first : first + 2 * n], n


def summary(entry: Entry, row: ScoreRow, score: str = "iou_image") -> Summary:
    """The summary of a row.

    Args:
        score: of the row's own scores, which have one summary, or a further one, which has that of its family.

    Raises:
        InputError, DataError: the result's files are missing or damaged.
    """
    with suppress(OSError, ValueError, KeyError, zipfile.BadZipFile, EOFError):
        return _load(_place(entry, row, score))
    made = _made(entry, row, score)
    keep(entry, row, made, score)
    return made


def score_of(entry: Entry, row: ScoreRow, name: str) -> Score:
    """A score of a row: as the result has it, or worked out from its counts."""
    return row.scores[name] if name in row.scores else summary(entry, row, name).score(name)


def keep(entry: Entry, row: ScoreRow, made: Summary, score: str = "iou_image") -> None:
    """Put a summary into the cache; without a writable one it is made anew each time."""
    with suppress(ZgbenchError):
        write_bytes(_place(entry, row, score), _packed(made))


def _place(entry: Entry, row: ScoreRow, score: str) -> Path:
    family = f".{version_of(FAMILY_OF[score])}" if score in FAMILY_OF else ""
    return cache_dir() / "board" / entry.sha256[:2] / f"{entry.sha256}.{row.group}{family}.npz"


def _made(entry: Entry, row: ScoreRow, score: str) -> Summary:
    stored = entry.stored()
    found: metrics.Statistics | Hits | Further | ByLabel
    if row.reassign in ("LABELS", "ORACLE"):
        if stored.labels is None:
            raise DataError(f"{entry.path.name}: its numbers by image are missing. Add the submission again.")
        found = stored.labels.only([name for name in stored.labels.names if name in row.scores])
    elif score in FAMILY_OF:
        vocabulary = vocabulary_of(stored)
        names = possible([name for name, family in FAMILY_OF.items() if family == FAMILY_OF[score]], vocabulary)
        verified = row_of(stored, (row.reassign, row.verify))
        similarity = similarity_for(names, vocabulary)
        found = further(verified, stored.counts, vocabulary, rule_of(stored), names, similarity)
    elif row.reassign == "TGQ":
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
    if isinstance(found.statistics, Further):
        further_layout = found.statistics.layout
        arrays |= {
            "columns": np.array(list(further_layout)), "spans": np.array(list(further_layout.values())),
            "names": np.array(found.statistics.names), "classes": np.array(found.statistics.classes.n),
            "kinds": np.array(found.statistics.classes.kinds, dtype=np.str_),
        }  # fmt: skip
    elif isinstance(found.statistics, ByLabel):
        arrays["labels"] = np.array(found.statistics.names)
    elif isinstance(found.statistics, metrics.Statistics):
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
        if "labels" in stored:
            return Summary(ByLabel(table, tuple(stored["labels"].tolist())), samples)
        if "columns" not in stored:
            return Summary(Hits(table), samples)
        if "spans" in stored:
            spans = [(int(first), int(width)) for first, width in stored["spans"].tolist()]
            classes = Classes(int(stored["classes"]), tuple(stored["kinds"].tolist()))
            columns = dict(zip(stored["columns"].tolist(), spans, strict=True))
            return Summary(Further(table, columns, tuple(stored["names"].tolist()), classes), samples)
        layout = dict(zip(stored["columns"].tolist(), stored["places"].tolist(), strict=True))
        return Summary(metrics.Statistics(table, layout, int(stored["classes"])), samples)
