"""The board as one HTML file that loads nothing, as a Markdown table, as CSV and JSON, and as badges."""

from __future__ import annotations

import html
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zgbench.board.badge import badge
from zgbench.board.cited import NOTE, cited_rows
from zgbench.board.entry import SCORES
from zgbench.board.links import https_link
from zgbench.board.ranking import APART, RULE, ranking
from zgbench.board.ranking_text import (
    as_json,
    percent,
    plain,
    rank_with_interval,
    ranking_csv,
    ranking_markdown,
    ranking_record,
)
from zgbench.board.store import Board, Group
from zgbench.storage.files import write_bytes

_STYLE = """
:root { color-scheme: light dark; --text: #1b1f24; --back: #ffffff; --soft: #5b6570; --line: #d7dce1; --bar: #2f6fde; --zebra: #f5f7f9; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6e9ec; --back: #14171a; --soft: #9aa5b0; --line: #323a42; --bar: #6ea2ff; --zebra: #1b2025; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 1rem; font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back); }
h1 { font-size: 1.6rem; margin: .5rem 0; } h2 { font-size: 1.25rem; margin: 2.2rem 0 .4rem; } h3 { font-size: 1rem; margin: 1.4rem 0 .3rem; }
p { max-width: 48rem; } .soft { color: var(--soft); font-size: .875rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .4rem .6rem; text-align: right; border-bottom: 1px solid var(--line); vertical-align: top; white-space: nowrap; }
th { color: var(--soft); font-weight: 600; } tr:nth-child(even) td { background: var(--zebra); }
.name { text-align: left; white-space: normal; min-width: 9rem; overflow-wrap: anywhere; } small { display: block; color: var(--soft); }
.bar { display: block; height: 3px; margin-top: 3px; background: var(--bar); border-radius: 2px; }
a { color: var(--bar); }
code { font-size: .8rem; overflow-wrap: anywhere; color: var(--soft); }
@media (max-width: 40rem) {
  thead { display: none; } table, tbody, tr, td { display: block; width: 100%; }
  tr { border-bottom: 2px solid var(--line); padding: .5rem 0; } td { text-align: left; border: 0; padding: .1rem 0; white-space: normal; }
  td::before { content: attr(data-head) " "; color: var(--soft); } td.name { font-weight: 600; } small { display: inline; }
  tr:nth-child(even) td { background: none; } .bar { display: none; }
}
"""


def export_static(board: Board, folder: Path) -> list[Path]:
    """Write the board as files for any web server; the same board gives the same bytes.

    Addresses stay the same from one export to the next: ``index.html``, ``leaderboard.md``, ``leaderboard.json``, and for each
    protocol, by the hash of its signature, ``data/DATASET-GROUP.csv`` and ``.json`` and ``badges/DATASET-GROUP/ID.svg``.

    Returns:
        Paths of the three files and the two folders.
    """
    groups = [group for dataset in board.datasets() for group in board.groups(dataset)]
    tables = {group.key: ranking(board, group.key, group.scores[0]) for group in groups}
    targets = [folder / "index.html", folder / "leaderboard.md", folder / "leaderboard.json"]
    write_bytes(targets[0], "".join(f"{line}\n" for line in _page(groups, tables)).encode())
    write_bytes(targets[1], _markdown(groups, tables).encode())
    about = [ranking_record(tables[group.key], group, group.scores[0]) for group in groups]
    write_bytes(targets[2], as_json({"format": "zgbench-leaderboard/1", "rankings": about}).encode())
    for group, record in zip(groups, about, strict=True):
        rows, name = tables[group.key], _name(group)
        write_bytes(folder / "data" / f"{name}.csv", ranking_csv(rows).encode())
        write_bytes(folder / "data" / f"{name}.json", as_json(record).encode())
        for row in rows:
            if row["kind"] == "method":
                svg = badge(row, group, group.scores[0])
                write_bytes(folder / "badges" / name / f"{row['id']}.svg", svg.encode())
    return [*targets, folder / "data", folder / "badges"]


def _name(group: Group) -> str:
    """First part of a group's file names."""
    return f"{group.dataset}-{group.key}"


def _markdown(groups: list[Group], tables: dict[str, list[dict[str, Any]]]) -> str:
    parts = ["# zgbench leaderboard", "", "%, with 95 % bootstrap intervals over images.", RULE, ""]
    for group in groups:
        parts += [f"## {group.dataset}: {group.title}", "", ranking_markdown(tables[group.key], group)]
    parts += ["## Cited", "", NOTE, "", "| method | data set | score | by | % | table |", "|---|---|---|---|---:|---:|"]
    for row in cited_rows():
        by = f"{row['reassign']} {row['verify']}".strip() or "–"
        parts.append(
            f"| {row['method']} | {row['dataset']} | {row['score']} | {by.replace('>=', '≥')} | {percent(row['value'])} | {row['table']} |"
        )
    return "\n".join([*parts, ""])


