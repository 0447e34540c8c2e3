"""How quickly a large leaderboard answers: 200 methods × 3 data sets × 5,104 images of synthetic statistics.

    python tests/benchmarks/bench_board.py [--json] [--methods 200] [--images 5104] [--keep DIR]

Statistics of a few synthetic methods are worked out the whole way; the others are made from these with a disturbance
of their own in every image. What ``zgbench leaderboard add`` keeps ready in the cache (summaries, what the cross-checks
said, and p-values of the pairs) is filled before, as it would be on a board; how long that takes for a whole board at once is told as well.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from zgbench.board import verdicts
from zgbench.board.differences import comparison
from zgbench.board.entry import entry_of
from zgbench.board.pairs import kept_at, pairs
from zgbench.board.ranking import ranking
from zgbench.board.store import Board, load_board
from zgbench.board.summary import Summary, keep
from zgbench.datasets import builtin_vocabulary
from zgbench.pixels import counts_file
from zgbench.pixels.counts import Counts
from zgbench.protocol import preset
from zgbench.scores import metrics
from zgbench.scores.result import FORMAT
from zgbench.statistics import resampling
from zgbench.statistics.resampling import total
from zgbench.storage.files import sha256_file, write_bytes

ROOT = Path(__file__).resolve().parents[2]
KEYS = ("pas20", "pc59", "pc459")
SEGMENTS, CLASSES = 13, 5
"""Of an image."""
BASES = 4
PROTOCOL = preset("v1", "pas20")


def synthetic(key: str, n: int, random: np.random.RandomState) -> Counts:
    """Segments that each cover two of the classes of their image."""
    ids = np.asarray(builtin_vocabulary(key).ids)
    rank = np.arange(1, len(ids) + 1)
    shown = ids[random.choice(len(ids), (n, CLASSES), p=(1 / rank) / (1 / rank).sum())]
    segments = n * SEGMENTS
    owner = np.repeat(np.arange(n), SEGMENTS)
    first, second = (shown[owner, random.randint(0, CLASSES, segments)] for _ in range(2))
    keys, inverse = np.unique(
        np.concatenate([np.arange(segments) * 10_000 + first, np.arange(segments) * 10_000 + second]),
        return_inverse=True,
    )
    pixels = np.concatenate([random.randint(2000, 20_000, segments), random.randint(1, 4000, segments)])
    segment = keys // 10_000
    return Counts(
        tuple(f"2008_{k:06d}" for k in range(n)), ((375, 500),) * n, tuple(f"label {k % 997}" for k in range(segments)),
        None, np.arange(n + 1) * SEGMENTS, owner[segment], segment, keys % 10_000,
        np.bincount(inverse, weights=pixels).astype(np.int64), np.arange(n) * SEGMENTS, segments,
    )  # fmt: skip


def base_of(key: str, counts: Counts, share: float, random: np.random.RandomState) -> tuple[Summary, np.ndarray]:
    """A method that names a share of its segments well; with the class of every segment."""
    ids = np.asarray(builtin_vocabulary(key).ids)
    first = np.searchsorted(counts.segment, np.arange(len(counts.labels)))
    best, other = counts.cls[first], ids[random.randint(0, len(ids), len(first))]
    drawn = random.random_sample(len(first))
    assigned = np.where(drawn < share, best, np.where(drawn < 0.8, other, 0))
    found = metrics.statistics(metrics.class_counts(counts, assigned, ids, "count"), "v1")
    weights = resampling.weights(len(counts.ids), PROTOCOL.resamples, PROTOCOL.seed)
    return Summary(found, found.scores(resampling.weighted_sums(found.per_image, weights))), assigned


def disturbed(base: Summary, random: np.random.RandomState) -> Summary:
    """A method like another: what it found is a little less in every image."""
    assert isinstance(base.statistics, metrics.Statistics)
    layout, table = base.statistics.layout, base.statistics.per_image.copy()
    columns = [place for name, place in layout.items() if name not in ("images", "recalled", "I", "U")]
    found = np.isin(table.indices, columns) | (
        (table.indices >= layout["I"]) & (table.indices < layout["I"] + base.statistics.n_classes)
    )
    table.data[found] *= 1 - random.random_sample(int(found.sum())) * random.random_sample() * 0.2
    statistics = metrics.Statistics(table, layout, base.statistics.n_classes)
    value, before = (s.scores(total(s.per_image)) for s in (statistics, base.statistics))
    return Summary(statistics, {name: base.samples[name] + (value[name] - before[name]) for name in base.samples})


def make(folder: Path, methods: int, n: int) -> None:
    """Fill a board and the summaries in the cache."""
    folder.mkdir(parents=True)
    for key in KEYS:
        random = np.random.RandomState(0)
        counts = synthetic(key, n, random)
        shared = {kind: folder / f"shared.{key}.{kind}.parquet" for kind in ("stats", "segments")}
        counts_file.save(counts, shared["stats"], {})
        made = [base_of(key, counts, 0.3 + 0.1 * k, random) for k in range(BASES)]
        _save_segments(counts, made[0][1], shared["segments"])
        files = {kind: {"name": path.name, "sha256": sha256_file(path)} for kind, path in shared.items()}
        for k in range(methods):
            found = disturbed(made[k % BASES][0], random)
            result = _result(key, f"method {k:03d}", n, found, counts, files)
            path = folder / f"method-{k:03d}.{key}.result.json"
            write_bytes(path, json.dumps(result).encode())
            entry = entry_of(path, result, sha256_file(path))
            keep(entry, entry.rows[0], found)
            verdicts.keep(entry.sha256, ())  # as add does; invented numbers would not pass


def _save_segments(counts: Counts, assigned: np.ndarray, place: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    similarity = np.where(assigned > 0, 0.8, 0.1).astype(np.float32)
    pq.write_table(pa.table({"tt_class": np.maximum(assigned, 1).astype(np.int32), "tt_similarity": similarity}), place)


def _result(key: str, name: str, n: int, found: Summary, counts: Counts, files: dict[str, Any]) -> dict[str, Any]:
    values = found.statistics.scores(total(found.statistics.per_image))
    scores = {
        name: {"value": float(values[name]), "ci95": [float(q) for q in np.quantile(found.samples[name], [0.025, 0.975])]}
        for name in values
    }  # fmt: skip
    names = builtin_vocabulary(key).names
    row = {
        "reassign": "TT", "verify": "cos>=0.5", "images": n, "segments": len(counts.labels), "segments_kept": len(counts.labels),
        "signature": f"data:{key}|n:{n}|track:free|reassign:TT|encoder:synthetic|verify:cos>=0.5|bg:count|scoring:v1",
        "iou_image": scores["iou_image"], "iou_dataset": scores["iou_dataset"],
        "recall": {name.removeprefix("recall."): s for name, s in scores.items() if name.startswith("recall.")},
        "per_class": {name: {"iou": 0.5, "recall": 0.5, "images": n // 10} for name in names},
    }  # fmt: skip
    return {
        "format": FORMAT, "submission": {"name": name, "sha256": "0" * 64, "track": "free", "method": {}},
        "dataset": {"key": key, "images": n, "official": True}, "protocol": asdict(PROTOCOL), "scores": [row],
        "tgq": None, "unavailable": {}, "files": files,
    }  # fmt: skip


@contextmanager
def timed(into: list[float], cpu: list[float] | None = None) -> Iterator[None]:
    """Note wall-clock seconds, and those that this process computed."""
    started, computed = time.perf_counter(), time.process_time()
    yield
    into.append(round(time.perf_counter() - started, 4))
    if cpu is not None:
        cpu.append(round(time.process_time() - computed, 4))


def fill(folder: Path) -> dict[str, list[float]]:
    """Work out p-values that ``add`` keeps in the cache.

    Of mIoU image, of all pairs at once; of mIoU dataset, where that takes minutes, of the last method with all others.
    What remains is stood in for by the p-values of mIoU image, as nothing that is measured depends on them.
    """
    board = load_board(folder)
    spent: dict[str, list[float]] = {"ratios": [], "iou_dataset": []}
    for key in KEYS:
        (group,) = board.groups(key)
        with timed(spent["ratios"]):
            found = pairs(board, group, "iou_image")
        for score in (name for name in group.scores if name != "iou_image"):
            draws = found.draws["iou_image"].copy()
            if score == "iou_dataset":
                draws[-1] = draws[:, -1] = 0
            file = io.BytesIO()
            hashes = np.array([board.entry(i).sha256 for i in group.ids])
            np.savez(file, hashes=hashes, p=found.p["iou_image"], draws=draws)
            write_bytes(kept_at(board, group, score), file.getvalue())
        with timed(spent["iou_dataset"]):
            pairs(board, group, "iou_dataset")
    return spent


def visit(folder: Path) -> dict[str, Any]:
    """What the pages call, in a process that has just started."""
    found: dict[str, Any] = {
        "first": [],
        "ranking": [],
        "two": [],
        "six": [],
        "ranking_cpu": [],
        "two_cpu": [],
        "six_cpu": [],
    }
    with timed(found["first"]):
        _ranking(load_board(folder), KEYS[0], "iou_image")
    for key in KEYS:
        for score in ("iou_image", "iou_dataset", "recall.0.5"):
            with timed(found["ranking"], found["ranking_cpu"]):
                _ranking(load_board(folder), key, score)
    for key in KEYS:
        (group,) = load_board(folder).groups(key)
        for k in range(2):
            with timed(found["two"], found["two_cpu"]):
                comparison(load_board(folder), group.key, [group.ids[5 * k], group.ids[-1 - k]])
            with timed(found["six"], found["six_cpu"]):
                comparison(load_board(folder), group.key, group.ids[10 + 7 * k : 16 + 7 * k])
    found["memory"] = _peak()
    return found


def _ranking(board: Board, key: str, score: str) -> None:
    (group,) = board.groups(key)
    assert len(ranking(board, group.key, score)) == len(group.ids)


def _peak() -> float:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def walk(folder: Path, tmp: Path) -> dict[str, Any]:
    """The real pages in Chromium: seconds from the address to a page at rest; the server's memory in GiB."""
    import psutil

    sys.path.insert(0, str(ROOT))
    from tests.end_to_end.board_walk import visiting
    from tests.end_to_end.browser import chromium, served

    found: dict[str, Any] = {"first": [], "ranking": [], "compare": []}
    board = load_board(folder)
    with (
        chromium() as browser,
        served("leaderboard", "serve", "--board", folder, folder=tmp, **dict(os.environ)) as server,
        visiting(browser, server.url) as visitor,
    ):
        with timed(found["first"]):
            visitor.go("/")
        for key in KEYS:
            visitor.go(f"/?dataset={key}")
            for kind in ("free", "all"):
                with timed(found["ranking"]):
                    visitor.page.get_by_role("radio", name=kind, exact=True).click()
                    visitor.settled()
        for key in KEYS:
            (group,) = board.groups(key)
            for k in (3, 8):
                chosen = ",".join((group.ids[k], group.ids[-k], group.ids[k + 1]))
                visitor.go(f"/compare?dataset={key}&group={group.key}&methods={chosen}")
                visitor.page.get_by_role("combobox", name="Methods", exact=True).click()
                with timed(found["compare"]):
                    visitor.page.keyboard.press("Backspace")  # takes the third method out
                    visitor.settled()
                assert visitor.query().split("methods=")[1].count(",") == 1
        parent = psutil.Process(server.process.pid)
        found["memory"] = sum(p.memory_info().rss for p in (parent, *parent.children(recursive=True))) / 2**30
    return found


