"""Cost of a full table-1 evaluation against the peers, and of the whole command. Real images; run from the project.

Everybody starts from the same submission file and PNG files and ends with the six scores of the paper's table 1
(TT by a constant and h >= 1; ST by a constant and h = 3, h >= 2, h >= 1). The peers are handed the reassigned classes
for nothing and give no intervals; zgbench does all of it: reading, checking, counting, reassigning, 95 % intervals.
Models are stand-ins for everyone: model time is not what is measured. One core each, in turn, in one process.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from machine import describe, not_measured, row, spread
from sample import SHARED, Stand, make, need_images, rate

SIX = (("TT", "cos>=0.5"), ("TT", "h>=1"), ("ST", "cos>=0.1"), ("ST", "h>=1"), ("ST", "h>=2"), ("ST", "h>=3"))
CHILD = (
    "import resource, subprocess, sys, time\n"
    "began = time.perf_counter()\n"
    "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)\n"
    "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
    "print(time.perf_counter() - began, used.ru_maxrss, used.ru_utime + used.ru_stime)"
)


def ours(submission: Path, ratings: Path | None) -> tuple[dict[tuple[str, str], float], Any]:
    """The whole of zgbench.evaluate; gives data-set IoU of the six rows."""
    from zgbench import PRESETS, evaluate

    stand = Stand()
    protocol = replace(PRESETS["v1"], segment_embeddings="submitted")
    found = evaluate(
        submission, data=SHARED, protocol=protocol, reassign=["tt", "st"], ratings=ratings, text_encoder=stand,
        clip=stand, partial=True,
    )  # fmt: skip
    rows = {(r["reassign"], r["verify"]): r["iou_dataset"]["value"] for r in found.scores}
    return {key: value for key, value in rows.items() if key in SIX}, found


def assigned_of(found: Any) -> dict[tuple[str, str], dict[str, Any]]:
    """Reassigned classes (0 = dropped) of each row and image, handed to the peers."""
    from zgbench.protocol import Protocol
    from zgbench.scores.verification import verified

    rows = {}
    for reassigned in found.reassigned:
        for one in verified(found.counts, reassigned, Protocol(**found.result["protocol"])):
            key = (reassigned.how, one.verify)
            if key in SIX:
                offsets = found.counts.offsets
                rows[key] = {i: one.assigned[offsets[n] : offsets[n + 1]] for n, i in enumerate(found.counts.ids)}
    return rows


def timed(run: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of processor time, and result: what others do on the machine counts little."""
    started = time.process_time()
    found = run()
    return time.process_time() - started, found


def against_peers(folder: Path, images: int, runs: int, as_json: bool) -> None:
    """Part 1: ratios to the peers. Fails if a peer's scores differ from ours."""
    from peers import installed

    from zgbench import open_dataset

    os.environ["ZGBENCH_CACHE"] = str(folder / "cache")
    ids = list(open_dataset("pas20", SHARED).ids[:images])
    submission, ratings = make(folder / "bench.json", SHARED, "pas20", ids, embeddings=True), folder / "ratings.csv"
    rate(ours(submission, None)[1], ratings)
    values, found = ours(submission, ratings)
    assigned = assigned_of(found)
    assert set(values) == set(assigned) == set(SIX)
    peers, missing = installed()
    times: dict[str, list[float]] = {"zgbench": [], **{name: [] for name in peers}}
    worst = dict.fromkeys(peers, 0.0)
    for _ in range(runs):
        times["zgbench"].append(1e3 / len(ids) * timed(lambda: ours(submission, ratings))[0])
        for name, way in peers.items():
            seconds, theirs = timed(lambda way=way: way(submission, SHARED, assigned))
            times[name].append(1e3 / len(ids) * seconds)
            worst[name] = max(abs(theirs[key] - values[key]) for key in SIX)
            assert worst[name] < 1e-5, f"{name} disagrees by {worst[name]}"  # the sums of some are float32
    title = f"six table-1 scores, {len(ids)} real VOC images, {len(found.counts.labels) / len(ids):.1f} segments each"
    if not as_json:
        print(f"\n{title}, {runs} runs, one core each\n{'':28} {'ms an image':>24} {'slower than zgbench by':>24}")
        print(f"{'zgbench':28} {spread(times['zgbench']):>24}")
    for name in missing:
        print(f"{name:28} is not installed", file=sys.stderr)
    for name in peers:
        ratios = [t / z for t, z in zip(times[name], times["zgbench"], strict=True)]
        if as_json:
            note = f"scores differ by at most {worst[name]:.0e}" if worst[name] else "the same scores"
            note += "".join(f"; {other} is not installed" for other in missing)
            row(title, "ms/image", times["zgbench"], name, times[name], note=note)
        else:
            print(f"{name:28} {spread(times[name]):>24} {spread(ratios, '×'):>24}")


