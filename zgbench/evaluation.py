"""``evaluate``: the whole way from a submission file to scores, and the page to open first.

submission file ─► segments ─► pixel pass with the truth ─► N[s, c] ─► reassign ─► verify ─► scores ─► result file
    open_subject                  count                               reassign     scored              save
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from zgbench.datasets import open_dataset
from zgbench.datasets.vocabulary import PngOrder
from zgbench.encoders import ImageTextEncoder, TextEncoder
from zgbench.errors import DataError, ModelUnavailable, UsageError
from zgbench.extras import need
from zgbench.pixels import counts_file
from zgbench.pixels.collect import Gate, collect
from zgbench.pixels.counts import Counts
from zgbench.pixels.pixel_pass import Outcome
from zgbench.protocol import Protocol, Reassignment, chosen
from zgbench.scores.given_mapping import read_mapping
from zgbench.scores.human_scores import Ratings, read_ratings
from zgbench.scores.mask_hashes import mask_hashes
from zgbench.scores.ratings_fit import check_fit
from zgbench.scores.registry import chosen_scores, refuse_unknown_kinds
from zgbench.scores.result import Evaluation
from zgbench.scores.result_names import counts_of
from zgbench.scores.scoring import by_people, scored
from zgbench.scores.similarity import read_similarity
from zgbench.scores.subject import ProgressFactory, Subject, silent
from zgbench.scores.verification import Reassigned
from zgbench.scores.ways import WAYS, ByTable, SharedModels, Way
from zgbench.storage.files import check_folder, sha256_file
from zgbench.submission import header_checks, schema
from zgbench.submission.problems import Report
from zgbench.submission.reader import Reader, open_submission, stem_of

Engine = Literal["local", "ray"]


@dataclass(frozen=True)
class Execution:
    """How an evaluation is carried out; no score depends on it.

    Attributes:
        out: folder of the result files, None for none; counts that lie there already are used again.
        workers, engine, ray_address: of the pixel pass.
        replace: whether a result of another submission or signature may be overwritten.
    """

    out: Path | None
    workers: int
    engine: Engine
    ray_address: str | None
    progress: ProgressFactory
    replace: bool = False


def evaluate(
    submission: str | os.PathLike[str],
    *,
    data: str | os.PathLike[str] | None = None,
    protocol: str | Protocol | None = None,
    reassign: Sequence[str] | None = None,
    mapping: str | os.PathLike[str] | None = None,
    ratings: str | os.PathLike[str] | None = None,
    partial: bool = False,
    subset: str | None = None,
    background: str | None = None,
    human: str | None = None,
    seed: int | None = None,
    scoring: str | None = None,
    tau_text: float | None = None,
    tau_clip: float | None = None,
    resamples: int | None = None,
    scores: str | Sequence[str] | None = None,
    similarity: str | os.PathLike[str] | None = None,
    out: str | os.PathLike[str] | None = None,
    replace: bool = False,
    workers: int = 1,
    engine: Engine = "local",
    ray_address: str | None = None,
    truth_dir: str | os.PathLike[str] | None = None,
    png_order: PngOrder | None = None,
    text_encoder: TextEncoder | str | os.PathLike[str] | None = None,
    clip: ImageTextEncoder | str | os.PathLike[str] | None = None,
    models: SharedModels | None = None,
    progress: ProgressFactory = silent,
) -> Evaluation:
    """Score a submission.

    Args:
        submission: ``.json``, ``.json.gz`` or ``.parquet``, see submissions/README.md.
        data: folder of the data sets, or of a ``dataset.toml``, see :func:`zgbench.datasets.open_dataset`; mini needs none.
        protocol: preset name or Protocol; default ``mini`` on the data set mini, else ``v1``.
        reassign: some of ``tt``, ``lt`` and ``st``. By default all are tried (none with a ``mapping``), and what cannot be
            had is told in the result; what is asked for by name and cannot be had is an error.
        mapping: table of labels and classes to reassign by, see :mod:`zgbench.scores.given_mapping`.
        ratings: store or table of human ratings, see :func:`zgbench.scores.human_scores.read_ratings`.
        partial: score the images that the submission has.
        subset: ``first:N`` or ``random:N:SEED``.
        background, human, seed, scoring, tau_text, tau_clip, resamples: override the protocol's.
        scores: names of scores, ``all`` or ``default``, see :func:`zgbench.scores.registry.chosen_scores`. The default ones
            stand in every result; others are added to it.
        similarity: table of how alike two classes are, for Open mIoU, see :func:`zgbench.scores.similarity.read_similarity`;
            by default WordNet's path similarity.
        out: folder to write result files to; None writes nothing.
        replace: overwrite the result that lies there under the name ``STEM.DATASET``, whatever it is of; without, a
            result of another submission or signature stays, and the new one gets a longer name.
        workers: processes of the pixel pass. More than 1 needs the caller's script to be importable
            (``if __name__ == "__main__":``).
        engine: where the pixel pass runs: ``local``, or ``ray``: on a cluster, for a submission in Parquet; the results
            are the same.
        ray_address: of the cluster, as ``ray.init`` takes it; by default one is started for this evaluation.
        text_encoder, clip: use these in place of the protocol's models: encoders of your own, names, or paths of folders.
            What names them stands in the signature: a hash, or ``own:`` and a name.
        models: to be given to several calls, so that each model is loaded once.
        progress: called with a title and a total, gives a function that is called with each step.

    Returns:
        Scores, tables and files; see :class:`zgbench.scores.result.Evaluation`.

    Raises:
        SubmissionError: the submission was rejected; its ``report`` holds every problem.
        UsageError, DataError, InputError, ModelUnavailable: see zgbench.errors.
    """
    seconds: dict[str, float] = {}
    names = chosen_scores(scores)
    execution = Execution(Path(out) if out is not None else None, workers, engine, ray_address, progress, replace)
    if execution.out is not None:
        check_folder(execution.out)
    if engine not in get_args(Engine):
        raise UsageError(f"engine {engine!r}: expected one of {', '.join(get_args(Engine))}.")
    if engine == "ray":
        need("ray", "--engine ray")
    with _timed(seconds, "counts"):
        reader, sha256, header, report = _opened(submission, data)
        changes: dict[str, Any] = {
            "background": background, "human": human, "seed": seed, "scoring": scoring,
            "tau_text": tau_text, "tau_clip": tau_clip, "resamples": resamples,
        }  # fmt: skip
        for name, given in (("text_model", text_encoder), ("clip_model", clip)):
            if isinstance(given, str | os.PathLike):
                changes[name] = os.fspath(given)
        protocol = chosen(protocol, header.dataset, changes)
        asked = _asked(reassign, protocol, with_mapping=mapping is not None)
        people = read_ratings(ratings) if ratings is not None else None
        dataset = open_dataset(header.dataset, data, subset=subset, truth_dir=truth_dir, png_order=png_order)
        subject = Subject(reader, header, sha256, dataset, protocol, dataset.source.stamp(dataset.ids))
        encoders = (models or SharedModels()).of(protocol, text_encoder, clip)
        ways = [WAYS[how](subject, encoders) for how in asked]
        if mapping is not None:
            ways.append(ByTable(subject, read_mapping(mapping, dataset.vocabulary)))
        refuse_unknown_kinds(scores, dataset.vocabulary.kinds, dataset.key)
        alike = None if similarity is None else read_similarity(similarity, dataset.vocabulary)
        unavailable: dict[str, str] = {}
        if not report.kinds:
            ways = _at_hand(ways, unavailable, strict=reassign is not None)
        counts = _counts(subject, report, partial, execution, seconds)
        if people is not None:
            notes = check_fit(people, counts, dataset, os.fspath(ratings or ""))
            subject = dataclasses.replace(subject, dataset=dataclasses.replace(dataset, notes=(*dataset.notes, *notes)))
    with _timed(seconds, "models"):
        reassigned = _reassigned(subject, ways, counts, people, unavailable, progress, strict=reassign is not None)
    with _timed(seconds, "scores"):
        found = scored(subject, counts, reassigned, encoders.text, people, unavailable, seconds, names, alike)
        if people is not None:
            found.result["ratings"] = by_people(protocol, counts, reassigned, people)
    subject.check_unchanged()
    if execution.out is not None:
        return dataclasses.replace(found, path=found.save(execution.out, replace=execution.replace))
    return found


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    seconds[step] = time.perf_counter() - started


def _opened(
    path: str | os.PathLike[str], data: str | os.PathLike[str] | None
) -> tuple[Reader, str, schema.Header, Report]:
    """A submission, its SHA-256 and header; problems that leave a header are told with those of the images."""
    reader, report = open_submission(path), Report()
    sha256 = sha256_file(reader.path)
    header = reader.header(report)
    if header is None or not header_checks.check_known(header, data, report):
        report.raise_if_any(str(reader.path))
        raise AssertionError("unreachable: a header is missing only with a reason")
    return reader, sha256, header, report


def _asked(reassign: Sequence[str] | None, protocol: Protocol, *, with_mapping: bool) -> tuple[Reassignment, ...]:
    if reassign is None:  # the released code knows no lexicon
        every = tuple(how for how in WAYS if how != "LT" or protocol.scoring == "v1")
        return () if with_mapping else every
    names = {name.strip().upper() for name in reassign}
    if not names or not names <= set(WAYS):
        raise UsageError(f"--reassign {','.join(reassign)}: expected some of tt, lt, st, such as tt,lt.")
    return tuple(how for how in WAYS if how in names)


def _at_hand(ways: Sequence[Way], unavailable: dict[str, str], *, strict: bool) -> list[Way]:
    """The ways whose models can be had; the others go to ``unavailable``, each with the reason.

    Raises:
        ModelUnavailable: nothing that was asked for can be had, or ``strict`` and something cannot.
    """
    found = []
    for way in ways:
        try:
            unavailable |= way.check()
            found.append(way)
        except ModelUnavailable as error:
            if strict:
                raise
            unavailable[way.how] = str(error)
    if not strict and all(
        way.how == "LT" for way in found
    ):  # asked for by name it does alone, never in the others' place
        mend = "\nLT needs no model: --reassign lt." if found else ""
        raise ModelUnavailable("\n".join(f"{how}: {why}" for how, why in unavailable.items()) + mend)
    return found


def _counts(subject: Subject, report: Report, partial: bool, execution: Execution, seconds: dict[str, float]) -> Counts:
    """Counts from the stats file of an earlier run, if submission and truth are the same by content, or from pixels."""
    if not report.kinds and execution.out is not None:
        for saved in counts_of(execution.out, f"{stem_of(subject.reader.path)}.{subject.dataset.key}"):
            if (again := _counted_before(subject, saved, partial)) is not None:
                seconds["reused"] = 1.0
                return again
    tick = execution.progress("counting pixels", len(subject.dataset.ids))
    about = (subject.reader, subject.header, subject.dataset)
    if execution.engine == "ray":
        from zgbench.pixels import ray_engine

        def outcomes(gate: Gate) -> Iterator[Outcome]:
            return ray_engine.outcomes(*about, gate, address=execution.ray_address, progress=tick)

        return collect(*about, report, partial=partial, outcomes=outcomes)
    return collect(*about, report, partial=partial, workers=execution.workers, progress=tick)


def _counted_before(subject: Subject, saved: Path, partial: bool) -> Counts | None:
    made_from = counts_file.about(saved)
    wanted = {"submission_sha256": subject.sha256, "ids_sha256": subject.dataset.ids_sha256()}
    if made_from is None or any(made_from.get(key) != value for key, value in wanted.items()):
        return None
    if made_from.get("partial") and not partial:
        return None
    with contextlib.suppress(DataError):  # made again, as if it were not there
        found = counts_file.load(saved)
        if found.void is None and not subject.dataset.unlabelled and subject.protocol.background == "released":
            return None  # of an older zgbench, which counted no void pixels; or there are none, which costs only time
        if made_from.get("truth_sha256") == subject.fingerprint(found.ids):
            return found
    return None


def _reassigned(
    subject: Subject,
    ways: Sequence[Way],
    counts: Counts,
    people: Ratings | None,
    unavailable: dict[str, str],
    progress: ProgressFactory,
    *,
    strict: bool,
) -> list[Reassigned]:
    """T* of every segment by each way, and what people say of it."""
    masks = None
    if people is not None and people.by_item:
        masks = mask_hashes(subject.reader, subject.header, subject.dataset, counts, people.images)
    found = []
    for way in ways:
        try:
            one = way.decide(counts, progress)
        except ModelUnavailable as error:
            if strict:
                raise
            unavailable[way.how] = str(error)
            continue
        if people is not None:
            about = (subject.dataset.vocabulary, subject.protocol.human, subject.dataset.key)
            one = dataclasses.replace(one, rated=people.aggregated(counts, one.decision.class_id, *about, masks))
        found.append(one)
    return found
