"""Where the pixel pass spends its time, and how close it comes to its floor: decoding PNG + parsing RLE alone.

Each run times, one after the other over the same real images: the two parts of the floor; the pixel pass
(``count_batch``: decode, parse, check, count); and everything from the submission file to the counts
(``collect``: reading Parquet as well). Processor time of one process. The parts that are not the floor (checking,
joint runs) are timed alone; the rest is what is left.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from machine import describe, row, spread
from sample import SHARED, make, need_images

from zgbench import open_dataset
from zgbench.pixels.collect import collect
from zgbench.pixels.joint_histograms import joint_counts
from zgbench.pixels.pixel_pass import BATCH, TOGETHER, count_batch
from zgbench.submission import rle
from zgbench.submission.mask_checks import Strip, check_masks
from zgbench.submission.problems import Report
from zgbench.submission.reader import open_submission

GOAL = 1.5


class Work:
    """The same images and masks for every part."""

    def __init__(self, folder: Path, images: int) -> None:
        self.dataset = open_dataset("pas20", SHARED)
        self.dataset = self.dataset.only(self.dataset.ids[:images])
        self.reader = open_submission(make(folder / "bench.parquet", SHARED, "pas20", list(self.dataset.ids)))
        header = self.reader.header(Report())
        assert header is not None
        self.header = header
        self.images = list(self.reader.images(header, Report()))
        self.parts = [self.images[at : at + TOGETHER] for at in range(0, len(self.images), TOGETHER)]
        self.truths = {image.id: self.dataset.source.truth(image.id) for image in self.images}
        self.strips = self.checked()

    def decode(self) -> None:
        """PNG of the truth."""
        for image in self.images:
            self.dataset.source.truth(image.id)

    def parse(self) -> None:
        """RLE to run lengths."""
        for part in self.parts:
            rle.parse([text for image in part for text in image.counts or ()])

    def checked(self) -> list[Strip]:
        """Parse and check: sizes, empty masks, overlaps; the runs in order."""
        found = [check_masks(part, [self.truths[i.id].size for i in part]) for part in self.parts]
        assert not any(problem for problems, _ in found for problem in problems)
        return [strip for _, strip in found]

    def count(self) -> None:
        """N[s, c] from runs and decoded truth."""
        for part, strip in zip(self.parts, self.strips, strict=True):
            joint_counts([self.truths[i.id] for i in part], strip)

    def read(self) -> None:
        """The Parquet file."""
        for _ in self.reader.images(self.header, Report()):
            pass

    def pixel_pass(self) -> None:
        """The pass itself, on images that were read before."""
        for at in range(0, len(self.images), BATCH):
            count_batch(list(self.images[at : at + BATCH]), self.dataset.source, self.dataset.vocabulary)

    def whole(self) -> None:
        """From the file to the counts of all images."""
        collect(self.reader, self.header, self.dataset, Report())


def timed(work: Callable[[], Any]) -> float:
    """Seconds of processor time: what others do on the machine counts little."""
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> None:
    """Take turns, then tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--runs", type=int, default=21)
    parser.add_argument("--json", action="store_true", help="lines of JSON for run_all.py")
    options = parser.parse_args()
    need_images()
    with tempfile.TemporaryDirectory() as folder:
        work = Work(Path(folder), options.images)
        parts = {
            "decode PNG": work.decode, "parse RLE": work.parse, "parse and check RLE": work.checked,
            "count": work.count, "pixel pass": work.pixel_pass, "read Parquet": work.read, "file to counts": work.whole,
        }  # fmt: skip
        ms: dict[str, list[float]] = {name: [] for name in parts}
        for _ in range(options.runs):
            for name, part in parts.items():
                ms[name].append(1e3 * timed(part) / options.images)
    floor = [a + b for a, b in zip(ms["decode PNG"], ms["parse RLE"], strict=True)]
    middle = {name: statistics.median(values) for name, values in ms.items()}
    check = middle["parse and check RLE"] - middle["parse RLE"]
    rest = middle["pixel pass"] - middle["decode PNG"] - middle["parse and check RLE"] - middle["count"]
    ratios = {name: [m / f for m, f in zip(ms[name], floor, strict=True)] for name in ("pixel pass", "file to counts")}
    shares = ", ".join(
        f"{name} {value:.2f}"
        for name, value in (
            ("decode PNG", middle["decode PNG"]), ("parse RLE", middle["parse RLE"]), ("check", check),
            ("count", middle["count"]), ("rest", rest),
        )
    )  # fmt: skip
    if options.json:
        title = f"pixel pass, {options.images} VOC images, processor time"
        row(title, "ms/image", ms["pixel pass"], note=f"ms: {shares}")
        row("its ratio to decoding PNG + parsing RLE alone", "×", ratios["pixel pass"], goal=GOAL)
        row("the same with reading Parquet: from file to counts", "×", ratios["file to counts"], goal=GOAL)
        return
    print(f"{describe()}\n{options.images} real VOC images, {options.runs} runs; ms of processor time an image")
    for name, values in ms.items():
        print(f"{name:20} {spread(values):>24}")
    print(f"of the pixel pass: {shares}")
    for name, values in ratios.items():
        print(f"{name} / (decode PNG + parse RLE): {spread(values, '×')}, goal ≤ {GOAL}×")


if __name__ == "__main__":
    main()
