"""Files of ours with wrong bits: the right result or a clear error, whichever bit it is."""

from __future__ import annotations

import contextlib
import json
import random
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zgbench
from reference_method.work import Record, WorkFolder
from tests.conftest import VOC_IDS, HashedText
from tests.faults.scoring import contents, score, submission
from zgbench.datasets import open_dataset, store
from zgbench.encoders import CachedTextEncoder, EmbeddingCache
from zgbench.scores.result import load_result

TEXTS = [f"text {k}" for k in range(50)]


def damaged(content: bytes, times: int, seed: int = 0) -> Iterator[bytes]:
    """The content with one wrong bit, a block of zeros or noise, or cut off; each in turn."""
    rng = random.Random(seed)
    for turn in range(times):
        found, at = bytearray(content), rng.randrange(len(content))
        length = rng.choice([8, 64, 512])
        if turn % 4 == 0:
            found[at : at + length] = bytes(min(length, len(found) - at))
        elif turn % 4 == 1:
            found[at : at + length] = rng.randbytes(min(length, len(found) - at))
        elif turn % 8 == 2:
            del found[at:]
        else:
            found[at] ^= 1 << rng.randrange(8)
        yield bytes(found)


def truths(data: Path) -> list[np.ndarray]:
    """Ground truth of the three images."""
    dataset = open_dataset("pas20", data)
    return [dataset.source.truth(image_id).classes() for image_id in dataset.ids]


