"""Cost of a full table-1 evaluation against the peers, and of a full-size run. Real VOC images; run from the project.

Everybody starts from the same submission file and PNG files and ends with the six scores of the paper's table 1
(TT by a constant and h >= 1; ST by a constant and h = 3, h >= 2, h >= 1). The peers are handed the reassigned classes
for nothing and give no intervals; zgbench does all of it: reading, checking, counting, reassigning, 95 % intervals.
Models are stand-ins for everyone: model time is not what is measured. One core each, in turn, in one process.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from machine import describe, spread

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
SIX = (("TT", "cos>=0.5"), ("TT", "h>=1"), ("ST", "cos>=0.1"), ("ST", "h>=1"), ("ST", "h>=2"), ("ST", "h>=3"))


class Stand:
    """Stands in for SBERT and CLIP: a fixed random direction for every text."""

    name = "stand-in"

    def encode(self, texts: list[str]) -> np.ndarray:
        rows = [np.random.RandomState(sum(map(ord, t)) % 2**31).standard_normal(64) for t in texts]
        found = np.stack(rows) + 1.0  # a common part, so that cosines are well above the thresholds
        return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)

    def encode_segments(self, photo: object, masks: np.ndarray) -> np.ndarray:
        raise AssertionError("the embeddings come with the submission")


def make(folder: Path, data: Path, key: str, ids: list[str]) -> Path:
    """A submission of about 14 segments an image (truth segments cut by a grid), with embeddings."""
    from zgbench import SubmissionWriter, open_dataset

    dataset = open_dataset(key, data)
    random = np.random.RandomState(0)
    words = ["cat", "dog", "a person", "some grass", "bus", "train", "furniture", "screen", "bottle", "boat"]
    path = folder / f"bench_{len(ids)}.json"
    with SubmissionWriter(path, name="bench", dataset=key) as writer:
        for image_id in ids:
            truth = dataset.source.truth(image_id).classes()
            height, width = truth.shape
            grid = (np.arange(height)[:, None] * 3 // height) * 4 + np.arange(width)[None] * 4 // width
            _, label_map = np.unique(np.where(truth > 0, truth + 100, grid), return_inverse=True)
            n = int(label_map.max()) + 1
            writer.add(
                image_id, label_map.reshape(truth.shape) + 1, [words[random.randint(len(words))] for _ in range(n)],
                embeddings=random.standard_normal((n, 64)) + 1,
            )  # fmt: skip
    return path


def rate(submission: Path, data: Path) -> None:
    """A rating of every segment for each of the two classes that it was reassigned to."""
    _, found = ours(submission, data, ratings=None)
    counts, random = found.counts, np.random.RandomState(1)
    with (submission.parent / "ratings.csv").open("w", newline="") as file:
        ratings = csv.writer(file)
        ratings.writerow(["image_id", "segment", "label", "rater", "score"])
        for reassigned in found.reassigned:
            for segment, image in enumerate(counts.owner):
                shown = found.dataset.vocabulary.name(int(reassigned.decision.class_id[segment]))
                ratings.writerow([counts.ids[image], segment - counts.offsets[image], shown, "r", random.randint(4)])


def ours(
    submission: Path, data: Path, ratings: str | None = "ratings.csv"
) -> tuple[dict[tuple[str, str], float], object]:
    """The whole of zgbench.evaluate; gives data-set IoU of the six rows."""
    from zgbench import PRESETS, evaluate

    stand = Stand()
    protocol = replace(PRESETS["v1"], segment_embeddings="submitted")
    table = submission.parent / ratings if ratings is not None else None
    found = evaluate(
        submission, data=data, protocol=protocol, ratings=table, text_encoder=stand, clip=stand, partial=True
    )
    return {
        (r["reassign"], r["verify"]): r["iou_dataset"]["value"]
        for r in found.scores
        if (r["reassign"], r["verify"]) in SIX
    }, found


def assigned_of(found: object) -> dict[tuple[str, str], dict[str, np.ndarray]]:
    """Reassigned classes (0 = dropped) of each row and image, handed to the peers."""
    from zgbench.protocol import Protocol
    from zgbench.rows import verified

    rows = {}
    for reassigned in found.reassigned:
        for row in verified(found.counts, reassigned, Protocol(**found.result["protocol"])):
            key = (reassigned.how, row.verify)
            if key in SIX:
                offsets = found.counts.offsets
                rows[key] = {i: row.assigned[offsets[n] : offsets[n + 1]] for n, i in enumerate(found.counts.ids)}
    return rows


def peer(submission: Path, data: Path, assigned: dict, measure: Callable) -> dict[tuple[str, str], float]:
    """Read, decode once an image, then one label map and one update for each of the six scores."""
    from faster_coco_eval import mask as coco
    from PIL import Image

    start, update, finish = measure()
    states = {row: start() for row in SIX}
    for image in json.loads(submission.read_text())["images"]:
        truth = np.asarray(Image.open(data / "VOCdevkit/VOC2012/SegmentationClass" / f"{image['id']}.png"))
        masks = coco.decode(
            [{"size": image["size"], "counts": s["counts"].encode()} for s in image["segments"]]
        ).astype(bool)
        for row in SIX:
            prediction = np.zeros(truth.shape, dtype=np.int64)
            for k, class_id in enumerate(assigned[row][image["id"]]):
                if class_id:
                    prediction[masks[..., k]] = class_id
            states[row] = update(states[row], prediction, truth)
    return {row: finish(state) for row, state in states.items()}


def torchmetrics_way() -> tuple:
    import torch
    from torchmetrics.classification import MulticlassJaccardIndex

    torch.set_num_threads(1)

    def update(metric, prediction, truth):
        metric.update(torch.from_numpy(prediction), torch.from_numpy(truth.astype(np.int64)))
        return metric

    def finish(metric):
        shown = (metric.confmat.sum(0) + metric.confmat.sum(1))[1:] > 0  # it scores a class that nobody has as 0
        return float(metric.compute()[1:][shown].mean())

    return lambda: MulticlassJaccardIndex(21, average="none", ignore_index=255), update, finish


def mmseg_way() -> tuple:
    import torch
    from mmseg.evaluation.metrics import IoUMetric

    torch.set_num_threads(1)

    def update(sums, prediction, truth):
        intersection, union, _, _ = IoUMetric.intersect_and_union(
            torch.from_numpy(prediction), torch.from_numpy(truth.astype(np.int64)), 21, 255
        )
        return sums[0] + intersection, sums[1] + union

    return lambda: (0, 0), update, lambda sums: float((sums[0][1:] / sums[1][1:]).nanmean())


def timed(run: Callable) -> tuple[float, object]:
    started = time.perf_counter()
    found = run()
    return time.perf_counter() - started, found


def against_peers(folder: Path, images: int, runs: int) -> None:
    """Part 1: ratios to torchmetrics and mmsegmentation."""
    from zgbench import open_dataset

    os.environ["ZGBENCH_CACHE"] = str(folder / "cache")
    ids = list(open_dataset("pas20", SHARED).ids[:images])
    submission = make(folder, SHARED, "pas20", ids)
    rate(submission, SHARED)
    values, found = ours(submission, SHARED)
    assigned = assigned_of(found)
    peers = {"torchmetrics": torchmetrics_way, "mmsegmentation": mmseg_way}
    times: dict[str, list[float]] = {"zgbench": [], **{name: [] for name in peers}}
    for _ in range(runs):
        times["zgbench"].append(timed(lambda: ours(submission, SHARED))[0])
        for name, way in peers.items():
            seconds, theirs = timed(lambda way=way: peer(submission, SHARED, assigned, way))
            times[name].append(seconds)
            worst = max(abs(theirs[row] - values[row]) for row in SIX)
            assert worst < 1e-5, f"{name} disagrees by {worst}"  # their sums are float32
    print(
        f"\nSix table-1 scores, {len(ids)} real VOC images, {len(found.counts.labels) / len(ids):.1f} segments an image, {runs} runs, one core each"
    )
    print(f"{'':16} {'ms an image':>28} {'slower than zgbench by':>28}")
    for name, seconds in times.items():
        per_image = [1e3 * s / len(ids) for s in seconds]
        ratios = [s / z for s, z in zip(seconds, times["zgbench"], strict=True)]
        print(f"{name:16} {spread(per_image):>28} {spread(ratios, '×') if name != 'zgbench' else '':>28}")


def full_size(folder: Path, sizes: list[int]) -> None:
    """Part 2: the command line on replicated real images; wall time and peak memory of a process of its own."""
    from zgbench.datasets.vocabulary import official_ids

    real = sorted(p.stem for p in (SHARED / "VOCdevkit/VOC2010/SegmentationClassContext").glob("*.png"))
    official = official_ids("pascal_context_val.txt")
    data = folder / "data"
    place = data / "VOCdevkit/VOC2010/SegmentationClassContext"
    place.mkdir(parents=True)
    for n, image_id in enumerate(official):
        source = SHARED / "VOCdevkit/VOC2010/SegmentationClassContext" / f"{real[n % len(real)]}.png"
        (place / f"{image_id}.png").write_bytes(source.read_bytes())
    whole = make(folder, data, "pc59", list(official))
    content = json.loads(whole.read_text())
    content.pop("embeddings", None)
    print(
        f"\nzgbench evaluate on replicated PASCAL Context images, {len(official)} in all (time and memory of the whole process)"
    )
    for size in sizes:
        part = folder / f"part_{size}.json"
        part.write_text(json.dumps({**content, "images": content["images"][:size]}))
        segments = sum(len(i["segments"]) for i in content["images"][:size])
        command = [
            sys.executable,
            "-m",
            "zgbench",
            "evaluate",
            str(part),
            "--data",
            str(data),
            "--protocol",
            "offline",
            "--reassign",
            "tt",
            "--out",
            str(folder / "out"),
            "--format",
            "csv",
            "--partial",
        ]
        for title, extra in (
            ("warm model cache", ["--seed", "0"]),
            ("again, another protocol", ["--background", "ignore"]),
        ):
            if title == "warm model cache":
                subprocess.run(command, check=True, capture_output=True)
                for file in (folder / "out").glob(f"part_{size}.*"):
                    file.unlink()
            script = "import resource,subprocess,sys,time;t=time.perf_counter();subprocess.run(sys.argv[1:],check=True,capture_output=True);print(time.perf_counter()-t,resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
            seconds, memory = subprocess.run(
                [sys.executable, "-c", script, *command, *extra], check=True, capture_output=True, text=True
            ).stdout.split()
            print(
                f"  {size:6} images {segments:7} segments  {title:24} {float(seconds):6.2f} s   peak of the largest process {int(memory) / 1024:6.0f} MiB"
            )


def start_up(runs: int) -> None:
    """Part 3: zgbench --help."""
    times = [
        timed(lambda: subprocess.run([sys.executable, "-m", "zgbench", "--help"], check=True, capture_output=True))[0]
        for _ in range(runs)
    ]
    print(f"\nzgbench --help: {spread(times, ' s')}, {runs} runs")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=60)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="*", default=[500, 5104])
    options = parser.parse_args()
    if not SHARED.is_dir():
        sys.exit("this benchmark needs real images: ../shared/data is not there")
    print(describe())
    with tempfile.TemporaryDirectory() as temporary:
        (Path(temporary) / "peers").mkdir()
        (Path(temporary) / "full").mkdir()
        against_peers(Path(temporary) / "peers", options.images, options.runs)
        full_size(Path(temporary) / "full", options.sizes)
    start_up(options.runs)
