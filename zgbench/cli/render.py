"""Scores as people want to read or paste them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, get_args

from zgbench.cli.console import console, note
from zgbench.cli.latex import escaped, verification
from zgbench.protocol import Reassignment
from zgbench.ratings.spreadsheet import shield
from zgbench.scores.registry import TITLES, of_scope
from zgbench.scores.result import Evaluation
from zgbench.scores.result_tables import column_of, flat
from zgbench.scores.verification import shown_by_default

_CELL = 14
"""Columns of a terminal that a score takes, its interval below it: ``[28.5, 31.5]`` and the space between two."""


def percent(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """A fraction as a percentage with one decimal, with its interval where there is one."""
    if value is None:
        return "–"
    text = f"{100 * value:.1f}"
    return text if low is None or high is None else f"{text} [{100 * low:.1f}, {100 * high:.1f}]"


def _titles(found: Evaluation) -> dict[str, str]:
    """Columns of the scores of a row that were asked for and are there: key of a record → title."""
    there = {key for row in found.scores for key in flat(row)}
    return {column_of(name): TITLES[name] for name in of_scope(found.chosen, "row") if column_of(name) in there}


def _records(found: Evaluation) -> list[dict[str, Any]]:
    return [flat(row) for row in found.scores]


def _shown(found: Evaluation) -> list[dict[str, Any]]:
    """The rows that people read: of the nested levels of a lexicon the one that agrees best with people."""
    records = _records(found)
    verified: dict[str, list[str]] = {}
    for record in records:
        verified.setdefault(record["reassign"], []).append(record["verify"])
    return [r for r in records if shown_by_default(r["reassign"], r["verify"], verified[r["reassign"]])]


def _cells(record: dict[str, Any], keys: Iterable[str], *, intervals: bool = True) -> list[str]:
    ends = ("_low", "_high") if intervals else ()
    return [percent(record[key], *(record[key + end] for end in ends)) for key in keys]


def print_evaluation(found: Evaluation, style: str, place: Path | None) -> None:
    """Print the scores of a submission.

    Args:
        style: ``table``, ``markdown``, ``latex``, ``csv`` or ``json``.
        place: the result file, mentioned under the table.
    """
    if style == "json":
        print(json.dumps(stored(found), indent=1, ensure_ascii=False))
    elif style == "csv":
        print(as_csv([found]), end="")
    elif style == "markdown":
        print(as_markdown(found))
    elif style == "latex":
        print(as_latex(found))
    else:
        _print_table(found, place)
    if style not in ("table", "json"):
        for line in [*by_people(found), *_remarks(found)]:
            note(line)


def _remarks(found: Evaluation) -> list[str]:
    notes = [f"note: {note}" for note in found.dataset.notes]
    if not found.dataset.official and not found.dataset.notes:
        notes.append(f"note: {len(found.dataset.ids)} images, not the official split: the scores are not official.")
    notes += found.result.get("notes", [])
    about = found.result.get("labels")
    if about is not None and about["vague"] > 0:
        notes.append(
            f"note: {100 * about['vague']:.1f} % of {about['distinct']:,} distinct labels say nothing or everything and "
            f"have no class under LT: {about['generic']:,} are generic, {about['hedged']:,} name things of several classes."
        )
    return notes + [f"not scored: {name}: {why}" for name, why in found.unavailable.items()]


def by_people(found: Evaluation) -> list[str]:
    """What the ratings cover and how they go with the similarity, a line for each reassignment."""
    about = found.result.get("ratings", {})

    def told(statistic: dict[str, Any]) -> str:
        if statistic["value"] is None:
            return f"undefined ({statistic['reason']})"
        low, high = statistic["ci95"]
        ends = f" [{low:.3f}, {high:.3f}]" if low is not None else ""
        return f"{statistic['value']:.3f}{ends}"

    lines = []
    for how in get_args(Reassignment):
        if how in about:
            row = about[how]
            line = (
                f"{how} by people: {row['segments_rated']} of {row['segments']} segments rated, all of them in "
                f"{row['images_rated']} of {row['images']} images (h>=k is over these)"
            )
            if "tau" in row:
                j = f", J {row['tau']['youden_j']:.3f}" if row["tau"]["value"] is not None else ""
                line += (
                    f"; Spearman of rating and similarity {told(row['spearman'])}; "
                    f"τ that best separates h>=2 {told(row['tau'])}{j}"
                )
            lines.append(line)
    if about.get("excluded"):
        lines.append(f"raters left out by rule: {'; '.join(about['excluded'])}")
    return lines


def of_labels(found: Evaluation) -> list[str]:
    """The scores of labels without a reassignment, a line each."""
    return [
        f"{TITLES[name]} {percent(score['value'], *score['ci95'])} of {block['segments']} truth segments"
        for block in found.result.get("by_label", {}).values()
        for name, score in block["scores"].items()
    ]


def _print_table(found: Evaluation, place: Path | None) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    screen = console()
    about = found.result["submission"]
    data = found.result["dataset"]
    heading: str | None = (
        f"{about['name']} on {data['key']} {data['split']}, {data['images']} images, track {about['track']} (%, 95 % interval)"
    )
    titles, rows = list(_titles(found).items()), _shown(found)
    kept = {id(record): f"{record['segments_kept']}/{record['segments']}" for record in rows}
    taken = sum(max((len(text) for text in texts), default=0) + 2 for texts in ([r["reassign"] for r in rows], [r["verify"] for r in rows], kept.values()))  # fmt: skip
    abreast = max(1, (screen.width - taken) // _CELL)
    for at in range(0, len(titles) if found.scores else 0, abreast):
        some = dict(titles[at : at + abreast])
        table = Table(
            title=None if heading is None else Text(heading),
            box=box.SIMPLE_HEAVY,
            collapse_padding=True,
            pad_edge=False,
        )
        for column in ("", "verified by", "kept"):
            table.add_column(column, no_wrap=True)
        for column in some.values():
            table.add_column(column, justify="right", overflow="fold")
        for record in rows:
            cells = [cell.replace(" [", "\n[") for cell in _cells(record, some)]
            table.add_row(record["reassign"], record["verify"], kept[id(record)], *cells)
        screen.print(table)
        heading = None
    if found.tgq is not None and "tgq" in found.chosen:
        tgq = found.tgq
        screen.print(Text(f"TGQ {percent(tgq['value'], *tgq['ci95'])} of {tgq['segments']} truth segments"))
    for line in of_labels(found):
        screen.print(Text(line))
    signatures = [(f"{row['reassign']} {row['verify']}", row["signature"]) for row in _shown(found)]
    if found.tgq is not None and "tgq" in found.chosen:
        signatures.append(("TGQ", found.tgq["signature"]))
    signatures += [(scope, block["signature"]) for scope, block in found.result.get("by_label", {}).items()]
    for name, signature in signatures:
        screen.print(Text(f"{name}  {signature}"), soft_wrap=True, style="dim")
    for line in [*by_people(found), *_remarks(found)]:
        screen.print(Text(line), soft_wrap=True)
    hidden = len(found.scores) - len(_shown(found))
    if hidden:
        screen.print(Text(f"{hidden} more rows, by level: in the result file, and with --format csv"), soft_wrap=True)
    if place is not None:
        screen.print(Text(f"written: {place}"), soft_wrap=True)


def stored(found: Evaluation) -> dict[str, Any]:
    """The result file's content, as it was written, or as it would be."""
    if found.path is None:
        return dict(found.to_dict())
    content: dict[str, Any] = json.loads(found.path.read_text(encoding="utf-8"))
    return content


