"""Reads a CSV table as texts, each row with as many cells as the header has names."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any


def read_csv(file: Path) -> Any:
    """A pandas table of texts, "" for an empty cell, its rows numbered from 0.

    Left to itself, pandas takes the first cell of longer rows for a name of the row, and shifts the others: a comma too
    many in the first row, and every value would stand under another column.

    Raises:
        OSError, ValueError, UnicodeDecodeError: not such a table.
    """
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            return pd.read_csv(file, dtype=str, keep_default_na=False, index_col=False)
        except pd.errors.ParserWarning as error:
            raise ValueError("a row has more cells than the header has names; quote cells that hold commas") from error
