"""``zgbench datasets list | check | prepare``."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from zgbench.errors import DataError, UsageError, ZgbenchError


def list_all(_: argparse.Namespace) -> int:
    """``zgbench datasets list``."""
    from zgbench.datasets.catalogue import SPECS
    from zgbench.datasets.dataset import open_dataset, parts_of

    for spec in SPECS.values():
        print(
            f"{spec.key:6} {spec.title}, {spec.split}: {len(spec.official_ids())} images, {len(spec.vocabulary())} classes to predict"
        )
        for part in parts_of(spec):
            print(f"         {part.needed_for}: {part.path}/*{part.suffix}\n           from {part.archive}")
    mini = open_dataset("mini")
    print(
        f"mini   drawn scenes, {mini.split}: {len(mini.ids)} images, {len(mini.vocabulary)} classes to predict\n         nothing to download"
    )
    return 0


def check(options: argparse.Namespace) -> int:
    """``zgbench datasets check``: exit status 0 when every data set asked about can be scored on, completely."""
    from zgbench.datasets.catalogue import KEYS, SPECS
    from zgbench.datasets.dataset import open_dataset, parts_of
    from zgbench.datasets.store import exists, place

    data = options.data or os.environ.get("ZGBENCH_DATA")
    keys = [options.key] if options.key else list(KEYS)
    if data is None and any(key != "mini" for key in keys):
        raise UsageError(
            "where are the data sets? Give --data DIR or set ZGBENCH_DATA to the folder that holds VOCdevkit/ and pascal-context/."
        )
    complete = True
    for key in keys:
        if key == "mini":
            print(f"mini: complete, {len(open_dataset('mini').ids)} images, drawn by zgbench")
            continue
        folder = Path(str(data))
        lines: list[str] = []
        try:
            dataset = open_dataset(key, folder)
            missing = [i for i in dataset.ids if not dataset.source.has(i)]
            damaged = _damaged(dataset, [i for i in dataset.ids if dataset.source.has(i)])
            verdict = (
                "complete"
                if dataset.official and not missing and not damaged
                else "usable, not official"
                if not missing and not damaged
                else "incomplete"
            )
            official = len(SPECS[key].official_ids())
            lines.append(
                f"truth: {len(dataset.ids) - len(missing) - len(damaged)} readable of {len(dataset.ids)} listed images ({official} in the official split), read from {dataset.source.describe()}"
            )
            lines += list(dataset.notes)
            if missing:
                lines.append(
                    f"truth missing for {len(missing)} images: {', '.join(missing[:5])}{', …' if len(missing) > 5 else ''}"
                )
            lines += damaged[:5] + ([f"… and {len(damaged) - 5} more damaged"] if len(damaged) > 5 else [])
            ids = dataset.ids
        except DataError as error:
            verdict, ids = "not usable", SPECS[key].official_ids()
            lines.append(str(error))
        complete &= verdict == "complete"
        print(f"{key}: {verdict}")
        for part in parts_of(SPECS[key]):
            here = folder / part.path
            found = sum((here / f"{i}{part.suffix}").is_file() for i in ids) if here.is_dir() else 0
            state = "found" if found == len(ids) else "MISSING" if not found else "PARTLY MISSING"
            print(
                f"  {state:14} {found} of {len(ids)} in {here}/*{part.suffix} ({part.needed_for}); archive: {part.archive}"
            )
        if exists(folder, key):
            print(f"  prepared store: {place(folder, key)}")
        for line in lines:
            print("  " + line.replace("\n", "\n  "))
    return 0 if complete else 1


def _damaged(dataset: object, ids: list[str]) -> list[str]:
    """What is wrong with truth files that are there."""
    from zgbench.datasets import Dataset
    from zgbench.datasets.truth import INVALID

    assert isinstance(dataset, Dataset)
    problems = []
    for image_id in ids:
        try:
            if (dataset.source.truth(image_id).classes() == INVALID).any():
                problems.append(
                    f"{image_id}: the truth holds values that {dataset.key} does not define (another class list?)"
                )
        except DataError as error:
            problems.append(str(error))
    return problems


def prepare(options: argparse.Namespace) -> int:
    """``zgbench datasets prepare``."""
    from zgbench.cli.commands import Progress
    from zgbench.datasets.dataset import open_dataset
    from zgbench.datasets.store import prepare as write

    data = options.data or os.environ.get("ZGBENCH_DATA")
    out = options.out or data
    if out is None:
        raise UsageError("where to? Give --out DIR (or --data DIR, to write the store beside the raw files).")
    dataset = open_dataset(options.key, data, truth_dir=options.truth_dir, png_order=options.png_order, raw=True)
    with Progress() as progress:
        place = write(dataset, Path(out), progress("preparing", len(dataset.ids)))
    size = sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
    if not size:
        raise ZgbenchError(f"{place}: nothing was written.")
    print(f"{place}: {len(dataset.ids)} images, {size / 1e6:.1f} MB. Use it with: --data {out}")
    return 0
