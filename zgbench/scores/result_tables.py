"""A result's scores as flat records: what tables are made of."""

from __future__ import annotations

import csv
import io
from typing import Any

from zgbench.scores.result_types import Result, Score, ScoreRow


def column_of(name: str) -> str:
    """Key of a score in a flat record."""
    return name.replace(".", "_", 1)


def flat(row: ScoreRow) -> dict[str, Any]:
    """A score row as one flat record."""
    record: dict[str, Any] = {key: row[key] for key in ("reassign", "verify", "images", "segments", "segments_kept")}
    named: dict[str, Score] = {"iou_image": row["iou_image"], "iou_dataset": row["iou_dataset"]} | {
        f"recall_{k}": v for k, v in row["recall"].items()
    }
    named |= {column_of(name): score for name, score in row.get("more", {}).items()}
    for name, found in named.items():
        record |= {name: found["value"], f"{name}_low": found["ci95"][0], f"{name}_high": found["ci95"][1]}
    return record | {"signature": row["signature"]}


def per_class_rows(result: Result) -> list[dict[str, Any]]:
    """Flat records of every row's classes; a further score stands where a single class has it."""
    return [
        {"reassign": row["reassign"], "verify": row["verify"], "class": name, **values}
        | {key: score["per_class"].get(name) for key, score in row.get("more", {}).items() if "per_class" in score}
        for row in result["scores"]
        for name, values in row["per_class"].items()
    ]


def per_class_csv(result: Result) -> str:
    """Per-class scores as CSV; an undefined score is an empty cell."""
    text, records = io.StringIO(), per_class_rows(result)
    fields = ["reassign", "verify", "class", "iou", "recall", "images"]
    writer = csv.DictWriter(text, list(dict.fromkeys([*fields, *(records[0] if records else ())])), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()
