"""Reads a file of class names in the ways that people write one: a name a line, numbered lines, a table, JSON."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

from zgbench.datasets.class_list import MOST_ID

NO_CLASS = re.compile(r"_*(background|bg|void|unlabell?ed|ignored?|none|other|unknown)_*", re.IGNORECASE)
"""Names that lists of classes give to what is no class."""


def read_names(file: Path) -> dict[int, str] | None:
    """Stored value → name from a file, None where it holds nothing of the kind."""
    try:
        text = file.read_bytes().decode("utf-8-sig")
        if file.suffix == ".json":
            return _named(json.loads(text))
        if file.suffix in (".csv", ".tsv"):
            rows = list(csv.DictReader(text.splitlines(), dialect="excel-tab" if file.suffix == ".tsv" else "excel"))
            return _named([{k.strip().lower(): v for k, v in row.items() if k and v} for row in rows])
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        numbered = [re.fullmatch(r"(\d{1,5})\s*[:,;\t ]\s*(.+)", line) for line in lines]
        if lines and all(numbered):
            return _named({m[1]: m[2].strip() for m in numbered if m})
        return _named(lines)
    except (OSError, ValueError, LookupError, RecursionError, csv.Error):
        return None


def _named(content: Any) -> dict[int, str] | None:
    """Value → name from a list of names, a table {value: name}, or a list of records with id and name."""
    if isinstance(content, dict):
        content = content.get("categories", content.get("classes", content))
    if isinstance(content, list) and content and all(isinstance(c, dict) for c in content):
        number = next((k for k in ("id", "idx", "value", "index", "trainid") if k in content[0]), None)
        if number is None:
            return None
        content = {str(c[number]): str(c["name"]).split(";")[0].strip() for c in content}
    if isinstance(content, list) and all(isinstance(c, str) for c in content):
        start = 0 if content and NO_CLASS.fullmatch(content[0]) else 1
        content = {str(value): name for value, name in enumerate(content, start)}
    if not isinstance(content, dict):
        return None
    found = {int(value): str(name).strip() for value, name in content.items()}
    sound = all(0 <= v <= MOST_ID and n and n.isprintable() and len(n) <= 200 for v, n in found.items())
    return dict(sorted(found.items())) if sound and len(set(found.values())) == len(found) else None
