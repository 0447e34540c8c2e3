"""Counting from runs on the shapes where columns begin and end: one pixel high, one wide, all void, held in columns.

By numpy and by the compiled kernel, and the one against the other.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.pixels.test_pixel_pass import counted
from zgbench.datasets.truth import INVALID, VOID, Truth, table
from zgbench.pixels import joint_histograms
from zgbench.pixels.joint_histograms import Entries, UndefinedValue, counts_by_numpy, joint_counts
from zgbench.submission.mask_checks import lay_out

needs_kernel = pytest.mark.skipif(
    joint_histograms._kernel is None, reason="the kernel was not built: python setup.py build_ext --inplace"
)


@pytest.fixture(params=["numpy", pytest.param("kernel", marks=needs_kernel)])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of counting."""
    if request.param == "numpy":
        monkeypatch.setattr(joint_histograms, "_kernel", None)


@pytest.mark.usefixtures("way")
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


@pytest.mark.usefixtures("way")
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


@pytest.mark.usefixtures("way")
def test_no_image() -> None:
    assert joint_counts([], lay_out([], [], *NONE)) == []


@pytest.mark.usefixtures("way")
def test_the_image_with_an_undefined_value_is_named() -> None:
    fine, wrong = (Truth(np.full((3, 4), value, np.uint8), table({1: 1}, background=0)) for value in (1, 7))
    assert wrong.classes().min() == INVALID
    with pytest.raises(UndefinedValue, match="value 7") as caught:
        joint([fine, wrong, fine], [NONE] * 3, [0] * 3)
    assert caught.value.image == 1


@needs_kernel
def test_the_kernel_counts_as_numpy_does() -> None:
    """Images of many shapes, of one and of two bytes a pixel, with few and with many classes, read-only and turned."""
    rng = np.random.RandomState(0)
    for _ in range(150):
        truths, runs, segments = [], [], []
        for _ in range(rng.randint(1, 5)):
            shape = tuple(rng.randint(1, rng.choice([3, 20, 70]), 2).tolist())
            segments.append(int(rng.randint(0, 6)))
            _, found = image(rng, shape, max(segments[-1], 1))
            runs.append(found if segments[-1] else NONE)
            wide = rng.rand() < 0.5
            most = int(rng.choice([2, 30, 600 if wide else 255]))
            blocks = np.kron(rng.randint(0, most, (3, 4)), np.ones((30, 20), int))[: shape[0], : shape[1]]
            pixels = np.resize(blocks, shape) if rng.rand() < 0.5 else rng.randint(0, most, shape)
            stored = np.asarray(pixels.astype(np.uint16 if wide else np.uint8), order=str(rng.choice(["C", "F"])))
            stored.flags.writeable = False
            known = {value: int(rng.randint(1, 900)) for value in range(1, most + 1)}
            truths.append(Truth(stored, table(known, background=0, void=(most // 2,), wide=wide or rng.rand() < 0.5)))
        before = np.cumsum([0, *segments])
        parts = [(a, b, owner + before[i]) for i, (a, b, owner) in enumerate(runs)]
        strip = lay_out(
            [t.pixels.size for t in truths], segments, *(np.concatenate(c) for c in zip(*parts, strict=True))
        )
        for mine, slow in zip(joint_counts(truths, strip), counts_by_numpy(truths, strip), strict=True):
            for a, b in zip(mine, slow, strict=True):
                assert a.dtype == b.dtype and a.tolist() == b.tolist()


@needs_kernel
def test_the_kernel_refuses_what_does_not_fit() -> None:
    pixels, known = np.ones((3, 4), np.uint8), np.zeros(256, np.int32)
    sound = [pixels, 3, 4, known, *(np.array(v, np.uint32) for v in ([0, 2], [0, 5], [0, 1])), 0, 0, 2]
    kernel = joint_histograms._kernel
    assert kernel is not None
    segments, classes, counts, void = (np.frombuffer(part, np.int32).tolist() for part in kernel(*sound) or ())
    assert (segments, classes, counts, void) == ([-1, 0], [0, 0], [9, 3], [0])
    for place, wrong in (
        (1, 4), (1, 0), (2, -1), (1, 2**40), (3, known[:-1]), (0, pixels[:2]),
        (4, np.array([0, 2, 3], np.uint32)), (5, np.array([0, 13], np.uint32)), (5, np.array([0, 1], np.uint32)),
        (6, np.array([0, 2], np.uint32)), (4, np.array([3, 2], np.uint32)), (7, 1), (8, 1), (9, 1), (9, 0), (9, -1),
        (7, -1), (8, 2**33),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="do not fit"):
            kernel(*[wrong if k == place else value for k, value in enumerate(sound)])
    with pytest.raises((TypeError, BufferError)):
        kernel(*[None if k == 0 else value for k, value in enumerate(sound)])
    assert kernel(*[np.full(256, INVALID, np.int32) if k == 3 else value for k, value in enumerate(sound)]) is None
