"""From a submission to items, to ratings, to an export, to scores."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zgbench
from tests.conftest import VOC_IDS, HashedText
from tests.ratings.acting import invited, look
from tests.ratings.clock import Clock
from tests.submission.sample import oracle, write
from tests.test_evaluate import RIGHT, NoModel, named, run
from zgbench.cli.render import by_people
from zgbench.ratings import Item, Store, export_csv, export_parquet
from zgbench.ratings.content import canonical, canonical_text
from zgbench.ratings.known import controls, training
from zgbench.ratings.reading import read
from zgbench.ratings.words import GROUP_OF
from zgbench.sampling import sample
from zgbench.submission import rle

DEMO = Path(__file__).resolve().parents[2] / "submissions/demo.json"


def rate(store: Store, names: str, judge: Callable[[Item, str], int | str]) -> None:
    """Let raters answer everything, each as the judge says."""
    for name in names:
        rater = invited(store, name)
        item = store.next_item(rater)
        while item is not None:
            look(store)
            outcome = store.rate(rater, item.ticket, judge(item, name))  # type: ignore[arg-type]
            assert outcome.accepted
            item = outcome.current


def drawn(store: Store, path: Path, data: Path | None = None, **options: Any) -> Any:
    """Sample with stand-ins for the models."""
    return sample(store, path, data=data, protocol="offline", text_encoder=HashedText(), clip=NoModel(), **options)


# scores of raters a, b and c for the left and right segment of the first two images; None: cannot tell
GIVEN = {
    (VOC_IDS[0], "aeroplane"): (3, 3, 2),  # median 3
    (VOC_IDS[0], "bicycle"): (0, 1, 1),  # median 1
    (VOC_IDS[1], "aeroplane"): (None, 2, None),  # median 2
    (VOC_IDS[1], "bicycle"): (2, None, 3),  # an even number: the lower middle, 2
}


def hand_worked(item: Item, name: str) -> int | str:
    score = GIVEN.get((item.image_id, item.label), (0, 0, 0))["abc".index(name)]
    return "cannot_tell" if score is None else score


def test_rows_by_people_are_as_worked_out_by_hand(
    sqlite_store: Store, tiny_voc: Path, tmp_path: Path, clock: Clock
) -> None:
    path = write(named(*RIGHT), tmp_path / "s.json")
    found = drawn(sqlite_store, path, tiny_voc, n=10, question="T*", controls=0)
    assert (found.items, found.images, found.new) == (4, 2, 4)
    rate(sqlite_store, "abc", hand_worked)
    sqlite_store.close()
    (tmp_path / "r.csv").write_bytes(export_csv(sqlite_store))
    (tmp_path / "r.parquet").write_bytes(export_parquet(sqlite_store))
    # Truth of an image: 8 pixels aeroplane; 6 bicycle; 6 dog (first image: background). The segments: left = the
    # aeroplane's 8 pixels; right = 8 pixels, 4 of the bicycle and 4 below it, so that its IoU is 4 / (6 + 8 − 4) = 2/5.
    # The third image has no segments: its classes have IoU 0.
    # image means: h>=1 (1 + 2/5) / 2, (1 + 2/5 + 0) / 3, 0; h>=2 1/2, (1 + 2/5) / 3, 0; h>=3 1/2, 0, 0
    # classes: h>=1 16/24, 8/(10 + 10 + 6), 0/12; h>=2 16/24, 4/(6 + 10 + 6), 0; h>=3 8/24, 0, 0
    expected = {
        "h>=1": (4, 7 / 18, 38 / 117, 2 / 8),
        "h>=2": (3, 29 / 90, 28 / 99, 2 / 8),
        "h>=3": (1, 1 / 6, 1 / 9, 1 / 8),
    }
    results = []
    for source in (sqlite_store.database.name, tmp_path / "r.csv", tmp_path / "r.parquet"):
        result = run(path, tiny_voc, protocol="offline", reassign=["tt"], ratings=source)
        rows = {row["verify"]: row for row in result.scores if row["verify"].startswith("h")}
        assert rows.keys() == expected.keys()
        for verify, (kept, image, dataset, recall) in expected.items():
            row = rows[verify]
            assert (row["images"], row["segments"], row["segments_kept"]) == (3, 4, kept)
            assert row["iou_image"]["value"] == pytest.approx(image)
            assert row["iou_dataset"]["value"] == pytest.approx(dataset)
            assert row["recall"]["0.5"]["value"] == pytest.approx(recall)
            assert "|human:median,whole-images|" in row["signature"]
        about = result.result["ratings"]
        assert about["TT"]["segments"] == about["TT"]["segments_rated"] == 4
        assert about["TT"]["images_rated"] == 3
        assert about["unrated"] == "whole-images" and about["excluded"] == []
        # every label is a class name, so that all similarities are 1
        assert "no variance" in about["TT"]["spearman"]["reason"]
        assert "4 of 4 segments rated, all of them in 3 of 3 images" in by_people(result)[0]
        results.append(json.dumps(result.result, sort_keys=True))
    assert len(set(results)) == 1


def test_who_is_left_out_stands_in_the_signature(sqlite_store: Store, tiny_voc: Path, tmp_path: Path) -> None:
    path = write(named(*RIGHT), tmp_path / "s.json")
    drawn(sqlite_store, path, tiny_voc, n=10, question="T*", controls=0)
    rate(sqlite_store, "abc", lambda item, name: 0 if name == "a" else 3)
    sqlite_store.add_exclusion("agreement<0.5", min=4)
    sqlite_store.close()
    result = run(path, tiny_voc, protocol="offline", reassign=["tt"], ratings=sqlite_store.database.name)
    assert result.result["ratings"]["excluded"] == ["agreement<0.5 min=4"]
    assert "|human:median,whole-images,agreement<0.5 min=4|" in result.scores[-1]["signature"]
    assert [row["segments_kept"] for row in result.scores[1:]] == [4, 4, 4]
    assert "left out by rule: agreement<0.5" in by_people(result)[-1]


def test_the_truths_segments_can_be_rated_too(sqlite_store: Store, tiny_voc: Path, tmp_path: Path) -> None:
    path = write(oracle(), tmp_path / "s.json")
    drawn(sqlite_store, path, tiny_voc, n=20, question="T*", controls=0)
    rate(sqlite_store, "a", lambda item, name: 3)
    sqlite_store.close()
    result = run(path, tiny_voc, protocol="offline", reassign=["tt"], ratings=sqlite_store.database.name)
    assert result.result["ratings"]["TT"]["segments_rated"] == 8


def test_the_whole_circle_on_mini(sqlite_store: Store, clock: Clock, tmp_path: Path) -> None:
    """Raters who compare the shown class with the truth: what is right is rated 3, what is wrong 0 or 1."""
    sqlite_store.configure(control_every=20)
    found = drawn(sqlite_store, DEMO, n=80, question="T*", seed=4, k=3)
    assert 70 < found.items <= 80 and found.controls == 20 and found.training == 24
    data = zgbench.open_dataset("mini")

    def judge(item: Item, name: str) -> int:
        classes = data.source.truth(item.image_id).classes()
        right = data.vocabulary.id(item.label)
        covered = (classes[item.mask()] == right).mean()
        # rater c is a little more severe
        return 3 if covered > 0.8 else 2 if covered > 0.6 and name != "c" else 1 if covered > 0.3 else 0

    rate(sqlite_store, "abc", judge)
    assert sqlite_store.progress(invited(sqlite_store, "a")).answered >= found.items
    answers = read(sqlite_store)
    control = answers.known[answers.item] >= 0
    assert (np.abs(answers.score - answers.known[answers.item])[control] <= 1).all()
    (tmp_path / "r.csv").write_bytes(export_csv(sqlite_store))
    result = zgbench.evaluate(
        DEMO, ratings=tmp_path / "r.csv", reassign=["tt"], protocol="offline", text_encoder=HashedText(),
        clip=NoModel(), out=tmp_path / "out",
    )  # fmt: skip
    about = result.result["ratings"]["TT"]
    assert about["segments_rated"] == found.items
    assert about["images_rated"] >= found.images
    rows = {row["verify"]: row for row in result.scores}
    assert rows["h>=1"]["segments_kept"] >= rows["h>=2"]["segments_kept"] >= rows["h>=3"]["segments_kept"] > 0
    # labels that are a class's name have similarity 1 and are mostly right; the others land anywhere
    assert about["spearman"]["value"] > 0.5
    low, high = about["tau"]["ci95"]
    assert low <= about["tau"]["value"] <= high
    assert about["tau"]["youden_j"] > 0.5
    stored = json.loads((tmp_path / "out/demo.mini.result.json").read_text())
    assert stored["ratings"]["TT"] == about


def test_methods_share_items_and_raters_do_not_know_them(sqlite_store: Store, tmp_path: Path) -> None:
    first = drawn(sqlite_store, DEMO, n=60, seed=1)
    assert first.new == first.items == 60
    document = json.loads(DEMO.read_text())
    document["name"] = "a secret method"
    for k, image in enumerate(document["images"]):
        for segment in image["segments"]:
            if k % 2:
                segment["label"] = "something else"
    second = drawn(sqlite_store, write(document, tmp_path / "other.json"), n=60, seed=1)
    assert 0 < second.new < second.items
    item = sqlite_store.next_item(invited(sqlite_store, "a"))
    assert "demo" not in repr(item) and "secret" not in repr(item)
    rate(sqlite_store, "b", lambda item, name: 3)
    held = export_csv(sqlite_store)
    assert len(held) > 1000 and b"secret method" not in held and b"demo" not in held


def test_a_sample_follows_from_its_seed(sqlite_store: Store) -> None:
    assert drawn(sqlite_store, DEMO, n=30, seed=5).new == 30
    assert drawn(sqlite_store, DEMO, n=30, seed=5).new == 0
    assert drawn(sqlite_store, DEMO, n=30, seed=6).new > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, "--n 0: expected at least 1"),
        ({"n": 1, "per_image": 0}, "the first image drawn has"),
        ({"per_image": -1}, "--per-image -1"),
        ({"question": "U"}, "expected T or T"),
        ({"reassign": "xx"}, "expected tt or st"),
    ],
)
def test_samples_that_cannot_be(options: dict[str, Any], message: str, sqlite_store: Store) -> None:
    with pytest.raises(zgbench.UsageError, match=message):
        drawn(sqlite_store, DEMO, **options)


def test_known_items_are_beyond_dispute() -> None:
    data = zgbench.open_dataset("mini")
    found = controls(data, "T", 30, seed=0)
    assert [item.known for item in found] == [3, 0] * 15
    assert len({item.image_id for item in found}) == 30
    for item in found:
        classes = data.source.truth(item.image_id).classes()
        mask = rle.mask_of(rle.parse([item.counts.encode()]).counts, item.size)
        (class_id,) = np.unique(classes[mask])
        assert (classes == class_id).sum() == mask.sum()  # a whole segment of the truth
        name = data.vocabulary.name(int(class_id))
        assert (item.label == name) == (item.known == 3)
        if item.known == 0:
            assert GROUP_OF[item.label] != GROUP_OF[name]
            assert not (classes == data.vocabulary.id(item.label)).any()
    rounds = training(data, "T", seed=0)
    assert len(rounds) == 3
    for one in rounds:
        assert sorted(item.known for item in one if item.known is not None) == [0, 0, 1, 1, 2, 2, 3, 3]
        assert all(item.why for item in one)


def test_masks_are_equal_whatever_their_runs() -> None:
    assert canonical(np.array([2, 3, 0, 4, 1])) == rle.encode(np.array([2, 7, 1]))
    assert canonical(np.array([0, 3, 0, 4, 1, 0])) == rle.encode(np.array([0, 7, 1]))
    assert canonical(np.array([0, 0, 4, 2, 0, 0, 4])) == rle.encode(np.array([4, 2, 4]))
    assert canonical_text(rle.encode(np.array([2, 3, 0, 4, 1])), (2, 5)) == rle.encode(np.array([2, 7, 1]))
    with pytest.raises(zgbench.InputError, match="it is empty"):
        canonical_text(rle.encode(np.array([10])), (2, 5))
