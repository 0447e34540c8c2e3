"""Uploads checked and evaluated in processes with limits; what hostile ones do to them."""

from __future__ import annotations

import gzip
import io
import json
import re
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.oracle.rle import compress
from zgbench.board import limited
from zgbench.board.limited import Limits, run_limited
from zgbench.board.queue import Queue, Refused
from zgbench.board.queued import Entry
from zgbench.board.store import load_board
from zgbench.board.upload import take
from zgbench.board.worker import Worker, from_environment
from zgbench.datasets.catalogue import SPECS
from zgbench.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]
DEMO: dict[str, Any] = json.loads((ROOT / "submissions/demo.json").read_text())
MOST = 32 << 20


@pytest.fixture
def worker(tmp_path: Path) -> Worker:
    queue = Queue(tmp_path / "queue", per_day=1000)
    return Worker(queue, tmp_path / "board", check=Limits(1 << 30, 60), evaluation=Limits(4 << 30, 120))


@pytest.fixture
def sent(worker: Worker) -> Callable[..., Entry]:
    """Send a file; gives what became of it once it was checked."""
    token = worker.queue.make_token("a lab")

    def send(content: bytes, name: str = "mine.json") -> Entry:
        entry = worker.queue.submit(token, take(name, content, MOST))
        assert worker.check_next()
        found = worker.queue.find(entry.id)
        assert found is not None
        return found

    return send


def demo(**changed: Any) -> bytes:
    return json.dumps(DEMO | changed).encode()


def parquet_bomb() -> bytes:
    """Few bytes that decode to 2 GiB of labels."""
    rows, label = 4096, "x" * (1 << 19)
    table = pa.table(
        {
            "image_id": pa.array(["a"] * rows),
            "height": pa.array([4] * rows),
            "width": pa.array([4] * rows),
            "label": pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array([label])),
            "counts": pa.array(["0"] * rows),
        }
    )
    header = json.dumps({k: v for k, v in DEMO.items() if k != "images"})
    out = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({"zgbench": header}), out, compression="zstd")
    return out.getvalue()


def json_bomb() -> bytes:
    """A label of 200 MiB in 200 KiB."""
    packer, out = zlib.compressobj(9, wbits=31), io.BytesIO()
    out.write(packer.compress(b'{"format": "zgbench/1", "name": "'))
    for _ in range(200):
        out.write(packer.compress(b"x" * (1 << 20)))
    out.write(packer.compress(b'"}') + packer.flush())
    return out.getvalue()


def spoilt() -> bytes:
    """The demo with one hostile thing in each of its first images."""
    first, second, third, fourth, fifth, *rest = DEMO["images"]
    segments = first["segments"]
    return demo(
        name="<script>\x00</script>",
        images=[
            first | {"segments": [segments[0] | {"label": "cat \u202egod"}, *segments[1:]]},
            second | {"id": "../../etc/passwd"},
            third | {"segments": [{"label": "sky", "counts": "_" * 100_000 + "0"}]},
            fourth | {"size": [10**9, 10**9]},
            fifth | {"size": [65535, 4096]},
            *rest,
        ],
    )


