"""The paired test of every two methods of a group: what ranks and comparisons stand on.

The sign-flip test of :func:`zgbench.statistics.resampling.compare`, with the same signs, for all pairs at once. A flip changes
sums by a linear function of each method's statistics, so each method is projected on the signs once and a pair costs
a difference. Scores that are a ratio of sums take all 10,000 draws. Others, such as ``iou_dataset``, a ratio for each
class, stop early where more draws could not move p across 0.05: see ``draws``.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from zgbench.board.further import version_of
from zgbench.board.memo import keep
from zgbench.board.store import Board, Group
from zgbench.board.summary import Summary, summary
from zgbench.encoders.cache import cache_dir
from zgbench.errors import ZgbenchError
from zgbench.protocol import Protocol
from zgbench.scores.comparison import DRAWS
from zgbench.scores.registry import FAMILY_OF
from zgbench.statistics.resampling import flips, total
from zgbench.storage.files import write_bytes

Float = NDArray[np.float64]
Int = NDArray[np.int64]
LEVEL = 0.05
_SLACK = 1e-12
"""A flip that changes nothing must count as equal whatever the rounding; the same as in ``resampling.compare``."""
_STAGES = (250, 1000, DRAWS)
_SURE = 4.0
"""Standard errors between p and 0.05 that end the test of ``iou_dataset``."""


@dataclass(frozen=True)
class Pairs:
    """Two-sided p-values.

    Attributes:
        ids: entries, in the order of rows and columns.
        p: score → float64 [n, n], symmetric; NaN on the diagonal and where a score is undefined.
        draws: score → int64 [n, n], how many sign flips each was taken from.
    """

    ids: tuple[str, ...]
    p: dict[str, Float]
    draws: dict[str, Int]

    def at(self, score: str, a: str, b: str) -> tuple[float, int]:
        """p and number of draws of two entries."""
        i, j = self.ids.index(a), self.ids.index(b)
        return float(self.p[score][i, j]), int(self.draws[score][i, j])


_last: dict[tuple[str, str], Pairs] = {}
_KEPT = 16


def pairs(board: Board, group: Group, score: str) -> Pairs:
    """p-values of a score for all pairs of a group; what was worked out before is taken from the cache folder.

    Raises:
        InputError, DataError: a stored result is damaged.
    """
    entries = [board.entry(i) for i in group.ids]
    hashes = [e.sha256 for e in entries]
    place = kept_at(board, group, score)
    key = (str(place), hashlib.sha256("".join(hashes).encode()).hexdigest())
    if kept := _last.get(key):  # by content: a file may have been given another name
        return replace(kept, ids=group.ids)
    n = len(entries)
    p, draws = np.full((n, n), np.nan), np.zeros((n, n), dtype=np.int64)
    with (
        suppress(OSError, ValueError, KeyError, zipfile.BadZipFile, EOFError),
        np.load(place, allow_pickle=False) as old,
    ):
        known = {sha: k for k, sha in enumerate(old["hashes"].tolist())}
        here = [(k, known[sha]) for k, sha in enumerate(hashes) if sha in known]
        new, before = [k for k, _ in here], [k for _, k in here]
        p[np.ix_(new, new)] = old["p"][np.ix_(before, before)]
        draws[np.ix_(new, new)] = old["draws"][np.ix_(before, before)]
    wanted = np.triu(draws == 0, 1)
    if wanted.any():
        needed = wanted.any(axis=0) | wanted.any(axis=1)
        summaries = [
            summary(e, e.row(group.key), score) if used else None
            for e, used in zip(entries, needed.tolist(), strict=True)
        ]
        seed = Protocol(**entries[0].stored().result["protocol"]).seed
        first = next(s for s in summaries if s is not None)
        if first.ratio(score) is None:
            _test_sums(summaries, score, wanted, seed, p, draws)
        else:
            _test_ratios(summaries, score, wanted, seed, p, draws)
        with suppress(ZgbenchError):
            file = io.BytesIO()
            np.savez(file, hashes=np.array(hashes), p=p, draws=draws)
            write_bytes(place, file.getvalue())
    return keep(_last, key, Pairs(group.ids, {score: p}, {score: draws}), _KEPT)


def kept_at(board: Board, group: Group, score: str) -> Path:
    """File of the p-values that are known: ``hashes`` of the result files, ``p`` and ``draws`` [n, n]."""
    version = f" {version_of(FAMILY_OF[score])}" if score in FAMILY_OF else ""
    name = hashlib.sha256(f"{board.folder} {group.signature} {score}{version}".encode()).hexdigest()
    return cache_dir() / "board" / "pairs" / f"{name}.npz"


def _keep(p: Float, draws: Int, i: int, j: NDArray[np.intp], at_least: Int, taken: int) -> None:
    values = (at_least + 1) / (taken + 1)
    p[i, j] = p[j, i] = values
    draws[i, j] = draws[j, i] = taken


def _test_ratios(
    summaries: list[Summary | None], score: str, wanted: NDArray[np.bool_], seed: int, p: Float, draws: Int
) -> None:
    """Scores that are a sum over images by another."""
    ratios = [s.ratio(score) if s is not None else None for s in summaries]
    n_images = next(len(r[0]) for r in ratios if r is not None)
    nothing = np.zeros(n_images)
    above = np.stack([r[0] if r is not None else nothing for r in ratios], axis=1)  # [images, methods]
    below = np.stack([r[1] if r is not None else nothing for r in ratios], axis=1)
    present = [k for k, r in enumerate(ratios) if r is not None]
    same_below = bool((below[:, present] == below[:, present[:1]]).all())
    sum_above, sum_below = above.sum(axis=0), below.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = sum_above / sum_below
    rows = [(i, np.flatnonzero(wanted[i])) for i in range(len(summaries)) if wanted[i].any()]
    at_least = {i: np.zeros(len(j), dtype=np.int64) for i, j in rows}
    for signs in flips(n_images, DRAWS, seed):
        moved = signs @ above  # [draws, methods]
        moved_below = None if same_below else signs @ below
        for i, j in rows:
            shift = (moved[:, [i]] - moved[:, j]) * 0.5
            if moved_below is None:
                difference = 2 * shift / sum_below[i]
            else:
                middle, below_middle = (sum_above[i] + sum_above[j]) * 0.5, (sum_below[i] + sum_below[j]) * 0.5
                below_shift = (moved_below[:, [i]] - moved_below[:, j]) * 0.5
                with np.errstate(divide="ignore", invalid="ignore"):
                    difference = (middle + shift) / (below_middle + below_shift) - (middle - shift) / (
                        below_middle - below_shift
                    )
            seen = np.abs(value[i] - value[j])
            at_least[i] += (np.abs(difference) >= seen - _SLACK).sum(axis=0)
    for i, j in rows:
        _keep(p, draws, i, j, at_least[i], DRAWS)
        undefined = j[np.isnan(value[i] - value[j])]
        p[i, undefined] = p[undefined, i] = np.nan


def _test_sums(
    summaries: list[Summary | None], score: str, wanted: NDArray[np.bool_], seed: int, p: Float, draws: Int
) -> None:
    """Scores that sums over images have in another way, such as ``iou_dataset``: a ratio for each class, then their mean."""
    tables: list[sparse.csr_matrix | None] = []
    for s in summaries:
        tables.append(s.table(score).T.tocsr() if s is not None else None)
    first = next(s for s in summaries if s is not None)

    def score_of(sums: Float) -> Float:
        return first.value(score, sums)

    width = next(t.shape[0] for t in tables if t is not None)
    n_images = next(t.shape[1] for t in tables if t is not None)
    sums = np.stack([total(t.T) if t is not None else np.zeros(width) for t in tables])
    value = score_of(sums)
    left = {(i, int(j)) for i, j in zip(*np.nonzero(wanted), strict=True)}
    for stage in _STAGES:
        left = _stage(tables, sums, score_of, value, left, stage, seed, n_images, p, draws)
        if not left:
            return


def _stage(
    tables: list[sparse.csr_matrix | None], sums: Float, score_of: Callable[[Float], Float], value: Float, left: set[tuple[int, int]], stage: int,
    seed: int, n_images: int, p: Float, draws: Int,
) -> set[tuple[int, int]]:  # fmt: skip
    """Test some pairs with ``stage`` draws; gives those whose p is still too near to 0.05."""
    partners: dict[int, list[int]] = {}
    for i, j in sorted(left):
        partners.setdefault(i, []).append(j)
    used = sorted({k for pair in left for k in pair})
    slot = {k: at for at, k in enumerate(used)}
    at_least = {i: np.zeros(len(j), dtype=np.int64) for i, j in partners.items()}
    for signs in flips(n_images, stage, seed):
        columns = np.ascontiguousarray(signs.T)
        moved = np.stack([np.asarray(tables[k] @ columns).T for k in used])  # type: ignore[operator]
        for i, others in partners.items():
            for at, j in enumerate(others):
                shift = (moved[slot[i]] - moved[slot[j]]) * 0.5
                middle = (sums[i] + sums[j]) * 0.5
                difference = np.abs(score_of(middle + shift) - score_of(middle - shift))
                at_least[i][at] += int((difference >= abs(value[i] - value[j]) - _SLACK).sum())
    near: set[tuple[int, int]] = set()
    margin = _SURE * np.sqrt(LEVEL * (1 - LEVEL) / stage)
    for i, others in partners.items():
        _keep(p, draws, i, np.array(others), at_least[i], stage)
        for j in others:
            if np.isnan(value[i] - value[j]):
                p[i, j] = p[j, i] = np.nan
            elif stage < DRAWS and abs(p[i, j] - LEVEL) <= margin:
                near.add((i, j))
    return near
