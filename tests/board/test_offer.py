"""What is told before an upload."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.datasets.drawn import own
from zgbench.board.offer import NO_FILES, Offer, offers


def of(data: Path | None, protocol: str | None = None) -> dict[str, Offer]:
    return {offer.dataset: offer for offer in offers(data, protocol)}


def test_data_sets_at_hand_and_what_is_lacking(tmp_path: Path, tiny_voc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zgbench.board.offer.place_of", lambda name: None if "mpnet" in name else (tmp_path, "here"))
    assert of(None)["pas20"].why == NO_FILES
    assert of(None)["mini"] == Offer("mini", 200, "mini", ("TT", "LT", "ST"), {})
    found = of(tiny_voc)["pas20"]
    assert (found.rows, found.why) == ((), "the server has 3 of 1449 images")
    own(tiny_voc / "mine")
    mine = of(tiny_voc)["mine"]
    assert mine.protocol == "v1" and mine.rows == ("LT", "ST")
    assert mine.lacking == {"TT": "the server lacks all-mpnet-base-v2"}
    assert of(tiny_voc, "offline")["mine"].rows == ("TT", "LT", "ST")


def test_protocols_and_models(tiny_voc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own(tiny_voc / "mine")
    monkeypatch.setattr("zgbench.board.offer.place_of", lambda name: None)
    nothing = of(tiny_voc)["mine"]
    assert nothing.rows == () and "lacks all-mpnet-base-v2" in nothing.why
    assert set(of(tiny_voc, "iccv2023")["mine"].lacking) == {"TT", "LT", "ST"}
    assert "embeddings files" in of(tiny_voc, "iccv2023")["mine"].lacking["ST"]
    assert "knows the data set mini only" in of(tiny_voc, "mini")["mine"].why