HOSTILE: dict[str, tuple[bytes, str, list[str]]] = {
    "a pickle": (b"\x80\x04cos\nsystem\n(S'touch owned'\ntR.", "mine.json", ["not valid JSON"]),
    "JSON bomb": (json_bomb(), "mine.json.gz", ["takes more than 64 MiB"]),
    "Parquet bomb": (parquet_bomb(), "mine.parquet", ["hold more than 256 MiB of text"]),
    "deep nesting": (
        gzip.compress(b'{"name": ' + b"[" * 1_000_000, mtime=0),
        "mine.json.gz",
        ["nested more than 8 deep"],
    ),
    "a bit of everything": (
        spoilt(),
        "mine.json",
        [
            "control character U\\+0000",
            "bidirectional control character U\\+202E",
            r"unknown-image.*'\.\./\.\./etc/passwd'",
            "bad-rle",
            "sides of 1–65535",
            "wrong-size",
        ],
    ),
    "a path as embeddings": (demo(embeddings="../x.safetensors"), "mine.json", ["beside the submission"]),
    "embeddings elsewhere": (demo(embeddings="x.safetensors"), "mine.json", ["This board takes none"]),
    "NaN embeddings": (demo().replace(b'"images"', b'"embeddings": NaN, "images"'), "mine.json", ["not JSON"]),
    "images missing": (demo(images=DEMO["images"][:3]), "mine.json", ["197 missing"]),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_uploads_are_refused_with_a_reason(kind: str, sent: Callable[..., Entry], worker: Worker) -> None:
    content, name, reasons = HOSTILE[kind]
    entry = sent(content, name)
    assert entry.state == "refused", entry
    for reason in reasons:
        assert re.search(reason, f"{entry.reason}\n{entry.report}"), (reason, entry)
    assert str(worker.queue.folder) not in entry.reason + entry.report
    assert not worker.queue.file_of(entry).exists()
    assert not re.search("[\u202a-\u202e\x00]", entry.report)
    assert not worker.evaluate_next()


def test_limits_hold(tmp_path: Path) -> None:
    started = time.monotonic()
    slow = run_limited(
        ["evaluate", str(ROOT / "submissions/demo.json"), "--workers", "1"], tmp_path, Limits(4 << 30, 1.0)
    )
    assert slow.broken == "it took longer than 1 seconds"
    assert time.monotonic() - started < 5
    greedy = run_limited(
        ["evaluate", str(ROOT / "submissions/demo.json"), "--workers", "1"], tmp_path, Limits(96 << 20, 60)
    )
    assert greedy.broken == "it needed more than 0.09375 GiB of memory", greedy
    assert run_limited(["--version"], tmp_path, Limits(1 << 30, 60)).out.startswith("zgbench ")


def test_only_the_beginning_of_its_output_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limited, "MAX_OUTPUT", 7)
    assert run_limited(["--version"], tmp_path, Limits(1 << 30, 60)).out == "zgbench"
    assert len(run_limited(["no-such-command"], tmp_path, Limits(1 << 30, 60)).error) == 7


def test_a_command_ends_with_the_server(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from zgbench.board.limited import Limits, run_limited\n"
        "run_limited(['evaluate', sys.argv[1], '--workers', '1'], Path(sys.argv[2]), Limits(4 << 30, 60))"
    )
    server = subprocess.Popen([sys.executable, "-c", code, ROOT / "submissions/demo.json", tmp_path])
    parent = psutil.Process(server.pid)
    until = time.monotonic() + 30
    while not (children := parent.children()) and time.monotonic() < until:
        time.sleep(0.05)
    (child,) = children
    while "numpy" not in str([m.path for m in child.memory_maps()]) and time.monotonic() < until:
        time.sleep(0.05)  # its limits are set before it imports anything large
    server.kill()
    server.wait()
    child.wait(timeout=10)


def test_a_restart_begins_anew_what_was_half_done(worker: Worker) -> None:
    queue = worker.queue
    token = queue.make_token("a lab")
    names = ["checking", "running", "running"]
    half = [queue.submit(token, take("m.json", f"{k}".encode(), MOST)) for k in range(3)]
    for entry, state, attempts in zip(half, names, (0, 1, 2), strict=True):
        queue.change(entry, state=state, attempts=attempts)
    worker.recover("checking")
    worker.recover("running")
    found = [queue.find(entry.id) for entry in half]
    assert [e.state for e in found if e is not None] == ["received", "queued", "failed"]
    assert found[2] is not None and "ended 2 times" in found[2].reason


