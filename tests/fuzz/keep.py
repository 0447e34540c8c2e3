"""Keeps what runs found for later ones: ``python -m tests.fuzz.keep --work DIR`` writes ``tests/fuzz/corpus/*.zip``.

Of each target, the inputs that reached code that none before them had, the shortest first, and those that were kept
before; findings as ``finding-*``, so that a mended one stays mended.
"""

from __future__ import annotations

import argparse
import io
import zipfile
from pathlib import Path

from tests.fuzz.seeds import CORPUS, kept, seeds
from tests.fuzz.targets import TARGETS

MAX_BYTES = 22_000
"""Of a target's file."""


def main() -> None:
    """Write one file a target."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=Path, required=True)
    work = parser.parse_args().work
    CORPUS.mkdir(exist_ok=True)
    for target in TARGETS:
        known = set(seeds(target))
        chosen = {name: content for name, content in kept(target).items() if name.startswith("finding-")}
        for path in sorted((work / target / "findings").glob("*")):
            if path.suffix != ".txt":
                chosen[f"finding-{path.name}"] = path.read_bytes()
        new = sorted((work / target / "corpus").glob("*"), key=lambda path: (path.stat().st_size, path.name))
        fresh = {path.name[:12]: path.read_bytes() for path in new} or kept(target)
        for name, content in fresh.items():
            if content and content not in known and len(packed(chosen | {name: content})) <= MAX_BYTES:
                chosen[name] = content
        if chosen:
            (CORPUS / f"{target}.zip").write_bytes(packed(chosen))
        print(f"{target}: {len(chosen)} inputs, {len(packed(chosen))} bytes")


def packed(inputs: dict[str, bytes]) -> bytes:
    """A zip file, the same for the same inputs."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target:
        for name in sorted(inputs):
            target.writestr(zipfile.ZipInfo(name), inputs[name], zipfile.ZIP_DEFLATED)
    return file.getvalue()


if __name__ == "__main__":
    main()
