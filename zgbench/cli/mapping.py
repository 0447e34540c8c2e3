"""``zgbench mapping``, as seen from a terminal."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from zgbench.cli.console import console, note
from zgbench.cli.render import percent
from zgbench.datasets import Vocabulary
from zgbench.errors import InputError, UsageError

_MOST_CLASSES = 100_000


def _vocabulary(classes: str) -> tuple[Vocabulary, str]:
    """The classes of a data set's key or of a file with a name a line, and the data set's key for the preset.

    Raises:
        UsageError: neither a key nor a file.
        InputError: the file holds no classes, or one twice.
    """
    from zgbench.datasets import KEYS, builtin_vocabulary, vocabulary_of_names
    from zgbench.datasets.definition import read_definition

    if classes in KEYS:
        return builtin_vocabulary(classes), classes
    path = Path(classes)
    if not path.is_file():
        raise UsageError(
            f"--classes {classes}: neither a data set ({', '.join(KEYS)}), nor a file with a class name a line, nor a dataset.toml."
        )
    if path.suffix == ".toml":
        return read_definition(path).vocabulary, "pas20"
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8. Save it as a text file in UTF-8.") from error
    names = [line for line in lines if line]
    seen: set[str] = set()
    twice = [name for name in names if name in seen or seen.add(name)]  # type: ignore[func-returns-value]
    if not names or twice or len(names) > _MOST_CLASSES:
        what = "holds no class name" if not names else f"{twice[0]!r} stands twice" if twice else "holds too many lines"
        raise InputError(f"{path}: {what}. Expected a class name a line, each once.")
    vocabulary, known = vocabulary_of_names(names)
    if known is not None:
        note(f"note: {path} is the class list of {known}; its aliases and synsets are used")
    return vocabulary, "pas20"


def _encoder(options: argparse.Namespace, key: str) -> tuple[Any, Any]:
    from zgbench.protocol import preset
    from zgbench.scores.ways import Encoders

    if options.protocol == "mini" and key != "mini":
        key = "mini"  # its text model is as good for any class list
    protocol = preset(options.protocol, key)
    return protocol, Encoders.of(protocol).text


def check(options: argparse.Namespace) -> int:
    """``zgbench mapping check``."""
    from zgbench.scores.given_mapping import read_pairs
    from zgbench.scores.mapping_check import check_mapping

    vocabulary, key = _vocabulary(options.classes)
    pairs = read_pairs(Path(options.pairs), vocabulary, undecided=False)
    protocol, text = _encoder(options, key)
    found = check_mapping([(label, class_id) for label, class_id, _ in pairs], vocabulary, protocol, text)
    if options.json:
        print(json.dumps(found.to_dict(), indent=1, ensure_ascii=False))
        return 0
    from rich.table import Table
    from rich.text import Text

    screen = console()
    table = Table(
        title=Text(f"{found.pairs:,} labels that people mapped, {len(vocabulary)} classes (%, 95 % interval)")
    )
    for column in ("rule", "agreement", "precision of what is kept", "right ones dropped"):
        table.add_column(column, justify="left" if column == "rule" else "right")
    for rule in found.rules:
        mark = " *" if rule["rule"] == found.default else ""
        table.add_row(
            Text(rule["rule"] + mark),
            percent(rule["agreement"]["value"], *rule["agreement"]["ci95"]),
            percent(rule["precision"], *(rule["precision_ci95"] or ())),
            percent(rule["dropped_right"], *(rule["dropped_right_ci95"] or ())),
        )
    screen.print(table)
    screen.print(Text("* the row that evaluate shows for LT"), style="dim")
    chosen = next(rule for rule in found.rules if rule["rule"] == found.default)
    if chosen["confusions"]:
        screen.print(Text(f"commonest confusions of {found.default}, people → rule:"))
    for c in chosen["confusions"]:
        screen.print(Text(f"  {c['count']:4} {c['people']} → {c['rule']}: {', '.join(c['labels'])}"), soft_wrap=True)
    for name, why in found.unavailable.items():
        screen.print(Text(f"not measured: {name}: {why}"), soft_wrap=True)
    return 0


def explain(options: argparse.Namespace) -> int:
    """``zgbench mapping explain``."""
    from zgbench.scores.lexical import with_text
    from zgbench.submission.schema import MAX_LABEL, text_problem

    vocabulary, key = _vocabulary(options.classes)
    _, text = _encoder(options, key)
    lexical, why = with_text(vocabulary, text)
    near = lexical.nearest()
    found = [lexical.mapper.explain(label, near) for label in options.labels]
    if options.json:
        print(json.dumps([one.as_json() for one in found], indent=1, ensure_ascii=False))
    else:
        for number, one in enumerate(found):
            print(("\n" if number else "") + "\n".join(one.lines()))
    for label in options.labels:
        if (problem := text_problem(label, MAX_LABEL)) is not None:
            note(f"note: {ascii(label)[:60]} could not stand in a submission: {problem}")
    if why:
        note(f"note: without the nearest text: {why}")
    return 0


def new(options: argparse.Namespace) -> int:
    """``zgbench mapping new``."""
    from zgbench.scores.given_mapping import new_mapping

    n = new_mapping(options.submission, Path(options.target))
    print(
        f"{options.target}: {n:,} distinct labels. Fill in class (or none), then: zgbench evaluate {options.submission} --mapping {options.target}"
    )
    return 0


def rated(options: argparse.Namespace) -> int:
    """``zgbench mapping rated``."""
    from zgbench.scores.rated_rules import rated_rules
    from zgbench.scores.result import load_result

    found = [rule for path in options.results for rule in rated_rules(load_result(Path(path)))]
    if options.json:
        print(json.dumps(found, indent=1, ensure_ascii=False))
        return 0
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text("kept segments that people rate 2 or 3 (%, 95 % interval over images)"))
    for column in ("method", "rule", "kept", "of these rated", "good"):
        table.add_column(column, justify="left" if column in ("method", "rule") else "right")
    for rule in found:
        cells = (f"{rule['kept']:,}", f"{rule['rated']:,}", percent(rule["good"], *rule["ci95"]))
        table.add_row(Text(rule["method"]), Text(rule["rule"]), *cells)
    console().print(table)
    return 0


def sensitivity(options: argparse.Namespace) -> int:
    """``zgbench mapping sensitivity``."""
    from zgbench.scores.sensitivity import sensitivity as run

    found = run([Path(path) for path in options.results], score=options.score)
    if options.json:
        print(json.dumps(found.to_dict(), indent=1, ensure_ascii=False))
        return 0
    from rich.table import Table
    from rich.text import Text

    table = Table(
        title=Text(f"{found.score}, %, under other mappers; Kendall's τ of the order with {found.settings[0]}")
    )
    table.add_column("mapper and threshold")
    table.add_column("τ", justify="right")
    for method in found.methods:
        table.add_column(Text(method), justify="right", overflow="fold")
    for setting in found.settings:
        tau = found.tau[setting]
        cells = [percent(None if value != value else value) for value in found.values[setting]]
        table.add_row(Text(setting), "–" if tau != tau else f"{tau:+.2f}", *cells)
    screen = console()
    screen.print(table)
    for name, why in found.unavailable.items():
        screen.print(Text(f"left out: {name}: {why}"), soft_wrap=True)
    return 0