def test_settings_come_from_the_environment(tmp_path: Path) -> None:
    assert from_environment({}, tmp_path, None) is None
    found = from_environment({"ZGBENCH_SUBMIT": str(tmp_path / "q"), "ZGBENCH_SUBMIT_MINUTES": "1.5"}, tmp_path, None)
    assert found is not None
    assert (found.evaluation, found.queue.per_day) == (Limits(8 << 30, 90), 10)
    with pytest.raises(UsageError, match="ZGBENCH_SUBMIT_MEMORY_GB=-1"):
        from_environment({"ZGBENCH_SUBMIT": "/q", "ZGBENCH_SUBMIT_MEMORY_GB": "-1"}, tmp_path, None)
    with pytest.raises(UsageError, match="absolute path"):
        from_environment({"ZGBENCH_SUBMIT": "q"}, tmp_path, None)
    with pytest.raises(UsageError, match="ZGBENCH_SUBMIT_PROTOCOL=v9"):
        from_environment({"ZGBENCH_SUBMIT": "/q", "ZGBENCH_SUBMIT_PROTOCOL": "v9"}, tmp_path, None)


def test_a_data_set_that_the_server_lacks_is_the_server_s_fault(worker: Worker, sent: Callable[..., Entry]) -> None:
    """It can be tried again when the files are there."""
    segment = {"label": "sky", "counts": compress(np.ones((4, 6), bool))}
    images = [{"id": i, "size": [4, 6], "segments": [segment]} for i in SPECS["pas20"].official_ids()]
    entry = sent(demo(dataset="pas20", images=images))
    assert entry.state == "failed", entry
    assert "does not have the data set's files" in entry.reason
    assert worker.queue.file_of(entry).is_file()


def test_a_command_ends_when_nobody_waits_for_it(tmp_path: Path) -> None:
    started = time.monotonic()
    ended = run_limited(
        ["evaluate", str(ROOT / "submissions/demo.json"), "--workers", "1"], tmp_path, Limits(4 << 30, 60),
        wanted=lambda: time.monotonic() < started + 0.5,
    )  # fmt: skip
    assert ended.status is None
    assert time.monotonic() - started < 5


def whole(name: str) -> bytes:
    """Every image one segment: quickly evaluated."""
    images = [
        {"id": i["id"], "size": i["size"], "segments": [{"label": "sky", "counts": compress(np.ones(i["size"], bool))}]}
        for i in DEMO["images"]
    ]
    return demo(name=name, images=images)


def test_private_published_renamed_hidden_withdrawn(tmp_path: Path, worker: Worker) -> None:
    """The whole life of a result; the board shows what its owner wants, and others' results stay."""
    queue = worker.queue
    token = queue.make_token("a lab")
    offline = replace(worker, protocol="offline")
    entry = queue.submit(token, take("mine.json", whole("As sent"), MOST), private=True)
    assert offline.check_next() and offline.evaluate_next()
    entry = queue.mine(token)[0]
    assert (entry.state, entry.private) == ("done", True), entry

    def shown() -> list[tuple[str, str]]:
        return [(found.name, found.protocol) for found in load_board(worker.board).entries]

    assert shown() == []
    ((name, content),) = worker.private_results(entry)
    assert name == f"{entry.stem}.mini.offline.result.json" and json.loads(content)["submission"]["name"] == "As sent"
    with pytest.raises(Refused, match="no such upload of yours"):
        worker.describe(queue.make_token("another"), entry, private=False)

    worker.describe(token, entry, name="Ours, v2")
    assert shown() == []
    worker.describe(token, entry, private=False)
    assert shown() == [("Ours, v2", "offline")]
    assert worker.private_results(entry) == []
    assert (worker.board / f"submissions/{entry.stem}.json").read_bytes() == whole("As sent")
    worker.describe(token, entry, name="Ours, v3")
    assert shown() == [("Ours, v3", "offline")]
    worker.describe(token, entry, private=True)
    assert shown() == [] and not (worker.board / f"submissions/{entry.stem}.json").exists()
    worker.describe(token, entry, private=False)
    assert shown() == [("Ours, v3", "offline")]

    (worker.board / "other.mini.result.json").write_bytes(b"{}")
    worker.withdraw(token, entry)
    left = [path.name for path in worker.board.rglob("*") if path.is_file()]
    assert sorted(left) == ["names.csv", "other.mini.result.json"]
    assert entry.id not in (worker.board / "names.csv").read_text()
    assert [path.name for path in queue.folder_of(entry).iterdir()] == ["entry.json"]
