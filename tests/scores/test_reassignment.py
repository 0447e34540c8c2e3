"""Reassignment: the highest cosine wins, the lowest class id among equals, and τ is reached from below or not."""

from __future__ import annotations

import numpy as np

from zgbench.encoders.base import unit
from zgbench.scores.reassignment import nearest


def test_ties_go_to_the_lowest_class_id() -> None:
    names = unit(np.array([[1, 0], [0, 1], [1, 0]]))
    found = nearest(unit(np.array([[1, 1], [1, 0], [0, 3]])), names, (3, 5, 9))
    assert found.class_id.tolist() == [3, 3, 5]
    assert found.similarity.dtype == np.float32


def test_a_segment_is_kept_from_tau_on() -> None:
    names = unit(np.array([[1.0, 0.0, 0.0, 0.0]]))
    found = nearest(unit(np.array([[1, 1, 1, 1], [1, 1, 1, 1.001], [1, 0, 0, 0]])), names, (7,))
    assert found.similarity[0] == np.float32(0.5)
    assert found.kept(0.5).tolist() == [7, 0, 7]
    assert found.kept(1.0).tolist() == [0, 0, 7]


def test_many_segments_are_decided_like_few() -> None:
    rng = np.random.RandomState(0)
    vectors, names = unit(rng.standard_normal((9000, 16))), unit(rng.standard_normal((30, 16)))
    ids = tuple(range(1, 31))
    whole = nearest(vectors, names, ids)
    for at in (0, 4095, 4096, 8999):
        one = nearest(vectors[at : at + 1], names, ids)
        assert (one.class_id[0], one.similarity[0]) == (whole.class_id[at], whole.similarity[at])
