"""The README's table of the reference method says what the stored results say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
STEMS = {
    "crop and mask": "reference-crop",
    "without global subtraction": "reference-masked",
    "without merging": "reference-no-merging",
    "full": "reference",
}


def _shown(score: dict[str, Any]) -> str:
    low, high = score["ci95"]
    return f"{100 * score['value']:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


@pytest.mark.parametrize("title", STEMS)
def test_the_row_is_the_stored_result(title: str) -> None:
    folder = ROOT / "leaderboard/results"
    found = json.loads((folder / f"{STEMS[title]}.mini.result.json").read_text())
    by_how = {row["reassign"]: row for row in found["scores"]}
    cells = [
        _shown(score) for how in ("TT", "ST") for score in (by_how[how]["iou_image"], by_how[how]["recall"]["0.5"])
    ]
    oracle = folder / f"{STEMS[title]}-oracle.mini.result.json"
    cells.append(_shown(json.loads(oracle.read_text())["tgq"]) if oracle.exists() else "as full")
    assert f"| {title} | {' | '.join(cells)} |" in (ROOT / "README.md").read_text(encoding="utf-8")
