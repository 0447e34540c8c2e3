"""How time and memory of an evaluation grow with the number of images: 1×, 10× and 101× of the real VOC sample.

Each size is evaluated from a Parquet submission by ``zgbench.evaluate`` (TT, with intervals, one worker a core) in
a process of its own, which says its peak memory. The copies read, decode and hash the files of their originals anew,
but these lie in the system's cache: a disk's time is not in the figures. The sizes take turns.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from machine import describe, row, spread
from sample import Stand, need_images

FIRST = 300
"""Images of the sample."""


def peak_kib() -> int:
    """Most memory of this process; ``ru_maxrss`` would count that of the one which started it."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().partition("VmHWM:")[2].split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def child(path: Path, times: int, workers: int) -> None:
    """One evaluation; prints what it took."""
    from replicated import replicated

    from zgbench import evaluation

    dataset = replicated(times)
    evaluation.open_dataset = lambda *_, **__: dataset  # type: ignore[assignment]
    counted: list[int] = []  # the peak, after each batch of the pixel pass
    began = time.perf_counter()
    found = evaluation.evaluate(
        path, reassign=["tt"], text_encoder=Stand(), workers=workers, out=path.parent / "out",
        progress=lambda *_: lambda _: counted.append(peak_kib()),
    )  # fmt: skip
    seconds = time.perf_counter() - began
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(u.ru_utime + u.ru_stime for u in usage)
    shares = {key: value for key, value in found.timing.items() if key in ("counts", "scores")}
    stats = next((path.parent / "out").glob(f"{path.stem}*.stats.parquet"))
    told = {"seconds": seconds, "cpu": cpu, "pass_kib": counted[-1], "main_kib": peak_kib(), "worker_kib": usage[1].ru_maxrss, **shares, "images": len(dataset.ids), "stats_bytes": stats.stat().st_size}  # fmt: skip
    stats.unlink()  # the next run is to count again
    print(json.dumps(told))


def main() -> None:
    """All sizes in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, nargs="+", default=[1, 10, 101])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--workers", type=int, default=0, help="default: one a core")
    parser.add_argument("--json", action="store_true", help="lines of JSON for run_all.py")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    need_images()
    from zgbench.pixels.pixel_pass import default_workers

    workers = options.workers or default_workers()
    if options.child:
        child(Path(options.child[0]), int(options.child[1]), workers)
        return
    from replicated import submission

    if not options.json:
        print(describe(), flush=True)
    runs: dict[int, list[dict[str, float]]] = {times: [] for times in options.times}
    with tempfile.TemporaryDirectory() as folder:
        paths = {times: Path(folder) / f"x{times}.parquet" for times in options.times}
        segments = {times: submission(path, times) for times, path in paths.items()}
        size = {times: path.stat().st_size for times, path in paths.items()}
        for _ in range(options.runs):
            for times, path in paths.items():
                command = [sys.executable, str(Path(__file__).resolve()), "--workers", str(workers), "--child", str(path), str(times)]  # fmt: skip
                told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
                runs[times].append(json.loads(told))
    earlier: list[float] | None = None
    fewer = 0
    for times, found in runs.items():
        images = int(found[0]["images"])
        per_image = [1e3 * run["seconds"] / images for run in found]
        kib = {key: statistics.median(run[key] for run in found) for key in ("pass_kib", "main_kib", "worker_kib")}
        memory = "pixel pass {pass_kib:.0f} MiB, in all {main_kib:.0f}, a worker {worker_kib:.0f}".format(
            **{key: value / 1024 for key, value in kib.items()}
        )
        if fewer:
            more = images - FIRST * fewer
            growth = [(kib[key] - statistics.median(run[key] for run in runs[fewer])) / more for key in ("pass_kib", "main_kib")]  # fmt: skip
            memory += f"; {growth[0]:.1f} and {growth[1]:.1f} KiB more for each image more"
        if options.json:
            what = f"`evaluate`, TT, {images:,} images, {segments[times]:,} segments, {workers} workers"
            row(what, "ms/image", per_image, earlier and f"{FIRST * fewer:,} images", earlier, note=memory)
        else:
            cpu, counts, scores = (statistics.median(1e3 * run[key] / images for run in found) for key in ("cpu", "counts", "scores"))  # fmt: skip
            print(f"{images:6} images {segments[times]:7} segments: {spread(per_image, ' ms')} an image (processor {cpu:.2f}, counts {counts:.2f}, scores {scores:.2f}); {memory}; "
                  f"submission {size[times] / images:.0f} B, counts {found[0]['stats_bytes'] / images:.0f} B an image")  # fmt: skip
        earlier, fewer = per_image, times


if __name__ == "__main__":
    main()
