"""Reassignment: the highest cosine wins, the lowest class id among equals, and τ is reached from below or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from tests.conftest import HashedText
from tests.pixels.test_counts import drawn
from zgbench.datasets import Vocabulary
from zgbench.encoders.base import unit
from zgbench.errors import InputError
from zgbench.scores import reassignment
from zgbench.scores.reassignment import nearest, segment_to_text, text_to_text, true_similarity


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


VOCABULARY = Vocabulary((2, 5, 9), ("cat", "dog", "sky"))


def test_labels_and_pictures_go_to_the_nearest_name() -> None:
    """Under the prompt, each distinct label asked for once; nothing is asked where there is no label."""
    asked: list[list[str]] = []

    class Asked(HashedText):
        def encode(self, texts: Sequence[str]) -> np.ndarray:
            asked.append(list(texts))
            return super().encode(texts)

    found = text_to_text(("sky", "cat", "sky"), Asked(), "a {}.", VOCABULARY)
    assert asked == [["a cat.", "a sky."], ["a cat.", "a dog.", "a sky."]]
    assert found.class_id.tolist() == [9, 2, 9] and found.similarity.tolist() == pytest.approx([1, 1, 1])
    asked.clear()
    nothing = text_to_text((), Asked(), "a {}.", VOCABULARY)
    assert (len(nothing.class_id), len(nothing.similarity), asked) == (0, 0, [])
    vectors = 3 * HashedText().encode(["a dog.", "a cat."])  # of any length
    seen = segment_to_text(vectors, HashedText(), "a {}.", VOCABULARY, "here")
    assert seen.class_id.tolist() == [5, 2] and seen.similarity.tolist() == pytest.approx([1, 1])
    with pytest.raises(InputError, match=r"here: vectors of width 7, but hashed-text has 256"):
        segment_to_text(np.ones((2, 7), np.float32), HashedText(), "a {}.", VOCABULARY, "here")


def test_likeness_to_the_true_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Track ``oracle``; whatever the number that are worked out at once."""
    whole = drawn(np.random.RandomState(0), 5, 2)
    n = len(whole.labels)
    truth = np.resize(np.array([2, 5, 9], np.int32), n)
    labels = tuple(("cat", "sky", "sky")[k % 3] for k in range(n))
    expected = HashedText().encode(labels) @ HashedText().encode(["dog"])[0]
    for chunk in (4096, 2):
        monkeypatch.setattr(reassignment, "_CHUNK", chunk)
        found = true_similarity(replace(whole, labels=labels, truth=truth), HashedText(), "{}", VOCABULARY)
        assert found.dtype == np.float32 and found[truth != 5].tolist() == pytest.approx(
            [1.0] * int((truth != 5).sum())
        )
        assert found[truth == 5].tolist() == pytest.approx(expected[truth == 5].tolist(), abs=1e-6)
    bare = replace(whole, labels=(), truth=truth[:0])
    assert true_similarity(bare, HashedText(), "{}", VOCABULARY).tolist() == []
