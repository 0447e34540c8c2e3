"""What a notebook or a Python prompt shows of results: a few lines of text, or a small table in HTML."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING, Any

from zgbench.scores.verification import shown_by_default
from zgbench.statistics.resampling import Difference

if TYPE_CHECKING:
    from zgbench.scores.comparison import Comparison
    from zgbench.scores.result import Evaluation

_SCORES = ("iou_image", "iou_dataset", "recall.0.5")
_MOST = 12
"""Rows of a comparison; the rest is counted."""


def text_of_evaluation(found: Evaluation) -> str:
    """A line a row that people read, percentages with 95 % intervals."""
    lines = [f"<Evaluation of {_about(found)}; %, 95 % interval"]
    for row in _rows(found):
        scores = ", ".join(f"{name} {_interval(score)}" for name, score in _scores(row))
        lines.append(f"  {row['reassign']} {row['verify']}: {scores}")
    if found.tgq is not None:
        lines.append(f"  TGQ {_interval(found.tgq)}")
    lines += [f"  not scored: {name}" for name in found.unavailable]
    return "\n".join(lines) + ">"


def html_of_evaluation(found: Evaluation) -> str:
    """The same as a table; texts from a submission are escaped."""
    head = ["reassign", "verified by", "kept", *_SCORES]
    rows = [
        [row["reassign"], row["verify"], f"{row['segments_kept']}/{row['segments']}", *(_interval(s) for _, s in _scores(row))]
        for row in _rows(found)
    ]  # fmt: skip
    notes = [f"TGQ {_interval(found.tgq)}"] if found.tgq is not None else []
    notes += [f"not scored: {name}: {why}" for name, why in found.unavailable.items()]
    return _table(f"{_about(found)} (%, 95 % interval)", head, rows, notes)


def text_of_comparison(found: Comparison) -> str:
    """A line a row of each pair: the differences in IoU and recall, percentage points."""
    lines = [f"<Comparison of {', '.join(map(repr, found.names))}; %, 95 % interval"]
    lines += [f"  {' '.join(cells[:2])}: {', '.join(cells[2:])}" for cells in _differences(found, named=True)]
    lines += [f"  not compared: {len(found.refused)} rows"] if found.refused else []
    return "\n".join(lines) + ">"


def html_of_comparison(found: Comparison) -> str:
    """The same as a table."""
    title = "; ".join(found.names)
    return _table(
        f"{title} (%, 95 % interval)", ["pair", "row", *_SCORES], list(_differences(found, named=False)), found.refused
    )


def _about(found: Evaluation) -> str:
    about, data = found.result["submission"], found.result["dataset"]
    return f"{about['name']!r} on {data['key']} {data['split']}, {data['images']:,} images, track {about['track']}"


def _rows(found: Evaluation) -> list[Any]:
    verified: dict[str, list[str]] = {}
    for row in found.scores:
        verified.setdefault(row["reassign"], []).append(row["verify"])
    return [r for r in found.scores if shown_by_default(r["reassign"], r["verify"], verified[r["reassign"]])]


def _scores(row: Any) -> list[tuple[str, Any]]:
    return list(zip(_SCORES, (row["iou_image"], row["iou_dataset"], row["recall"]["0.5"]), strict=True))


def _interval(score: Any) -> str:
    value, (low, high) = score["value"], score["ci95"]
    if value is None:
        return "–"
    return f"{100 * value:.1f}" + (
        f" [{100 * low:.1f}, {100 * high:.1f}]" if low is not None and high is not None else ""
    )


def _differences(found: Comparison, *, named: bool) -> Iterable[list[str]]:
    number = 0
    for pair in found.pairs:
        for (how, verify, _), scores in pair.rows.items():
            number += 1
            if number > _MOST:
                continue
            names = _SCORES if set(_SCORES) <= set(scores) else tuple(scores)[: len(_SCORES)]
            told = [
                f"{name} {_points(scores[name])}" if named or names != _SCORES else _points(scores[name])
                for name in names
            ]
            yield [" − ".join(pair.letters), f"{how} {verify}", *told]
    if number > _MOST:
        yield ["…", f"{number - _MOST} more rows", *([] if named else [""] * len(_SCORES))]


def _points(d: Difference) -> str:
    return (
        "–" if d.difference != d.difference else f"{100 * d.difference:+.1f} [{100 * d.low:+.1f}, {100 * d.high:+.1f}]"
    )


def _table(title: str, head: list[str], rows: list[list[str]], notes: list[str]) -> str:
    cells = ["".join(f"<th>{escape(cell)}</th>" for cell in head)]
    cells += ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows]
    body = "".join(f"<tr>{row}</tr>" for row in cells)
    return f"<table><caption>{escape(title)}</caption>{body}</table>" + "".join(
        f"<div>{escape(n)}</div>" for n in notes
    )
