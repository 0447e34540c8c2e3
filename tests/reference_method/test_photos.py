"""Photos of one's own: which are meant, what is written, and what one that cannot be read costs."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from reference_method import photos
from reference_method.merging import Segment
from reference_method.replicas import on_devices
from tests.end_to_end.command import here
from zgbench.datasets import mini
from zgbench.errors import DataError, UsageError
from zgbench.submission import rle

QUICK = [f"--set=naming.{change}" for change in ("steps=1", "candidates=16", "beams=2", "max_tokens=2")]


def _save(place: Path, number: int = 1) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mini.scene("train", 900_000_000 + number).image).save(place)
    return place


def _halves(photo: Image.Image) -> list[Segment]:
    left = np.broadcast_to(np.arange(photo.width) < photo.width // 2, (photo.height, photo.width))
    return [Segment(left, np.zeros(1, np.float32), "left café"), Segment(~left, np.zeros(1, np.float32), "right")]


def _label(found: list[photos.Photo]) -> list[object]:
    told = {"name": "halves", "description": "", "url": "", "text_guidance": False}
    return [result for _, result in photos.label(found, lambda: (_halves, told))]


def test_three_files_that_say_the_same(tmp_path: Path) -> None:
    source = _save(tmp_path / "photo.jpg")
    (found,) = photos.collect([str(source)], None)
    _label([found])
    assert sorted(place.name for place in tmp_path.iterdir()) == ["photo.jpg", "photo.label_map.png", "photo.segments.json", "photo.segments.png"]  # fmt: skip
    content = json.loads((tmp_path / "photo.segments.json").read_text(encoding="utf-8"))
    assert content["format"] == "zgbench/1" and content["track"] == "free" and content["name"] == "halves"
    (image,) = content["images"]
    assert image["id"] == "photo" and [s["label"] for s in image["segments"]] == ["left café", "right"]
    with Image.open(tmp_path / "photo.label_map.png", formats=["PNG"]) as picture:
        assert picture.mode == "P"
        values = np.asarray(picture)
    for number, segment in enumerate(image["segments"], start=1):
        runs = rle.parse([segment["counts"].encode()])
        mask = rle.mask_of(runs.counts, tuple(image["size"]))
        np.testing.assert_array_equal(values == number, mask)
    with Image.open(tmp_path / "photo.segments.png", formats=["PNG"]) as picture:
        assert picture.size == (480, 480)


def test_a_folders_photos_and_not_what_was_made_of_them(tmp_path: Path) -> None:
    for name in ("b.JPG", "a.png", "c.webp", "deeper/d.png"):
        _save(tmp_path / name)
    for name in ("._b.JPG", ".DS_Store", "notes.txt", "a.segments.png", "a.label_map.png"):
        (tmp_path / name).write_bytes(b"x")
    found = photos.collect([str(tmp_path)], None)
    assert [photo.source.name for photo in found] == ["a.png", "b.JPG", "c.webp"]
    elsewhere = photos.collect([str(tmp_path), str(tmp_path / "a.png")], str(tmp_path / "new/out"))
    assert [photo.results()[0] for photo in elsewhere] == [tmp_path / f"new/out/{x}.segments.png" for x in "abc"]
    assert not (tmp_path / "new").exists()
    _label(elsewhere)
    assert len(list((tmp_path / "new/out").iterdir())) == 9


@pytest.mark.parametrize(
    ("given", "out", "said"),
    [
        (["a.jpg", "a.png"], None, r"a\.jpg and .*a\.png would both be written to .*a\.segments\.png"),
        (["x/a.jpg", "y/a.jpg"], "out", r"x/a\.jpg and .*y/a\.jpg would both be written"),
        (["a.jpg", "a.segments.png"], None, r"the results of .*a\.jpg would replace the photo .*a\.segments\.png"),
        (["a.jpg", "gone.jpg", "lost.png"], None, r"there is no .*gone\.jpg, .*lost\.png"),
        (["empty"], None, r"empty: holds no photo"),
        (["a.jpg"], "a.png", r"expected a folder for the results, found a file"),
    ],
)
def test_refused_before_any_work(tmp_path: Path, given: list[str], out: str | None, said: str) -> None:
    for name in ("a.jpg", "a.png", "x/a.jpg", "y/a.jpg", "a.segments.png"):
        _save(tmp_path / name)
    (tmp_path / "empty").mkdir()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UsageError, match=said):
        photos.collect([str(tmp_path / name) for name in given], None if out is None else str(tmp_path / out))
    assert sorted(tmp_path.rglob("*")) == before


def test_the_same_photo_twice_is_done_once(tmp_path: Path) -> None:
    source = _save(tmp_path / "a.jpg")
    assert len(photos.collect([str(source), str(tmp_path / "." / "a.jpg"), str(tmp_path)], None)) == 1


def test_photos_of_the_same_name_beside_themselves(tmp_path: Path) -> None:
    sources = [str(_save(tmp_path / folder / "a.jpg")) for folder in "xy"]
    assert [p.target for p in photos.collect(sources, None)] == [tmp_path / "x/a", tmp_path / "y/a"]


def test_one_that_cannot_be_read_costs_itself(tmp_path: Path) -> None:
    first, last = _save(tmp_path / "a.png"), _save(tmp_path / "c.png")
    bad = tmp_path / "b.png"
    bad.write_bytes(first.read_bytes()[:200])
    results = _label(photos.collect([str(first), str(bad), str(last)], None))
    assert [isinstance(result, DataError) for result in results] == [False, True, False]
    assert "b.png: not a readable picture" in str(results[1])
    assert {place.name for place in tmp_path.glob("*.segments.png")} == {"a.segments.png", "c.segments.png"}


def test_models_are_not_loaded_for_nothing(tmp_path: Path) -> None:
    bad = tmp_path / "b.png"
    bad.write_bytes(b"none")
    assert all(isinstance(r, DataError) for _, r in photos.label(photos.collect([str(bad)], None), pytest.fail))


def test_from_the_command_line(tmp_path: Path) -> None:
    """A folder with a broken photo: the others are done, the exit status is 2; with --keep-going it is 0."""
    good, bad = _save(tmp_path / "in/good.jpg"), tmp_path / "in/bad.png"
    bad.write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    arguments = ("reference", "run", tmp_path / "in", "--out", tmp_path / "out", "--preset", "mini", *QUICK)
    out, err = here(*arguments, status=2, OMP_NUM_THREADS="1")
    made = tmp_path / "out/good.segments.png"
    assert str(made) in out and made.is_file() and not list(good.parent.glob("*.segments.*"))
    assert "caution: the small models of --preset mini know drawn scenes only" in err
    assert "bad.png: not a readable picture" in err and "The other 1 are done" in err and "Traceback" not in err
    told = json.loads((tmp_path / "out/good.segments.json").read_text())["method"]["description"]
    assert '"weights":{"dino"' in told
    _, err = here(*arguments, "--keep-going", status=0, OMP_NUM_THREADS="1")
    assert "skipped: " in err
    _, err = here("reference", "run", bad, "--preset", "mini", status=2, OMP_NUM_THREADS="1")
    assert "No photo could be read" in err


@pytest.mark.parametrize("option", [("--method", "groupvit"), ("--track", "oracle"), ("--subset", "first:2")])
def test_what_only_a_data_set_knows(tmp_path: Path, option: tuple[str, str]) -> None:
    photo = _save(tmp_path / "a.jpg")
    _, err = here("reference", "run", photo, "--preset", "mini", *option, status=2)
    assert "need what a --dataset knows" in err


def _load(device: str) -> tuple[photos.Namer, dict[str, Any]]:
    return _halves, {"name": f"on {device}", "description": "", "url": "", "text_guidance": False}


def test_several_devices_share_the_photos(tmp_path: Path) -> None:
    """Each has a process; an unreadable photo costs itself."""
    sources = [_save(tmp_path / f"{number}.png", number) for number in range(3)]
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"nothing")
    found = photos.collect([*map(str, sources), str(bad)], None)
    make = partial(photos.Labeller, _load)
    for devices in (["cpu:0"], ["cpu:0", "cpu:1"]):
        results = {photo.source: labels for photo, labels in on_devices(make, [[photo] for photo in found], devices)}
        assert isinstance(results.pop(bad), DataError)
        assert results == {source: ["left café", "right"] for source in sources}
        told = {json.loads(photo.results()[1].read_text())["name"] for photo in found[:3]}
        assert told <= {f"on {device}" for device in devices}
