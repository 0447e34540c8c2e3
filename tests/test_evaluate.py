"""evaluate: what is reused, what is refused, what stands in the result."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import zgbench
from tests.conftest import VOC_IDS, HashedText
from tests.submission.sample import oracle, sound, write

OFFLINE = zgbench.PRESETS["offline"]


def named(*labels: str) -> dict[str, Any]:
    """The sound submission with these labels in place of its four, in order."""
    document = sound()
    segments = [segment for image in document["images"] for segment in image["segments"]]
    for segment, label in zip(segments, labels, strict=True):
        segment["label"] = label
    return document


RIGHT = ("aeroplane", "bicycle", "aeroplane", "bicycle")


class NoModel(HashedText):
    name = "none"

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        raise zgbench.ModelUnavailable("CLIP cannot be had; try --reassign tt")

    def encode_segments(self, photo: Any, masks: np.ndarray) -> np.ndarray:
        raise AssertionError("its texts could not be had")


class Clip(HashedText):
    """Sees an aeroplane in every segment that touches the left edge, a bicycle elsewhere; remembers what it was shown."""

    def __init__(self, name: str = "hashed-clip") -> None:
        self.name = name
        self.weights: str | None = None  # the cache's key; without, nothing is kept on disk
        self.shown: list[tuple[tuple[int, ...], tuple[int, int]]] = []

    def encode_segments(self, photo: Any, masks: np.ndarray) -> np.ndarray:
        assert masks.dtype == np.bool_
        self.shown.append((masks.shape, photo.size))
        return self.encode([f"Image of a {'aeroplane' if mask[:, 0].any() else 'bicycle'}." for mask in masks])


def run(path: Path, data: Path, **options: Any) -> zgbench.Evaluation:
    chosen: dict[str, Any] = {"protocol": OFFLINE, "text_encoder": HashedText(), "clip": NoModel(), **options}
    return zgbench.evaluate(path, data=data, **chosen)


def without_timing(path: Path) -> str:
    content = json.loads(path.read_text())
    assert content.pop("timing_s").keys() >= {"counts", "models", "scores"}
    return json.dumps(content)


# ---- what can be scored, and what cannot


def test_by_default_what_cannot_be_had_is_told(tiny_voc: Path, tmp_path: Path) -> None:
    found = run(write(named(*RIGHT), tmp_path / "s.json"), tiny_voc)
    assert [row["reassign"] for row in found.scores] == ["TT", *["LT"] * 6]
    assert found.unavailable == {"ST": "CLIP cannot be had; try --reassign tt"}


@pytest.mark.parametrize("asked", [["st"], ["tt", "st"], ["ST"]])
def test_what_is_asked_for_and_cannot_be_had_is_an_error(asked: list[str], tiny_voc: Path, tmp_path: Path) -> None:
    with pytest.raises(zgbench.ModelUnavailable, match="CLIP cannot be had"):
        run(write(sound(), tmp_path / "s.json"), tiny_voc, reassign=asked, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_can_be_had(tiny_voc: Path, tmp_path: Path) -> None:
    with pytest.raises(zgbench.ModelUnavailable, match=r"TT: CLIP cannot[^\n]*\nST: CLIP cannot"):
        run(write(sound(), tmp_path / "s.json"), tiny_voc, text_encoder=NoModel())


def test_submitted_embeddings_are_missing(tiny_voc: Path, tmp_path: Path) -> None:
    path = write(sound(), tmp_path / "s.json")
    found = run(path, tiny_voc, protocol="iccv2023", clip=Clip())
    assert "SubmissionWriter.add(..., embeddings=...)" in found.unavailable["ST"]
    assert "--protocol v1" in found.unavailable["ST"]
    with pytest.raises(zgbench.ModelUnavailable, match="this one has none"):
        run(path, tiny_voc, protocol="iccv2023", clip=Clip(), reassign=["st"])


@pytest.mark.parametrize("asked", [["tts"], [], ["tt", "human"]])
def test_unknown_reassignments(asked: list[str], tiny_voc: Path, tmp_path: Path) -> None:
    with pytest.raises(zgbench.UsageError, match="expected some of tt, lt, st"):
        run(write(sound(), tmp_path / "s.json"), tiny_voc, reassign=asked)


# ---- segment to text


def test_segments_are_embedded_from_photo_and_mask_and_only_once(tiny_voc: Path, tmp_path: Path) -> None:
    path = write(named(*RIGHT), tmp_path / "s.json")
    clip = Clip("clip of this test")
    clip.weights = "hash of its weights"
    found = run(path, tiny_voc, reassign=["st"], clip=clip)
    assert found.reassigned[0].decision.class_id.tolist() == [1, 2, 1, 2]
    assert clip.shown == [((2, 4, 6), (6, 4)), ((2, 4, 6), (6, 4))]
    (row,) = found.scores
    assert (row["reassign"], row["verify"]) == ("ST", "cos>=0.1")
    assert "clip of this test" in row["signature"]
    assert "globsub" in row["signature"]
    again = Clip("clip of this test")
    again.weights = clip.weights
    assert run(path, tiny_voc, reassign=["st"], clip=again).scores == found.scores
    assert again.shown == []

    # another photo, or another mask, is another segment
    Image.fromarray(np.full((4, 6, 3), 99, dtype=np.uint8)).save(
        tiny_voc / f"VOCdevkit/VOC2012/JPEGImages/{VOC_IDS[0]}.jpg"
    )
    run(path, tiny_voc, reassign=["st"], clip=again)
    assert len(again.shown) == 1


def test_oracle_segments_are_embedded_with_the_truths_masks(tiny_voc: Path, tmp_path: Path) -> None:
    clip = Clip("clip for oracles")
    found = run(write(oracle(), tmp_path / "s.json"), tiny_voc, clip=clip)
    assert [shape for shape, _ in clip.shown] == [(2, 4, 6), (3, 4, 6), (3, 4, 6)]
    assert found.reassigned[1].decision.class_id[:2].tolist() == [1, 2]


@pytest.mark.parametrize("spoil", ["missing", "another size"])
def test_photos_that_do_not_fit(spoil: str, tiny_voc: Path, tmp_path: Path) -> None:
    photo = tiny_voc / f"VOCdevkit/VOC2012/JPEGImages/{VOC_IDS[1]}.jpg"
    if spoil == "missing":
        photo.unlink()
    else:
        Image.fromarray(np.zeros((5, 6, 3), dtype=np.uint8)).save(photo)
    with pytest.raises(zgbench.DataError, match=VOC_IDS[1]):
        run(write(named(*RIGHT), tmp_path / "s.json"), tiny_voc, reassign=["st"], clip=Clip())


class Together(Clip):
    """Its last digits depend on how many segments are computed at once, as a real network's do."""

    def encode_segments(self, photo: Any, masks: np.ndarray) -> np.ndarray:
        found = super().encode_segments(photo, masks)
        found[:, 0] += len(masks) * 1e-3
        return found


