"""Methods over data sets: Borda rank and mean, within one family of protocols.

Only methods that have a score on every chosen data set are in the table, so all are compared on the same. On a data set
a method gets a point for each other method of the table that it beats by the score, and half a point for each equal
(Borda's count); its rank is by the sum. Unlike the mean it lets no data set of large differences outweigh the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zgbench.board.entry import Entry, Score
from zgbench.board.families import Family
from zgbench.board.resampled import rank_intervals, resampled
from zgbench.board.store import Board, Group
from zgbench.board.summary import score_of
from zgbench.errors import UsageError
from zgbench.scores.registry import SCORES
from zgbench.statistics import resampling

Float = NDArray[np.float64]
RULE = (
    "Borda: on each data set a method gets a point for every other method of the table that it beats by the score, half a "
    "point for an equal one; ranked by the sum. Its interval, and that of the mean over data sets, is the 2.5th to 97.5th "
    "percentile over resamples of the images of every data set. Only methods that have all of these data sets are in the "
    "table; baselines and ceilings have no rank and give no points."
)


@dataclass(frozen=True)
class Row:
    """A method, or a baseline or ceiling (``kind``). The name comes from a stranger.

    Attributes:
        scores: data set → score with its interval.
        entries: data set → id of the entry.
        points: Borda's count; None for what is not ranked, as ``rank``.
        rank, rank_low, rank_high: by the points, 1 for the best; equals share the better rank.
        mean: of the scores over data sets, with its interval.
    """

    name: str
    kind: str
    scores: Mapping[str, Score]
    entries: Mapping[str, str]
    mean: Score
    points: float | None = None
    rank: int | None = None
    rank_low: int | None = None
    rank_high: int | None = None


@dataclass(frozen=True)
class OverDatasets:
    """The table.

    Attributes:
        family: of protocols, of which all scores are.
        score: name in the registry.
        datasets: the chosen ones.
        rows: best first; then baselines and ceilings, by their mean.
        left_out: what is not in the table → why.
    """

    family: Family
    score: str
    datasets: tuple[str, ...]
    rows: tuple[Row, ...]
    left_out: Mapping[str, str]


def over_datasets(
    board: Board, family: Family, datasets: Sequence[str] | None = None, score: str | None = None
) -> OverDatasets:
    """Put the methods of a family side by side over data sets.

    Args:
        datasets: keys, each once; None: all that the family has.
        score: name of a score; None: the first that the family has on all of them.

    Raises:
        UsageError: the family lacks a data set or the score.
        InputError, DataError: a stored result is damaged.
    """
    keys = tuple(family.groups if datasets is None else dict.fromkeys(datasets))
    if missing := [key for key in keys if key not in family.groups]:
        raise UsageError(
            f"the family {family.key} ({family.title}) has no results on {', '.join(missing)}. It has: {', '.join(family.groups)}."
        )
    groups = {key: family.groups[key] for key in keys}
    of_groups = [(*group.scores, *group.further) for group in groups.values()]
    shared = [name for name in SCORES if all(name in names for names in of_groups)]
    if not keys or not shared:
        raise UsageError(f"no score is known on all of {', '.join(keys) or 'no data set'}.")
    chosen = score or shared[0]
    if chosen not in shared:
        raise UsageError(f"score {chosen!r}: expected one of {', '.join(shared)}, which {', '.join(keys)} have.")
    found, left_out = _complete(board, groups, chosen)
    methods = [name for name, of in found.items() if next(iter(of.values())).kind == "method"]
    apart = [name for name in found if name not in methods]
    samples = {key: _samples(board, group, chosen, key, found) for key, group in groups.items()}
    rows = [_row(name, found[name], groups, chosen, {key: samples[key][name] for key in keys}) for name in found]
    by_name = {row.name: row for row in rows}
    ranked = _ranked([by_name[name] for name in methods], samples, keys, chosen)
    sign = 1 if SCORES[chosen].better == "higher" else -1
    others = sorted((by_name[name] for name in apart), key=lambda row: (-sign * (row.mean.value or 0.0), row.name))
    return OverDatasets(family, chosen, keys, (*ranked, *others), left_out)


def _complete(
    board: Board, groups: Mapping[str, Group], score: str
) -> tuple[dict[str, dict[str, Entry]], dict[str, str]]:
    """Name → its entry on each data set, of those that have all; and why others are left out."""
    there: dict[str, dict[str, list[Entry]]] = {}
    for key, group in groups.items():
        for entry in map(board.entry, group.ids):
            row = entry.row(group.key)
            known = score in row.scores or score in group.further
            if known and score_of(entry, row, score).value is not None:
                there.setdefault(entry.name, {}).setdefault(key, []).append(entry)
    found, left_out = {}, {}
    for name, of in there.items():
        several = [key for key, entries in of.items() if len(entries) > 1]
        lacking = [key for key in groups if key not in of]
        if several:
            left_out[name] = f"several entries have this name on {', '.join(several)}"
        elif lacking:
            left_out[name] = f"not on {', '.join(lacking)}"
        elif len({entries[0].kind for entries in of.values()}) > 1:
            left_out[name] = "a method on some of the data sets, a baseline or ceiling on others"
        else:
            found[name] = {key: of[key][0] for key in groups}
    return found, left_out


def _samples(
    board: Board, group: Group, score: str, key: str, found: Mapping[str, Mapping[str, Entry]]
) -> dict[str, Float]:
    """Name → the score in each resample of a data set's images."""
    drawn = resampled(board, group, score)
    return dict(zip(found, drawn.of([of[key].id for of in found.values()]), strict=True))


