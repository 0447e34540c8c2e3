"""Reads a CSV table as texts, each row with as many cells as the header has names."""

from __future__ import annotations

import io
import re
import warnings
from pathlib import Path
from typing import Any

from zgbench.storage.text import decode

_SEPARATORS = (",", ";", "\t", "|")
_DECIMAL = re.compile(r"-?\d+,\d+")


def read_csv(file: Path) -> Any:
    """A pandas table of texts, "" for an empty cell, its rows numbered from 0.

    Columns are separated by commas, or by the semicolons or tabs that spreadsheets write in many countries, told from the
    header; then ``0,5`` is a number and becomes ``0.5``.

    Left to itself, pandas takes the first cell of longer rows for a name of the row, and shifts the others: a comma too
    many in the first row, and every value would stand under another column.

    Raises:
        OSError, ValueError, InputError: not such a table.
    """
    import pandas as pd

    text = decode(file.read_bytes(), str(file))
    if text[:4].lower() == "sep=" and text[5:6] in "\r\n":  # a line that Excel writes for itself
        text = text[5:].lstrip("\r\n")
    header = re.match(r'(?:[^\r\n"]|"[^"]*")*', text)
    names = re.sub(r'"[^"]*"', "", header[0] if header else "")
    separator = next((s for s in _SEPARATORS if s in names), ",")
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            table = pd.read_csv(
                io.StringIO(text, newline=""), dtype=str, keep_default_na=False, index_col=False, sep=separator,
                skipinitialspace=f"{separator} " in names,
            )  # fmt: skip
        except pd.errors.ParserWarning as error:
            raise ValueError(
                f"a row has more cells than the header has names; quote cells that hold {'commas' if separator == ',' else repr(separator)}"
            ) from error
    table.columns = table.columns.str.strip()
    if separator != ",":
        table = table.map(lambda cell: cell.replace(",", ".") if _DECIMAL.fullmatch(cell) else cell)
    return table
