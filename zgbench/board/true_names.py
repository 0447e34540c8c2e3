"""Text Generation Quality of a stored result: which labels fit the true name of their segment."""

from __future__ import annotations

from pathlib import Path

from zgbench.errors import DataError
from zgbench.scores.result import Stored
from zgbench.scores.text_generation import Hits, hits
from zgbench.storage.plain_arrow import plain


def fitting(stored: Stored) -> Hits:
    """Statistics of the stored similarities with the true names.

    Raises:
        DataError: the similarities with the true names were not stored.
    """
    import pyarrow.parquet as pq

    table = pq.read_table(plain(stored.path.with_name(Path(stored.result["files"]["segments"]["name"]).name)))
    if "true_similarity" not in table.column_names:
        raise DataError(
            f"{stored.path.name}: no similarities with the true names are stored. Add the submission again."
        )
    return hits(stored.counts, table["true_similarity"].to_numpy(), stored.protocol)