def _row(
    name: str, entries: Mapping[str, Entry], groups: Mapping[str, Group], score: str, samples: Mapping[str, Float]
) -> Row:
    scores = {key: score_of(entry, entry.row(groups[key].key), score) for key, entry in entries.items()}
    values = [found.value for found in scores.values() if found.value is not None]
    low, high = resampling.interval(np.mean(list(samples.values()), axis=0))
    mean = Score(float(np.mean(values)), *(None if np.isnan(end) else end for end in (low, high)))
    first = next(iter(entries.values()))
    return Row(name, first.kind, scores, {key: entry.id for key, entry in entries.items()}, mean)


def _ranked(rows: list[Row], samples: Mapping[str, Mapping[str, Float]], keys: Sequence[str], score: str) -> list[Row]:
    if not rows:
        return []
    sign = 1 if SCORES[score].better == "higher" else -1
    values = [np.array([sign * (row.scores[key].value or 0.0) for row in rows])[:, None] for key in keys]
    points = np.sum([borda(column) for column in values], axis=0)[:, 0]
    drawn = [sign * np.stack([samples[key][row.name] for row in rows]) for key in keys]
    low, high = rank_intervals(np.sum([borda(column) for column in drawn], axis=0))
    ranked = [
        Row(
            row.name, row.kind, row.scores, row.entries, row.mean, float(points[at]), 1 + int((points > points[at]).sum()),
            int(low[at]), int(high[at]),
        )
        for at, row in enumerate(rows)
    ]  # fmt: skip
    return sorted(
        ranked, key=lambda row: (row.rank or 0, -sign * (row.mean.value or 0.0), row.name.casefold(), row.name)
    )


def borda(worth: Float) -> Float:
    """Points of each method: others that are worse, and half of those that are equal.

    Args:
        worth: float64 [methods, columns], more is better; NaN is worse than any number.

    Returns:
        float64 [methods, columns].
    """
    filled = np.where(np.isnan(worth), -np.inf, worth)
    ordered = np.sort(filled, axis=0)
    points = np.empty(filled.shape)
    for column in range(filled.shape[1]):
        below = np.searchsorted(ordered[:, column], filled[:, column], side="left")
        upto = np.searchsorted(ordered[:, column], filled[:, column], side="right")
        points[:, column] = below + (upto - below - 1) / 2
    return points
