"""Measures every rule of the mapping against labels with a known class: leaderboard/validity.csv, and the table in docs/mapping.md.

    make validity

Rules that need a text model are measured with each that is at hand (``--models DIR`` or ``ZGBENCH_MODELS`` for
all-mpnet-base-v2). The labels that people mapped are not part of the project; where they are not at hand their old rows
are kept.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

from zgbench.board.validity import PEOPLE
from zgbench.datasets import builtin_vocabulary, vocabulary_of_names
from zgbench.encoders import CachedTextEncoder, EmbeddingCache
from zgbench.encoders.text import SentenceBert
from zgbench.protocol import PRESETS
from zgbench.scores.given_mapping import read_pairs
from zgbench.scores.mapping_check import check_mapping
from zgbench.storage.files import write_bytes

PROJECT = Path(__file__).resolve().parent.parent
SHARED = PROJECT.parent / "shared/data/mapping"
COLUMNS = ("list", "labels", "classes", "rule", "model", "agreement", "low", "high", "precision", "dropped_right")
LISTS = {
    PEOPLE: (SHARED / "cityscapes19_people.csv", SHARED / "cityscapes19_classes.txt"),
    "everyday words, PC-59": (PROJECT / "tests/lexicon/pairs_pc59.csv", "pc59"),
    "everyday words, PC-459": (PROJECT / "tests/lexicon/pairs_pc459.csv", "pc459"),
}
MODELS = {"all-mpnet-base-v2": "v1", "all-MiniLM-L6-v2": "offline"}
SHOWN = (
    "TT cos>=0.5",
    "TT",
    "LT level<=0",
    "LT level<=1",
    "LT level<=2",
    "LT level<=3",
    "LT level<=4",
    "LT level<=4+text",
)
TARGET = PROJECT / "leaderboard/validity.csv"
MARKS = ("<!-- validity: made by make validity -->\n", "<!-- end of validity -->\n")


def measured() -> list[dict[str, str]]:
    """Rows of every list that is at hand."""
    rows = []
    for words, (pairs, classes) in LISTS.items():
        if not pairs.is_file():
            print(f"{words}: not at hand, old rows kept")
            continue
        if isinstance(classes, Path):
            vocabulary, _ = vocabulary_of_names(classes.read_text(encoding="utf-8").splitlines())
        else:
            vocabulary = builtin_vocabulary(classes)
        labels = [(label, class_id) for label, class_id, _ in read_pairs(pairs, vocabulary, undecided=False)]
        for model, protocol in MODELS.items():
            encoder = CachedTextEncoder(SentenceBert(model), EmbeddingCache())
            found = check_mapping(labels, vocabulary, PRESETS[protocol], encoder)
            for name, why in found.unavailable.items():
                print(f"{words}, {model}: without {name}: {why.splitlines()[0]}")
            for rule in found.rules:
                asks = model if rule["rule"].startswith("TT") or rule["rule"].endswith("+text") else ""
                low, high = rule["agreement"]["ci95"]
                row = [words, found.pairs, len(vocabulary), rule["rule"], asks, rule["agreement"]["value"], low, high, rule["precision"], rule["dropped_right"]]  # fmt: skip
                record = dict(zip(COLUMNS, (f"{x:.6f}" if isinstance(x, float) else str(x) for x in row), strict=True))
                if record not in rows:
                    rows.append(record)
    return rows


def with_old(new: list[dict[str, str]]) -> list[dict[str, str]]:
    """New rows, and the old ones of what could not be measured now."""
    if not TARGET.is_file():
        return new
    with TARGET.open(encoding="utf-8", newline="") as file:
        old = list(csv.DictReader(file))
    have = {(row["list"], row["rule"], row["model"]) for row in new}
    kept = [r for r in old if r["rule"] in SHOWN and (r["list"], r["rule"], r["model"]) not in have]
    return sorted(new + kept, key=lambda row: (list(LISTS).index(row["list"]), SHOWN.index(row["rule"]), row["model"]))


def table(rows: list[dict[str, str]]) -> str:
    """As Markdown, a line a rule."""
    sizes = {row["list"]: f"{row['labels']} {row['list']}, {row['classes']} classes" for row in rows}
    lines = ["| rule | text model | " + " | ".join(sizes.values()) + " |", "|---|---|" + "---:|" * len(sizes)]
    kinds = dict.fromkeys((row["rule"], row["model"]) for row in sorted(rows, key=lambda r: SHOWN.index(r["rule"])))
    for rule, model in kinds:
        cells = []
        for words in sizes:
            row = next((r for r in rows if (r["list"], r["rule"], r["model"]) == (words, rule, model)), None)
            cells.append("–" if row is None else "{:.1f} [{:.1f}, {:.1f}]".format(*(100 * float(row[k]) for k in ("agreement", "low", "high"))))  # fmt: skip
        lines.append(f"| {rule} | {model or '–'} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    rows = with_old(measured())
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_bytes(TARGET, text.getvalue().encode())
    page = PROJECT / "docs/mapping.md"
    before, _, rest = page.read_text(encoding="utf-8").partition(MARKS[0])
    write_bytes(page, (before + MARKS[0] + table(rows) + MARKS[1] + rest.partition(MARKS[1])[2]).encode())
    print(table(rows))


if __name__ == "__main__":
    main()