def test_what_other_submissions_left_in_the_cache_changes_no_digit(
    tiny_voc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = np.arange(6)[None].repeat(4, axis=0) < 2
    both, one = tmp_path / "both.json", tmp_path / "one.json"
    for path, masks in ((both, np.stack([left, ~left])), (one, left[None])):
        with zgbench.SubmissionWriter(path, name="m", dataset="pas20") as submission:
            for image_id in VOC_IDS:
                submission.add(image_id, masks, ["?"] * len(masks))

    def cosines(*paths: Path, cache: str) -> list[float]:
        monkeypatch.setenv("ZGBENCH_CACHE", str(tmp_path / cache))
        found = [run(path, tiny_voc, clip=Together("together"), reassign=["st"]) for path in paths]
        similarity: list[float] = found[-1].reassigned[0].decision.similarity.tolist()
        return similarity

    assert cosines(one, both, cache="used") == cosines(both, cache="fresh")


def embedded(path: Path, texts: Sequence[str]) -> Path:
    """A submission with one segment an image, whose embedding is that of a CLIP prompt."""
    columns = np.arange(6)[None].repeat(4, axis=0)
    with zgbench.SubmissionWriter(path, name="m", dataset="pas20") as submission:
        for image_id, text in zip(VOC_IDS, texts, strict=True):
            submission.add(
                image_id, (columns < 2)[None], ["?"], embeddings=3 * HashedText().encode([f"Image of a {text}."])
            )
    return path


class OnlyText(Clip):
    def encode_segments(self, photo: Any, masks: np.ndarray) -> np.ndarray:
        raise AssertionError("the submission has embeddings of its own")


def test_submitted_embeddings_are_used(tiny_voc: Path, tmp_path: Path) -> None:
    path = embedded(tmp_path / "s.json", ("aeroplane", "dog", "aeroplane"))
    found = run(path, tiny_voc, protocol="iccv2023", clip=OnlyText(), reassign=["st"])
    assert found.reassigned[0].decision.class_id.tolist() == [1, 12, 1]
    assert found.reassigned[0].decision.similarity == pytest.approx(1, abs=1e-6)
    assert "segments=submitted" in found.scores[0]["signature"]

    (tmp_path / "s.safetensors").unlink()
    with pytest.raises(zgbench.InputError, match=r"s\.safetensors: there is no such file"):
        run(path, tiny_voc, protocol="iccv2023", clip=OnlyText(), reassign=["st"])


# ---- counts are reused by content


def reused(found: zgbench.Evaluation) -> bool:
    return "reused" in found.timing


def test_counts_are_reused_when_only_the_protocol_changes(tiny_voc: Path, tmp_path: Path) -> None:
    path, out = write(named(*RIGHT), tmp_path / "s.json"), tmp_path / "out"
    first = run(path, tiny_voc, out=out)
    assert not reused(first)
    os.utime(path, (0, 0))  # dates say nothing
    os.utime(tiny_voc / f"VOCdevkit/VOC2012/SegmentationClass/{VOC_IDS[0]}.png", (0, 0))
    second = run(path, tiny_voc, out=out, background="ignore")
    assert reused(second)
    fresh = run(path, tiny_voc, background="ignore")
    assert not reused(fresh)
    assert second.scores == fresh.scores


def test_counts_are_made_again_when_the_truth_changes(tiny_voc: Path, tmp_path: Path) -> None:
    path, out = write(named(*RIGHT), tmp_path / "s.json"), tmp_path / "out"
    before = run(path, tiny_voc, out=out)
    png = tiny_voc / f"VOCdevkit/VOC2012/SegmentationClass/{VOC_IDS[0]}.png"
    dates = png.stat().st_atime, png.stat().st_mtime
    image = Image.open(png)
    truth = np.array(image)
    truth[0, 0] = 2
    changed = Image.fromarray(truth)
    changed.putpalette(np.repeat(np.arange(256), 3).tolist())
    changed.save(png)
    os.utime(png, dates)
    after = run(path, tiny_voc, out=out)
    assert not reused(after)
    assert after.scores[0]["iou_image"] != before.scores[0]["iou_image"]
    assert after.scores[0]["signature"] != before.scores[0]["signature"]


def test_counts_are_made_again_when_the_submission_changes(tiny_voc: Path, tmp_path: Path) -> None:
    path, out = write(named(*RIGHT), tmp_path / "s.json"), tmp_path / "out"
    run(path, tiny_voc, out=out)
    write(named("aeroplane", "bicycle", "aeroplane", "dog"), path)
    assert not reused(run(path, tiny_voc, out=out))


@pytest.mark.parametrize("damage", ["cut", "noise", "one bit", "empty", "not ours"])
def test_a_damaged_statistics_file_is_made_again(damage: str, tiny_voc: Path, tmp_path: Path) -> None:
    path, out = write(named(*RIGHT), tmp_path / "s.json"), tmp_path / "out"
    expected = run(path, tiny_voc, out=out).scores
    stats = out / "s.pas20.stats.parquet"
    content = stats.read_bytes()
    if damage == "not ours":
        pd.DataFrame({"a": [1]}).to_parquet(stats)
    else:
        noise = content[:200] + b"\0" * 64 + content[264:]
        bit = content[:60] + bytes([content[60] ^ 1]) + content[61:]
        stats.write_bytes({"cut": content[:-9], "noise": noise, "one bit": bit, "empty": b""}[damage])
    found = run(path, tiny_voc, out=out)
    assert not reused(found)
    assert found.scores == expected
    assert stats.read_bytes() == content


def test_counts_of_some_images_do_not_stand_for_all(tiny_voc: Path, tmp_path: Path) -> None:
    document, out = named(*RIGHT), tmp_path / "out"
    del document["images"][2]
    path = write(document, tmp_path / "s.json")
    partial = run(path, tiny_voc, out=out, partial=True)
    assert partial.scores[0]["images"] == 2
    assert partial.result["dataset"]["images"] == 2
    assert not partial.result["dataset"]["official"]
    with pytest.raises(zgbench.SubmissionError, match=VOC_IDS[2]):
        run(path, tiny_voc, out=out)
    assert reused(run(path, tiny_voc, out=out, partial=True))


# ---- the result


def test_equal_input_gives_equal_bytes_but_for_timing(tiny_voc: Path, tmp_path: Path) -> None:
    path = write(named(*RIGHT), tmp_path / "s.json")
    for name, workers in (("a", 1), ("b", 2), ("b", 1)):  # the last one reuses counts
        run(path, tiny_voc, out=tmp_path / name, workers=workers, reassign=["tt", "st"], clip=Clip())
    names = sorted(p.name for p in (tmp_path / "a").iterdir())
    assert names == [f"s.pas20.{end}" for end in ("per_class.csv", "result.json", "segments.parquet", "stats.parquet")]
    for name in names:
        read = without_timing if name.endswith(".json") else Path.read_bytes
        assert read(tmp_path / "a" / name) == read(tmp_path / "b" / name), name


def test_the_result_file_is_as_the_contract_says(tiny_voc: Path, tmp_path: Path) -> None:
    found = run(write(named(*RIGHT), tmp_path / "s.json.gz"), tiny_voc, out=tmp_path / "out")
    result = json.loads((tmp_path / "out/s.pas20.result.json").read_text())
    assert result["format"] == "zgbench-result/1"
    assert result["submission"]["name"] == "my method"
    assert len(result["submission"]["sha256"]) == len(result["dataset"]["ids_sha256"]) == 64
    assert {k: result["dataset"][k] for k in ("key", "split", "images", "official")} == {
        "key": "pas20", "split": "val", "images": 3, "official": False,
    }  # fmt: skip
    row = result["scores"][0]
    assert [r["reassign"] for r in result["scores"]] == ["TT", *["LT"] * 6]
    assert row == json.loads(json.dumps(found.scores[0]))
    assert (row["reassign"], row["verify"], row["segments_kept"]) == ("TT", "cos>=0.5", 4)
    for score in (row["iou_image"], row["iou_dataset"], *row["recall"].values()):
        assert score.keys() == {"value", "ci95"}
        low, high = score["ci95"]
        assert 0 <= low <= score["value"] <= high <= 1
    assert row["recall"].keys() == {"0.25", "0.5", "0.75", "auc"}
    assert set(row["per_class"]["aeroplane"]) == {"iou", "recall", "images"}
    assert result["tgq"] is None
    assert result["unavailable"].keys() == {"ST"}
    assert result.keys() >= {"timing_s", "versions"}


def test_the_signature_names_all_that_moves_a_score(tiny_voc: Path, tmp_path: Path) -> None:
    path = write(named(*RIGHT), tmp_path / "s.json")
    base = run(path, tiny_voc).scores[0]["signature"]
    assert base == run(path, tiny_voc, out=tmp_path / "elsewhere", workers=1).scores[0]["signature"]
    other = HashedText()
    other.name = "another text model"
    changes: list[dict[str, Any]] = [
        {"background": "ignore", "protocol": "offline"},
        {"background": "released", "protocol": "offline"},
        {"seed": 1, "protocol": "offline"},
        {"subset": "first:2"},
        {"subset": "random:2:7"},
        {"text_encoder": other},
        {"protocol": "iccv2023"},
    ]
    signatures = [run(path, tiny_voc, **change).scores[0]["signature"] for change in changes]
    assert len({base, *signatures}) == 1 + len(changes)


def test_subsets_are_scored_from_a_whole_submission(tiny_voc: Path, tmp_path: Path) -> None:
    found = run(write(named(*RIGHT), tmp_path / "s.json"), tiny_voc, subset="first:1")
    assert found.counts.ids == VOC_IDS[:1]
    assert found.scores[0]["segments"] == 2
    assert "first" in found.scores[0]["signature"]


def test_tables_for_pandas(tiny_voc: Path, tmp_path: Path) -> None:
    found = run(write(named(*RIGHT), tmp_path / "s.json"), tiny_voc, reassign=["tt"])
    (record,) = found.table.to_dict("records")
    assert record["iou_image"] == found.scores[0]["iou_image"]["value"]
    assert (record["recall_0.5_low"], record["recall_0.5_high"]) == tuple(found.scores[0]["recall"]["0.5"]["ci95"])
    aeroplane = found.per_class.set_index("class").loc["aeroplane"]
    assert (aeroplane["iou"], aeroplane["recall"], aeroplane["images"]) == (2 / 3, 2 / 3, 3)


def test_a_submission_without_any_segment_scores_nothing(tiny_voc: Path, tmp_path: Path) -> None:
    document = sound()
    for image in document["images"]:
        image["segments"] = []
    found = run(write(document, tmp_path / "s.json"), tiny_voc, reassign=["tt", "st"], clip=Clip())
    for row in found.scores:
        assert row["iou_image"] == row["iou_dataset"] == row["recall"]["auc"] == {"value": 0.0, "ci95": [0.0, 0.0]}


def test_text_generation_quality_needs_the_text_model(tiny_voc: Path, tmp_path: Path) -> None:
    path = write(oracle(), tmp_path / "s.json")
    found = run(path, tiny_voc)
    assert found.tgq is not None
    assert found.tgq["segments"] == found.tgq["labelled"] == 8
    assert found.tgq["value"] == 0  # "a bicycle" is another text to a hash
    without = run(path, tiny_voc, text_encoder=NoModel(), clip=Clip())
    assert without.tgq is None
    assert without.unavailable.keys() == {"TT", "TGQ", "LT level<=4+text"}
