"""A ranking as text to paste: CSV, LaTeX, Markdown. Names are a stranger's and are escaped for each."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from typing import Any

from zgbench.board.entry import SCORES
from zgbench.board.store import Group
from zgbench.submission.problems import quote

_ABOUT = (
    "rank", "rank_low", "rank_high", "name", "kind", "id", "text_guidance", "segmentation_labels", "images", "official",
    "segments", "kept", "authors", "year", "paper", "code", "licence", "parameters", "zero_shot",
)  # fmt: skip
_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
}  # fmt: skip


def plain(text: str, limit: int = 200) -> str:
    """A stranger's text on one line, with control and bidi characters escaped."""
    return quote(text, limit)[1:-1]


def percent(value: float | None) -> str:
    """A fraction as a percentage with one decimal."""
    return "–" if value is None else f"{100 * value:.1f}"


def _scores(rows: Sequence[dict[str, Any]]) -> list[str]:
    return [name for name in SCORES if rows and name in rows[0]]


def ranking_csv(rows: Sequence[dict[str, Any]]) -> str:
    """One line a method, then baselines and ceilings (``kind``), whose rank is empty.

    Scores are fractions 0–1 with the ends of their intervals; undefined ones are empty.
    """
    text = io.StringIO()
    ends = [f"{name}{end}" for name in _scores(rows) for end in ("", "_low", "_high")]
    writer = csv.DictWriter(text, [*_ABOUT, *ends, "submission_sha256"], extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: _cell(value) if isinstance(value, str) else value for key, value in row.items()})
    return text.getvalue()


def differences_csv(rows: Sequence[dict[str, Any]]) -> str:
    """Records of :mod:`zgbench.board.differences`, a line each; the names are a stranger's."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: _cell(value) if isinstance(value, str) else value for key, value in row.items()})
    return text.getvalue()


def ranking_record(rows: Sequence[dict[str, Any]], group: Group, score: str) -> dict[str, Any]:
    """A ranking for programs: the records with their names as they are, under the signature that they share."""
    return {
        "format": "zgbench-ranking/1", "dataset": group.dataset, "group": group.key, "signature": group.signature,
        "official": group.official, "ordered_by": score, "rows": list(rows),
    }  # fmt: skip


def as_json(record: dict[str, Any]) -> str:
    """A record as a JSON text."""
    return json.dumps(record, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _cell(text: str) -> str:
    """No spreadsheet takes it for a formula."""
    shown = plain(text)
    return f"'{shown}" if shown[:1] in ("=", "+", "-", "@") else shown


def ranking_markdown(rows: Sequence[dict[str, Any]], group: Group) -> str:
    """A GitHub table, %, with 95 % intervals and the signature underneath."""
    names = _scores(rows)
    head = ["rank", "method", *(SCORES[name] for name in names)]
    lines = ["| " + " | ".join(head) + " |", "|---:|---|" + "---:|" * len(names)]
    for row in rows:
        kind = "" if row["kind"] == "method" else f" ({row['kind']})"
        cells = [
            rank_with_interval(row),
            markdown_text(row["name"]) + kind,
            *(_with_interval(row, name) for name in names),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", f"`{group.signature}`", ""])


def rank_of(row: dict[str, Any]) -> str:
    """1, or 2= where others share it, or – where there is none."""
    if row["rank"] is None:
        return "–"
    return f"{row['rank']}{'=' if row['tied'] else ''}"


def rank_cell(row: dict[str, Any]) -> str:
    """A rank of fixed width, so that texts sort as ranks do: 2, 2=, 10=, and – at the end."""
    return "–" if row["rank"] is None else f"{row['rank']:>5}{'=' if row['tied'] else ' '}"


def rank_with_interval(row: dict[str, Any]) -> str:
    """``2= [1, 4]``: the rank, and between which places a method stands on other images."""
    interval = "" if row["rank_low"] is None else f" [{row['rank_low']}, {row['rank_high']}]"
    return rank_of(row) + interval


def _with_interval(row: dict[str, Any], name: str) -> str:
    if row[name] is None:
        return "–"
    return f"{percent(row[name])} [{percent(row[f'{name}_low'])}, {percent(row[f'{name}_high'])}]"


def markdown_text(text: str) -> str:
    """Every character that could mean something is escaped; angle brackets and ampersands as entities."""
    shown = plain(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    shown = re.sub(r"([\\`*_{}\[\]()#+!|~$@:-])", r"\\\1", shown)
    return re.sub(r"(?i)(www)\.", r"\1&#46;", shown)  # no link is made of it


def ranking_latex(rows: Sequence[dict[str, Any]], group: Group) -> str:
    """A booktabs table, %; the signature is a comment above it."""
    names = _scores(rows)
    lines = [f"% {plain(group.signature)}", r"\begin{tabular}{rl" + "r" * len(names) + "}", r"\toprule"]
    lines += [" & ".join(["", "method", *(SCORES[name] for name in names)]) + r" \\", r"\midrule"]
    for at, row in enumerate(rows):
        if row["kind"] != "method" and at and rows[at - 1]["kind"] == "method":
            lines.append(r"\midrule")
        kind = "" if row["kind"] == "method" else f" ({row['kind']})"
        cells = [
            rank_with_interval(row).replace("–", "--"),
            _latex(row["name"]) + kind,
            *(percent(row[n]).replace("–", "--") for n in names),
        ]
        lines.append(" & ".join(cells) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def _latex(text: str) -> str:
    return "".join(_LATEX.get(c, c) for c in plain(text))
