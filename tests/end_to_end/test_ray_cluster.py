"""``--engine ray`` on a cluster of three nodes gives the bytes and reports of one machine, also when a node is killed in the middle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import zgbench
from tests.conftest import HashedText
from tests.end_to_end.test_cli import ROOT, call
from tests.submission.parquet_sample import SUBSET, made, report_of, spoilt
from zgbench.datasets import open_dataset
from zgbench.errors import UsageError
from zgbench.pixels import ray_engine
from zgbench.submission.parquet_reader import ParquetReader


@pytest.fixture(scope="module")
def submission(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("submission"))


SCRIPT = """
import json, os, sys, time
from pathlib import Path
import ray
import zgbench
from tests.conftest import HashedText
from zgbench.pixels import ray_engine

address, jobs = sys.argv[1], json.loads(sys.argv[2])
ray_engine.FEWEST_ROWS = jobs["rows"]
marks = Path(jobs["marks"])


class Watched(ray_engine.CountSpan):
    '''Notes where each span is worked on; the first beyond the head node waits for its node to be killed.'''

    def _found(self, span):
        node = ray.get_runtime_context().get_node_id()
        with (marks / f"{span.start:04}").open("a") as file:
            file.write(node + "\\n")
        if node != jobs["head"] and jobs["hang"]:
            try:
                (marks / "waiting").touch(exist_ok=False)
            except FileExistsError:
                pass
            else:
                (marks / "victim").write_text(f"{span.start:04} {node}")
                time.sleep(300)
        return super()._found(span)