def full_size(folder: Path, sizes: list[int], runs: int, as_json: bool) -> None:
    """Part 2: the command line on replicated real images; wall time and peak memory of a process of its own."""
    from zgbench.datasets.vocabulary import official_ids

    originals = sorted((SHARED / "VOCdevkit/VOC2010/SegmentationClassContext").glob("*.png"))
    official = official_ids("pascal_context_val.txt")[: max(sizes)]
    data = folder / "data"
    place = data / "VOCdevkit/VOC2010/SegmentationClassContext"
    place.mkdir(parents=True)
    for n, image_id in enumerate(official):
        (place / f"{image_id}.png").write_bytes(originals[n % len(originals)].read_bytes())
    content = json.loads(make(folder / "whole.json", data, "pc59", list(official)).read_text())
    for size in sizes:
        part = folder / f"part_{size}.json"
        part.write_text(json.dumps({**content, "images": content["images"][:size]}))
        segments = sum(len(i["segments"]) for i in content["images"][:size])
        out = folder / "out"
        command = [sys.executable, "-m", "zgbench", "evaluate", str(part), "--data", str(data), "--protocol", "offline",
                   "--reassign", "tt", "--out", str(out), "--format", "csv", "--partial"]  # fmt: skip
        for title, extra in (("", ()), (", again under another protocol", ("--background", "ignore"))):
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # embeds the few texts
            seconds, memory, used = [], [], []
            for _ in range(runs):
                for file in out.glob(f"part_{size}.*") if not extra else ():
                    file.unlink()  # the counts are kept from run to run
                child = [sys.executable, "-c", CHILD, *command, *extra]
                found = subprocess.run(child, check=True, capture_output=True, text=True).stdout.split()
                seconds.append(float(found[0]))
                memory.append(int(found[1]) / 1024)
                used.append(float(found[2]))
            what = f"command `evaluate`, TT, {size:,} PASCAL Context images, {segments:,} segments{title}"
            note = f"processor time {spread(used, ' s')}, largest process {max(memory):.0f} MiB"
            if as_json:
                row(what, "s", seconds, note=note)
            else:
                print(f"{what}: {spread(seconds, ' s')}, {note}")


def start_up(runs: int, as_json: bool) -> None:
    """Part 3: zgbench --help."""
    command = [sys.executable, "-m", "zgbench", "--help"]
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - began)
    if as_json:
        row("`zgbench --help`", "s", times, goal=0.5)
    else:
        print(f"\nzgbench --help: {spread(times, ' s')}, {runs} runs")


def main() -> None:
    """All three parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="*", default=[5104])
    parser.add_argument("--json", action="store_true", help="lines of JSON for run_all.py")
    options = parser.parse_args()
    need_images()
    try:
        import faster_coco_eval  # noqa: F401
    except ImportError:
        not_measured("faster-coco-eval: pip install faster-coco-eval")
    if not options.json:
        print(describe())
    with tempfile.TemporaryDirectory() as temporary:
        for part in ("peers", "full"):
            (Path(temporary) / part).mkdir()
        against_peers(Path(temporary) / "peers", options.images, options.runs, options.json)
        if options.sizes:
            full_size(Path(temporary) / "full", options.sizes, options.runs, options.json)
    start_up(options.runs, options.json)


if __name__ == "__main__":
    main()
