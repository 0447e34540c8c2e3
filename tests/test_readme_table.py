"""The table of the reference method, and what the README says of the mapping, say what the stored results say."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from zgbench.board.validity import PEOPLE

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
    assert f"| {title} | {' | '.join(cells)} |" in (ROOT / "docs/reference-results.md").read_text(encoding="utf-8")


def test_the_readme_s_range_of_agreement_is_the_measured_one() -> None:
    rows = list(csv.DictReader((ROOT / "leaderboard/validity.csv").read_text(encoding="utf-8").splitlines()))
    people = {(row["rule"], row["model"]): 100 * float(row["agreement"]) for row in rows if row["list"] == PEOPLE}
    least, most = people["TT cos>=0.5", "all-mpnet-base-v2"], people["LT level<=4+text", "all-MiniLM-L6-v2"]
    assert (least, most) == (min(v for (rule, _), v in people.items() if rule.startswith("TT")), max(people.values()))
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"from {least:.1f} % (TT with a threshold) to {most:.1f} % (LT, then text) of 632 street labels" in text
