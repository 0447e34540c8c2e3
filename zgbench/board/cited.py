"""Published figures, shown beside the board's own and never ranked among them: nobody has scored them again."""

from __future__ import annotations

import csv
from typing import Any

from zgbench import pages
from zgbench.errors import DataError

SOURCE = "Rewatbowornwong et al., Zero-guidance Segmentation Using Zero Segment Labels, ICCV 2023 (arXiv 2303.13396)"
PAPER = "https://arxiv.org/abs/2303.13396"
"""Where it can be read."""
NOTE = (
    "Cited, not rescored: as printed in the paper, under its own protocol, parts of which are not published. Never ranked "
    "among the rows above."
)


def cited_rows(dataset: str | None = None) -> list[dict[str, Any]]:
    """The figures of the paper's tables 1–5, in their order.

    Args:
        dataset: only those of this data set.

    Returns:
        Records ``cited`` (True), ``method``, ``year`` (of its publication), ``dataset``, ``images`` (None: another split), ``score`` (``iou``,
        ``recall``, ``tgq`` or ``rating 0`` … ``rating 3``), ``reassign``, ``verify``, ``value`` (fraction 0–1),
        ``given_classes``, ``trained_on_segmentation`` (bool), ``table`` (of the paper), ``source``, ``remarks``.

    Raises:
        DataError: this copy of zgbench has no pages.
    """
    place = pages.folder("leaderboard") / "cited.csv"
    try:
        with place.open(encoding="utf-8", newline="") as file:
            rows = [_record(row) for row in csv.DictReader(file)]
    except OSError as error:
        raise DataError(f"{place}: cannot be read ({error.strerror}). Install zgbench again.") from error
    return [row for row in rows if dataset is None or row["dataset"] == dataset]


def _record(row: dict[str, str]) -> dict[str, Any]:
    return {
        "cited": True, "method": row["method"], "year": int(row["year"]), "dataset": row["dataset"],
        "images": int(row["images"]) if row["images"] else None, "score": row["score"], "reassign": row["reassign"],
        "verify": row["verify"], "value": round(float(row["percent"]) / 100, 6), "given_classes": row["given_classes"] == "yes",
        "trained_on_segmentation": row["trained_on_segmentation"] == "yes", "table": int(row["table"]),
        "source": f"{SOURCE}, table {row['table']}", "remarks": row["remarks"],
    }  # fmt: skip