def _page(groups: list[Group], tables: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    yield '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    yield f"<title>zgbench leaderboard</title><style>{_STYLE}</style></head><body><main>"
    yield "<h1>zgbench leaderboard</h1>"
    yield "<p>Zero-guidance segmentation: free-text segments, mapped to classes, verified and scored. Every number was worked out by zgbench from the submission itself; in %, with 95 % bootstrap intervals over images.</p>"
    yield f'<p class="soft">{_text(RULE)}</p>'
    for dataset in dict.fromkeys(group.dataset for group in groups):
        yield f"<h2>{_text(dataset)}</h2>"
        for group in (g for g in groups if g.dataset == dataset):
            yield f"<h3>{_text(group.title)}</h3>"
            rows = tables[group.key]
            yield from _table(group, [row for row in rows if row["kind"] == "method"])
            if apart := [row for row in rows if row["kind"] != "method"]:
                yield f'<p class="soft">{_text(APART)}</p>'
                yield from _table(group, apart)
            yield f"<p><code>{_text(group.signature)}</code></p>"
            files = ", ".join(
                f'<a href="data/{_text(_name(group))}.{end}">{end.upper()}</a>' for end in ("csv", "json")
            )
            yield f'<p class="soft">{files}</p>'
    yield from _cited()
    yield "</main></body></html>"


def _table(group: Group, rows: list[dict[str, Any]]) -> Iterator[str]:
    if not rows:
        yield "<p>No method has been scored yet.</p>"
        return
    heads = ["Rank", "Method", *(SCORES[name] for name in group.scores)]
    yield '<div class="wide"><table><thead><tr>' + "".join(
        f"<th{_class(h)}>{_text(h)}</th>" for h in heads
    ) + "</tr></thead><tbody>"  # fmt: skip
    for row in rows:
        rank, _, places = rank_with_interval(row).partition(" ")
        notes = [] if row["kind"] == "method" else [row["kind"]]
        notes += [n for key, n in (("text_guidance", "text-guided"), ("segmentation_labels", "trained on segmentation labels")) if row[key]]  # fmt: skip
        shown = [_text(note) for note in notes]
        for what in ("paper", "code"):
            if address := https_link(row[what]):
                shown.append(f'<a href="{_text(address)}" rel="noopener nofollow">{what}</a>')
        small = f"<small>{', '.join(shown)}</small>" if shown else ""
        rank += f" <small>{places}</small>" if places else ""
        cells = [f'<td data-head="Rank">{rank}</td>', f'<td class="name" data-head="">{_text(row["name"])}{small}</td>']
        cells += [_score(row, name) for name in group.scores]
        yield f'<tr id="{_text(group.key)}-{_text(row["id"])}">{"".join(cells)}</tr>'
    yield "</tbody></table></div>"


def _score(row: dict[str, Any], name: str) -> str:
    value = row[name]
    if value is None:
        return f'<td data-head="{_text(SCORES[name])}">–</td>'
    between = f"<small>[{percent(row[f'{name}_low'])}, {percent(row[f'{name}_high'])}]</small>"
    bar = f'<span class="bar" style="width:{100 * value:.1f}%"></span>'
    return f'<td data-head="{_text(SCORES[name])}">{percent(value)} {between}{bar}</td>'


def _cited() -> Iterator[str]:
    yield f'<h2>Cited</h2><p class="soft">{_text(NOTE)}</p>'
    heads = ("Method", "Data set", "Score", "By", "%", "Source")
    yield '<div class="wide"><table><thead><tr>' + "".join(f"<th{_class(h)}>{h}</th>" for h in heads) + "</tr></thead><tbody>"  # fmt: skip
    for row in cited_rows():
        by = f"{row['reassign']} {row['verify']}".strip().replace(">=", " ≥ ") or "–"
        cells = [f'<td class="name" data-head="">{_text(row["method"])}<small> {_text(row["remarks"])}</small></td>']
        told = (row["dataset"], row["score"], by, percent(row["value"]), f"table {row['table']}")
        cells += [f'<td data-head="{h}">{_text(t)}</td>' for h, t in zip(heads[1:], told, strict=True)]
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</tbody></table></div>"


def _class(head: str) -> str:
    return ' class="name"' if head == "Method" else ""


def _text(text: str) -> str:
    """A stranger's text as HTML shows it: nothing in it has a meaning."""
    return html.escape(plain(text, 1000))
