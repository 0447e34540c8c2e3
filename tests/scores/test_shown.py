"""What a prompt or a notebook shows of results: short, and nothing of a submission as markup."""

from __future__ import annotations

from pathlib import Path

import pytest

import zgbench
from tests.submission.sample import sound, write

ROOT = Path(__file__).resolve().parents[2]
STORED = ROOT / "leaderboard/results"


@pytest.fixture(scope="module")
def found() -> zgbench.Evaluation:
    return zgbench.evaluate(ROOT / "submissions/demo.json", reassign=["lt"], resamples=10)


def test_an_evaluation_is_shown_in_a_few_lines(found: zgbench.Evaluation) -> None:
    text = repr(found)
    assert len(text) < 500
    assert "'demo' on mini val, 200 images" in text
    assert f"iou_image {100 * found.scores[-1]['iou_image']['value']:.1f}" in text
    html = found._repr_html_()
    assert html.count("<tr>") == 2
    assert len(html) < 1500


def test_what_hangs_on_it_is_short_too(found: zgbench.Evaluation) -> None:
    assert repr(found.dataset) == "<Dataset mini val: 200 images, 27 classes>"
    assert repr(found.dataset.vocabulary).startswith("<Vocabulary of 27 classes: ")
    assert repr(found.counts).startswith("<Counts of 200 images, 1,093 segments")


def test_names_are_shown_as_text(tiny_voc: Path, tmp_path: Path) -> None:
    path = write(sound() | {"name": "<script>alert(1)</script>"}, tmp_path / "s.json")
    found = zgbench.evaluate(path, data=tiny_voc, reassign=["lt"], resamples=10, partial=True)
    assert "<script>" not in found._repr_html_()
    assert "&lt;script&gt;" in found._repr_html_()


def test_a_comparison_is_short() -> None:
    results = [STORED / f"{name}.mini.result.json" for name in ("reference", "reference-crop", "reference-masked")]
    found = zgbench.compare(*results)
    assert len(repr(found)) < 2000
    assert "more rows" in repr(found)
    assert "A − B" in found._repr_html_()


def test_an_unknown_key_is_no_bare_key_error() -> None:
    with pytest.raises(zgbench.UsageError, match="Known: v1, iccv2023, offline, mini"):
        zgbench.PRESETS["v9"]
    with pytest.raises(zgbench.UsageError, match="there is no class 99"):
        zgbench.open_dataset("mini").vocabulary.name(99)
    with pytest.raises(zgbench.UsageError, match="expected one of local, ray"):
        zgbench.evaluate(ROOT / "submissions/demo.json", engine="dask")  # type: ignore[arg-type]
