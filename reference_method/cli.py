"""``zgbench reference run | bench``, as seen from a terminal."""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

from reference_method.config import ReferenceConfig, preset
from zgbench.errors import DataError, UsageError
from zgbench.extras import need
from zgbench.storage.threads import Threads, limit

_GROUPS = 8
"""Groups of images that each replica on a CPU should have, so that its start pays."""


def run(options: argparse.Namespace) -> int:
    """``zgbench reference run``."""
    threads = limit(options.threads)  # before PyTorch is imported
    config = preset(options.preset, options.dataset).with_(_changes(options.set or []))
    if config.language.startswith("smollm2"):
        need("smollm2", f"language={config.language}")
    if options.engine == "ray":
        need("ray", "--engine ray")
    devices = _devices(options.device)
    if bool(options.photos) == bool(options.dataset):
        raise UsageError("give either photos (or folders of them), or --dataset and --out.")
    if options.photos:
        _share_out(threads, devices, options)
        return _photos(options, config, devices)
    if not options.out:
        raise UsageError("--dataset wants --out FILE, the submission to write.")
    return _dataset(options, config, devices, threads)


def _dataset(options: argparse.Namespace, config: ReferenceConfig, devices: list[str], threads: Threads) -> int:
    from reference_method.photos import caution
    from reference_method.run import Job
    from reference_method.run import run as work
    from zgbench.cli.console import Progress
    from zgbench.datasets import open_dataset

    dataset = open_dataset(
        options.dataset, options.data, subset=options.subset, truth_dir=options.truth_dir, png_order=options.png_order
    )
    batch = options.batch if options.batch is not None else _batch(config, devices[0])
    if batch < 1:
        raise UsageError(f"--batch {batch}: expected at least 1.")
    small = _small(config) and options.method == "reference"
    if devices == ["cpu"] and not options.device and options.engine == "local" and small:
        # two processes do more than two threads of one; each wants its own start and its own texts
        devices = devices * max(1, min(threads.number, len(dataset.ids) // batch // _GROUPS))
    _share_out(threads, devices, options, stages=2 if small else 1)
    if options.dataset != "mini":
        caution(options.preset)
    job = Job(dataset, config, options.method, options.track, options.precision or _precision(devices[0]), batch)
    title = "GroupViT" if options.method == "groupvit" else "zgbench reference"
    with Progress() as progress:
        skipped = work(
            job, Path(options.out), name=options.name or title, devices=devices, keep_going=options.keep_going,
            engine=options.engine, ray_address=options.ray_address, step=progress("images", len(dataset.ids)),
        )  # fmt: skip
    for record in skipped:
        print(f"skipped: {record.error}", file=sys.stderr)
    print(f"{options.out}: {len(dataset.ids)} images, {len(skipped)} of them skipped." if skipped
          else f"{options.out}: {len(dataset.ids)} images.")  # fmt: skip
    print(f"Score it with: zgbench evaluate {options.out}" + (f" --data {options.data}" if options.data else "")
          + (" --partial" if options.subset else ""))  # fmt: skip
    return 0


def _photos(options: argparse.Namespace, config: ReferenceConfig, devices: list[str]) -> int:
    if options.method == "groupvit" or options.track == "oracle" or options.subset:
        raise UsageError("--method groupvit, --track oracle and --subset need what a --dataset knows; leave them out.")
    from reference_method import photos
    from reference_method.replicas import on_devices

    found = photos.collect(options.photos, options.out)
    photos.caution(options.preset)
    name, precision = options.name or "zgbench reference", options.precision or _precision(devices[0])
    make = partial(photos.Labeller, partial(_load, config, precision, name))
    unread = []
    for photo, labels in on_devices(make, [[photo] for photo in found], devices[: len(found)]):
        if isinstance(labels, DataError):
            unread.append(f"skipped: {labels}")
            continue
        print(f"{photo.results()[0]}: {', '.join(labels)}", flush=True)
    if not unread:
        return 0
    report = "\n".join(unread)
    if len(unread) == len(found):
        raise DataError(f"{report}\nNo photo could be read.")
    if options.keep_going:
        print(report, file=sys.stderr)
        return 0
    raise DataError(f"{report}\nThe other {len(found) - len(unread)} are done. --keep-going makes this no error.")


def _load(config: ReferenceConfig, precision: Any, name: str, device: str) -> tuple[Any, dict[str, Any]]:
    """What names the segments of a photo, and a submission's name with what it says of its method."""
    from reference_method.pipeline import Reference
    from reference_method.run import about

    method = Reference(config, device=device, precision=precision)
    return lambda photo: method([photo])[0], {"name": name, **about(config, precision, 1, method.weights)}


def bench(options: argparse.Namespace) -> int:
    """``zgbench reference bench``."""
    limit(options.threads)
    from reference_method.bench import main

    devices = _devices(options.device)
    return main(options.size, devices[0], options.precision, options.segments, options.runs, options.before)


def _changes(settings: list[str]) -> dict[str, str]:
    found = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise UsageError(f"--set {setting}: expected NAME=VALUE, such as --set merge=none.")
        found[name] = value
    return found


def _devices(asked: str | None) -> list[str]:
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    asked = asked or os.environ.get("ZGBENCH_DEVICE")
    if asked is None:
        return [f"cuda:{k}" for k in range(count)] or (["mps"] if torch.backends.mps.is_available() else ["cpu"])
    found = asked.split(",")
    for device in found:
        try:
            kind = torch.device(device)
        except RuntimeError as error:
            raise UsageError(f"--device {asked}: expected cpu, mps, cuda:0 or a list such as cuda:0,cuda:1.") from error
        if kind.type not in ("cpu", "cuda", "mps"):
            raise UsageError(f"--device {asked}: zgbench computes on cpu, cuda and mps.")
        if kind.type == "mps" and not torch.backends.mps.is_available():
            raise UsageError(f"--device {asked}: PyTorch sees no GPU of Apple here.")
        if kind.type == "cuda" and (kind.index or 0) >= count:
            raise UsageError(f"--device {asked}: {device} is not there; PyTorch sees {count} CUDA devices.")
    return found


def _small(config: ReferenceConfig) -> bool:
    return config.language == "zgbench-mini"


def _batch(config: ReferenceConfig, device: str) -> int:
    """Many photos keep a GPU, or a small model, busy; on a CPU a large model has enough to do with one."""
    if device.startswith("cuda"):
        return 16
    return 8 if _small(config) else 1


def _share_out(threads: Threads, devices: list[str], options: argparse.Namespace, stages: int = 1) -> None:
    """Replicas on one CPU share its threads; and so do stages that run beside each other, where none is far longer."""
    if devices[0] != "cpu" and not options.threads:
        return
    replicas = sum(device == "cpu" for device in devices)
    if replicas > 1:
        threads = limit(max(1, threads.number // replicas), why=f"for each of {replicas} replicas, of {threads}")
    elif stages > 1 and threads.number > 1:
        threads = limit(threads.number // stages, why=f"for each of {stages} stages side by side, of {threads}")
    print(f"{', '.join(devices)}: {threads}", file=sys.stderr)


def _precision(device: str) -> Any:
    return "bf16" if device.startswith("cuda") else "fp32"
