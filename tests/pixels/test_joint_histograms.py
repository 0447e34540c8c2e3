"""Counting from runs on the shapes where columns begin and end: one pixel high, one wide, all void, held in columns."""

from __future__ import annotations

import numpy as np
import pytest

from tests.pixels.test_pixel_pass import counted
from zgbench.datasets.truth import INVALID, VOID, Truth, table
from zgbench.pixels.joint_histograms import Entries, UndefinedValue, joint_counts
from zgbench.submission.mask_checks import lay_out


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2), (8, 8), (5, 31)])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("values", [[0], [1], [255], [0, 1, 2, 255]])
def test_any_shape(shape: tuple[int, int], order: str, values: list[int]) -> None:
    rng = np.random.RandomState(shape[0] * shape[1])
    truth = Truth(
        np.asarray(rng.choice(values, shape), dtype=np.uint8, order=order),  # type: ignore[call-overload]
        table({1: 1, 2: 1}, background=0, void=(255,)),  # two stored values of one class
    )
    label_map = rng.randint(0, 3, shape)
    label_map.flat[0] = 1
    label_map = np.unique(label_map, return_inverse=True)[1].reshape(shape) + (label_map.min() > 0)
    expected: dict[tuple[int, int], int] = {}
    for s, c in zip((label_map - 1).ravel().tolist(), truth.classes().ravel().tolist(), strict=True):
        if c >= 0:
            expected[s, c] = expected.get((s, c), 0) + 1
    assert counted(label_map, int(label_map.max()), truth) == expected


Runs = tuple[np.ndarray, np.ndarray, np.ndarray]
NONE: Runs = (np.zeros(0, dtype=np.int64),) * 3


def image(rng: np.random.RandomState, shape: tuple[int, int], segments: int) -> tuple[Truth, Runs]:
    """Random truth and starts, lengths and segments of runs; some touch, some do not, some pixels are in none."""
    pixels = rng.choice([0, 1, 2, 255], shape).astype(np.uint8)
    cuts = np.unique(rng.randint(0, pixels.size + 1, rng.randint(0, 40)))
    owner = rng.randint(-1, segments, max(len(cuts) - 1, 0))
    kept = owner >= 0
    runs = (cuts[:-1][kept], np.diff(cuts)[kept], owner[kept])
    return Truth(pixels, table({1: 1, 2: 2}, background=0, void=(255,))), runs


def joint(truths: list[Truth], runs: list[Runs], segments: list[int]) -> list[Entries]:
    """Counts of images from the runs of each."""
    before = np.cumsum([0, *segments])
    parts = [(starts, lengths, owner + before[i]) for i, (starts, lengths, owner) in enumerate(runs)]
    starts, lengths, masks = (np.concatenate(column) for column in zip(*parts, strict=True))
    strip = lay_out([truth.pixels.size for truth in truths], segments, starts, lengths, masks)
    assert not strip.overlapping()
    return joint_counts(truths, strip)


@pytest.mark.parametrize("seed", range(10))
def test_several_images_are_counted_as_each_alone(seed: int) -> None:
    rng = np.random.RandomState(seed)
    shapes = [(1, 1), (7, 5), (1, 12), (40, 30), (12, 1), (9, 9)]
    segments = rng.randint(0, 5, len(shapes)).tolist()
    images = [image(rng, shapes[k], n) for k, n in zip(rng.permutation(len(shapes)), segments, strict=True)]
    together = joint([truth for truth, _ in images], [runs for _, runs in images], segments)
    for (truth, runs), n, (*entries, void) in zip(images, segments, together, strict=True):
        expected: dict[tuple[int, int], int] = {}
        owner = np.full(truth.pixels.size, -1)
        for start, length, segment in zip(*runs, strict=True):
            owner[start : start + length] = segment
        for key in zip(owner.tolist(), truth.classes().ravel(order="F").tolist(), strict=True):
            if key[1] >= 0:
                expected[key] = expected.get(key, 0) + 1
        assert [e.dtype for e in entries] == [np.int32] * 3
        assert list(zip(*(e.tolist() for e in entries), strict=True)) == [(*k, p) for k, p in sorted(expected.items())]
        in_void = owner[truth.classes().ravel(order="F") == VOID]
        assert void.dtype == np.int32
        assert void.tolist() == [int((in_void == segment).sum()) for segment in range(n)]


def test_no_image() -> None:
    assert joint_counts([], lay_out([], [], *NONE)) == []


def test_the_image_with_an_undefined_value_is_named() -> None:
    fine, wrong = (Truth(np.full((3, 4), value, np.uint8), table({1: 1}, background=0)) for value in (1, 7))
    assert wrong.classes().min() == INVALID
    with pytest.raises(UndefinedValue, match="value 7") as caught:
        joint([fine, wrong, fine], [NONE] * 3, [0] * 3)
    assert caught.value.image == 1
