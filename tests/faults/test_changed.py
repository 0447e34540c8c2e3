"""Files that change while they are read, and clocks that run backwards."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file

import zgbench
from tests.conftest import VOC_IDS
from tests.faults.scoring import FILES, contents, score, submission
from tests.submission.sample import sound, write
from zgbench.datasets import open_dataset, store
from zgbench.scores.segment_embeddings import read_embeddings


def truth_of(data: Path) -> Path:
    return data / f"VOCdevkit/VOC2012/SegmentationClass/{VOC_IDS[0]}.png"


def other_truth(data: Path, _: Path) -> None:
    Image.fromarray(np.full((4, 6), 3, dtype=np.uint8)).save(truth_of(data))


def same_truth_again(data: Path, _: Path) -> None:
    """Replaced by a file of another make (as a tool that unpacks an archive again does): not the one that was read."""
    fresh = truth_of(data).with_suffix(".new")
    fresh.write_bytes(truth_of(data).read_bytes())
    fresh.replace(truth_of(data))


def no_truth(data: Path, _: Path) -> None:
    truth_of(data).unlink()


def other_submission(_: Path, mine: Path) -> None:
    mine.write_text(mine.read_text().replace("bicycle", "a bike"))


def cut_submission(_: Path, mine: Path) -> None:
    os.truncate(mine, 100)


@pytest.mark.parametrize("change", [other_truth, same_truth_again, no_truth, other_submission, cut_submission])
def test_a_file_changed_after_it_was_counted(
    change: Callable[[Path, Path], None], tiny_voc: Path, tmp_path: Path
) -> None:
    """Else the counts of the old file would be stored under the hash of the new one, and used from then on."""
    mine, out = submission(tmp_path), tmp_path / "out"

    def progress(_title: str, _total: int) -> Callable[[int], None]:
        return lambda _: change(tiny_voc, mine)

    with pytest.raises(zgbench.InputError, match=r"changed while it was being read|cannot be read"):
        score(tiny_voc, mine, out, progress=progress)
    assert contents(out) == {}


def test_a_store_replaced_after_it_was_counted(tiny_voc: Path, tmp_path: Path) -> None:
    mine, data = submission(tmp_path), tmp_path / "prepared"
    store.prepare(open_dataset("pas20", tiny_voc), data)

    def progress(_title: str, _total: int) -> Callable[[int], None]:
        return lambda _: store.prepare(open_dataset("pas20", tiny_voc), data) and None

    with pytest.raises(zgbench.DataError, match=r"the truth was changed while it was being read"):
        score(data, mine, tmp_path / "out", progress=progress)
    assert contents(tmp_path / "out") == {}
    assert score(data, mine, tmp_path / "out").scores  # the new one is whole


def test_a_submission_cut_between_header_and_images(tiny_voc: Path, tmp_path: Path) -> None:
    import zgbench.submission.json_reader as reader

    mine, before = submission(tmp_path), reader.JsonReader.header
    with pytest.MonkeyPatch.context() as patch:

        def header(self: Any, report: Any) -> Any:
            found = before(self, report)
            os.truncate(mine, 300)
            return found

        patch.setattr(reader.JsonReader, "header", header)
        with pytest.raises(zgbench.InputError, match="not valid JSON"):
            score(tiny_voc, mine, tmp_path / "out")
    assert contents(tmp_path / "out") == {}


def test_embeddings_cut_while_they_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A memory map would end the whole process here (SIGBUS)."""
    path, before = tmp_path / "mine.safetensors", np.fromfile
    save_file({"embeddings": np.ones((4, 8), np.float32)}, str(path))
    assert read_embeddings(path, 4).shape == (4, 8)

    def fromfile(file: Any, **options: Any) -> Any:
        os.truncate(path, path.stat().st_size - 40)
        return before(file, **options)

    monkeypatch.setattr(np, "fromfile", fromfile)
    with pytest.raises(zgbench.InputError, match=r"4 × 8 numbers, found 22; the file was changed"):
        read_embeddings(path, 4)


@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
def test_embeddings_are_read_as_their_library_reads_them(kind: str, tmp_path: Path) -> None:
    vectors = np.random.RandomState(0).randn(5, 7).astype(kind)
    save_file({"a tensor": vectors}, str(tmp_path / "e.safetensors"), metadata={"a": "b"})
    assert np.array_equal(read_embeddings(tmp_path / "e.safetensors", 5), vectors.astype(np.float32))


def test_a_clock_that_is_set_back_changes_nothing(
    tiny_voc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = submission(tmp_path)
    score(tiny_voc, mine, tmp_path / "plain")
    now = [4e9]

    def backwards() -> float:
        now[0] -= 86_400
        return now[0]

    monkeypatch.setattr(time, "time", backwards)
    monkeypatch.setattr(time, "time_ns", lambda: int(backwards() * 1e9))
    score(tiny_voc, mine, tmp_path / "set back")
    assert contents(tmp_path / "set back") == contents(tmp_path / "plain")
    assert set(contents(tmp_path / "plain")) == FILES
    timing = json.loads((tmp_path / "set back/mine.pas20.result.json").read_text())["timing_s"]
    assert all(seconds >= 0 for seconds in timing.values())


@pytest.mark.parametrize("date", [0, 4_000_000_000])
def test_content_decides_and_never_dates(date: int, tiny_voc: Path, tmp_path: Path) -> None:
    """Files dated 1970 or 2096, older or newer than the result: the counts are used again if and only if they are right."""
    mine, out = submission(tmp_path), tmp_path / "out"
    score(tiny_voc, mine, out)
    for path in (mine, *tiny_voc.rglob("*.png")):
        os.utime(path, (date, date))
    assert "reused" in score(tiny_voc, mine, out).timing
    document = sound()
    document["images"][0]["segments"][0]["label"] = "another"
    write(document, mine)
    os.utime(mine, (date, date))
    found = score(tiny_voc, mine, out)
    assert "reused" not in found.timing
    assert found.counts.labels[0] == "another"
    other_truth(tiny_voc, mine)
    os.utime(truth_of(tiny_voc), (date, date))
    assert "reused" not in score(tiny_voc, mine, out).timing
