"""Comparisons of results as people want to read or paste them: percentages, A − B, with 95 % intervals."""

from __future__ import annotations

import csv
import io
import json
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from zgbench.cli.console import console
from zgbench.cli.latex import escaped, verification
from zgbench.cli.render import percent
from zgbench.protocol import facts_of
from zgbench.ratings.spreadsheet import shield
from zgbench.scores.comparison import Comparison, Key, Pair, images_of, significant
from zgbench.scores.registry import TITLES, leads
from zgbench.statistics.power import FACTOR, images_needed, smallest
from zgbench.statistics.resampling import Difference

COLUMNS = (
    "data", "split", "images", "reassign", "verify", "a", "b", "score", "class", "a_value", "b_value", "difference",
    "low", "high", "p", "p_holm", "signature",
)  # fmt: skip


POWER = ("standard_error", "smallest", "images_needed")
SHOWN_IMAGES = 10_000_000
"""Of more than so many, nobody needs the number."""


def print_comparison(found: Comparison, style: str, *, power: bool = False) -> None:
    """Print paired differences.

    Args:
        style: ``table``, ``markdown``, ``latex``, ``csv`` or ``json``.
        power: also the smallest difference found in 80 % of cases, and the images needed for the one seen.
    """
    if style == "json":
        print(json.dumps(found.to_dict(power=power), indent=1, ensure_ascii=False, allow_nan=False))
    elif style == "csv":
        print(as_csv(found, power), end="")
    elif style == "markdown":
        print(as_markdown(found, power))
    elif style == "latex":
        print(as_latex(found, power))
    else:
        _print_tables(found, power)
        return
    for reason in found.refused:
        print(f"not compared: {reason}", file=sys.stderr)


@dataclass(frozen=True)
class _Table:
    """One row of two results: its scores, or one of its classes."""

    pair: Pair
    key: Key
    differences: dict[str, Difference]
    power: bool
    by_class: str = ""
    """The score whose classes they are; empty for scores of the row."""

    @property
    def classes(self) -> bool:
        """Whether it is about classes."""
        return bool(self.by_class)

    @property
    def title(self) -> str:
        """What it is about: data set, number of images and unit included."""
        how, verify, signature = self.key
        facts = facts_of(signature)
        a, b = self.pair.letters
        of = f"{TITLES[self.by_class]} by class, " if self.classes else ""
        return f"{of}{f'{how} {verify}'.strip()} on {facts['data']} {facts['split']}, {facts['n']} images (%; {a} − {b} with 95 % interval)"

    @property
    def head(self) -> list[str]:
        a, b = self.pair.letters
        holm = ["p (Holm)"] if self.corrected else []
        power = ["smallest", "images needed"] if self.power else []
        return ["class" if self.classes else "score", a, b, f"{a} − {b}", "p", *holm, *power, "better"]

    @property
    def corrected(self) -> bool:
        return any(d.p_holm is not None for d in self.differences.values())

    def rows(self) -> Iterator[list[str]]:
        for name, d in self.differences.items():
            title = name if self.classes else TITLES[name]
            first = leads(self.by_class or name, d.a, d.b)
            better = self.pair.letters[0 if first else 1] if significant(d) else ""
            holm = [_p(d.p_holm)] if self.corrected else []
            power = _power(d, images_of(self.key)) if self.power else []
            yield [title, _percent(d.a), _percent(d.b), _difference(d), _p(d.p), *holm, *power, better]


def _tables(found: Comparison, power: bool) -> Iterator[_Table]:
    for pair in found.pairs:
        for key, scores in pair.rows.items():
            yield _Table(pair, key, scores, power)
            if pair.per_class:
                yield _Table(pair, key, pair.per_class[key], power, "iou_dataset")
            for score, classes in pair.more_per_class.get(key, {}).items():
                yield _Table(pair, key, classes, power, score)


def _percent(value: float) -> str:
    return percent(None if math.isnan(value) else value)


def _difference(d: Difference) -> str:
    if math.isnan(d.difference):
        return "–"
    return f"{100 * d.difference:+.1f} [{100 * d.low:+.1f}, {100 * d.high:+.1f}]"


def _power(d: Difference, images: int) -> list[str]:
    """Smallest difference found, in points, and images needed for the one seen."""
    if math.isnan(d.difference) or math.isnan(d.se):
        return ["–", "–"]
    needed = images_needed(images, d.difference, d.se)
    told = "–" if needed is None else f"{needed:,}" if needed <= SHOWN_IMAGES else f"> {SHOWN_IMAGES:,}"
    return [f"{100 * smallest(d.se):.1f}", told]


def _p(p: float | None) -> str:
    return "–" if p is None or math.isnan(p) else f"{p:.4f}"


def _methods(found: Comparison) -> list[str]:
    letters = dict.fromkeys(letter for pair in found.pairs for letter in pair.letters)
    return [f"{letter}: {name}" for letter, name in zip(letters, found.names, strict=True)]


