"""Text Generation Quality of a stored result: which labels fit the true name of their segment."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zgbench.errors import DataError
from zgbench.scores.result import Stored
from zgbench.storage.plain_arrow import plain


def fitting(stored: Stored) -> NDArray[np.float64]:
    """Truth segments whose label fits, and all truth segments, float64 [images, 2].

    Raises:
        DataError: the similarities with the true names were not stored.
    """
    import pyarrow.parquet as pq

    counts, n = stored.counts, len(stored.counts.ids)
    table = pq.read_table(plain(stored.path.with_name(Path(stored.result["files"]["segments"]["name"]).name)))
    if "true_similarity" not in table.column_names:
        raise DataError(
            f"{stored.path.name}: no similarities with the true names are stored. Add the submission again."
        )
    fits = table["true_similarity"].to_numpy() > np.float32(stored.protocol.tau_text)
    hits = np.bincount(counts.owner[fits], minlength=n)
    truth = np.bincount(counts.image[counts.cls > 0], minlength=n)  # track oracle: one entry a truth segment
    return np.stack((hits, truth), axis=1).astype(np.float64)
