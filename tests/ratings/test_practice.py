"""Practice: what it asks for, and when it lets go."""

from __future__ import annotations

import dataclasses
from itertools import chain

import numpy as np
import pytest

import zgbench
from tests.ratings.acting import invited, log
from tests.ratings.conftest import contents
from zgbench.ratings import Store
from zgbench.ratings.known import OTHER, controls, reason, training
from zgbench.ratings.words import GROUP_OF, GROUPS, spoken
from zgbench.submission import rle


def rounds(n: int) -> list[list[zgbench.ratings.content.Content]]:
    """Rounds of four items with the answers 0, 1, 2 and 3."""
    return [
        [dataclasses.replace(c, known=k, why=f"{k}|cat") for k, c in enumerate(contents(4, f"t{r}"))] for r in range(n)
    ]


def test_a_round_and_another(sqlite_store: Store) -> None:
    store = sqlite_store
    assert store.add_practice(rounds(2)) == 8
    rater = invited(store, "a")
    assert not rater.trained
    found = store.practice(rater)
    assert [(t.item.image_id, t.known, t.why, t.answer) for t in found.items] == [
        (f"t0{k}", k, f"{k}|cat", None) for k in range(4)
    ]
    assert (found.round, found.needed, found.passed) == (0, 3, False)
    assert store.answer_training(rater, found.items[1].item.id, 3).answer == 3
    store.answer_training(rater, found.items[1].item.id, 1)
    assert [t.answer for t in store.practice(rater).items] == [None, 1, None, None]
    with pytest.raises(zgbench.UsageError, match="no training item"):
        store.answer_training(rater, "x", 1)
    assert not store.finish_training(rater).trained  # not all are answered
    for item in found.items:
        store.answer_training(rater, item.item.id, 1 if item.known < 2 else 2)
    assert (store.practice(rater).right, store.practice(rater).passed) == (2, False)
    assert not store.finish_training(rater).trained  # 2 of 4, and 3 are wanted
    store.next_round(rater, 0)
    store.next_round(rater, 0)  # the same press, sent twice
    second = store.practice(rater)
    assert second.round == 1 and [t.item.image_id for t in second.items] == [f"t1{k}" for k in range(4)]
    assert all(t.answer is None for t in second.items)
    for item in second.items:
        store.answer_training(rater, item.item.id, min(item.known, 2))
    assert store.practice(rater).passed
    assert store.finish_training(rater).trained
    store.next_round(rater, 1)
    assert [t.item.image_id for t in store.practice(rater).items] == [f"t0{k}" for k in range(4)]  # from the start
    assert log(store) == []


def test_who_practised_elsewhere_need_not(sqlite_store: Store) -> None:
    sqlite_store.add_practice(rounds(1))
    rater = sqlite_store.sign_in(sqlite_store.make_token("a", trained=True))
    assert rater is not None and rater.trained
    sqlite_store.configure(practice_share=0.0)
    other = invited(sqlite_store, "b")
    for item in sqlite_store.practice(other).items:
        sqlite_store.answer_training(other, item.item.id, 0)
    assert sqlite_store.finish_training(other).trained


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_examples_follow_the_rule_that_raters_are_told(seed: int) -> None:
    """Words count as right if at most a fifth of the segment shows something else; as wrong if they fit no more."""
    data = zgbench.open_dataset("mini")
    found = training(data, "T", seed)
    assert [item.known for item in found[0]] == [3, 0, 2, 1, 3, 1, 0, 2]
    assert len(found) == 3 and len({item.id for one in found for item in one}) == sum(map(len, found))
    for item in [*chain(*found), *controls(data, "T", 20, seed)]:
        classes = data.source.truth(item.image_id).classes()
        mask = rle.mask_of(rle.parse([item.counts.encode()]).counts, item.size)
        names = [*GROUPS.get(item.label, ()), item.label]
        meant = [k for k, name in zip(data.vocabulary.ids, data.vocabulary.names, strict=True) if name in names]
        share = np.isin(classes[mask], meant).mean()
        if item.known == 0:
            assert share == 0
        elif item.known == 1:
            assert OTHER + 0.2 <= share <= 1 - OTHER - 0.2  # far from both limits
        else:
            assert share >= 1 - OTHER
            (shown,) = np.unique(classes[mask])
            assert (item.label == data.vocabulary.name(int(shown))) == (item.known == 3)
        if item.why is not None:
            known, name = reason(item.why) or (None, "")
            assert known == item.known and name in GROUP_OF
    assert reason("Correct: the segment is a cat.") is None  # as older stores explain


def test_one_spelling_for_real_items_and_controls() -> None:
    from zgbench.datasets.vocabulary import pas20

    for written in ("pottedplant", "potted plant"):
        assert spoken(pas20(), written) == "potted plant"
    for written in ("tvmonitor", "TV monitor", "tv monitor"):
        assert spoken(pas20(), written) == "tv monitor"
    assert spoken(pas20(), "diningtable") == "dining table"
    assert spoken(pas20(), "a red car") == "a red car"
