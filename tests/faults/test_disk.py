"""A full disk, a folder that cannot be written, a file where the folder should be: the old files stay, nothing else is left."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

import zgbench
from tests.faults.scoring import FILES, ROOT, contents, score, submission
from zgbench.datasets import known_ids, open_dataset, store
from zgbench.encoders import CachedTextEncoder, EmbeddingCache
from zgbench.storage import files
from zgbench.submission.writer import SubmissionWriter


def full(*_: Any, **__: Any) -> Any:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _spoil_parquet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pq.ParquetWriter, "write_table", full)


def _spoil_parquet_end(monkeypatch: pytest.MonkeyPatch) -> None:
    end = pq.ParquetWriter.close

    def closed(writer: pq.ParquetWriter) -> None:
        end(writer)
        full()

    monkeypatch.setattr(pq.ParquetWriter, "close", closed)


def _spoil_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "write_bytes", full)


def _spoil_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", full)


def _spoil_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files.tempfile, "mkstemp", full)


@pytest.mark.parametrize("spoil", [_spoil_begin, _spoil_parquet, _spoil_parquet_end, _spoil_bytes, _spoil_sync])
@pytest.mark.parametrize("before", ["nothing", "an older result"])
def test_a_full_disk_at_any_step_leaves_all_as_it_was(
    spoil: Callable[[pytest.MonkeyPatch], None],
    before: str,
    tiny_voc: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mine, out = submission(tmp_path), tmp_path / "out"
    if before != "nothing":
        score(tiny_voc, mine, out)
        assert set(contents(out)) == FILES
        mine.write_text(mine.read_text().replace("bicycle", "a bike"))
    old = contents(out)
    with monkeypatch.context() as spoilt:
        spoil(spoilt)
        with pytest.raises(zgbench.ZgbenchError, match=r"cannot write .*No space left on device\. .*another folder"):
            score(tiny_voc, mine, out)
    assert contents(out) == old
    score(tiny_voc, mine, out)
    assert set(contents(out)) >= FILES
    assert {name: contents(out)[name] for name in old} == old  # another submission's, which stays
    assert len(contents(out)) == (8 if old else 4)


def test_the_files_of_a_result_are_renamed_only_when_all_are_written(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text("old")
    with pytest.raises(zgbench.ZgbenchError, match="No space left"), files.replacing_all(first, second) as (one, two):
        one.write_text("new")
        two.write_text("new")
        full()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "old"}


@contextmanager
def small_disk(place: Path, options: str) -> Iterator[Path]:
    """A file system of its own, where this process may mount one."""
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], capture_output=True, check=False
    )
    if done.returncode != 0:
        pytest.skip("needs the right to mount a file system (root); the other tests of this file do without")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.skipif(shutil.which("mount") is None, reason="no mount command here")
@pytest.mark.parametrize("suffix", [".json", ".json.gz", ".parquet"])
def test_a_really_full_disk(suffix: str, tiny_voc: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "size=64k") as disk:
        old = disk / f"mine{suffix}"
        old.write_text("old")
        noise = np.random.RandomState(0)
        with (
            pytest.raises(zgbench.ZgbenchError, match=r"cannot write .*No space left"),
            SubmissionWriter(old, name="m", dataset="pas20") as writer,
        ):
            for image_id in sorted(known_ids("pas20") or ())[:600]:
                label = "".join(map(str, noise.randint(0, 9, 150)))
                writer.add(image_id, noise.rand(1, 40, 40) > 0.5, [label])
        assert contents(disk) == {old.name: b"old"}
        (disk / "filler").write_bytes(b"x" * (50 << 10))
        with pytest.raises(zgbench.ZgbenchError, match=r"cannot write .*No space left"):
            for round_ in range(20):  # small files: the disk fills up within some of them
                score(tiny_voc, submission(tmp_path), disk / f"out{round_}")
        assert not [path for path in disk.rglob("*") if path.name.endswith(files.PART)]
        for out in disk.glob("out*"):
            assert set(contents(out)) in (FILES, set())
        with pytest.raises(zgbench.ZgbenchError, match="No space left"):
            store.prepare(open_dataset("pas20", tiny_voc), disk)
        assert not store.exists(disk, "pas20")
        assert not [path for path in disk.rglob("*") if path.name.endswith(files.PART)]


@pytest.mark.skipif(shutil.which("mount") is None, reason="no mount command here")
def test_a_read_only_folder_is_told_before_the_work(
    tiny_voc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_disk(tmp_path / "disk", "ro,size=64k") as disk:
        monkeypatch.setattr("zgbench.evaluation.open_submission", lambda _: pytest.fail("the work had begun"))
        for out in (disk, disk / "deep/er"):
            with pytest.raises(zgbench.ZgbenchError, match=r"disk is read-only\. Choose another folder with --out"):
                score(tiny_voc, submission(tmp_path), out)
        monkeypatch.undo()
        monkeypatch.setenv("ZGBENCH_CACHE", str(disk))  # the cache is only a help
        model = score(tiny_voc, submission(tmp_path), tmp_path / "out")
        assert model.scores


@pytest.mark.parametrize("out", ["file", "file/deeper"])
def test_a_file_in_place_of_the_folder(out: str, tiny_voc: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(zgbench.ZgbenchError, match=r"file is not a folder\. Choose another"):
        score(tiny_voc, submission(tmp_path), tmp_path / out)
    with pytest.raises(zgbench.ZgbenchError, match=r"cannot write"):
        files.write_bytes(tmp_path / out / "a.txt", b"")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_limit_on_the_size_of_files(tiny_voc: Path, tmp_path: Path) -> None:
    """As a full disk, but by the kernel's own word and without root: EFBIG from every write past 100 bytes."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    mine, target = submission(tmp_path), tmp_path / "other.parquet"
    done = subprocess.run(
        [sys.executable, "-m", "zgbench", "convert", str(mine), str(target)],
        capture_output=True, text=True, check=False, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, preexec_fn=limited,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"zgbench: cannot write {target}: ")
    assert "File too large" in done.stderr
    assert done.stderr.count("\n") == 1
    assert {path.name for path in tmp_path.iterdir()} == {"data", "mine.json"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_output_that_cannot_be_written_is_no_bug_of_ours(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as nowhere:
        done = subprocess.run(
            [sys.executable, "-m", "zgbench", "datasets", "list"], stdout=nowhere, stderr=subprocess.PIPE, text=True,
            check=False, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "zgbench: No space left on device. Free some space or look after the disk.\n"


def test_a_cache_on_a_full_disk_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sqlite3

    from tests.conftest import HashedText

    class Weighed(HashedText):
        weights = "hash of its weights"

    expected = HashedText().encode(["a", "b"])
    cache = EmbeddingCache(tmp_path)
    CachedTextEncoder(Weighed(), cache).encode(["a"])
    assert cache._db is not None
    cache._db.execute("PRAGMA max_page_count = 1")  # SQLite then says SQLITE_FULL, as on a full disk
    texts = ["a", "b", *(f"text {k}" for k in range(40))]
    found = CachedTextEncoder(Weighed(), cache).encode(texts)
    assert (found[:2] == expected).all()
    assert not list(tmp_path.glob("*.damaged*"))
    with sqlite3.connect(tmp_path / "embeddings.sqlite") as db:
        assert db.execute("SELECT count(*) FROM vectors").fetchone() == (1,)
    db.close()
