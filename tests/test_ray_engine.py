"""``--engine ray`` gives the bytes and the reports of one machine, also when a node of the cluster is killed in the middle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import zgbench
from tests.conftest import HashedText
from tests.end_to_end.test_cli import call
from zgbench import ray_engine
from zgbench.counts import ImageCounts
from zgbench.datasets import Dataset, open_dataset
from zgbench.errors import UsageError
from zgbench.outcome_table import Found, pack, unpack
from zgbench.pixel_pass import Rejected
from zgbench.submission.collect import collect
from zgbench.submission.parquet_reader import ParquetReader
from zgbench.submission.problems import Problem, Report, SubmissionError

IMAGES = 16
SUBSET = f"first:{IMAGES}"


def rewritten(source: Path, target: Path, rows: int, change: Any = lambda rows: rows) -> Path:
    """The same submission in row groups of another size, its rows changed."""
    table = pq.read_table(source)
    header = {b"zgbench": pq.read_metadata(source).metadata[b"zgbench"]}
    kept = pa.Table.from_pylist(change(table.to_pylist()), schema=table.schema).replace_schema_metadata(header)
    pq.write_table(kept, target, row_group_size=rows)
    return target


@pytest.fixture(scope="module")
def submission(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Truth segments of drawn scenes under the wrong names, one image without any."""
    folder = tmp_path_factory.mktemp("submission")
    dataset = open_dataset("mini", subset=SUBSET)
    with zgbench.SubmissionWriter(folder / "whole.parquet", name="m", dataset="mini") as writer:
        for n, image_id in enumerate(dataset.ids):
            classes = dataset.source.truth(image_id).classes().copy()
            present = [] if n == 5 else sorted({int(c) for c in classes.ravel()} - {0, -1})
            classes[classes < 0] = 0
            if not present:
                classes[:] = 0
            writer.add(image_id, classes, {c: dataset.vocabulary.name(c)[::-1] for c in present})
    return rewritten(folder / "whole.parquet", folder / "mine.parquet", 7)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return open_dataset("mini", subset=SUBSET)


