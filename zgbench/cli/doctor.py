"""``zgbench doctor``: what is installed, what is where, and what is missing for which command."""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import os
import platform
from pathlib import Path
from typing import Any

from zgbench.errors import ZgbenchError
from zgbench.extras import EXTRAS, missing
from zgbench.version import __version__

_PACKAGES = (
    "numpy", "scipy", "pandas", "pyarrow", "pillow", "torch", "torchvision", "open_clip_torch", "sentence-transformers",
    "transformers", "timm", "numba", "streamlit", "sqlalchemy", "ray", "datasets",
)  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """``zgbench doctor``: status 0, whatever is missing; nothing is fetched or changed."""
    found = examine()
    if options.json:
        print(json.dumps(found, indent=1, ensure_ascii=False))
        return 0
    print(f"zgbench {found['zgbench']}, protocol {found['protocol']}, Python {found['python']}, {found['platform']}")
    for title, told in (("device", found["device"]), ("threads", found["threads"]), ("kernel", found["kernel"])):
        print(f"{title:9}{told}")
    print("packages " + ", ".join(f"{name} {version}" for name, version in found["packages"].items()))
    print(
        f"cache    {found['cache']['folder']}, {found['cache']['bytes'] / 1e6:.1f} MB{'' if found['cache']['writable'] else ', NOT WRITABLE'}"
    )
    print(f"data     {found['data']['told']}")
    for key, verdict in found["data"]["sets"].items():
        print(f"           {key}: {verdict}")
    print("models")
    for name, place in found["models"].items():
        print(
            f"  {'ok     ' if place else 'absent '}{name}{f': {place}' if place else f'    zgbench models fetch {name}'}"
        )
    print("what works")
    for name, about in found["extras"].items():
        print(f"  {'MISSING' if about['missing'] else 'ok     '} {about['use']}")
        if about["missing"]:
            print(f"            {', '.join(about['missing'])}: pip install 'zgbench[{name}]'")
    return 0


def examine() -> dict[str, Any]:
    """All that ``doctor`` tells, as JSON."""
    from zgbench.models import CATALOGUE
    from zgbench.protocol import VERSION
    from zgbench.storage.cache_folder import PARTS, cache_dir
    from zgbench.storage.threads import choose

    return {
        "zgbench": __version__,
        "protocol": VERSION,
        "python": platform.python_version(),
        "platform": platform.platform(terse=True),
        "device": _device(),
        "threads": str(choose()),
        "kernel": _kernel(),
        "packages": {name: version for name in _PACKAGES if (version := _version(name)) is not None},
        "cache": {
            "folder": str(cache_dir()),
            "bytes": sum(part.size()[1] for part in PARTS.values()),
            "writable": _writable(cache_dir()),
        },
        "data": _data(),
        "models": {name: _place(name) for name in CATALOGUE},
        "extras": {name: {"use": extra.use, "missing": missing(name)} for name, extra in EXTRAS.items()},
    }


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _device() -> str:
    if missing("models"):
        return "none yet: PyTorch is not installed"
    from zgbench.encoders.base import device

    return device()


def _kernel() -> str:
    kernels = ("zgbench.submission._runs", "zgbench.pixels._tally")
    plain = [name for name in kernels if importlib.util.find_spec(name) is None]
    return f"numpy in place of {', '.join(plain)}, not built here" if plain else "compiled"


def _writable(folder: Path) -> bool:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return os.access(folder, os.W_OK)


def _place(name: str) -> str | None:
    from zgbench.models.resolve import place_of

    try:
        found = place_of(name)
    except ZgbenchError as error:
        return f"cannot be looked for: {error}"
    return f"{found[0]} ({found[1]})" if found else None


def _data() -> dict[str, Any]:
    """Which data sets seem to be there, by their first image; ``datasets check`` looks at all."""
    from zgbench.datasets import KEYS, open_dataset

    folder = os.environ.get("ZGBENCH_DATA")
    sets = {}
    for key in KEYS:
        try:
            dataset = open_dataset(key, folder)
            sets[key] = (
                f"{len(dataset.ids):,} images (complete? zgbench datasets check {key})"
                if key != "mini"
                else "drawn by zgbench"
            )
        except ZgbenchError:
            continue
    told = folder or "ZGBENCH_DATA is not set; give --data DIR"
    if folder and list(sets) == ["mini"]:
        told += ": holds none of them; where they must lie: zgbench datasets list"
    return {"folder": folder, "told": told, "sets": sets}
