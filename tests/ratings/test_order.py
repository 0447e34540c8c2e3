"""In which order items are given out: image by image, each to all of its raters before the next; controls among them."""

from __future__ import annotations

import dataclasses
import random
from collections import Counter
from itertools import pairwise

import pytest
from sqlalchemy import text

import zgbench
from tests.ratings.acting import invited, look, rate_all
from tests.ratings.conftest import SIZE, contents, hidden, mask_text
from zgbench.ratings import Store, status
from zgbench.ratings.content import Content
from zgbench.ratings.picking import is_control_turn

ITEMS, IMAGES, K = 359, 60, 3


def segments(sizes: list[int]) -> list[Content]:
    """Items of images with so many segments each."""
    return [
        Content("mini", f"image {n}", SIZE, mask_text(), f"label {k}", "T*")
        for n, size in enumerate(sizes)
        for k in range(size)
    ]


def uneven(draw: random.Random) -> list[int]:
    """359 segments in 60 images, 1 to 14 in each."""
    sizes = [1] * IMAGES
    while sum(sizes) < ITEMS:
        at = draw.randrange(IMAGES)
        sizes[at] += sizes[at] < 14
    return sizes


@pytest.mark.parametrize("raters", [3, 8])
def test_what_is_done_is_worth_something_at_any_moment(raters: int, sqlite_store: Store) -> None:
    """After m answers at least (m − 6 · raters) / k items are done, nearly all of them in whole images.

    What is under way holds up the answers of about one image: some raters come from its one end, some from the other.
    """
    store, draw = sqlite_store, random.Random(raters)
    sizes = uneven(draw)
    store.configure(k=K)
    store.add_items(segments(sizes))
    people = [invited(store, f"rater {n}") for n in range(raters)]
    items = {rater.id: store.next_item(rater) for rater in people}
    given: Counter[str] = Counter()
    image_of: dict[str, str] = {}
    seen: dict[int, tuple[int, int]] = {}
    for m in range(1, 601):
        if m % raters == 1:  # in each round everybody answers once, in any order
            draw.shuffle(people)
        rater = people[m % raters]
        item = items[rater.id]
        assert item is not None
        look(store, 0.01)
        given[item.id] += 1
        image_of[item.id] = item.image_id
        items[rater.id] = store.rate(rater, item.ticket, draw.choice((1, 2, 3))).current
        done = [i for i, n in given.items() if n == K]
        assert len(done) >= (m - 6 * raters) / K
        whole = Counter(image_of[i] for i in done)
        seen[m] = len(done), sum(sizes[int(image.split()[1])] == n for image, n in whole.items())
    # before, each item had its first answer before any had its second: no item was done after 600 answers
    assert seen[300][0] >= 88 and seen[300][1] >= 12
    assert seen[600][0] >= 188 and seen[600][1] >= 28
    found = status(store, resamples=20)
    assert found.items_done == seen[600][0]
    alpha = found.by_question["T*"].alpha
    assert alpha.value is not None


def test_who_is_away_holds_nobody_up(sqlite_store: Store) -> None:
    """Somebody who leaves keeps two items at most; the others finish what lies behind them."""
    store = sqlite_store
    store.configure(k=2)
    store.add_items(segments([4] * 6))
    away, first, second = (invited(store, name) for name in ("away", "first", "second"))
    assert store.peek(away) is not None
    for rater in (first, second):
        item = store.next_item(rater)
        for _ in range(12):
            assert item is not None
            look(store, 0.1)
            item = store.rate(rater, item.ticket, 2).current
    assert status(store, resamples=20).items_done >= 10


def test_images_come_one_after_the_other(store: Store) -> None:
    store.configure(k=5)
    store.add_items(segments([3, 1, 4, 2]))
    orders: list[tuple[str, ...]] = []
    seeds: list[int] = []
    for name in "abcde":
        rater = invited(store, name)
        images, labels = [], []
        seeds.append(rater.seed)
        item = store.next_item(rater)
        while item is not None:
            look(store)
            images.append(item.image_id)
            labels.append(item.label)
            item = store.rate(rater, item.ticket, 3).current
        assert images == [f"image {n}" for n, size in enumerate([3, 1, 4, 2]) for _ in range(size)]
        orders.append(tuple(labels))
    directions = {order: seed % 2 for order, seed in zip(orders, seeds, strict=True)}
    assert len(directions) == len({seed % 2 for seed in seeds})  # one order forwards, one back in each image
    store.add_items(segments([4, 1, 4, 2, 1]))  # a second method: its items join the images that are there
    rater = invited(store, "f")
    item = store.next_item(rater)
    assert item is not None and item.image_id == "image 0"


