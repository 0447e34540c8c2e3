"""The segments of an image before they are written: one pass gives the runs that every mask alone would give."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle.rle import compress
from zgbench.errors import UsageError
from zgbench.submission import rle
from zgbench.submission.masks.segments import Segments, runs_by_value


@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 9), st.integers(0, 6))
@settings(max_examples=200, deadline=None)
def test_runs_of_a_label_map_are_those_of_each_mask(seed: int, height: int, width: int, n: int) -> None:
    label_map = np.random.RandomState(seed).randint(0, n + 1, (height, width)).astype(np.int32)
    counts, offsets = runs_by_value(label_map, n)
    texts = rle.encode_many(counts, offsets)
    assert len(texts) == n
    for k, text in enumerate(texts):
        mask = label_map == k + 1
        assert text == (compress(mask) if mask.any() else "")
        assert text == (rle.encode(rle.runs_of(mask)) if mask.any() else "")


def masks() -> np.ndarray:
    """Three masks of 2 × 4: the whole, its left half, one corner."""
    found = np.zeros((3, 2, 4), dtype=bool)
    found[0], found[1, :, :2], found[2, 0, 0] = True, True, True
    return found


@pytest.mark.parametrize(
    ("overlap", "scores", "expected"),
    [
        ("smallest", None, [[3, 2, 1, 1], [2, 2, 1, 1]]),
        ("order", None, [[1, 1, 1, 1], [1, 1, 1, 1]]),
        ("score", [0.2, 0.9, 0.5], [[2, 2, 1, 1], [2, 2, 1, 1]]),
        ("score", [0.2, 0.2, 0.2], [[1, 1, 1, 1], [1, 1, 1, 1]]),  # of equal scores the first
    ],
)
def test_who_keeps_a_shared_pixel(overlap: str, scores: list[float] | None, expected: list[list[int]]) -> None:
    found = Segments(["a", "b", "c"], masks=masks(), scores=None if scores is None else np.array(scores))
    assert found.flattened(overlap, "i").tolist() == expected  # type: ignore[arg-type]


def test_an_overlap_is_told_in_full() -> None:
    with pytest.raises(
        UsageError,
        match=r"4 pixels lie in more than one of the 3 masks \(3 pairs; most in masks 0 and 1: 4\).*--overlap",
    ):
        Segments(["a", "b", "c"], masks=masks()).flattened("error", "i")
    with pytest.raises(UsageError, match="needs a score for each"):
        Segments(["a", "b", "c"], masks=masks()).flattened("score", "i")
    apart = np.stack([masks()[1], ~masks()[1]])
    assert Segments(["a", "b"], masks=apart).flattened("error", "i").tolist() == [[1, 1, 2, 2]] * 2


@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 12), st.integers(1, 12))
@settings(max_examples=100, deadline=None)
def test_resizing_takes_the_nearest(height: int, width: int, to_height: int, to_width: int) -> None:
    label_map = np.arange(1, height * width + 1, dtype=np.int32).reshape(height, width)
    small = Segments(["a"], label_map=label_map).resized((to_height, to_width)).label_map
    assert small is not None and small.shape == (to_height, to_width)
    for y in range(to_height):
        for x in range(to_width):
            row, column = int((y + 0.5) * height / to_height), int((x + 0.5) * width / to_width)
            assert small[y, x] == label_map[min(row, height - 1), min(column, width - 1)]
    one = Segments(["a"], masks=(label_map == 1)[None]).resized((to_height, to_width)).masks
    assert one is not None and (one[0] == (small == 1)).all()
