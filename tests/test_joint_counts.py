"""Counting from runs on the shapes where columns begin and end: one pixel high, one wide, all void, held in columns."""

from __future__ import annotations

import numpy as np
import pytest

from tests.test_pixel_pass import counted
from zgbench.datasets.truth import Truth, table


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
