"""What all further scores cost an image, intervals included, beside the six of table 1. Real images; run from the project.

Processor time, for it is about our own code alone and the machine may be shared; a stand-in for the text model.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from machine import describe
from sample import SHARED, Stand, make, need_images

RUNS = 5


def cost(run: Callable[[], Any], images: int) -> str:
    """Median, least and most of several runs, ms an image."""
    taken = []
    for _ in range(RUNS):
        began = time.process_time()
        run()
        taken.append(1000 * (time.process_time() - began) / images)
    return f"{np.median(taken):.2f} [{min(taken):.2f}–{max(taken):.2f}]"


def main() -> int:
    """Print a table."""
    need_images()
    from zgbench import PRESETS, evaluate
    from zgbench.scores.by_label import by_label
    from zgbench.scores.comparison import rule_of
    from zgbench.scores.further import further, possible, rows_scores, similarity_for
    from zgbench.scores.registry import FAMILY_OF, SCORES
    from zgbench.scores.result import Stored
    from zgbench.scores.verification import verified
    from zgbench.statistics import resampling

    with tempfile.TemporaryDirectory() as folder:
        ids = (SHARED / "VOCdevkit/VOC2012/ImageSets/Segmentation/val.txt").read_text().split()
        submission = make(Path(folder) / "bench.parquet", SHARED, "pas20", ids)
        stand = Stand()
        found = evaluate(
            submission, data=SHARED, protocol=PRESETS["v1"], reassign=["tt"], text_encoder=stand, partial=True
        )
    counts, vocabulary, protocol = found.counts, found.dataset.vocabulary, PRESETS["v1"]
    n = len(counts.ids)
    row = next(verified(counts, found.reassigned[0], protocol))
    rule = rule_of(Stored(Path(), found.result, counts, found.reassigned))
    drawn = resampling.Resamples(n, protocol.resamples, protocol.seed)
    list(drawn)
    names = possible(tuple(FAMILY_OF), vocabulary)
    labels = [name for name, score in SCORES.items() if score.scope == "labels"]
    similarity = similarity_for(names, vocabulary)

    def six() -> None:
        statistics, _ = row.summed(counts, vocabulary, rule, protocol.scoring)
        resampling.estimates(statistics, drawn)

    def more() -> None:
        rows_scores(further(row, counts, vocabulary, rule, names, similarity), drawn, vocabulary, similarity)

    def of_labels() -> None:
        statistics, _ = by_label(counts, labels, vocabulary, stand, protocol.text_prompt, rule)
        resampling.estimates(statistics, drawn)

    print(describe())
    print(f"{n} images, {len(counts.labels)} segments, one row, 1,000 resamples; processor time, ms an image")
    print(f"six scores of the row   {cost(six, n)}")
    print(f"{len(names)} further of the row    {cost(more, n)}")
    print(f"{len(labels)} of labels             {cost(of_labels, n)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
