"""Stage 4: only siblings, upwards, and what a merged segment is."""

from __future__ import annotations

import numpy as np
import pytest

from reference_method.merging import Forest, Segment, merge

WORDS = {"cat": 0.0, "kitten": 20.0, "dog": 90.0, "pet": 10.0, "union": 5.0}


def _turned(degrees):
    return np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], dtype=np.float32)


def _forest(angles, labels, tree):
    masks = np.eye(len(angles), dtype=bool)[:, None]
    return Forest(tree, {k: Segment(masks[k], _turned(a), labels[k]) for k, a in enumerate(angles)})


def _merge(forests, threshold, angle=5.0):
    calls = []

    def embed(photo, unions):
        calls.append((photo, unions.copy()))
        return np.stack([_turned(angle)] * len(unions))

    merge(
        forests, threshold, embed=embed, name=lambda rows: ["union"] * len(rows),
        read=lambda labels: np.stack([_turned(WORDS[label]) for label in labels]),
    )  # fmt: skip
    return calls


def test_alike_siblings_become_one_embedded_and_named_anew():
    forest = _forest([0, 10, 90], ["cat", "kitten", "dog"], ((0, 1), (2, 3)))
    calls = _merge([forest], 0.9)
    assert [s.label for s in forest.segments()] == ["dog", "union"]
    assert forest.segments()[1].mask.tolist() == [[True, True, False]]
    np.testing.assert_array_equal(forest.segments()[1].embedding, _turned(5.0))
    assert len(calls) == 1 and calls[0][1].tolist() == [[[True, True, False]]]


def test_the_similarity_is_half_of_each():
    """cos 60° of pictures, cos 0° of words: ½ · 0.5 + ½ · 1 = 0.75."""
    for threshold, left in ((0.7499, 1), (0.7501, 2)):
        forest = _forest([0, 60], ["cat", "cat"], ((0, 1),))
        _merge([forest], threshold)
        assert len(forest.segments()) == left


def test_alike_segments_that_are_no_siblings_stay():
    forest = _forest([0, 90, 0], ["cat", "dog", "cat"], ((0, 1), (2, 3)))
    _merge([forest], 0.9)
    assert [s.label for s in forest.segments()] == ["cat", "dog", "cat"]


def test_nothing_is_merged_above_a_refusal():
    """3 = {0, 1} is refused, so 4 = {2, 3} cannot be, whatever its parts look like."""
    forest = _forest([0, 90, 45], ["cat", "dog", "cat"], ((0, 1), (2, 3)))
    assert _merge([forest], 0.9) == []
    assert len(forest.segments()) == 3


def test_merging_goes_on_up_to_the_root_level_by_level():
    forest = _forest([0, 4, 8, 12], ["cat"] * 4, ((0, 1), (2, 3), (4, 5)))
    calls = _merge([forest], 0.9)
    assert [len(unions) for _, unions in calls] == [2, 1]
    (root,) = forest.segments()
    assert root.mask.all()


def test_photos_do_not_mix():
    first = _forest([0, 1], ["cat", "cat"], ((0, 1),))
    second = _forest([0, 90], ["cat", "dog"], ((0, 1),))
    calls = _merge([first, second], 0.9)
    assert [photo for photo, _ in calls] == [0]
    assert len(first.segments()) == 1 and len(second.segments()) == 2


def test_one_segment_and_none():
    single = _forest([0], ["cat"], ())
    _merge([single], -1.0)
    assert [s.label for s in single.segments()] == ["cat"]
    merge([], 0.8, embed=pytest.fail, name=pytest.fail, read=pytest.fail)
