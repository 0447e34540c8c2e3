"""Methods over data sets as text to paste: Markdown, CSV, JSON. Names are a stranger's and are escaped for each."""

from __future__ import annotations

import csv
import io
from typing import Any

from zgbench.board.entry import Score
from zgbench.board.over_datasets import RULE, OverDatasets, Row
from zgbench.board.ranking_text import markdown_text, percent, plain
from zgbench.ratings.spreadsheet import shield
from zgbench.scores.registry import TITLES

HEAD = ("rank", "method", "Borda")


def head(found: OverDatasets) -> list[str]:
    """Titles of the columns: rank, method, Borda, mean, then the data sets."""
    return [*HEAD, "mean", *found.datasets]


def cells(found: OverDatasets, row: Row) -> list[str]:
    """A row in words; the name as it is."""
    scores = [row.scores[key] for key in found.datasets]
    points = "–" if row.points is None else f"{row.points:g}"
    return [rank_of(row), row.name, points, interval(row.mean), *map(interval, scores)]


def rank_of(row: Row) -> str:
    """``2 [1, 3]``; the kind of what has no rank."""
    return row.kind if row.rank is None else f"{row.rank} [{row.rank_low}, {row.rank_high}]"


def interval(score: Score) -> str:
    """A score in percent with its interval."""
    if score.low is None or score.high is None:
        return percent(score.value)
    return f"{percent(score.value)} [{percent(score.low)}, {percent(score.high)}]"


def notes(found: OverDatasets) -> list[str]:
    """What the table stands on, and what is not in it; names with control characters escaped."""
    told = [f"{TITLES[found.score]}, %, with 95 % intervals. {RULE}", found.family.demanded]
    for why in dict.fromkeys(found.left_out.values()):
        names = "; ".join(plain(name) for name, reason in found.left_out.items() if reason == why)
        told.append(f"Left out, {why}: {names}.")
    for group in found.family.others:
        if group.dataset in found.datasets:
            told.append(
                f"Left out, on other images or with another ground truth of {group.dataset}: {len(group.ids)} results."
            )
    return told


def as_markdown(found: OverDatasets) -> str:
    """A GitHub table with notes and the signature of each data set underneath."""
    titles = head(found)
    lines = ["| " + " | ".join(titles) + " |", "|---|---|" + "---:|" * (len(titles) - 2)]
    for row in found.rows:
        rank, name, *rest = cells(found, row)
        lines.append("| " + " | ".join([rank, markdown_text(name), *rest]) + " |")
    lines += ["", *(markdown_text(note) if note.startswith("Left out") else note for note in notes(found)), ""]
    lines += [f"- `{found.family.groups[key].signature}`" for key in found.datasets]
    return "\n".join([*lines, ""])


def as_csv(found: OverDatasets) -> str:
    """One line a method and data set, and one for the mean (an empty data set); fractions 0–1."""
    text = io.StringIO()
    columns = ("rank", "rank_low", "rank_high", "name", "kind", "points", "score", "dataset", "value", "low", "high", "signature")  # fmt: skip
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    for row in found.rows:
        about = {
            "rank": row.rank, "rank_low": row.rank_low, "rank_high": row.rank_high, "name": shield(plain(row.name)),
            "kind": row.kind, "points": row.points, "score": found.score,
        }  # fmt: skip
        for key, score in [("", row.mean), *row.scores.items()]:
            signature = found.family.groups[key].signature if key else ""
            writer.writerow(
                about | {"dataset": key, "value": score.value, "low": score.low, "high": score.high, "signature": signature}
            )  # fmt: skip
    return text.getvalue()


def record(found: OverDatasets) -> dict[str, Any]:
    """For programs; the names are as they are."""

    def plainly(score: Score) -> dict[str, Any]:
        return {"value": score.value, "ci95": [score.low, score.high]}

    return {
        "format": "zgbench-over-datasets/1",
        "score": found.score,
        "family": {"key": found.family.key, "shared": dict(found.family.shared)},
        "datasets": {
            key: {"group": found.family.groups[key].key, "signature": found.family.groups[key].signature,
                  "images": found.family.groups[key].images} for key in found.datasets
        },
        "rows": [
            {
                "name": row.name, "kind": row.kind, "rank": row.rank, "rank_ci95": [row.rank_low, row.rank_high],
                "points": row.points, "mean": plainly(row.mean),
                "scores": {key: plainly(score) for key, score in row.scores.items()}, "entries": dict(row.entries),
            }
            for row in found.rows
        ],
        "left_out": dict(found.left_out),
    }  # fmt: skip
