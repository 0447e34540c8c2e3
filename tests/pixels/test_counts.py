"""Counts are scored and written some images at a time; what comes out does not depend on how many."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

import zgbench
from tests.conftest import HashedText
from tests.submission.sample import oracle, sound, write
from zgbench.datasets.vocabulary import Vocabulary
from zgbench.pixels import counts, counts_file
from zgbench.pixels.counts import NOWHERE, Counts, ImageCounts
from zgbench.pixels.gathered import Gathered
from zgbench.scores import metrics
from zgbench.scores.reassignment import Decision
from zgbench.scores.verification import Reassigned, Row

OFFLINE = zgbench.PRESETS["offline"]


def drawn(random: np.random.RandomState, images: int, classes: int) -> Counts:
    """Counts of images with 0 to 5 segments, some of them without pixels, and some pixels in no segment."""
    ids = [f"image {k}" for k in random.permutation(images)]
    gathered = Gathered({image_id: k for k, image_id in enumerate(sorted(ids))})
    for image_id in ids:
        n = random.randint(0, 6)
        pairs = sorted({(s, c) for s in range(NOWHERE, n) for c in random.choice(classes + 1, 2)})
        segments, truth = np.array(pairs, dtype=np.int32).reshape(-1, 2).T
        pixels = random.randint(1, 900, len(pairs)).astype(np.int32)
        size = (random.randint(20, 23), 30)
        labels = [f"label {k}" for k in random.randint(0, 7, n)]
        gathered.add(ImageCounts(image_id, size, labels, None, segments, truth, pixels, random.randint(0, 99)))
    return gathered.counts(10_000)


def equal(a: Counts, b: Counts) -> bool:
    return all(np.array_equal(getattr(a, f.name), getattr(b, f.name)) for f in fields(Counts) if f.name != "truth")


@pytest.mark.parametrize("part", [1, 2, 7, 30])
@pytest.mark.parametrize("scoring", ["v1", "iccv2023"])
@pytest.mark.parametrize("background", ["count", "ignore", "released"])
def test_scores_do_not_depend_on_the_parts(
    part: int, scoring: Any, background: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    random = np.random.RandomState(part)
    whole = drawn(random, 30, 4)
    n = len(whole.labels)
    chosen = random.randint(0, 5, n)
    decision = Decision(chosen, np.zeros(n, dtype=np.float32))
    images = random.random_sample(30) < (1.0 if part == 2 else 0.7)
    row = Row(Reassigned("TT", decision, ""), "cos>=0.5", images, chosen)
    vocabulary = Vocabulary((1, 2, 3, 4), ("a", "b", "c", "d"))
    found = row.class_counts(whole, vocabulary, background)
    at_once = metrics.statistics(found, scoring)
    hashed = whole.truth_sha256()
    monkeypatch.setattr(counts, "PART", part)
    statistics, per_class = row.summed(whole, vocabulary, background, scoring)
    assert (statistics.per_image != at_once.per_image).nnz == 0
    assert np.array_equal(statistics.per_image.data, at_once.per_image.data)
    assert per_class == metrics.per_class(found.classes, metrics.class_sums(found))
    assert whole.truth_sha256() == hashed
    counts_file.save(whole, tmp_path / "x.stats.parquet", {})
    assert equal(counts_file.load(tmp_path / "x.stats.parquet"), whole)
    assert pq.ParquetFile(tmp_path / "x.stats.parquet").num_row_groups == -(-30 // part)


@pytest.mark.parametrize("track", ["free", "oracle"])
def test_files_do_not_depend_on_the_parts(
    track: str, tiny_voc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(sound() if track == "free" else oracle(), tmp_path / "s.json")
    found = []
    for part in (4096, 1):
        monkeypatch.setattr(counts, "PART", part)
        out = tmp_path / str(part)
        zgbench.evaluate(
            path, data=tiny_voc, protocol=OFFLINE, reassign=["tt"], text_encoder=HashedText(), out=out, partial=True
        )
        stored = zgbench.scores.result.load_result(out / "s.pas20.result.json")
        result = {key: value for key, value in stored.result.items() if key not in ("files", "timing_s")}
        tables = [pq.read_table(out / f"s.pas20.{kind}.parquet") for kind in ("stats", "segments")]
        found.append((result, tables, (out / "s.pas20.per_class.csv").read_bytes()))
    assert found[0] == found[1]


def test_more_than_32_bits_can_number_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = drawn(np.random.RandomState(0), 30, 4)
    monkeypatch.setattr(counts, "MOST", max(len(whole.labels), len(whole.pixels)))
    drawn(np.random.RandomState(0), 30, 4)
    monkeypatch.setattr(counts, "MOST", max(len(whole.labels), len(whole.pixels)) - 1)
    with pytest.raises(zgbench.UsageError, match="cannot be scored at once"):
        drawn(np.random.RandomState(0), 30, 4)


def test_the_order_is_the_splits_whatever_the_files() -> None:
    whole = drawn(np.random.RandomState(1), 30, 4)
    assert list(whole.ids) == sorted(whole.ids)
    assert (np.diff(whole.image) >= 0).all()
    assert all(
        kind == np.int32 for kind in (whole.image.dtype, whole.segment.dtype, whole.cls.dtype, whole.pixels.dtype)
    )
    own = whole.segment != NOWHERE
    assert (whole.owner[whole.segment[own]] == whole.image[own]).all()
