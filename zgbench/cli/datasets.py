"""``zgbench datasets list | check | new | prepare``."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from zgbench.errors import DataError, UsageError, ZgbenchError


def list_all(options: argparse.Namespace) -> int:
    """``zgbench datasets list``."""
    from zgbench.datasets import open_dataset
    from zgbench.datasets.catalogue import KEYS, SPECS
    from zgbench.datasets.definition import read_definition
    from zgbench.datasets.located import ID
    from zgbench.datasets.own import definitions

    for key in KEYS:
        if key == "mini":
            mini = open_dataset(key)
            print(
                f"mini   drawn scenes, {mini.split}: {len(mini.ids)} images, {len(mini.vocabulary)} classes to predict\n         nothing to download"
            )
            continue
        spec = SPECS[key]
        print(
            f"{spec.key:6} {spec.title}, {spec.split}: {len(spec.official_ids())} images, {len(spec.vocabulary())} classes to predict"
        )
        told: set[tuple[str, str]] = set()
        for use, part in [("truth", t) for t in spec.truths()] + [("ST (photos)", p) for p in spec.photos]:
            if (use, part.archive) not in told:  # the first place of those where it may lie
                print(f"         {use}: {part.pattern.replace(ID, '*')}\n           from {part.archive}")
            told.add((use, part.archive))
    data = options.data or os.environ.get("ZGBENCH_DATA")
    for path in definitions(Path(data)) if data else ():
        try:
            own = read_definition(path)
            print(
                f"{own.key:6} {own.title}, {own.split}: {len(own.classes)} classes to predict\n         your own, {path}"
            )
        except DataError as error:
            print(f"       {str(error).splitlines()[0]}; see zgbench datasets check --data {data}")
    return 0


def check(options: argparse.Namespace) -> int:
    """``zgbench datasets check``: exit status 0 when every data set asked about can be scored on, completely."""
    from zgbench.cli.console import Progress
    from zgbench.datasets import open_dataset
    from zgbench.datasets.catalogue import KEYS
    from zgbench.datasets.checking import Checked, check_builtin, check_own
    from zgbench.datasets.definition import FILE
    from zgbench.datasets.opening import unknown
    from zgbench.datasets.own import definitions, find_definition

    data = options.data or os.environ.get("ZGBENCH_DATA")
    if data is None and options.key != "mini":
        raise UsageError(
            "where are the data sets? Give --data DIR or set ZGBENCH_DATA to the folder that holds them as their archives unpack (VOCdevkit/, pascal-context/, …)."
        )
    folder = Path(str(data))
    if data is not None and not folder.is_dir():
        raise UsageError(f"--data {folder}: there is no such folder.")
    asked: list[str | Path] = []
    if options.key:
        definition = None if options.key in KEYS else find_definition(options.key, folder)
        if options.key not in KEYS and definition is None:
            raise UsageError(unknown(options.key))
        asked = [options.key if definition is None else definition.path]
    else:
        asked += () if (folder / FILE).is_file() else KEYS
        asked += definitions(folder)
    complete = True
    for one in asked:
        with Progress() as progress:
            tick = progress("checking", None)
            if one == "mini":
                found = Checked("mini", f"complete, {len(open_dataset('mini').ids)} images, drawn by zgbench")
            elif isinstance(one, Path):
                found = check_own(one, folder, tick)
            else:
                found = check_builtin(one, folder, tick)
        complete &= found.verdict.startswith("complete")
        print(f"{found.key}: {found.verdict}")
        for line in found.lines:
            print("  " + line.replace("\n", "\n  "))
    return 0 if complete else 1


def new(options: argparse.Namespace) -> int:
    """``zgbench datasets new``."""
    from zgbench.cli.console import Progress
    from zgbench.datasets.definition import FILE
    from zgbench.datasets.guess import new as write

    folder = Path(options.folder)
    with Progress() as progress:
        guess = write(folder, options.key, progress("looking at the masks", None))
    print(f"{folder / FILE}: written, data set {guess.key!r}, {guess.images} images, {len(guess.classes)} classes.")
    for title, lines in (("Seen", guess.seen), ("Guessed", guess.guessed), ("To fill in", guess.missing)):
        if lines:
            print(f"{title}:")
        for line in lines:
            print(f"  {line}")
    print(f"Then: zgbench datasets check --data {folder}")
    return 0


def prepare(options: argparse.Namespace) -> int:
    """``zgbench datasets prepare``."""
    from zgbench.cli.console import Progress
    from zgbench.datasets import open_dataset
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
