"""``zgbench reference run``: a method over a data set, on one or several devices, restartable."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from reference_method.config import ReferenceConfig
from reference_method.merging import Segment
from reference_method.replicas import on_devices, whole
from reference_method.work import Record, WorkFolder
from zgbench.datasets import Dataset
from zgbench.errors import DataError, InternalError, UsageError
from zgbench.submission import rle
from zgbench.submission.writer import SubmissionWriter

Track = Literal["free", "oracle"]
Method = Literal["reference", "groupvit"]
URL = "https://arxiv.org/abs/2303.13396"
_CLUSTERINGS = 8
"""At a time: each holds a matrix of 0.6 GiB at full size."""


@dataclass(frozen=True)
class Job:
    """What every worker needs to know.

    Attributes:
        dataset: where photos come from.
        config: of the reference method.
        method: ``reference`` or ``groupvit``.
        track: ``free``, or ``oracle``: the truth's segments are named.
        precision: ``fp32``, ``bf16`` or ``fp16``.
        batch: images at a time; fixed groups, so that a resumed run computes the same.
    """

    dataset: Dataset
    config: ReferenceConfig
    method: Method = "reference"
    track: Track = "free"
    precision: str = "fp32"
    batch: int = 1


@dataclass(frozen=True)
class Prepared:
    """An image on its way.

    Attributes:
        id: the image's.
        photo: None where it could not be read.
        failed: why not.
        seen: what the reference method sees in it; None with another method.
        names: of the truth's segments; None on the track ``free``.
    """

    id: str
    photo: Any = None
    failed: str = ""
    seen: Any = None
    names: list[str] | None = None


class Worker:
    """One model replica on one device.

    Attributes:
        weights: model → hash.
        lanes: images that are prepared at a time. On a GPU their clustering keeps the processor's threads busy; on a
            CPU there are as many as keep two cores busy when naming does.
    """

    def __init__(self, job: Job, device: str) -> None:
        import torch

        self.job = job
        self.lanes = 2 if device == "cpu" else max(2, min(torch.get_num_threads(), _CLUSTERINGS))
        self._maker: Any
        if job.method == "groupvit":
            from reference_method.groupvit import THRESHOLDS, GroupViT

            self._maker = GroupViT(job.dataset.vocabulary.names, THRESHOLDS.get(job.dataset.key, 0.0), device=device)
        else:
            from reference_method.pipeline import Reference

            self._maker = Reference(job.config, device=device, precision=job.precision)  # type: ignore[arg-type]
        self.weights: dict[str, str] = self._maker.weights

    def prepare(self, image_id: str) -> Prepared:
        """Read a photo, and do what can be done before anything is named; may run in threads beside :meth:`work`."""
        try:
            photo, truth = self._read(image_id)
        except DataError as error:
            return Prepared(image_id, failed=str(error))
        if truth is not None:
            vocabulary = self.job.dataset.vocabulary
            classes = [int(c) for c in np.unique(truth) if int(c) in vocabulary.ids]
            masks = truth[None] == np.array(classes, int)[:, None, None]
            names = [vocabulary.name(c) for c in classes]
            return Prepared(image_id, photo, seen=self._maker.see(photo, masks), names=names)
        return Prepared(image_id, photo, seen=self._maker.see(photo) if self.job.method == "reference" else None)

    def work(self, group: Sequence[Prepared]) -> list[Record]:
        """Images → records, in order. An image that cannot be read gets a record that says why."""
        read = [image for image in group if not image.failed]
        segments: list[list[Segment]]
        if self.job.method == "reference":
            segments = self._maker.say([image.seen for image in read])
        else:
            nothing = np.zeros(0, np.float32)
            segments = [[Segment(mask, nothing, name) for mask, name in self._maker(image.photo)] for image in read]
        records = iter([self._record(image, own) for image, own in zip(read, segments, strict=True)])
        return [self._failed(image) if image.failed else next(records) for image in group]

    def whole(self, ids: Sequence[str]) -> list[Record]:
        """Both, one after the other."""
        return list(whole(self, ids))

    def _read(self, image_id: str) -> tuple[Any, NDArray[np.int32] | None]:
        source = self.job.dataset.source
        photo = source.photo(image_id)
        truth = source.truth(image_id).classes() if self.job.track == "oracle" else None
        if truth is not None and truth.shape != (photo.height, photo.width):
            raise DataError(
                f"{image_id}: the photo is {photo.height} × {photo.width} pixels, the truth {truth.shape[0]} × {truth.shape[1]}. Get both again."
            )
        return photo, truth

    def _record(self, image: Prepared, segments: list[Segment]) -> Record:
        raw = [{"label": s.label, "counts": rle.encode(rle.runs_of(s.mask))} for s in segments]
        if image.names is not None:
            raw = [{"label": s.label, "class": name} for s, name in zip(segments, image.names, strict=True)]
        vectors = None
        if self.job.method == "reference":
            vectors = np.stack([s.embedding for s in segments]) if segments else np.zeros((0, 0), np.float32)
        size = image.photo.height, image.photo.width
        return Record(image.id, size, raw, vectors, weights=self.weights)

    def _failed(self, image: Prepared) -> Record:
        size = self.job.dataset.source.truth(image.id).size
        vectors = np.zeros((0, 0), np.float32) if self.job.method == "reference" else None
        return Record(image.id, size, [], vectors, image.failed, self.weights)


def run(
    job: Job,
    out: Path,
    *,
    name: str,
    devices: Sequence[str],
    keep_going: bool = False,
    engine: Literal["local", "ray"] = "local",
    ray_address: str | None = None,
    step: Callable[[int], None] = lambda _: None,
) -> list[Record]:
    """Work on every image of a data set and write the submission.

    Args:
        job: what to do.
        out: the submission to write. Finished images are kept in ``<out>.work`` until it is written.
        name: the submission's name.
        devices: one replica each (``local``); with ``ray``, their number is the number of replicas.
        keep_going: skip images that cannot be read; they have no segments in the submission.
        step: called with the number of images that were finished since the last call.

    Returns:
        Records of the images that were skipped.

    Raises:
        DataError: an image cannot be read (without ``keep_going``); all others that were finished are kept.
        UsageError: the work folder belongs to another run, or an impossible combination.
        ModelUnavailable: weights cannot be had.
    """
    if job.method == "groupvit" and job.track == "oracle":
        raise UsageError("--method groupvit makes segments of its own; leave --track oracle out.")
    from zgbench.submission.reader import suffix_of

    suffix_of(out)  # before hours of work
    work = WorkFolder(out, _key(job))
    groups = [job.dataset.ids[at : at + job.batch] for at in range(0, len(job.dataset.ids), job.batch)]
    done = [all((r := work.load(i)) is not None and r.error is None for i in group) for group in groups]
    step(sum(len(group) for group, ready in zip(groups, done, strict=True) if ready))
    left = [group for group, ready in zip(groups, done, strict=True) if not ready]
    failed: list[Record] = []
    makers = _ray if engine == "ray" else _local
    with closing(makers(job, left, devices, ray_address)) as results:
        for records in results:
            for record in records:
                if record.error is None:
                    work.save(record)
                elif keep_going:
                    work.save(record)
                    failed.append(record)
                else:
                    raise DataError(f"{record.error} Add --keep-going to leave such images without segments.")
            step(len(records))
    _write(job, work, out, name)
    work.remove()
    return sorted(failed, key=lambda record: job.dataset.ids.index(record.id))


def _key(job: Job) -> dict[str, Any]:
    from zgbench.protocol import VERSION

    return {
        "dataset": job.dataset.signed, "split": job.dataset.split, "ids": job.dataset.ids_sha256(),
        "config": job.config.to_dict(), "method": job.method, "track": job.track, "precision": job.precision,
        "batch": job.batch, "version": VERSION,
    }  # fmt: skip


def _write(job: Job, work: WorkFolder, out: Path, name: str) -> None:
    records = []
    for image_id in job.dataset.ids:
        record = work.load(image_id)
        assert record is not None, image_id
        records.append(record)
    width = max((r.embeddings.shape[1] for r in records if r.embeddings is not None), default=0)
    weights = records[0].weights if records else {}
    changed = next((record.id for record in records if record.weights != weights), None)
    if changed is not None:
        raise UsageError(
            f"{work.path}: {changed} was made with other weights than {records[0].id} (a model was replaced between "
            f"two runs). Remove that folder and begin anew."
        )
    with SubmissionWriter(
        out, name=name, dataset=job.dataset.key, track=job.track, method=_about(job, weights)
    ) as submission:
        for record in records:
            vectors = None if not width or record.embeddings is None else record.embeddings.reshape(-1, width)
            submission.add_raw(record.id, record.size, record.segments, embeddings=vectors)


def _about(job: Job, weights: dict[str, str]) -> dict[str, Any]:
    if job.method == "groupvit":
        text = "GroupViT (CVPR 2022) of transformers, given the class names."
        return {"description": text, "url": "https://arxiv.org/abs/2202.11094", "text_guidance": True}
    return about(job.config, job.precision, job.batch, weights)


def about(config: ReferenceConfig, precision: str, batch: int, weights: dict[str, str]) -> dict[str, Any]:
    """What a submission says of the reference method."""
    settings = {"config": config.to_dict(), "precision": precision, "batch": batch, "weights": weights}
    text = f"zgbench's reference method. {json.dumps(settings, separators=(',', ':'))}"
    return {"description": text, "url": URL, "text_guidance": False}


def _local(
    job: Job, groups: list[Sequence[str]], devices: Sequence[str], _: str | None
) -> Iterator[list[Record]]:  # fmt: skip
    yield from on_devices(partial(Worker, job), groups, devices)


def _ray(job: Job, groups: list[Sequence[str]], devices: Sequence[str], address: str | None) -> Iterator[list[Record]]:
    if not groups:
        return
    from zgbench.pixels.ray_engine import connected

    with connected(address) as ray:
        gpu = devices[0].startswith("cuda")
        actor = ray.remote(num_gpus=1 if gpu else 0, num_cpus=1)(Worker)
        # Ray shows each actor its own GPU only, as cuda:0
        replicas = [actor.remote(job, "cuda:0" if gpu else devices[0]) for _ in devices]
        yield from _shared_out(ray, replicas, groups)


def _shared_out(ray: Any, replicas: list[Any], groups: list[Sequence[str]]) -> Iterator[list[Record]]:
    """Each group from one replica; a replica that dies with its node leaves its group to the others.

    Ray could restart it, but would wait for ever where no processor or GPU is free for that.
    """
    from ray.exceptions import ObjectLostError, RayActorError

    waiting, idle = deque(groups), deque(replicas)
    busy: dict[Any, tuple[Any, Sequence[str]]] = {}
    death: Exception | None = None
    while waiting or busy:
        while waiting and idle:
            replica, group = idle.popleft(), waiting.popleft()
            busy[replica.whole.remote(group)] = replica, group
        if not busy:
            raise InternalError(f"--engine ray: every replica died; what was finished is kept. The last one: {death}")
        (ready, *_), _ = ray.wait(list(busy), num_returns=1)
        replica, group = busy.pop(ready)
        try:
            records = ray.get(ready)
        except (RayActorError, ObjectLostError) as error:
            death = error
            waiting.appendleft(group)
            continue
        idle.append(replica)
        yield records
