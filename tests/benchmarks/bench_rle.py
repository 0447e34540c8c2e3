"""Decoding COCO run lengths: zgbench against faster-coco-eval and pycocotools, on the masks of real images.

Two ends are compared. *Dense*: compressed texts to masks, bool [h, w] a segment. *Runs*: compressed texts to run
lengths, which is all that zgbench's pixel pass wants; the others have no call for that alone, so they are measured
with the shortest that they offer from text to numbers: the areas, which they count from the runs as well.
All are handed the masks of four images at a time, as the pixel pass does, valid ones; zgbench checks every character,
the others, written in C and C++, none. With ``--numpy`` zgbench is measured without its compiled kernel.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from itertools import groupby, pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from machine import describe, not_measured, row, spread
from sample import SHARED, make, need_images

from zgbench import open_dataset
from zgbench.submission import rle
from zgbench.submission.problems import Report
from zgbench.submission.reader import open_submission

PEERS = {"faster-coco-eval": "faster_coco_eval", "pycocotools": "pycocotools.mask"}
TOGETHER = 4
Masks = list[tuple[tuple[int, int], bytes]]
"""Size (h, w) and compressed text of each."""


def runs_of(masks: Masks) -> rle.Runs:
    """Runs by zgbench, checked."""
    runs = rle.parse([text for _, text in masks])
    assert not runs.errors and (runs.sums() == [h * w for (h, w), _ in masks]).all()
    return runs


def dense(masks: Masks) -> list[np.ndarray]:
    """Masks by zgbench."""
    runs = runs_of(masks)
    bounds = pairwise(runs.offsets)
    return [rle.mask_of(runs.counts[a:b], size) for (a, b), (size, _) in zip(bounds, masks, strict=True)]


def areas(masks: Masks) -> np.ndarray:
    """Runs by zgbench and their areas."""
    _, lengths, owners = runs_of(masks).foreground()
    return np.bincount(owners, weights=lengths, minlength=len(masks))


def peer_dense(module: Any, masks: Masks) -> list[np.ndarray]:
    """Masks by a peer; it wants those of one call to be of one size."""
    found = []
    for size, same in groupby(masks, key=itemgetter(0)):
        decoded = module.decode([{"size": size, "counts": text} for _, text in same])
        found += [decoded[..., k] for k in range(decoded.shape[2])]
    return found


def peer_areas(module: Any, masks: Masks) -> np.ndarray:
    """Areas by a peer."""
    return module.area([{"size": size, "counts": text} for size, text in masks])


def timed(work: Callable[[], Any]) -> float:
    """Seconds of processor time: what others do on the machine counts little."""
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> None:
    """Compare outputs once, then take turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--json", action="store_true", help="lines of JSON for run_all.py")
    parser.add_argument("--numpy", action="store_true", help="without the compiled kernel")
    options = parser.parse_args()
    need_images()
    if options.numpy:
        rle._kernel = None
    peers = {}
    for name, module in PEERS.items():
        try:
            found = import_module(module)
            peers[name] = getattr(found, "mask", found)
        except ImportError:
            continue
    if not peers:
        not_measured(f"{' or '.join(PEERS)}: not installed")

    with tempfile.TemporaryDirectory() as folder:
        ids = list(open_dataset("pas20", SHARED).ids[: options.images])
        reader = open_submission(make(Path(folder) / "bench.parquet", SHARED, "pas20", ids))
        header = reader.header(Report())
        assert header is not None
        images = list(reader.images(header, Report()))
    each = [
        [(image.size, text) for image in images[at : at + TOGETHER] for text in image.counts or ()]
        for at in range(0, len(images), TOGETHER)
    ]
    masks = sum(map(len, each))
    if not options.json:
        print(f"{describe()}\n{masks} masks of {len(images)} real VOC images, {options.runs} runs, one core")
    for module in peers.values():
        for some in each:
            both = zip(dense(some), peer_dense(module, some), strict=True)
            assert all((mine == his.astype(bool)).all() for mine, his in both)
            assert (areas(some) == peer_areas(module, some)).all()
    for what, mine, his in (("to dense masks", dense, peer_dense), ("to runs and areas", areas, peer_areas)):
        times: dict[str, list[float]] = {name: [] for name in ("zgbench", *peers)}
        for _ in range(options.runs):
            times["zgbench"].append(timed(lambda mine=mine: [mine(some) for some in each]))
            for name, module in peers.items():
                times[name].append(timed(lambda module=module, his=his: [his(module, some) for some in each]))
        per_mask = {name: [1e6 * seconds / masks for seconds in found] for name, found in times.items()}
        for name in peers:
            title = f"RLE {what}, {masks:,} masks of {len(images)} VOC images"
            if options.json:
                note = "the same output" + "".join(
                    f"; {other} is not installed" for other in PEERS if other not in peers
                )
                row(title, "µs/mask", per_mask["zgbench"], name, per_mask[name], note=note)
            else:
                ratios = [b / a for a, b in zip(times["zgbench"], times[name], strict=True)]
                print(f"{title}: {spread(per_mask['zgbench'], ' µs')}, {name} {spread(per_mask[name], ' µs')}: {spread(ratios, '×')}")  # fmt: skip


if __name__ == "__main__":
    main()