def test_the_next_item_is_found_without_a_look_at_all(sqlite_store: Store) -> None:
    """The query walks an index of open items, in its order, and sorts nothing."""
    sqlite_store.add_items(contents(50))
    with sqlite_store.database.engine.connect() as connection:
        for name, order in (("open", "position"), ("back", "mirrored")):
            plan = "\n".join(
                row.detail
                for row in connection.execute(
                    text(
                        "EXPLAIN QUERY PLAN SELECT id FROM zgbench_items AS candidate WHERE study = 1 AND kind = 'item' AND free > 0 "
                        "AND NOT EXISTS (SELECT * FROM zgbench_leases WHERE item_id = candidate.id AND rater_id = 'x' AND state != 'expired') "
                        f"ORDER BY place, {order} LIMIT 1"
                    )
                )
            )
            assert f"zgbench_items_{name} " in plan and "ORDER BY" not in plan


def test_controls_come_one_in_so_many_on_the_photo_at_hand(store: Store) -> None:
    store.configure(control_every=4, k=1)
    store.add_items(segments([3] * 10))
    store.add_controls(
        [Content("mini", f"image {n}", SIZE, mask_text(), f"control {n}", "T*", known=3) for n in range(10)]
    )
    rater = invited(store, "a")
    item, order, images = store.next_item(rater), [], []
    while item is not None:
        look(store)
        order.append(item.label.startswith("control"))
        images.append(item.image_id)
        item = store.rate(rater, item.ticket, 3).current
    due = [is_control_turn(rater.seed, turn, 4) for turn in range(len(order))]
    assert sum(due) - 1 <= sum(order) <= sum(due)
    for n in range(0, len(order), 4):  # one may wait for a photo to be hidden on
        assert sum(due[:n]) - 1 <= sum(order[:n]) <= sum(due[:n])
    changes = sum(a != b for a, b in pairwise(images))
    assert changes == 9  # a control never brings a photo of its own
    assert not {"known", "kind", "why"} & {f.name for f in dataclasses.fields(zgbench.ratings.Item)}


def test_controls_on_photos_of_their_own_come_later_but_come(sqlite_store: Store) -> None:
    """As in stores of before: there is no better photo for them."""
    sqlite_store.configure(control_every=4, k=1)
    sqlite_store.add_items(contents(30))
    sqlite_store.add_controls(contents(12, "c", known=3))
    controls = {c.id for c in contents(12, "c")}
    rater = invited(sqlite_store, "a")
    order = [item in controls for item in rate_all(sqlite_store, rater)]
    assert 7 <= sum(order) <= 10


def test_a_quota_ends_it(store: Store) -> None:
    store.configure(control_every=3, quota=5)
    store.add_items(contents(20))
    store.add_controls(hidden(20))
    rater = invited(store, "a")
    item = store.next_item(rater)
    assert item is not None and store.progress(rater).left == 5
    look(store)
    item = store.skip(rater, item.ticket, "cannot see it").current  # not an answer
    seen = rate_all(store, rater)
    assert len(seen) == 5
    progress = store.progress(rater)
    assert (progress.answered, progress.skipped, progress.left) == (5, 1, 0)
    assert store.undo(rater, None).accepted  # what was said can still be changed
    assert len(rate_all(store, rater)) == 1
    other = invited(store, "b")
    assert len(rate_all(store, other)) == 5


def test_time_left_is_at_ones_own_pace(sqlite_store: Store) -> None:
    sqlite_store.configure(quota=10)
    sqlite_store.add_items(contents(20))
    rater = invited(sqlite_store, "a")
    item = sqlite_store.next_item(rater)
    for seconds in (2, 4, 60):
        assert item is not None and sqlite_store.progress(rater).seconds_left is None
        look(sqlite_store, seconds)
        item = sqlite_store.rate(rater, item.ticket, 1).current
    assert sqlite_store.progress(rater).seconds_left == pytest.approx(7 * 4)
