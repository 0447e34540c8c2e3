"""What scores take from beside the counts: embeddings of segments, hashes of masks, ratings that were exported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

import zgbench
from tests.conftest import VOC_IDS, HashedText
from tests.pixels.test_counts import drawn
from tests.submission.sample import oracle, sound, write
from tests.test_evaluate import RIGHT, Clip, named, run
from zgbench.datasets import Vocabulary, open_dataset
from zgbench.errors import DataError, InputError, ModelUnavailable, UsageError
from zgbench.pixels.collect import collect
from zgbench.ratings.content import item_id, mask_sha256
from zgbench.scores import given_mapping, registry, reproduction
from zgbench.scores.human_scores import QUESTION, Ratings, read_ratings
from zgbench.scores.mask_hashes import mask_hashes
from zgbench.scores.segment_embeddings import read_embeddings
from zgbench.submission import rle
from zgbench.submission.json_reader import JsonReader
from zgbench.submission.problems import Report


@pytest.mark.parametrize(
    ("tensors", "says"),
    [
        ({}, "expected one tensor, found 0"),
        ({"a": np.ones((4, 2), "f4"), "b": np.ones((4, 2), "f4")}, "expected one tensor, found 2: "),
        ({"a": np.ones((4, 2), "i4")}, "expected bfloat16, float16, float32 or float64, found I32"),
        ({"a": np.ones((3, 2), "f4")}, r"expected shape \[4, d\] \(a row a segment, in file order\), found \[3, 2\]"),
        ({"a": np.ones(4, "f4")}, r"expected shape \[4, d\] .*, found \[4\]"),
        ({"a": np.ones((4, 0), "f4")}, r"expected shape \[4, d\] .*, found \[4, 0\]"),
        ({"a": np.array([[1, 1], [1, np.nan], [np.inf, 1], [1, 1]], "f4")}, r"NaN or infinity in row 1 \(2 rows in all\)"),
        ({"a": np.array([[1, 1], [0, 1], [0, 0], [0, 0]], "f2")}, r"all zeros in row 2 \(2 rows in all\)"),
    ],
)  # fmt: skip
def test_embeddings_that_are_refused(tensors: dict[str, np.ndarray], says: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    save_file(tensors, path)
    with pytest.raises(InputError, match=says):
        read_embeddings(path, 4)


def test_embeddings_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.safetensors"
    with pytest.raises(InputError, match=r'there is no such file, though the submission names it under "embeddings"'):
        read_embeddings(path, 4)
    path.write_bytes(b"x" * 20)
    with pytest.raises(InputError, match="not a readable safetensors file"):
        read_embeddings(path, 4)
    save_file({"a": np.ones((4, 2), "f4")}, path)
    monkeypatch.setattr(np, "fromfile", lambda *_, **__: np.ones(7, "f4"))
    with pytest.raises(InputError, match="found 7; the file was changed while it was being read"):
        read_embeddings(path, 4)


@pytest.mark.parametrize("kind", ["f2", "f4", "f8", "bf16"])
def test_embeddings_of_each_type(kind: str, tmp_path: Path) -> None:
    path, numbers = tmp_path / "mine.safetensors", np.array([[1.5, -2.0], [0.25, 8.0]])
    if kind == "bf16":  # numpy has no such type: its header is written by hand
        upper = (numbers.astype("<f4").view("<u4") >> 16).astype("<u2").tobytes()
        head = json.dumps({"a": {"dtype": "BF16", "shape": [2, 2], "data_offsets": [0, len(upper)]}}).encode()
        path.write_bytes(len(head).to_bytes(8, "little") + head + upper)
    else:
        save_file({"a": numbers.astype(kind)}, path)
    found = read_embeddings(path, 2)
    assert found.dtype == np.float32 and found.tolist() == numbers.tolist()


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_st_by_submitted_embeddings(order: tuple[int, ...], tiny_voc: Path, tmp_path: Path) -> None:
    """A row a segment in the order of the file, whatever the order of the images; also where some images are not scored."""
    clip = Clip()
    document = named(*RIGHT) | {"embeddings": "mine.safetensors"}
    document["images"] = [document["images"][k] for k in order]
    texts = ["aeroplane", "bicycle", "bicycle", "aeroplane"]
    if order[0]:
        texts = texts[2:] + texts[:2]
    save_file({"a": clip.encode([f"Image of a {t}." for t in texts])}, tmp_path / "mine.safetensors")
    path = write(document, tmp_path / "s.json")
    protocol = zgbench.Protocol(segment_embeddings="submitted", clip_prompt="Image of a {}.")
    whole = run(path, tiny_voc, clip=clip, reassign=["st"], protocol=protocol)
    assert whole.reassigned[0].decision.class_id.tolist() == [1, 2, 2, 1]
    one = run(path, tiny_voc, clip=clip, reassign=["st"], protocol=protocol, subset="first:1")
    assert one.reassigned[0].decision.class_id.tolist() == [1, 2]
    save_file({"a": np.ones((4, 3), "f4")}, tmp_path / "mine.safetensors")
    with pytest.raises(
        InputError, match=r"vectors of width 3, but own:hashed-clip has 256\. Embed the segments with the same"
    ):
        run(path, tiny_voc, clip=clip, reassign=["st"], protocol=protocol)


def test_st_without_a_segment(tiny_voc: Path, tmp_path: Path) -> None:
    document = sound()
    for image in document["images"]:
        image["segments"] = []
    found = run(write(document, tmp_path / "s.json"), tiny_voc, clip=Clip(), reassign=["st"])
    assert found.reassigned[0].decision.class_id.tolist() == []
    assert found.scores[0]["iou_image"]["value"] == 0


def test_st_on_track_oracle_and_a_photo_of_another_size(tiny_voc: Path, tmp_path: Path) -> None:
    clip = Clip()
    document = oracle()
    path = write(document, tmp_path / "s.json")
    found = run(path, tiny_voc, clip=clip, reassign=["st"], protocol=zgbench.Protocol(clip_prompt="Image of a {}."))
    assert [shape for shape, _ in clip.shown] == [(2, 4, 6), (3, 4, 6), (3, 4, 6)]
    assert found.reassigned[0].decision.class_id[:2].tolist() == [1, 2]
    from PIL import Image

    Image.new("RGB", (7, 4)).save(tiny_voc / f"VOCdevkit/VOC2012/JPEGImages/{VOC_IDS[1]}.jpg")
    with pytest.raises(
        DataError, match=rf"{VOC_IDS[1]}: the photo is 4 × 7, its truth 4 × 6\. Unpack the archive again"
    ):
        run(path, tiny_voc, clip=Clip(), reassign=["st"])


@pytest.mark.parametrize("track", ["free", "oracle"])
def test_masks_are_found_by_their_content(track: str, tiny_voc: Path, tmp_path: Path) -> None:
    """One hash a counted segment, in the counts' order; equal masks in two images have equal hashes, "" is not wanted."""
    document = sound() if track == "free" else oracle()
    document["images"].reverse()
    dataset, reader = open_dataset("pas20", tiny_voc), JsonReader(write(document, tmp_path / "s.json"))
    header = reader.header(Report())
    assert header is not None
    counts = collect(reader, header, dataset, Report())
    found = mask_hashes(reader, header, dataset, counts, VOC_IDS[:2])
    left = mask_sha256(rle.encode(np.array([0, 8, 16])), (4, 6))
    assert found[0] == found[2] == left
    wanted = int(counts.offsets[2])
    assert len(found) == len(counts.labels) and len(set(found[:wanted])) == (2 if track == "free" else 3)
    assert all(len(one) == 64 for one in found[:wanted]) and found[wanted:] == [""] * (len(found) - wanted)
    assert len(found) - wanted == (0 if track == "free" else 3)


