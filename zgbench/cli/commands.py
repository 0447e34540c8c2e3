"""evaluate, validate, compare and convert, as seen from a terminal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from zgbench.errors import UsageError


class Progress:
    """Progress bars on standard error, silent when that is not a terminal."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._bars: Any = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.close()

    def __call__(self, title: str, total: int | None) -> Callable[[int], None]:
        """Start a bar; the function that it gives takes a number of steps."""
        if not sys.stderr.isatty():
            return lambda _: None
        if self._bars is None:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"),
                TimeRemainingColumn(),
            )
            self._bars = self._stack.enter_context(Progress(*columns, console=Console(stderr=True), transient=True))
        task = self._bars.add_task(title, total=total, rate="")

        def step(n: int) -> None:
            self._bars.advance(task, n)
            speed = self._bars.tasks[task].speed
            self._bars.update(task, rate=f"{speed:.1f}/s" if speed else "")

        return step


def _workers(options: argparse.Namespace) -> int:
    from zgbench.pixels.pixel_pass import default_workers

    if options.workers is not None and options.workers < 1:
        raise UsageError(f"--workers {options.workers}: expected at least 1.")
    return options.workers or default_workers()


def evaluate(options: argparse.Namespace) -> int:
    """``zgbench evaluate``."""
    from zgbench.cli.render import print_evaluation
    from zgbench.evaluation import evaluate as run
    from zgbench.statistics.resampling import FEWEST

    with Progress() as progress:
        found = run(
            options.submission, data=options.data, protocol=options.protocol,
            reassign=options.reassign.split(",") if options.reassign is not None else None,
            mapping=options.mapping, ratings=options.ratings, partial=options.partial, subset=options.subset,
            background=options.background, human=options.human, seed=options.seed, scoring=options.scoring,
            tau_text=options.tau_text, tau_clip=options.tau_clip, resamples=options.resamples,
            scores=options.scores, similarity=options.similarity, out=options.out, replace=options.replace, workers=_workers(options),
            engine=options.engine, ray_address=options.ray_address,
            truth_dir=options.truth_dir, png_order=options.png_order, progress=progress,
        )  # fmt: skip
    print_evaluation(found, options.format, found.path)
    few = [f"{row['reassign']} {row['verify']} ({row['images']})" for row in found.scores if row["images"] < FEWEST]
    if few:
        print(
            f"note: of fewer than {FEWEST} images, intervals hold the true value less often than in 95 % of cases, that of "
            f"IoU dataset above all (docs/intervals.md): {', '.join(few)}",
            file=sys.stderr,
        )
    short = f"{found.stem}.{found.dataset.key}.result.json"
    if found.path is not None and found.path.name != short:
        print(
            f"note: {found.path.with_name(short)} is of another submission or signature and was kept. "
            "To write over it: --replace",
            file=sys.stderr,
        )
    return 0


def validate(options: argparse.Namespace) -> int:
    """``zgbench validate``."""
    from zgbench.submission.problems import quote
    from zgbench.validation import validate as run

    with Progress() as progress:
        found = run(
            options.submission, data=options.data, partial=options.partial, workers=_workers(options),
            truth_dir=options.truth_dir, png_order=options.png_order, progress=progress("checking", None),
        )  # fmt: skip
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
    from zgbench.submission.convert import convert as run

    with Progress() as progress:
        found = run(
            options.source, options.target, name=options.name, dataset=options.dataset, labels=options.labels,
            first=options.first, background=options.background, legend=options.legend, palette=options.palette,
            annotations=options.annotations, data=options.data, overlap=options.overlap, resize=options.resize or False,
            tags=options.tags, progress=progress,
        )  # fmt: skip
    for note in found.notes:
        print(f"note: {note}", file=sys.stderr)
    print(
        f"{found.path}: {found.images} images, {found.segments} segments. Check it with: zgbench validate {found.path}"
    )
    return 0
