"""``evaluate``: the whole way from a submission file to scores."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from zgbench.datasets import open_dataset
from zgbench.datasets.vocabulary import PngOrder
from zgbench.encoders import CachedTextEncoder, EmbeddingCache, ImageTextEncoder, TextEncoder
from zgbench.encoders.clip import Clip
from zgbench.encoders.text import SentenceBert
from zgbench.errors import DataError, InputError, ModelUnavailable, UsageError
from zgbench.pixels import counts as counts_file
from zgbench.pixels.collect import Gate, collect
from zgbench.pixels.counts import Counts
from zgbench.pixels.pixel_pass import Outcome
from zgbench.protocol import Protocol, Reassignment, preset
from zgbench.scores import segment_embeddings as segments
from zgbench.scores.human_scores import Ratings, read_ratings
from zgbench.scores.mask_hashes import mask_hashes
from zgbench.scores.ratings_fit import check_fit
from zgbench.scores.reassignment import Decision, class_vectors, segment_to_text, text_to_text
from zgbench.scores.result import Evaluation
from zgbench.scores.scoring import ProgressFactory, Run, by_people, scored
from zgbench.scores.verification import Reassigned
from zgbench.storage.files import check_folder, sha256_file
from zgbench.submission.problems import Report
from zgbench.submission.reader import open_submission, stem_of

Engine = Literal["local", "ray"]


@dataclass(frozen=True)
class _Where:
    """Where the pixel pass runs; no score depends on it."""

    workers: int
    engine: Engine
    ray_address: str | None


def _silent(_title: str, _total: int) -> Callable[[int], None]:
    return lambda _: None


def evaluate(
    submission: str | os.PathLike[str],
    *,
    data: str | os.PathLike[str] | None = None,
    protocol: str | Protocol | None = None,
    reassign: Sequence[str] | None = None,
    ratings: str | os.PathLike[str] | None = None,
    partial: bool = False,
    subset: str | None = None,
    background: str | None = None,
    human: str | None = None,
    seed: int | None = None,
    out: str | os.PathLike[str] | None = None,
    workers: int = 1,
    engine: Engine = "local",
    ray_address: str | None = None,
    truth_dir: str | os.PathLike[str] | None = None,
    png_order: PngOrder | None = None,
    text_encoder: TextEncoder | None = None,
    clip: ImageTextEncoder | None = None,
    progress: ProgressFactory = _silent,
) -> Evaluation:
    """Score a submission.

    Args:
        submission: ``.json``, ``.json.gz`` or ``.parquet``, see submissions/README.md.
        data: folder of the data sets, see :func:`zgbench.datasets.open_dataset`; mini needs none.
        protocol: preset name or Protocol; default ``mini`` on the data set mini, else ``v1``.
        reassign: ``tt``, ``st`` or both. By default both are tried, and what cannot be had is told in the result;
            what is asked for by name and cannot be had is an error.
        ratings: store or table of human ratings, see :func:`zgbench.scores.human_scores.read_ratings`.
        partial: score the images that the submission has.
        subset: ``first:N`` or ``random:N:SEED``.
        background, human, seed: override the protocol's.
        out: folder to write result files to; None writes nothing.
        workers: processes of the pixel pass. More than 1 needs the caller's script to be importable
            (``if __name__ == "__main__":``).
        engine: where the pixel pass runs: ``local``, or ``ray``: on a cluster, for a submission in Parquet; the results
            are the same.
        ray_address: of the cluster, as ``ray.init`` takes it; by default one is started for this evaluation.
        text_encoder, clip: use these in place of the protocol's models; their names stand in the signature.
        progress: called with a title and a total, gives a function that is called with each step.

    Returns:
        Scores, tables and files; see :class:`zgbench.scores.result.Evaluation`.

    Raises:
        SubmissionError: the submission was rejected; its ``report`` holds every problem.
        UsageError, DataError, InputError, ModelUnavailable: see zgbench.errors.
    """
    started = time.perf_counter()
    if out is not None:
        check_folder(Path(out))
    reader = open_submission(submission)
    submission_sha256 = sha256_file(reader.path)
    report = Report()
    header = reader.header(report)
    if header is None:
        report.raise_if_any(str(reader.path))
        raise AssertionError("unreachable: a header is missing only with a reason")
    chosen = (
        protocol
        if isinstance(protocol, Protocol)
        else preset(protocol, header.dataset, background=background, human=human, seed=seed)
    )
    asked = _asked(reassign)
    table = read_ratings(ratings) if ratings is not None else None
    dataset = open_dataset(header.dataset, data, subset=subset, truth_dir=truth_dir, png_order=png_order)
    cache = EmbeddingCache()
    options = {name: getattr(chosen, name) for name in ("saliency", "sigma", "first_masked_layer")} | {
        "mode": chosen.segment_mode
    }
    text = CachedTextEncoder(text_encoder or SentenceBert(chosen.text_model), cache)
    pictures = clip or Clip(chosen.clip_model, options)
    run = Run(
        reader, header, dataset, chosen, text, pictures, CachedTextEncoder(pictures, cache), cache, progress, submission_sha256
    )  # fmt: skip
    before = dataset.source.stamp(dataset.ids)

    if not report.kinds:
        _knock(run, asked, strict=reassign is not None)
    where = _Where(workers, engine, ray_address)
    counts = _counts(run, report, partial, where, Path(out) if out is not None else None)
    kept_dataset = dataset.only(counts.ids)
    if table is not None:
        notes = check_fit(table, counts, dataset, os.fspath(ratings or ""))
        kept_dataset = replace(kept_dataset, notes=(*kept_dataset.notes, *notes))
    run.timing["counts"] = time.perf_counter() - started

    started = time.perf_counter()
    masks = mask_hashes(reader, header, dataset, counts, table.images) if table is not None and table.by_item else None
    reassigned = [
        one
        for how in asked
        if (one := _reassigned(run, how, counts, table, masks, strict=reassign is not None)) is not None
    ]
    run.timing["models"] = time.perf_counter() - started
    started = time.perf_counter()
    run.excluded = table.excluded if table is not None else ()
    found = scored(run, counts, kept_dataset, reassigned)
    if table is not None:
        found.result["ratings"] = by_people(run, counts, reassigned, table)
    run.timing["scores"] = time.perf_counter() - started
    _check_unchanged(run, before)
    if out is not None:
        found.save(Path(out))
    return found


def _check_unchanged(run: Run, before: str) -> None:
    """Hashes and counts were taken at different moments; they must be about the same files.

    Raises:
        InputError, DataError: the submission or the truth was changed in between.
    """
    again = "was changed while it was being read. Nothing was written; run the command again."
    if sha256_file(run.reader.path) != run.submission_sha256:
        raise InputError(f"{run.reader.path}: {again}")
    if run.dataset.source.stamp(run.dataset.ids) != before:
        raise DataError(f"{run.dataset.source.describe()}: the truth {again}")


def _asked(reassign: Sequence[str] | None) -> tuple[Reassignment, ...]:
    names = [name.strip().upper() for name in reassign] if reassign is not None else ["TT", "ST"]
    unknown = [name for name in names if name not in ("TT", "ST")]
    if unknown or not names:
        raise UsageError(f"--reassign {','.join(reassign or [])}: expected tt, st or tt,st.")
    return tuple(how for how in ("TT", "ST") if how in names)


def _knock(run: Run, asked: tuple[Reassignment, ...], *, strict: bool) -> None:
    """Find out which models can be had before an hour is spent on pixels.

    Raises:
        ModelUnavailable: nothing that was asked for can be had, or ``strict`` and something cannot.
    """
    for how in asked:
        try:
            if how == "ST" and run.protocol.segment_embeddings == "submitted" and run.header.embeddings is None:
                raise ModelUnavailable(
                    f"protocol {run.protocol.name} takes the submission's own segment embeddings, and this one has none. "
                    "Add them (SubmissionWriter.add(..., embeddings=...)), or choose --protocol v1, which makes its own."
                )
            encoder, prompt = (
                (run.text, run.protocol.text_prompt) if how == "TT" else (run.clip_text, run.protocol.clip_prompt)
            )
            class_vectors(encoder, prompt, run.dataset.vocabulary)
        except ModelUnavailable as error:
            if strict:
                raise
            run.unavailable[how] = str(error)
    if all(how in run.unavailable for how in asked):
        raise ModelUnavailable("\n".join(f"{how}: {why}" for how, why in run.unavailable.items()))


def _counts(run: Run, report: Report, partial: bool, where: _Where, out: Path | None) -> Counts:
    """Counts from the stats file of an earlier run, if submission and truth are the same by content, or from pixels."""
    made_from = {"submission_sha256": run.submission_sha256, "ids_sha256": run.dataset.ids_sha256()}
    saved = out / f"{stem_of(run.reader.path)}.{run.dataset.key}.stats.parquet" if out is not None else None
    earlier = counts_file.about(saved) if saved is not None else None
    if saved is not None and earlier is not None and not report.kinds:
        same = all(earlier.get(key) == value for key, value in made_from.items())
        if same and (partial or not earlier.get("partial")):
            with contextlib.suppress(DataError):  # made again, as if it were not there
                found = counts_file.load(saved)
                if earlier.get("truth_sha256") == run.dataset.source.fingerprint(found.ids):
                    run.timing["reused"] = 1.0
                    return found
    tick = run.progress("counting pixels", len(run.dataset.ids))
    about = (run.reader, run.header, run.dataset)
    if where.engine == "ray":
        from zgbench.pixels import ray_engine

        def outcomes(gate: Gate) -> Iterator[Outcome]:
            return ray_engine.outcomes(*about, gate, address=where.ray_address, progress=tick)

        return collect(*about, report, partial=partial, outcomes=outcomes)
    return collect(*about, report, partial=partial, workers=where.workers, progress=tick)


def _reassigned(
    run: Run, how: Reassignment, counts: Counts, table: Ratings | None, masks: list[str] | None, *, strict: bool
) -> Reassigned | None:
    if how in run.unavailable:
        return None
    protocol, vocabulary = run.protocol, run.dataset.vocabulary
    try:
        if how == "TT":
            decision = text_to_text(counts.labels, run.text, protocol.text_prompt, vocabulary)
            encoder = run.text_name
        else:
            decision = _segment_to_text(run, counts)
            encoder = f"{run.clip.name},prompt={protocol.clip_prompt},segments={run.recipe}"
    except ModelUnavailable as error:
        if strict:
            raise
        run.unavailable[how] = str(error)
        return None
    rated = (
        table.aggregated(counts, decision.class_id, vocabulary, protocol.human, run.dataset.key, masks)
        if table is not None
        else None
    )
    return Reassigned(how, decision, encoder, rated)


def _segment_to_text(run: Run, counts: Counts) -> Decision:
    protocol = run.protocol
    if protocol.segment_embeddings == "submitted":
        place = run.reader.path.with_name(str(run.header.embeddings))
        vectors, where = segments.submitted(place, counts), str(place)
    else:
        tick = run.progress("embedding segments", len(counts.ids))
        vectors = segments.embedded(run.reader, run.header, counts, run.dataset, run.clip, run.recipe, run.cache, tick)
        where = f"segments of {run.reader.path}"
    if not len(vectors):
        return Decision(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32))
    return segment_to_text(vectors, run.clip_text, protocol.clip_prompt, run.dataset.vocabulary, where)
