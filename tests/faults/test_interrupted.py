"""SIGINT, SIGTERM, kill −9, and workers that die: exit status, no process left, no file half-written, and the next run mends all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import zgbench
from tests.conftest import VOC_IDS
from tests.faults.scoring import FILES, ROOT, contents, score, start, submission
from zgbench.datasets.folder_source import FolderSource
from zgbench.datasets.truth import Truth
from zgbench.scores.result import load_result
from zgbench.storage.files import PART, replacing, replacing_all

HANG = "import zgbench.datasets.folder_source as t, time; t.FolderSource.truth = lambda *_: time.sleep(60)"
"""The pixel pass of this process takes for ever."""
HANG_SAVING = (
    "import zgbench.scores.result as r, time; "
    "r.per_class_csv = lambda *_: (print('saving', flush=True), [time.sleep(0.05) for _ in range(1200)])"
)
"""Two of four files are written under their temporary names, then it takes for ever: in short sleeps, as a signal that
comes just before a long one would be seen only after it."""


def until(condition: Callable[[], bool], seconds: float = 30) -> bool:
    """Whether the condition came true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def alive(pid: int) -> bool:
    """Whether a process runs (one that ended and was not yet collected does not)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return not Path("/proc").is_dir()


def children(pid: int) -> list[int]:
    """Processes that a process started."""
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout
    return [int(line) for line in found.split()]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_asked_to_end_while_saving(number: int, status: int, tiny_voc: Path, tmp_path: Path) -> None:
    mine, out = submission(tmp_path), tmp_path / "out"
    process = start(tiny_voc, mine, out, tmp_path / "script.py", body=HANG_SAVING)
    assert process.stdout is not None
    assert [process.stdout.readline() for _ in range(2)] == ["started\n", "saving\n"]
    assert len([name for name in contents(out) if name.endswith(PART)]) == 4
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode == status
    assert contents(out) == {}


def test_killed_outright_while_saving(tiny_voc: Path, tmp_path: Path) -> None:
    mine, out = submission(tmp_path), tmp_path / "out"
    score(tiny_voc, mine, out)
    old = contents(out)
    process = start(tiny_voc, mine, out, tmp_path / "script.py", body=HANG_SAVING)
    assert process.stdout is not None
    assert [process.stdout.readline() for _ in range(2)] == ["started\n", "saving\n"]
    process.kill()
    process.communicate(timeout=30)
    left = contents(out)
    assert {name: left[name] for name in FILES} == old
    assert len(left) == 7  # its parts could not be removed by anybody; the counts were not written again
    again = subprocess.run(
        [sys.executable, "-c", f"from zgbench.storage.files import write_bytes; write_bytes({str(out / 'x')!r}, b'')"],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True,
    )  # fmt: skip
    assert again.returncode == 0
    assert set(contents(out)) == FILES | {"x"}


def test_parts_that_are_being_written_stay(tmp_path: Path) -> None:
    with replacing(tmp_path / "a") as part:
        part.write_text("content")
        code = f"from zgbench.storage.files import write_bytes; write_bytes({str(tmp_path / 'b')!r}, b'')"
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True)
        assert part.exists()
    assert (tmp_path / "a").read_text() == "content"


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes as Linux shows them")
def test_workers_end_with_a_parent_that_is_killed_and_with_one_that_is_asked(tiny_voc: Path, tmp_path: Path) -> None:
    mine = submission(tmp_path)
    slow = (
        "import tests.faults.test_interrupted as t, zgbench.evaluation as e, zgbench.pixels.pixel_pass as p; p.BATCH = 1; "
        "before = e.open_dataset; e.open_dataset = lambda *a, **k: t.slow(before(*a, **k))"
    )
    out = tmp_path / "out"
    processes = {
        number: start(tiny_voc, mine, out, tmp_path / f"script{number}.py", workers=2, body=slow)
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
    }
    # two workers and the resource tracker each
    ready = until(lambda: all(len(children(process.pid)) >= 3 for process in processes.values()))
    started = {number: children(process.pid) for number, process in processes.items()}
    for number, process in processes.items():
        process.send_signal(number)
    for process in processes.values():
        process.communicate(timeout=60)
    assert ready, started
    assert {number: p.returncode for number, p in processes.items()} == {9: -9, 15: 143, 2: 130}
    for number, pids in started.items():
        assert until(lambda pids=pids: not any(map(alive, pids))), number
    assert contents(out) == {}


class Slow(FolderSource):
    """Takes eight seconds for an image."""

    def truth(self, image_id: str) -> Truth:
        time.sleep(8)
        return super().truth(image_id)


def slow(dataset: Any) -> Any:
    """The data set, read slowly."""
    from dataclasses import replace

    s = dataset.source
    return replace(dataset, source=Slow(s.truths, s.photos, s.written, s.note))


class Fatal(FolderSource):
    """The kernel kills whoever reads the second image."""

    def truth(self, image_id: str) -> Truth:
        if image_id == VOC_IDS[1]:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().truth(image_id)


def test_a_worker_that_the_kernel_kills(tiny_voc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    import zgbench.evaluation as evaluation

    mine, out, before = submission(tmp_path), tmp_path / "out", evaluation.open_dataset

    def fatal(*args: Any, **options: Any) -> Any:
        dataset = before(*args, **options)
        s = dataset.source
        return replace(dataset, source=Fatal(s.truths, s.photos, s.written, s.note))

    monkeypatch.setattr(evaluation, "open_dataset", fatal)
    with pytest.raises(zgbench.ZgbenchError, match=r"a worker process was killed .*Nothing was written") as caught:
        score(tiny_voc, mine, out, workers=2)
    assert caught.value.exit_status == 1
    assert contents(out) == {}


class FatalJob:
    """The kernel kills whoever looks at it."""

    @property
    def method(self) -> str:
        os.kill(os.getpid(), signal.SIGKILL)
        return ""


def test_a_worker_of_the_reference_method_that_the_kernel_kills() -> None:
    """What was finished before lies on the disk; ``tests/reference_method/test_run.py`` goes on with it."""
    from reference_method.run import _local

    job: Any = FatalJob()
    with pytest.raises(zgbench.ZgbenchError, match=r"a worker process was killed .*the same command goes on with it"):
        list(_local(job, [["a"], ["b"]], ["cpu", "cpu"], None))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_says_how_it_ended(number: int, tmp_path: Path) -> None:
    """The command itself, ended while it waits for its input."""
    os.mkfifo(tmp_path / "mine.json")
    (tmp_path / "plain").mkdir()
    code = "import sys; from pathlib import Path; Path.is_file = lambda p: True; from zgbench.cli import main; print('go', flush=True); sys.exit(main(sys.argv[1:]))"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "validate", str(tmp_path / "mine.json")], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "go\n"
    time.sleep(1.5)  # it now waits for somebody to open the other end
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    told = {signal.SIGTERM: "ended by SIGTERM", signal.SIGINT: "interrupted"}[signal.Signals(number)]
    assert said == f"zgbench: {told}; nothing was left half-written.\n"
    assert process.returncode == 128 + number


def test_signals_are_as_before_after_a_command() -> None:
    from zgbench.cli import main

    handlers = [signal.getsignal(s) for s in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)]
    assert main(["datasets", "list"]) == 0
    assert [signal.getsignal(s) for s in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)] == handlers


def test_two_evaluations_write_the_same_output(tiny_voc: Path, tmp_path: Path) -> None:
    """One of them gets the short name; none takes another's place, though all began when there was nothing."""
    mine, out = submission(tmp_path), tmp_path / "out"
    vary = "import tests.faults.scoring as s; from dataclasses import replace; s.PROTOCOL = replace(s.PROTOCOL, tau_text={}, seed={})"
    processes = [start(tiny_voc, mine, out, tmp_path / f"script{k}.py", body=vary.format(0.1 * k, k)) for k in range(3)]
    for process in processes:
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said
    found = {path.name: load_result(path).result for path in out.glob("*.result.json")}
    assert {result["protocol"]["seed"] for result in found.values()} == {0, 1, 2}
    assert "mine.pas20.result.json" in found
    assert [path.name for path in out.glob("*.stats.parquet")] == ["mine.pas20.stats.parquet"]
    assert len(contents(out)) == 1 + 3 * 3


def test_files_of_two_writers_never_mix(tmp_path: Path) -> None:
    """Many times at once, by threads: whoever renames first renames all."""
    from concurrent.futures import ThreadPoolExecutor

    def write(k: int) -> None:
        with replacing_all(tmp_path / "a", tmp_path / "b", tmp_path / "c") as parts:
            for part in parts:
                part.write_text(str(k))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(100)))
    assert len({path.read_text() for path in tmp_path.iterdir()}) == 1
    assert len(list(tmp_path.iterdir())) == 3