def spoilt(submission: Path, folder: Path) -> dict[str, Path]:
    """Submissions with problems in many places."""

    def repeat(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return rows[:9] + rows[30:] + rows[:3]

    def mixed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for n in (1, 17, 18, 60):
            rows[n]["counts"] = "~"
        rows[25]["label"] = ""
        rows[40] |= {"height": 3}
        rows[50] |= {"counts": rows[49]["counts"]}
        last = rows[-1]["image_id"]
        return [r for r in rows if r["image_id"] != last] + [rows[0] | {"image_id": "stranger"}]

    def hopeless(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [row | {"label": "\x07", "counts": "~"} for row in rows * 12]

    return {
        change.__name__: rewritten(submission, folder / f"{change.__name__}.parquet", 11, change)
        for change in (repeat, mixed, hopeless)
    }


def report_of(path: Path, dataset: Dataset, **how: Any) -> str:
    reader, report = ParquetReader(path), Report()
    header = reader.header(report)
    assert header is not None
    with pytest.raises(SubmissionError) as caught:
        collect(reader, header, dataset, report, **how)
    return str(caught.value)


# ---- without a cluster


@pytest.mark.parametrize("rows", [1, 2, 7, 30, 1000])
@pytest.mark.parametrize("span", [1, 25])
def test_parts_of_a_file_are_the_file(submission: Path, tmp_path: Path, rows: int, span: int) -> None:
    """Also where an image lies in several row groups, or in spans of its own."""
    path = rewritten(submission, tmp_path / "cut.parquet", rows)
    reader, report = ParquetReader(path), Report()
    header = reader.header(report)
    assert header is not None
    whole = list(reader.images(header, report))
    assert len(whole) == IMAGES
    spans = reader.spans(span)
    assert [s.start for s in spans[1:]] == [s.stop for s in spans[:-1]] and spans[0].start == 0
    parts, first = [], 0
    for one in spans:
        for image in reader.images(header, report, one):
            parts.append(replace(image, first=first))
            first += len(image.labels)
    assert parts == whole and not report.kinds


@pytest.mark.parametrize("name", ["repeat", "mixed", "hopeless"])
def test_the_order_of_problems_is_the_file_s(submission: Path, tmp_path: Path, dataset: Dataset, name: str) -> None:
    path = spoilt(submission, tmp_path)[name]
    reader, report = ParquetReader(path), Report()
    header = reader.header(report)
    assert header is not None
    task = ray_engine.CountSpan(reader, header, dataset, frozenset(dataset.ids), path.stat().st_size)

    def in_parts(gate: Any) -> Iterator[Any]:
        for n, span in enumerate(reader.spans(1)):
            spans = pa.table({"part": [n], "start": [span.start], "stop": [span.stop]})
            yield from ray_engine._admitted(task.counted(spans), gate)

    alone = report_of(path, dataset)
    assert alone == report_of(path, dataset, outcomes=in_parts)
    if name == "mixed":
        for kind in ("bad-rle", "label", "size", "overlap", "unknown-image", "missing-images"):
            assert f"[{kind}]" in alone, alone


def test_outcomes_as_a_table() -> None:
    counted = ImageCounts("b", (3, 4), ["x", "y"], [1, 2], *(pa.array([1, 2, 3], pa.int32()).to_numpy(),) * 3)
    bad = Rejected([Problem("kind", "$", "a", "b", "c", "image", 3), Problem("k", "$", "a", "b", "c")])
    found = [
        Found(outcome=bad), Found("a", "$[0]", 4), Found("b", "$[1]", 2, counted), Found("c", "$[2]", 1, bad),
        Found(error=zgbench.DataError("gone")),
    ]  # fmt: skip
    back = list(unpack(pack(3, found)))
    assert [(f.id, f.path, f.segments) for f in back] == [(f.id, f.path, f.segments) for f in found]
    assert [f.outcome for f in back[:2]] == [bad, None] and back[3].outcome == bad
    again = back[2].outcome
    assert isinstance(again, ImageCounts) and (again.id, again.size, again.labels, again.truth) == ("b", (3, 4), ["x", "y"], [1, 2])  # fmt: skip
    assert again.pixels.tolist() == [1, 2, 3] and again.pixels.dtype == counted.pixels.dtype
    assert type(back[4].error) is zgbench.DataError and str(back[4].error) == "gone"
    assert list(unpack(pack(0, []))) == []


def test_another_file_on_a_node_is_told(submission: Path, dataset: Dataset) -> None:
    reader = ParquetReader(submission)
    header = reader.header(Report())
    assert header is not None
    task = ray_engine.CountSpan(reader, header, dataset, frozenset(dataset.ids), 12)
    (found,) = unpack(task.counted(pa.table({"part": [0], "start": [0], "stop": [5]})))
    assert "a node of the cluster sees" in str(found.error) and "not 12" in str(found.error)


def test_json_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    with zgbench.SubmissionWriter(path, name="m", dataset="mini"):
        pass
    with pytest.raises(UsageError, match=r"zgbench convert .*mine\.json mine\.parquet"):
        zgbench.evaluate(path, reassign=["tt"], text_encoder=HashedText(), engine="ray", partial=True)


# ---- on a cluster of three nodes

SCRIPT = """
import json, os, sys, time
from pathlib import Path
import ray
import zgbench
from tests.conftest import HashedText
from zgbench import ray_engine

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
    root = Path(__file__).resolve().parents[1]
    return subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


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


def test_reports_are_those_of_one_machine(cluster: Any, submission: Path, tmp_path: Path, dataset: Dataset) -> None:
    files = {"mixed": spoilt(submission, tmp_path)["mixed"]}
    out, err = started(cluster, files, tmp_path / "ray", hang=False).communicate(timeout=180)
    told = json.loads(out or "{}")
    assert told == {name: report_of(path, dataset) for name, path in files.items()}, err


def test_a_cluster_that_is_not_there(submission: Path, tmp_path: Path) -> None:
    _, err = call("evaluate", submission, "--subset", SUBSET, "--engine", "ray", "--ray-address", "127.0.0.1:1", "--reassign", "tt", "--out", tmp_path, status=2)  # fmt: skip
    assert "--ray-address 127.0.0.1:1" in err and "ray start --head" in err
