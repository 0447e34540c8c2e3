"""``N[s, c]`` against a pixel-by-pixel count, whatever the number of segments, the depth of the truth and the workers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import zgbench
from tests.conftest import HashedText
from zgbench.datasets.truth import INVALID, Truth, table
from zgbench.pixels.joint_histograms import joint_counts
from zgbench.submission import rle
from zgbench.submission.mask_checks import check_masks
from zgbench.submission.schema import Image


def counted(label_map: np.ndarray, n: int, truth: Truth) -> dict[tuple[int, int], int]:
    texts = [rle.encode(rle.runs_of(label_map == k + 1)).encode() for k in range(n)]
    image = Image("$", "x", label_map.shape, ["a"] * n, texts, None, 0)
    problems, strip = check_masks([image], [truth.size])
    assert problems == [[]]
    (entries,) = joint_counts([truth], strip)
    keys = list(zip(*(e.tolist() for e in entries[:2]), strict=True))
    assert keys == sorted(keys)
    return dict(zip(keys, entries[2].tolist(), strict=True))


@pytest.mark.parametrize("segments", [0, 1, 7, 254, 255, 300])
@pytest.mark.parametrize("wide", [False, True])
def test_joint_counts(segments: int, wide: bool) -> None:
    rng = np.random.RandomState(segments)
    shape = (37, 53)
    label_map = np.zeros(shape, dtype=int)
    for k in range(segments):  # each gets at least a pixel of its own
        y, x = rng.randint(0, 30), rng.randint(0, 48)
        label_map[y : y + 4, x : x + 5] = k + 1
    own = rng.permutation(label_map.size)[:segments]
    label_map.ravel()[own] = np.arange(segments) + 1
    ids = [1, 2, 400 if wide else 200]
    pixels = rng.choice([0, *ids, 255], shape).astype(np.uint16 if wide else np.uint8)
    truth = Truth(pixels, table({i: i for i in ids}, background=0, void=(255,), wide=wide))
    expected: dict[tuple[int, int], int] = {}
    for s, c in zip((label_map - 1).ravel().tolist(), truth.classes().ravel().tolist(), strict=True):
        if c >= 0:
            expected[s, c] = expected.get((s, c), 0) + 1
    assert counted(label_map, segments, truth) == expected


def test_a_value_that_means_nothing_is_told() -> None:
    truth = Truth(np.full((4, 4), 9, np.uint8), np.full(256, INVALID, np.int32))
    with pytest.raises(ValueError, match="value 9"):
        counted(np.ones((4, 4), int), 1, truth)


def test_workers_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    dataset = zgbench.open_dataset("mini", subset="first:70")
    with zgbench.SubmissionWriter(path, name="m", dataset="mini") as submission:
        for image_id in dataset.ids:
            classes = dataset.source.truth(image_id).classes()
            submission.add(image_id, classes, {int(c): dataset.vocabulary.name(int(c)) for c in np.unique(classes)})
    contents = []
    for workers in (1, 2):
        out = tmp_path / str(workers)
        zgbench.evaluate(path, subset="first:70", reassign=["tt"], text_encoder=HashedText(), workers=workers, out=out)
        contents.append({p.name: p.read_bytes() for p in out.iterdir() if not p.name.endswith(".json")})
    assert contents[0] == contents[1]
    assert len(contents[0]) == 3