def test_every_bit_of_a_truth(tiny_voc: Path) -> None:
    """Pillow alone reads many of these as another picture."""
    path = tiny_voc / f"VOCdevkit/VOC2012/SegmentationClass/{VOC_IDS[0]}.png"
    content, expected = path.read_bytes(), truths(tiny_voc)
    told = 0
    for place in range(0, 8 * len(content), 3):
        found = bytearray(content)
        found[place // 8] ^= 1 << place % 8
        path.write_bytes(found)
        with pytest.raises(zgbench.DataError, match=r"not a readable PNG"):
            truths(tiny_voc)
        told += 1
    path.write_bytes(content)
    assert told > 1000
    assert all(np.array_equal(a, b) for a, b in zip(truths(tiny_voc), expected, strict=True))


@pytest.mark.parametrize("file", ["rows/data-00000-of-00001.arrow", "zgbench.json"])
def test_a_damaged_store(file: str, tiny_voc: Path, tmp_path: Path) -> None:
    place = store.prepare(open_dataset("pas20", tiny_voc), tmp_path) / file
    content, expected = place.read_bytes(), truths(tmp_path)
    photo = np.asarray(open_dataset("pas20", tmp_path).source.photo(VOC_IDS[1]))
    told = 0
    for spoilt in damaged(content, 240):
        place.unlink()  # a file that is memory-mapped must not be cut short in place
        place.write_bytes(spoilt)
        try:
            found = truths(tmp_path)
            assert np.array_equal(np.asarray(open_dataset("pas20", tmp_path).source.photo(VOC_IDS[1])), photo)
        except zgbench.DataError as error:
            assert "prepare again" in str(error)
            told += 1
        else:
            assert [t.tolist() for t in found] == [t.tolist() for t in expected]
    assert told > 60


def test_a_damaged_store_ends_an_evaluation(tiny_voc: Path, tmp_path: Path) -> None:
    place = store.prepare(open_dataset("pas20", tiny_voc), tmp_path) / "rows/data-00000-of-00001.arrow"
    content = place.read_bytes()
    at = content.index(b"IDAT") + 6
    place.unlink()
    place.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    for workers in (1, 2):
        with pytest.raises(
            zgbench.DataError, match=r"the truth of .* is damaged\. Remove it and run zgbench datasets prepare"
        ):
            score(tmp_path, submission(tmp_path), tmp_path / "out", workers=workers)
    assert contents(tmp_path / "out") == {}


class Kept(HashedText):
    """An encoder that says which weights it has, and so is cached on disk."""

    weights = "of this test"


def test_a_damaged_cache_costs_time_only(tmp_path: Path) -> None:
    expected = Kept().encode(TEXTS)
    CachedTextEncoder(Kept(), EmbeddingCache(tmp_path)).encode(TEXTS)
    file = tmp_path / "embeddings.sqlite"
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    content = file.read_bytes()
    assert len(content) > 50_000
    for spoilt in damaged(content, 120):
        for path in tmp_path.iterdir():
            path.unlink()
        file.write_bytes(spoilt)
        for _ in range(2):
            cache = EmbeddingCache(tmp_path)
            assert np.array_equal(CachedTextEncoder(Kept(), cache).encode(TEXTS), expected)
            if cache._db is not None:
                cache._db.close()


def test_a_cache_that_another_process_holds_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was put aside as damaged once, under the feet of the one who held it."""
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda file, timeout=0.0: connect(file, timeout=min(timeout, 0.1)))
    first = EmbeddingCache(tmp_path)
    CachedTextEncoder(Kept(), first).encode(["a"])
    assert first._db is not None
    first._db.close()
    holder = connect(tmp_path / "embeddings.sqlite")
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    assert np.array_equal(
        CachedTextEncoder(Kept(), EmbeddingCache(tmp_path)).encode(["a", "b"]), Kept().encode(["a", "b"])
    )
    holder.rollback()
    holder.close()
    assert not list(tmp_path.glob("*.damaged*"))
    monkeypatch.undo()
    asked: list[str] = []

    class Asked(Kept):
        def encode(self, texts: Any) -> np.ndarray:
            asked.extend(texts)
            return super().encode(texts)

    CachedTextEncoder(Asked(), EmbeddingCache(tmp_path)).encode(["a", "b"])
    assert asked == ["b"]


def test_many_at_once_fill_a_new_cache(tmp_path: Path) -> None:
    def fill(k: int) -> bool:
        cache = EmbeddingCache(tmp_path)
        found = CachedTextEncoder(HashedText(), cache).encode([f"{k}", *TEXTS[:5]])
        return bool(np.array_equal(found[1:], HashedText().encode(TEXTS[:5])))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(fill, range(24)))
    assert not list(tmp_path.glob("*.damaged*"))


def test_damaged_statistics_are_counted_again(tiny_voc: Path, tmp_path: Path) -> None:
    mine, out = submission(tmp_path), tmp_path / "out"
    expected = score(tiny_voc, mine, out).scores
    stats = out / "mine.pas20.stats.parquet"
    content = stats.read_bytes()
    for spoilt in damaged(content, 40):
        stats.write_bytes(spoilt)
        assert score(tiny_voc, mine, out).scores == expected
    assert stats.read_bytes() == content


@pytest.mark.parametrize("file", ["stats.parquet", "segments.parquet", "result.json"])
def test_a_damaged_result(file: str, tiny_voc: Path, tmp_path: Path) -> None:
    score(tiny_voc, submission(tmp_path), tmp_path)
    place, result = tmp_path / f"mine.pas20.{file}", tmp_path / "mine.pas20.result.json"
    content = place.read_bytes()
    for spoilt in damaged(content, 120):
        place.write_bytes(spoilt)
        if spoilt == content:
            continue
        if file == "result.json":  # text without a checksum: a changed digit reads as another one
            with contextlib.suppress(zgbench.InputError):
                load_result(result)
        else:
            with pytest.raises(zgbench.DataError, match=r"not the file that mine\.pas20\.result\.json was made with"):
                load_result(result)


def test_forged_statistics_that_point_to_nowhere(tiny_voc: Path, tmp_path: Path) -> None:
    """Every checksum is right, and the numbers are not: a stranger's result file with its statistics."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from zgbench.pixels.counts_file import load

    score(tiny_voc, submission(tmp_path), tmp_path)
    path = tmp_path / "mine.pas20.stats.parquet"
    table = pq.read_table(path)
    same = {name: table[name].to_pylist() for name in ("segment", "pixels")}
    forgeries: list[tuple[str, list[Any]]] = [
        ("segment", [[9, 0], [0, 1], [-1]]), ("class", [[-5, 1], [2, 3], [1]]), ("pixels", [[-1, 4], [1, 1], [1]]),
        ("labels", [["a", None], ["b", "c"], []]), ("id", [VOC_IDS[0]] * 3), ("height", [[1], [2], [3]]),
        ("first", [0, 2, 5]), ("width", [6, 0, 6]),
        ("pixels", [[(1 << 32) + n for n in row] for row in same["pixels"]]),  # 32 bits of them are as they were
        ("segment", [[n if n >= 0 else -2 for n in row] for row in same["segment"]]),
    ]  # fmt: skip
    for name, column in forgeries:
        forged = table.set_column(table.column_names.index(name), name, pa.array(column))
        pq.write_table(forged.replace_schema_metadata(table.schema.metadata), path)
        with pytest.raises(zgbench.DataError, match="missing or damaged"):
            pytest.fail(f"{name}: {load(path)}")


def test_a_damaged_record_of_the_reference_method_is_made_again(tmp_path: Path) -> None:
    work = WorkFolder(tmp_path / "mine.json", {"a": 1})
    record = Record("one", (4, 6), [{"label": "x", "counts": "0"}], np.ones((1, 3), np.float32), weights={"m": "1"})
    work.save(record)
    (place,) = work.path.glob("image-*")
    content = place.read_bytes()
    for spoilt in (
        b"",
        content[:40],
        b"[]",
        content.replace(b"shape", b"shope"),
        content.replace(b"[1, 3]", b"[1, 4]"),
        b"\xff",
    ):
        place.write_bytes(spoilt)
        found = work.load("one")
        assert found is None or found.embeddings is None
    place.write_bytes(content)
    assert work.load("one") is not None
    (work.path / "run.json").write_text("{")
    with pytest.raises(zgbench.UsageError, match="holds finished images of another run"):
        WorkFolder(tmp_path / "mine.json", {"a": 1})


def test_a_result_file_is_json_or_told(tmp_path: Path) -> None:
    path = tmp_path / "mine.pas20.result.json"
    head = {"format": "zgbench-result/1"}
    for content in ("", "[]", "[" * 100_000, json.dumps(head), json.dumps(head | {"files": []}), json.dumps(head | {"files": {"stats": {}}}), "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")):  # fmt: skip
        path.write_text(content, encoding="utf-8")
        with pytest.raises(zgbench.InputError):
            load_result(path)
