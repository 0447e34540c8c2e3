"""Makes the submissions of the reference method and its ablations for ``mini``: 7 runs of some minutes on a CPU.

    python submissions/make_reference.py RUNS

RUNS is a folder for the runs as they come from ``zgbench reference run``, with the method's own embeddings beside
them; what is there already is not run again, and a run that was stopped goes on. The files written here are the same
without embeddings: the protocol ``mini`` makes its own, and they would be ten times as large.

The stored ones come out with the kernels of AVX2. On a processor with AVX-512 the last bits differ, and with them the
segments of about one scene in twenty: docs/reference-method.md says how to make the very same there.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import zgbench
from zgbench.submission.problems import Report
from zgbench.submission.reader import open_submission

ORACLE = ("--track", "oracle")
CROP = ("--set", "encoder.mode=crop")
MASKED = ("--set", "encoder.mode=masked")
RUNS: dict[str, tuple[str, ...]] = {
    "reference": ("reference method",),
    "reference-crop": ("reference method, crop and mask", *CROP),
    "reference-masked": ("reference method, without global subtraction", *MASKED),
    "reference-no-merging": ("reference method, without merging", "--set", "merge=none"),
    "reference-oracle": ("reference method, truth's segments", *ORACLE),
    "reference-crop-oracle": ("reference method, crop and mask, truth's segments", *ORACLE, *CROP),
    "reference-masked-oracle": ("reference method, without global subtraction, truth's segments", *ORACLE, *MASKED),
}
"""Stem → name and options."""


def without_embeddings(source: Path, target: Path) -> None:
    """The same submission, which names no embeddings."""
    report = Report()
    reader = open_submission(source)
    header = reader.header(report)
    report.raise_if_any(str(source))
    assert header is not None
    mask = "counts" if header.track == "free" else "class"
    with zgbench.SubmissionWriter(
        target, name=header.name, dataset=header.dataset, track=header.track, method=header.method
    ) as submission:
        for image in reader.images(header, report):
            given = image.classes if image.counts is None else [c.decode("ascii") for c in image.counts]
            segments = [{"label": text, mask: m} for text, m in zip(image.labels, given or [], strict=True)]
            submission.add_raw(image.id, image.size, segments)
    report.raise_if_any(str(source))


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for stem, (name, *options) in RUNS.items():
        run = folder / f"{stem}.parquet"
        if not run.exists():
            command = ["reference", "run", "--dataset", "mini", "--device", "cpu", "--out", str(run), "--name", name]
            subprocess.run([sys.executable, "-m", "zgbench", *command, *options], check=True)
        target = Path(__file__).with_name(run.name)
        without_embeddings(run, target)
        print(target)


if __name__ == "__main__":
    main()