ray_engine.CountSpan = Watched
told = {}
for name, path in jobs["files"].items():
    try:
        zgbench.evaluate(path, subset=jobs["subset"], reassign=["tt"], text_encoder=HashedText(), engine="ray", ray_address=address, out=jobs["out"])
    except zgbench.SubmissionError as error:
        told[name] = str(error)
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head and two more nodes, each in processes of its own, one processor each."""
    if not os.environ.get("CI"):
        pytest.importorskip("ray", reason="needs the extra ray, which is not installed")
    from ray.cluster_utils import Cluster

    environment = {**os.environ}
    os.environ.update(RAY_USAGE_STATS_ENABLED="0", OMP_NUM_THREADS="1")
    found = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        for _ in range(2):
            found.add_node(num_cpus=1)
        found.wait_for_nodes()
        yield found
    finally:
        found.shutdown()
        os.environ.clear()
        os.environ.update(environment)


def started(cluster: Any, files: dict[str, Path], out: Path, hang: bool) -> subprocess.Popen[str]:
    marks = out / "marks"
    marks.mkdir(parents=True)
    jobs = {
        "marks": str(marks), "head": cluster.head_node.node_id, "hang": hang, "rows": 1 if hang else 40, "subset": SUBSET,
        "files": {name: str(path) for name, path in files.items()}, "out": str(out / "results"),
    }  # fmt: skip
    command = [sys.executable, "-c", SCRIPT, cluster.address, json.dumps(jobs)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_node_killed_in_the_middle_changes_no_byte(
    cluster: Any, submission: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = tmp_path / "alone"
    zgbench.evaluate(submission, subset=SUBSET, reassign=["tt"], text_encoder=HashedText(), out=alone)

    process = started(cluster, {"mine": submission}, tmp_path / "ray", hang=True)
    marks = tmp_path / "ray/marks"
    begin = time.monotonic()
    while not (marks / "victim").exists() and process.poll() is None and time.monotonic() - begin < 120:
        time.sleep(0.05)
    assert (marks / "victim").exists(), process.communicate()[1]
    time.sleep(0.2)  # its name is written
    span, node_id = (marks / "victim").read_text().split()
    (node,) = [node for node in cluster.worker_nodes if node.node_id == node_id]
    cluster.remove_node(node, allow_graceful=False)
    _, err = process.communicate(timeout=180)
    assert process.returncode == 0, err

    worked = {mark.name: mark.read_text().split() for mark in marks.glob("[0-9]*")}
    assert worked[span][0] == node_id and len(worked[span]) > 1, "the lost span was worked on again"
    monkeypatch.setattr(ray_engine, "FEWEST_ROWS", 1)
    spans = ray_engine.plan(ParquetReader(submission), 3)
    assert sorted(worked) == [f"{span.start:04}" for span in spans] and len(spans) > 8, "every span was"
    assert len({node for nodes in worked.values() for node in nodes}) > 1, "and several nodes did it"
    names = {path.name for path in alone.iterdir()}
    assert names == {path.name for path in (tmp_path / "ray/results").iterdir()} and len(names) == 4
    for name in names:
        ours, theirs = alone / name, tmp_path / "ray/results" / name
        if name.endswith(".json"):
            contents = [json.loads(path.read_text()) for path in (ours, theirs)]
            assert [content.pop("timing_s") for content in contents]
            assert contents[0] == contents[1]
        else:
            assert ours.read_bytes() == theirs.read_bytes(), name


def test_reports_are_those_of_one_machine(cluster: Any, submission: Path, tmp_path: Path) -> None:
    files = {"mixed": spoilt(submission, tmp_path)["mixed"]}
    out, err = started(cluster, files, tmp_path / "ray", hang=False).communicate(timeout=180)
    told = json.loads(out or "{}")
    dataset = open_dataset("mini", subset=SUBSET)
    assert told == {name: report_of(path, dataset) for name, path in files.items()}, err


def test_a_stranger_is_turned_away_from_the_cluster_of_a_run(tmp_path: Path) -> None:
    """It listens on all addresses of the machine; whoever lacks the owner's token cannot use it."""
    if not os.environ.get("CI"):
        pytest.importorskip("ray", reason="needs the extra ray, which is not installed")
    host = (
        "import sys; from zgbench.pixels import ray_engine\nwith ray_engine.connected(None) as ray:\n"
        "    print(ray.get_runtime_context().gcs_address, flush=True); sys.stdin.read()"
    )
    guest = (
        "import ray, sys; ray.init(address=sys.argv[1], log_to_driver=False)\n"
        "print(ray.get(ray.remote(lambda: 'I am in').remote()))"
    )
    plain = {name: text for name, text in os.environ.items() if not name.startswith("RAY_")}
    owner = plain | {"HOME": str(tmp_path / "owner")}
    guests = {
        "owner": owner | {"RAY_AUTH_MODE": "token"},
        "stranger": plain | {"HOME": str(tmp_path), "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0" * 64},
    }
    with subprocess.Popen(
        [sys.executable, "-c", host],
        cwd=ROOT,
        env=owner,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as run:
        assert run.stdin is not None and run.stdout is not None
        address = run.stdout.readline().strip()
        told = {
            who: subprocess.run(
                [sys.executable, "-c", guest, address],
                env=env,
                text=True,
                capture_output=True,
                timeout=120,
                check=False,
            )
            for who, env in guests.items()
        }
        run.stdin.close()
    assert "I am in" in told["owner"].stdout, told["owner"].stderr
    assert told["stranger"].returncode != 0 and "I am in" not in told["stranger"].stdout


def test_a_cluster_that_is_not_there(submission: Path) -> None:
    if not os.environ.get("CI"):
        pytest.importorskip("ray", reason="needs the extra ray, which is not installed")
    with pytest.raises(UsageError, match=r"--ray-address 127\.0\.0\.1:1: .*ray start --head"):
        zgbench.evaluate(submission, subset=SUBSET, reassign=["tt"], text_encoder=HashedText(), engine="ray", ray_address="127.0.0.1:1")  # fmt: skip


def test_the_reference_method_survives_a_node(cluster: Any, tmp_path: Path) -> None:
    """Three replicas on three nodes, no processor to spare: the two that are left finish the work."""
    while len(cluster.worker_nodes) < 2:
        cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    quick = [f"--set=naming.{change}" for change in ("steps=1", "candidates=16", "beams=2", "max_tokens=2")]
    common = ["reference", "run", "--dataset", "mini", "--subset", "first:5", *quick]
    whole, out = tmp_path / "whole/ours.json", tmp_path / "ours.json"
    call(*common, "--device", "cpu", "--out", whole, OMP_NUM_THREADS="1")
    process = subprocess.Popen(
        [sys.executable, "-m", "zgbench", *common, "--device", "cpu,cpu,cpu", "--engine", "ray", "--ray-address", cluster.address, "--out", str(out)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    work = tmp_path / "ours.json.work"
    begin = time.monotonic()
    while not list(work.glob("image-*")) and process.poll() is None and time.monotonic() - begin < 120:
        time.sleep(0.05)
    assert process.poll() is None, process.communicate()[1]
    cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)
    _, err = process.communicate(timeout=180)
    assert process.returncode == 0, err
    assert out.read_bytes() == whole.read_bytes()