def _cpu(seconds: list[float]) -> str:
    return f"of these computed: at most {max(seconds):.2g} s"


def rows(spent: dict[str, Any], seen: dict[str, Any], walked: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """For the table of all benchmarks."""
    yield {
        "what": "ranking: what the page calls",
        "unit": "s",
        "ours": seen["ranking"],
        "goal": {"under": 1},
        "note": _cpu(seen["ranking_cpu"]),
    }
    yield {"what": "comparison of two methods: what the page calls", "unit": "s", "ours": seen["two"], "goal": {"under": 2}, "note": _cpu(seen["two_cpu"])}  # fmt: skip
    yield {
        "what": "comparison of six methods: what the page calls",
        "unit": "s",
        "ours": seen["six"],
        "note": _cpu(seen["six_cpu"]),
    }
    yield {"what": "ranking page in Chromium, another filter", "unit": "s", "ours": walked["ranking"], "goal": {"under": 1}, "note": f"first load {walked['first'][0]:.1f} s"}  # fmt: skip
    yield {
        "what": "comparison page in Chromium, other methods",
        "unit": "s",
        "ours": walked["compare"],
        "goal": {"under": 2},
    }
    yield {"what": "memory of the page's server", "unit": "GiB", "ours": [walked["memory"], seen["memory"]], "goal": {"under": 1.4}, "note": "1.5 GB; the second without Streamlit"}  # fmt: skip
    yield {"what": "p-values of all pairs at once, a score that is one ratio", "unit": "s", "ours": spent["ratios"], "note": "kept on disk; add works out the new ones only"}  # fmt: skip
    yield {"what": "p-values of one more method with all others, mIoU dataset", "unit": "s", "ours": spent["iou_dataset"], "note": "pas20, pc59, pc459; by add"}  # fmt: skip


STEPS: dict[str, Callable[[Path], Any]] = {"fill": fill, "visit": visit}


def in_a_process(step: str, folder: Path) -> Any:
    """Run a step in a fresh process, as its memory and what it keeps must be its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--step", step, "--keep", str(folder)], stdout=subprocess.PIPE, check=True
    )
    return json.loads(done.stdout)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--methods", type=int, default=200, help="at least 23")
    parser.add_argument("--images", type=int, default=5104)
    parser.add_argument("--keep", type=Path, help="folder that stays, with what was made before")
    parser.add_argument("--step", choices=STEPS)
    options = parser.parse_args()
    if not any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")):
        print("needs Chromium (Debian: apt-get install chromium)", file=sys.stderr)
        return 77
    if options.step:
        print(json.dumps(STEPS[options.step](options.keep / "board")))
        return 0
    with tempfile.TemporaryDirectory() as temporary:
        place = options.keep or Path(temporary)
        os.environ |= {"ZGBENCH_CACHE": str(place / "cache"), "PYTHONPATH": str(ROOT)}
        started = time.perf_counter()
        if not (place / "board").exists():
            make(place / "board", options.methods, options.images)
        print(f"made in {time.perf_counter() - started:.0f} s", file=sys.stderr)
        spent = in_a_process("fill", place)
        seen = in_a_process("visit", place)
        walked = walk(place / "board", place)
        for row in rows(spent, seen, walked):
            print(json.dumps(row) if options.json else row, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
