"""Ratings of a table made by hand that can be about no segment are refused, or told."""

from __future__ import annotations

from pathlib import Path

import pytest

import zgbench
from tests.conftest import VOC_IDS, HashedText
from tests.submission.sample import sound, write

HEADER = "image_id,segment,label,rater,score\n"
# T* of the sample's labels: "plane" is nearest to some class by the stand-in, so every class is rated
CLASSES = ("aeroplane", "bicycle")


def evaluated(tmp_path: Path, data: Path, rows: list[str], **options: str) -> zgbench.Evaluation:
    document = sound()
    for image in document["images"]:
        for segment, name in zip(image["segments"], CLASSES, strict=False):
            segment["label"] = name
    table = tmp_path / "ratings.csv"
    table.write_bytes((HEADER + "".join(f"{row}\n" for row in rows)).encode(options.get("encoding", "utf-8")))
    return zgbench.evaluate(
        write(document, tmp_path / "m.json"),
        data=data,
        protocol="offline",
        reassign=["tt"],
        ratings=table,
        text_encoder=HashedText(),
    )


def rows(segments: tuple[int, int] = (0, 1), ending: str = "") -> list[str]:
    return [f"{i}{ending},{s},{name},ann,3" for i in VOC_IDS[:2] for s, name in zip(segments, CLASSES, strict=True)]


def test_sound_rows(tmp_path: Path, tiny_voc: Path) -> None:
    found = evaluated(tmp_path, tiny_voc, rows())
    assert found.result["ratings"]["TT"]["segments_rated"] == 4
    assert not [note for note in found.dataset.notes if "ratings" in note]


def test_semicolons_and_a_mark_change_nothing(tmp_path: Path, tiny_voc: Path) -> None:
    plain = evaluated(tmp_path, tiny_voc, rows()).result
    table = tmp_path / "ratings.csv"
    for separator in (";", "\t"):
        table.write_bytes(
            b"\xef\xbb\xbf" + (HEADER + "\n".join(rows())).replace(",", separator).replace("\n", "\r\n").encode()
        )
        again = zgbench.evaluate(
            tmp_path / "m.json",
            data=tiny_voc,
            protocol="offline",
            reassign=["tt"],
            ratings=table,
            text_encoder=HashedText(),
        ).result
        assert again["scores"] == plain["scores"] and again["ratings"] == plain["ratings"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (
            rows(ending=".jpg"),
            r"4 of 4 rows name an image that pas20 does not have, the first in row 0: '2007_000033\.jpg'.*: write '2007_000033'",
        ),
        (
            [*rows(), f"{VOC_IDS[0]}.png,0,aeroplane,bob,2"],
            r"1 of 5 rows name an image .* in row 4: '2007_000033\.png'",
        ),
        (
            ["unknown,0,cat,ann,1", *rows()],
            r"1 of 5 rows name an image .*'unknown'\. Ids are file names without folder and ending\.",
        ),
        (
            rows((1, 2)),
            r"2 of 4 rows name a segment .* in row 1: '2007_000033' has 2 segments, the row is about number 2\. Segments count from 0",
        ),
        ([f"{VOC_IDS[2]},0,cat,ann,1"], r"1 of 1 rows name a segment .*'2007_000061' has 0 segments"),
    ],
)
def test_rows_about_nothing(given: list[str], says: str, tmp_path: Path, tiny_voc: Path) -> None:
    with pytest.raises(zgbench.InputError, match=says):
        evaluated(tmp_path, tiny_voc, given)


def test_labels_that_are_no_class_are_told(tmp_path: Path, tiny_voc: Path) -> None:
    found = evaluated(tmp_path, tiny_voc, [*rows(), f"{VOC_IDS[0]},0,jet plane,ann,1"])
    (note,) = [note for note in found.dataset.notes if "ratings" in note]
    assert (
        "1 of 5 ratings are of labels that are no class of pas20 and are not used, the first in row 4: 'jet plane'"
        in note
    )


def test_images_that_are_not_scored_are_told(tmp_path: Path, tiny_voc: Path) -> None:
    found = evaluated(tmp_path, tiny_voc, [*rows(), "2007_000123,0,train,ann,1"])
    (note,) = [note for note in found.dataset.notes if "ratings" in note]
    assert note.endswith("1 of 5 ratings are of images that are not scored here.")