def exported(path: Path, rows: list[dict[str, Any]]) -> Path:
    columns = ["item", "image_id", "rater", "answer", "score", "time", "excluded", "question", "k"]
    lines = [",".join(columns)]
    for n, row in enumerate(rows):
        whole = {"item": "i", "image_id": "a", "rater": "r", "answer": "score", "score": "2", "time": str(n),
                 "excluded": "", "question": QUESTION, "k": "1"} | row  # fmt: skip
        lines.append(",".join(whole[column] for column in columns))
    path.write_text("\n".join(lines) + "\n")
    return path


def test_an_export_is_a_log(tmp_path: Path) -> None:
    """The latest answer counts; what was taken back, asked otherwise, of a control or left out by a rule does not."""
    rows = [
        {"score": "0"}, {"score": "3"}, {"rater": "q", "score": "1"}, {"rater": "q", "answer": "cannot_tell", "score": ""},
        {"rater": "p", "answer": "skipped", "score": ""}, {"item": "j", "score": "1"}, {"item": "j", "answer": "withdrawn", "score": ""},
        {"item": "c", "k": "0"}, {"item": "o", "question": "better"}, {"rater": "x", "excluded": "controls<0.8"},
        {"item": "n", "image_id": "b", "score": "0", "time": "-1"},
    ]  # fmt: skip
    found = read_ratings(exported(tmp_path / "e.csv", rows))
    assert found.items == {"i": {"r": 3}, "n": {"r": 0}}
    assert found.images == {"a", "b"} and found.by_item and found.excluded == ("controls<0.8",)
    again = read_ratings(exported(tmp_path / "f.csv", [*rows[1:2], rows[-1]]))
    assert again.sha256 == found.sha256


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"score": "4"}, "row 0, score: expected 0, 1, 2 or 3; found '4'"),
        ({"rater": ""}, "row 0: expected an item and a rater; found nothing"),
        ({"item": ""}, "row 0: expected an item and a rater; found nothing"),
        ({"answer": "perhaps"}, "row 0, answer: expected score, cannot_tell, skipped or withdrawn; found 'perhaps'"),
    ],
)
def test_an_export_with_bad_rows(row: dict[str, str], says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        read_ratings(exported(tmp_path / "e.csv", [row]))
    assert says in str(error.value)


def test_scores_by_an_export(tiny_voc: Path, tmp_path: Path) -> None:
    """Items are found by the content of their masks, whatever the submission calls its segments."""
    path = write(named(*RIGHT), tmp_path / "s.json")
    dataset, reader = open_dataset("pas20", tiny_voc), JsonReader(path)
    header = reader.header(Report())
    assert header is not None
    counts = collect(reader, header, dataset, Report())
    masks = mask_hashes(reader, header, dataset, counts, VOC_IDS)
    names = ["aeroplane", "bicycle"] * 2
    rows = [
        {"item": item_id("pas20", VOC_IDS[n // 2], mask, name, QUESTION), "image_id": VOC_IDS[n // 2], "score": str(n)}
        for n, (mask, name) in enumerate(zip(masks, names, strict=True))
    ]
    found = run(path, tiny_voc, ratings=exported(tmp_path / "e.csv", rows[:3]), protocol="offline")
    given = found.reassigned[0].rated
    assert given is not None and given[:3].tolist() == [0, 1, 2] and np.isnan(given[3])


def test_words_of_apostrophes_are_unshielded(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("image_id,segment,label,rater,score\na,0,'=cat,r,2\na,1,dog,r,1\n")
    assert set(read_ratings(path).items) == {("a", 0, "=cat"), ("a", 1, "dog")}


def test_no_such_store(tmp_path: Path) -> None:
    for name in ("none.db", "none.json"):
        with pytest.raises(zgbench.ZgbenchError, match=name):
            read_ratings(tmp_path / name)


def test_ratings_under_another_published_name() -> None:
    """What people were shown may be another name of the class; the class's own name comes first."""
    counts = drawn(np.random.RandomState(0), 3, 2)
    vocabulary = Vocabulary((1, 2), ("sky", "wall"), aliases={"heaven": 1, "brick": 2})
    image, segment = counts.ids[int(counts.owner[0])], 0
    items = {(image, segment, "heaven"): {"r": 1}, (image, segment, "brick"): {"r": 3}}
    chosen = np.ones(len(counts.labels), dtype=np.int64)
    assert Ratings(items).aggregated(counts, chosen, vocabulary, "median")[0] == 1
    own = items | {(image, segment, "sky"): {"r": 2}}
    assert Ratings(own).aggregated(counts, chosen, vocabulary, "median")[0] == 2
    assert np.isnan(
        Ratings(own).aggregated(counts, 0 * chosen, vocabulary, "median")
    ).all()  # no class: nothing was shown
    assert np.isnan(Ratings(items, by_item=True).aggregated(counts, chosen, vocabulary, "median")).all()  # no masks


# ---- small refusals


def test_a_table_that_is_no_csv(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a readable CSV table"):
        given_mapping.read_mapping(tmp_path, open_dataset("mini").vocabulary)  # a folder


def test_things_and_stuff_by_name(tmp_path: Path) -> None:
    name = next(n for n, score in registry.SCORES.items() if "things and stuff" in score.needs)
    with pytest.raises(UsageError, match=rf"--scores {name}: the data set mine does not say which .* are things"):
        registry.refuse_unknown_kinds(name, [], "mine")
    registry.refuse_unknown_kinds("all", [], "mine")
    assert registry.sentence("iou_image").startswith("mIoU image: ")
    lower = [name for name, score in registry.SCORES.items() if score.better == "lower"]
    assert all("(lower is better)" in registry.sentence(name) for name in lower)


def test_a_file_too_large_for_a_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write({}, tmp_path / "a.json")
    monkeypatch.setattr(reproduction, "_MOST", 1)
    with pytest.raises(zgbench.ZgbenchError, match=r"a\.json"):
        reproduction.reproduce(str(path))


def test_tables_of_a_result(tiny_voc: Path, tmp_path: Path) -> None:
    found = run(write(named(*RIGHT), tmp_path / "s.json"), tiny_voc, reassign=["tt"])
    assert found.table["iou_image"].tolist() == [row["iou_image"]["value"] for row in found.scores]
    assert set(found.per_class["class"]) >= {"aeroplane", "bicycle"}


def test_a_model_that_is_not_there_for_some_labels(tiny_voc: Path, tmp_path: Path) -> None:
    """LT without its fallback is told as a note, and scored by the lexicon alone."""

    class Fails(HashedText):
        asked = 0

        def encode(self, texts: Any) -> np.ndarray:
            Fails.asked += 1
            if Fails.asked > 1:
                raise ModelUnavailable("gone")
            return super().encode(texts)

    found = run(write(named("aeroplane", "bicycle", "qwxyz", "zzyzx"), tmp_path / "s.json"), tiny_voc, reassign=["lt"], text_encoder=Fails())  # fmt: skip
    assert {row["reassign"] for row in found.scores} == {"LT"}
    assert Fails.asked > 1
    assert not any(row["verify"].endswith("+text") for row in found.scores)