def as_csv(evaluations: Sequence[Evaluation]) -> str:
    """One line a row of scores, fractions 0–1; of several evaluations the submission's name and data set come first."""
    text = io.StringIO()
    records = []
    for found in evaluations:
        first = {"submission": shield(found.result["submission"]["name"]), "data": found.dataset.key}
        records += [(first if len(evaluations) > 1 else {}) | record for record in _records(found)]
    if records:
        writer = csv.DictWriter(
            text, list(dict.fromkeys(key for record in records for key in record)), lineterminator="\n"
        )
        writer.writeheader()
        writer.writerows(records)
    return text.getvalue()


def as_markdown(found: Evaluation) -> str:
    """A GitHub table with its signatures underneath."""
    titles = _titles(found)
    head = ["reassign", "verified by", "kept", *titles.values()]
    lines = ["| " + " | ".join(head) + " |", "|---|---|---|" + "---:|" * len(titles)]
    for record in _shown(found):
        kept = f"{record['segments_kept']}/{record['segments']}"
        lines.append("| " + " | ".join([record["reassign"], record["verify"], kept, *_cells(record, titles)]) + " |")
    if found.tgq is not None and "tgq" in found.chosen:
        lines += ["", f"TGQ {percent(found.tgq['value'], *found.tgq['ci95'])}"]
    lines += ["", *(f"- {line}" for line in told)] if (told := of_labels(found)) else []
    lines += [""] + [f"- `{row['signature']}`" for row in _shown(found)]
    return "\n".join(lines)


def as_latex(found: Evaluation) -> str:
    """A booktabs table, each interval under its score; data set and signatures are comments above it."""
    about, data = found.result["submission"], found.result["dataset"]
    titles = _titles(found)
    lines = [
        f"% {data['key']} {data['split']}, {data['images']} images, track {about['track']}; %, with 95 % intervals"
    ]
    lines += [f"% {row['signature']}" for row in _shown(found)]
    lines += [r"\begin{tabular}{lll" + "r" * len(titles) + "}", r"\toprule"]
    lines += [" & ".join(["method", "", "verified by", *titles.values()]) + r" \\", r"\midrule"]
    for record in _shown(found):
        start = [escaped(about["name"]), record["reassign"], verification(record["verify"])]
        lines.append(" & ".join([*start, *_cells(record, titles, intervals=False)]) + r" \\")
        ends = [cell.partition(" ")[2] for cell in _cells(record, titles)]
        small = [rf"{{\scriptsize {end}}}" if end else "" for end in ends]
        lines.append(" & ".join(["", "", "", *small]) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"])