def _foot(found: Comparison, power: bool) -> str:
    told = _about_p(found)
    if power:
        told += (
            f" smallest: the difference that this test would find in 80 % of cases ({FACTOR} standard errors of the paired "
            "difference, before any correction); images needed: how many like these it takes to find the difference seen in 80 % "
            "of cases."
        )
    return told


def _about_p(found: Comparison) -> str:
    if len(found.pairs) == 1:
        told = "The better one where p < 0.05. p is not corrected for the number of scores"
        return told + (", but that of a class for the number of classes." if found.per_class else ".")
    return (
        f"The better one where p (Holm) < 0.05: corrected for the {len(found.pairs)} pairs, that of a class for the classes "
        "too; not for the number of scores."
    )


def as_markdown(found: Comparison, power: bool = False) -> str:
    """GitHub tables, each under its title."""
    lines = [f"- {_plain(line)}" for line in _methods(found)]
    for table in _tables(found, power):
        lines += ["", f"**{table.title}**", "", "| " + " | ".join(table.head) + " |"]
        lines += ["|" + "|".join(["---", *["---:"] * (len(table.head) - 2), "---"]) + "|"]
        lines += ["| " + " | ".join([_plain(name), *cells]) + " |" for name, *cells in table.rows()]
        if not table.classes:
            lines += ["", f"`{table.key[2]}`"]
    return "\n".join([*lines, "", _foot(found, power)])


def _plain(text: str) -> str:
    """A text from a file as Markdown shows it: no markup, no cell's end."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>|" else c for c in text)


def as_latex(found: Comparison, power: bool = False) -> str:
    """booktabs tables; the signatures are comments above them."""
    lines = [f"% {line}" for line in _methods(found)]
    for table in _tables(found, power):
        how, verify, signature = table.key
        facts = facts_of(signature)
        a, b = (escaped(name) for name in table.pair.names)
        columns = len(table.head)
        about = (
            f"{table.pair.letters[0]}: {a}, {table.pair.letters[1]}: {b}; {how}, {verification(verify)}, "
            rf"{escaped(facts['data'])} {escaped(facts['split'])}, {facts['n']} images, \%, 95\,\% intervals"
        )
        lines += [f"% {signature}", r"\begin{tabular}{l" + "r" * (columns - 2) + "l}"]
        lines += [rf"\multicolumn{{{columns}}}{{l}}{{{about}}} \\", r"\toprule"]
        lines += [" & ".join(_math(cell) for cell in table.head) + r" \\", r"\midrule"]
        lines += [" & ".join(_math(cell) for cell in row) + r" \\" for row in table.rows()]
        lines += [r"\bottomrule", r"\end{tabular}"]
    return "\n".join([*lines, f"% {_foot(found, power)}"])


def _math(cell: str) -> str:
    """A cell in LaTeX; ranges of its own kind, the rest escaped."""
    return escaped(cell).replace("−", "$-$").replace("–", "--")


def as_csv(found: Comparison, power: bool = False) -> str:
    """One line a score, or class, of a row of a pair; fractions 0–1."""
    text = io.StringIO()
    columns = (*COLUMNS[:-1], *(POWER if power else ()), COLUMNS[-1])
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    for table in _tables(found, power):
        how, verify, signature = table.key
        facts = facts_of(signature)
        for name, d in table.differences.items():
            numbers = {
                "a_value": d.a,
                "b_value": d.b,
                "difference": d.difference,
                "low": d.low,
                "high": d.high,
                "p": d.p,
            }
            numbers |= {} if d.p_holm is None else {"p_holm": d.p_holm}
            if power and not math.isnan(d.difference):
                needed = images_needed(images_of(table.key), d.difference, d.se)
                numbers |= {"standard_error": d.se, "smallest": smallest(d.se)}
                numbers |= {} if needed is None else {"images_needed": needed}
            writer.writerow(
                {
                    "data": facts["data"], "split": facts["split"], "images": facts["n"], "reassign": how, "verify": verify,
                    "a": shield(table.pair.names[0]), "b": shield(table.pair.names[1]),
                    "score": table.by_class or name, "class": name if table.classes else "",
                    **{key: value for key, value in numbers.items() if not math.isnan(value)}, "signature": signature,
                }
            )  # fmt: skip
    return text.getvalue()


def _print_tables(found: Comparison, power: bool = False) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    screen = console()
    screen.print(Text("\n".join(_methods(found))))
    for table in _tables(found, power):
        shown = Table(title=Text(table.title), box=box.SIMPLE_HEAVY, collapse_padding=True, pad_edge=False)
        for column in table.head:
            shown.add_column(Text(column), justify="left" if column in (table.head[0], "better") else "right")
        for row in table.rows():
            shown.add_row(*map(Text, row))
        screen.print(shown)
        if not table.classes:
            screen.print(Text(table.key[2]), soft_wrap=True, style="dim")
    for reason in found.refused:
        screen.print(Text(f"not compared: {reason}"), soft_wrap=True)
    screen.print(Text(_foot(found, power)), style="dim", soft_wrap=True)
