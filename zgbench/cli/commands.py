"""evaluate, validate, compare and convert, as seen from a terminal."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from zgbench.cli.console import Progress, level, note
from zgbench.errors import InputError, UsageError

if TYPE_CHECKING:
    from zgbench.scores.result import Evaluation


def workers_of(options: argparse.Namespace) -> int:
    """``--workers``, by default one a processor."""
    from zgbench.pixels.pixel_pass import default_workers

    if options.workers is not None and options.workers < 1:
        raise UsageError(f"--workers {options.workers}: expected at least 1.")
    return options.workers or default_workers()


def evaluate(options: argparse.Namespace) -> int:
    """``zgbench evaluate``: several submissions in turn; one that is refused does not keep the others from being scored."""
    from zgbench.cli.render import as_csv, print_evaluation, stored
    from zgbench.evaluation import evaluate as run
    from zgbench.scores.ways import SharedModels
    from zgbench.storage.threads import limit
    from zgbench.submission.problems import rejection

    threads = limit(options.threads)
    if level.verbose:
        note(f"cpu: {threads}")
    several = len(options.submissions) > 1
    models, status = SharedModels(), 0
    done: list[Evaluation | dict[str, Any]] = []
    for submission in options.submissions:
        try:
            with Progress() as progress:
                found = run(
                    submission, data=options.data, protocol=options.protocol,
                    reassign=options.reassign.split(",") if options.reassign is not None else None,
                    mapping=options.mapping, ratings=options.ratings, partial=options.partial, subset=options.subset,
                    background=options.background, human=options.human, seed=options.seed, scoring=options.scoring,
                    tau_text=options.tau_text, tau_clip=options.tau_clip, resamples=options.resamples,
                    scores=options.scores, similarity=options.similarity, out=options.out, replace=options.replace,
                    workers=workers_of(options), engine=options.engine, ray_address=options.ray_address,
                    truth_dir=options.truth_dir, png_order=options.png_order, models=models, progress=progress,
                )  # fmt: skip
        except InputError as error:
            if not several:
                raise
            print(f"zgbench: {error}", file=sys.stderr)
            done.append(rejection(error))
            status = max(status, error.exit_status)
            continue
        if several and options.format in ("json", "csv"):
            done.append(found)
        else:
            print_evaluation(found, options.format, found.path)
        _notes(found)
    if several and options.format == "json":
        content = [one if isinstance(one, dict) else stored(one) for one in done]
        print(json.dumps(content, indent=1, ensure_ascii=False))
    elif several and options.format == "csv":
        print(as_csv([one for one in done if not isinstance(one, dict)]), end="")
    return status


def _notes(found: Evaluation) -> None:
    from zgbench.statistics.resampling import FEWEST

    few = [f"{row['reassign']} {row['verify']} ({row['images']})" for row in found.scores if row["images"] < FEWEST]
    if few:
        note(
            f"note: of fewer than {FEWEST} images, intervals hold the true value less often than in 95 % of cases, that of "
            f"mIoU dataset above all (docs/intervals.md): {', '.join(few)}"
        )
    short = f"{found.stem}.{found.dataset.key}.result.json"
    if found.path is not None and found.path.name != short:
        note(
            f"note: {found.path.with_name(short)} is of another submission or signature and was kept. "
            "To write over it: --replace"
        )


def validate(options: argparse.Namespace) -> int:
    """``zgbench validate``."""
    from zgbench.submission.problems import quote
    from zgbench.validation import validate as run

    with Progress() as progress:
        found = run(
            options.submission, data=options.data, partial=options.partial, workers=workers_of(options),
            truth_dir=options.truth_dir, png_order=options.png_order, progress=progress("checking", None),
        )  # fmt: skip
    if options.json:
        print(json.dumps(found.to_dict(), indent=1, ensure_ascii=False))
        return 0
    print(
        f"{options.submission}: valid. {quote(found.header.name)}, data set {found.header.dataset}, track {found.header.track}, {found.images} images."
    )
    if not found.against_truth:
        print(
            "Not compared with the data set (no --data): the truth's sizes"
            + (", and the truth segments that are named" if found.header.track == "oracle" else "") + "."
        )  # fmt: skip
    return 0


def compare(options: argparse.Namespace) -> int:
    """``zgbench compare``."""
    from zgbench.cli.compared import print_comparison
    from zgbench.scores.comparison import compare as run

    found = run(
        options.a, options.b, *options.others, per_class=options.per_class, scores=options.scores,
        similarity=options.similarity,
    )  # fmt: skip
    print_comparison(found, options.format, power=options.power)
    return 0


def convert(options: argparse.Namespace) -> int:
    """``zgbench convert``."""
    from zgbench.datasets.opening import known_ids
    from zgbench.submission.convert import convert as run

    with Progress() as progress:
        found = run(
            options.source, options.target, name=options.name, dataset=options.dataset, labels=options.labels,
            first=options.first, background=options.background, legend=options.legend, palette=options.palette,
            annotations=options.annotations, data=options.data, overlap=options.overlap, resize=options.resize or False,
            tags=options.tags, progress=progress,
        )  # fmt: skip
    for remark in found.notes:
        note(f"note: {remark}")
    whole = known_ids(options.dataset, options.data) if options.dataset else None
    of, partial = (f" of {len(whole)}", " --partial") if whole and found.images < len(whole) else ("", "")
    print(
        f"{found.path}: {found.images}{of} images, {found.segments} segments. "
        f"Check it with: zgbench validate {found.path}{partial}"
    )
    return 0
