"""A score of every entry of a group in every resample of the images: what ranks and differences would be on other images.

The resamples are the same for all entries, so whatever is worked out within one of them is paired.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zgbench.board.further import version_of
from zgbench.board.memo import keep
from zgbench.board.store import Board, Group
from zgbench.board.summary import summary
from zgbench.encoders.cache import cache_dir
from zgbench.errors import ZgbenchError
from zgbench.scores.registry import FAMILY_OF
from zgbench.storage.files import write_bytes

Float = NDArray[np.float64]
Int = NDArray[np.int64]
_KEPT = 16
_last: dict[tuple[str, str], Resampled] = {}


@dataclass(frozen=True)
class Resampled:
    """A score of the entries of a group.

    Attributes:
        ids: entries, in the order of rows.
        samples: float64 [entries, resamples]; NaN where the score is undefined.
    """

    ids: tuple[str, ...]
    samples: Float

    def of(self, ids: list[str]) -> Float:
        """Samples of some of them, [ids, resamples]."""
        place = {entry_id: at for at, entry_id in enumerate(self.ids)}
        return self.samples[[place[one] for one in ids]]


def resampled(board: Board, group: Group, score: str) -> Resampled:
    """Samples of a score for all entries of a group; what was read before is taken from the cache folder.

    Raises:
        InputError, DataError: a stored result is damaged.
    """
    entries = [board.entry(i) for i in group.ids]
    hashes = [entry.sha256 for entry in entries]
    place = _place(board, group, score)
    key = (str(place), hashlib.sha256("".join(hashes).encode()).hexdigest())
    if kept := _last.get(key):  # by content: a file may have been given another name
        return replace(kept, ids=group.ids)
    known: dict[str, Float] = {}
    with (
        suppress(OSError, ValueError, KeyError, zipfile.BadZipFile, EOFError),
        np.load(place, allow_pickle=False) as old,
    ):
        known = dict(zip(old["hashes"].tolist(), old["samples"], strict=True))
    rows: list[Float | None] = [
        known[e.sha256] if e.sha256 in known else summary(e, e.row(group.key), score).samples.get(score)
        for e in entries
    ]
    width = next((len(row) for row in rows if row is not None), 0)
    table = np.stack([np.full(width, np.nan) if row is None else row for row in rows])
    if not set(hashes) <= known.keys():
        with suppress(ZgbenchError):
            file = io.BytesIO()
            np.savez(file, hashes=np.array(hashes), samples=table)
            write_bytes(place, file.getvalue())
    return keep(_last, key, Resampled(group.ids, table), _KEPT)


def _place(board: Board, group: Group, score: str) -> Path:
    version = f" {version_of(FAMILY_OF[score])}" if score in FAMILY_OF else ""
    name = hashlib.sha256(f"{board.folder} {group.signature} {score}{version}".encode()).hexdigest()
    return cache_dir() / "board" / "samples" / f"{name}.npz"


def standard_errors(samples: Float) -> Float:
    """Standard error of the paired difference of every two rows, [methods, resamples] → [methods, methods].

    Taken over the resamples in which both are defined; NaN where there are fewer than two.
    """
    n = len(samples)
    if np.isfinite(samples).all() and samples.shape[1] > 1:
        covariance = np.atleast_2d(np.cov(samples))
        spread = np.diag(covariance)
        return np.asarray(np.sqrt(np.maximum(spread[:, None] + spread[None, :] - 2 * covariance, 0)))
    found = np.full((n, n), np.nan)
    for i in range(n):
        for j in range(n):
            difference = samples[i] - samples[j]
            defined = difference[~np.isnan(difference)]
            if len(defined) > 1:
                found[i, j] = defined.std(ddof=1)
    return found


def rank_intervals(samples: Float, *, higher_is_better: bool = True) -> tuple[Int, Int]:
    """2.5th and 97.5th percentile of each method's place, 1 for the best, by the score alone over the resamples.

    Args:
        samples: float64 [methods, resamples]; one that is undefined in a resample comes last in it.

    Returns:
        Lowest and highest place, int64 [methods] each; equals share the better place.
    """
    worth = np.where(np.isnan(samples), -np.inf, samples if higher_is_better else -samples)
    ordered = np.sort(worth, axis=0)
    places = np.empty(worth.shape, dtype=np.int64)
    for column in range(worth.shape[1]):  # how many are better, and one
        places[:, column] = len(worth) + 1 - np.searchsorted(ordered[:, column], worth[:, column], side="right")
    low, high = np.quantile(places, [0.025, 0.975], axis=1, method="inverted_cdf")
    return low.astype(np.int64), high.astype(np.int64)
