"""Where a pinned model lies: always an absolute path whose files have the pinned hashes, never whatever a name leads to.

Looked at in this order: ``ZGBENCH_MODELS`` (``--models DIR``), the package that carries the model, zgbench's own cache,
the hub's cache, open_clip's cache. Only then the hub is asked.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from zgbench.errors import ModelUnavailable, UsageError
from zgbench.models import verify
from zgbench.models.catalogue import CATALOGUE, File, Model
from zgbench.storage.cache_folder import cache_dir

VARIABLE = "ZGBENCH_MODELS"


@dataclass(frozen=True)
class Found:
    """A model that is here, each of its files checked.

    Attributes:
        folder: absolute, holds all of the model's files.
        weights: absolute path of the file with the weights.
        sha256: of that file.
        where: what kind of place it is, in words.
    """

    model: Model
    folder: Path
    weights: Path
    sha256: str
    where: str


@dataclass(frozen=True)
class _Place:
    """A folder where a model may lie.

    Attributes:
        chosen: the user named it, so a model that is incomplete there is an error and not looked for elsewhere.
        mend: what to do when a file there is damaged.
        exact: another model there is an error; else the place is passed over (older revisions in the hub's cache).
    """

    folder: Path
    files: tuple[File, ...]
    where: str
    mend: str
    chosen: bool = False
    exact: bool = True


def locate(name: str, *, say: Callable[[str], None] | None = None) -> Found:
    """A model, fetched from the hub when it is not here.

    Args:
        name: key of ``CATALOGUE``.
        say: called with what people should know (size before a download, a hash that is seen for the first time); by
            default it goes to standard error.

    Raises:
        ModelUnavailable: it cannot be had, or a file of it is damaged or another; names file, cause and ways out.
    """
    say = say or tell
    model = CATALOGUE[name]
    found = find(name, say=say)
    if found is None and model.repository is not None:
        from zgbench.models.hub import Unreachable, download

        try:
            download(model, say)
        except Unreachable as error:
            raise ModelUnavailable(missing(model, str(error))) from error
        found = find(name, say=say)
    if found is None:
        raise ModelUnavailable(missing(model, "it is not installed"))
    return found


def find(name: str, *, say: Callable[[str], None] | None = None) -> Found | None:
    """A model that is already here; None when it is nowhere. Nothing is fetched.

    Raises:
        ModelUnavailable: a file of it is damaged or another.
        UsageError: ``ZGBENCH_MODELS`` names no folder.
    """
    model = CATALOGUE[name]
    for place in _places(model):
        missing_files = [f.path for f in place.files if not f.optional and not (place.folder / f.path).is_file()]
        if missing_files:
            if place.chosen:
                raise ModelUnavailable(
                    f"{model.name}: {place.folder} lacks {', '.join(missing_files)}, which belongs to the model. {place.mend}"
                )
            continue
        wrong = next((text for f in place.files if (text := _wrong(place.folder / f.path, f))), None)
        if wrong is None:
            return _found(model, place, say or tell)
        if place.exact:
            raise ModelUnavailable(f"{model.name}: {wrong} {place.mend}")
    return None


def place_of(name: str) -> tuple[Path, str] | None:
    """Where a model seems to lie, without a look into its files; None when it is nowhere."""
    for place in _places(CATALOGUE[name]):
        if all(f.optional or (place.folder / f.path).is_file() for f in place.files):
            return place.folder, place.where
    return None


def models_folder() -> Path | None:
    """The folder that ``--models`` or ``ZGBENCH_MODELS`` names, absolute.

    Raises:
        UsageError: it is no folder.
    """
    chosen = os.environ.get(VARIABLE)
    if not chosen:
        return None
    folder = Path(chosen).expanduser().absolute()
    if not folder.is_dir():
        raise UsageError(f"--models {chosen} (or {VARIABLE}): there is no such folder. See docs/models.md.")
    return folder


def missing(model: Model, cause: str) -> str:
    """The error of a model that is not here: the cause, and all ways to have it."""
    about = f" (revision {model.revision[:8]}, {megabytes(model.size)})" if model.revision else ""
    lines = [f"the model {model.name}{about} was not found: {cause}."]
    if model.package is not None:
        lines.append(f"  Install it with: pip install {model.package.install}")
    if model.repository is not None:
        lines.append(f"  With a way to the hub it is fetched at its first use ({model.repository}).")
        lines.append(f"  To fetch it now, or by another way than the hub: zgbench models fetch {model.name}")
    lines.append(
        f"  On a machine without internet: --models DIR (or {VARIABLE}) with a folder DIR/{model.folder}, made elsewhere by: "
        f"zgbench models fetch {model.name} --to DIR"
    )
    return "\n".join(lines)


def megabytes(size: int) -> str:
    """A size for people."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def own_cache(model: Model) -> Path:
    """Folder of a model that ``zgbench models fetch`` got by another way than the hub."""
    return cache_dir().absolute() / "models" / model.folder


def tell(text: str) -> None:
    """Say something to the person at the terminal, on standard error."""
    print(f"zgbench: {text}", file=sys.stderr, flush=True)


def _places(model: Model) -> Iterator[_Place]:
    original = (File(model.original.name, model.original.sha256),) if model.original is not None else None
    again = f"Fetch it again: zgbench models fetch {model.name}"
    if (chosen := models_folder()) is not None:
        names = [model.folder, model.name, *(n for r in _repositories(model) for n in (r.rpartition("/")[2], r))]
        mend = f"Remove it and fetch it again: zgbench models fetch {model.name} --to {chosen}"
        for folder in dict.fromkeys(chosen / name for name in names):
            if original and (folder / original[0].path).is_file():
                yield _Place(folder, original, "models folder", mend, chosen=True)
            elif folder.is_dir():
                yield _Place(folder, model.files, "models folder", mend, chosen=True)
        if original and (chosen / original[0].path).is_file():
            yield _Place(chosen, original, "models folder", mend, chosen=True)
        yield from _snapshots(model, chosen, "models folder", mend)
    if model.package is not None:
        found = importlib.util.find_spec(model.package.name)
        if found is not None and found.origin is not None:
            mend = f"Install it again: pip install --force-reinstall {model.package.install}"
            folder = (Path(found.origin).absolute().parent / model.package.folder).resolve()
            yield _Place(folder, model.files, f"package {model.package.name}", mend)
    for files in filter(None, (model.files, original)):
        yield _Place(own_cache(model), files, "zgbench's cache", again)
    if model.repository is not None:
        yield from _snapshots(model, hub_cache(), "hub's cache", again)
    if original:
        yield _Place(Path.home() / ".cache/clip", original, "open_clip's cache", again, exact=False)


def _snapshots(model: Model, cache: Path, where: str, mend: str) -> Iterator[_Place]:
    """The pinned revision in a folder of the hub's layout; then others, where hashes alone say that they are the same."""
    pinned = all(f.sha256 for f in model.files)
    for repository in _repositories(model):
        snapshots = cache / f"models--{repository.replace('/', '--')}" / "snapshots"
        yield _Place(snapshots / str(model.revision), model.files, where, mend)
        if pinned and snapshots.is_dir():
            others = sorted(entry for entry in snapshots.iterdir() if entry.name != model.revision)
            yield from (_Place(other, model.files, where, mend, exact=False) for other in others)


def hub_cache() -> Path:
    """The hub's cache folder, as its client reads it from ``HF_HUB_CACHE`` and ``HF_HOME``."""
    try:
        from huggingface_hub import constants
    except ImportError:  # without the client the folder can be there all the same
        cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        home = os.environ.get("HF_HOME") or Path(cache) / "huggingface"
        return Path(os.environ.get("HF_HUB_CACHE") or Path(home) / "hub").expanduser().absolute()
    return Path(constants.HF_HUB_CACHE).absolute()


def hub_snapshot(model: Model) -> Path:
    """Where the hub's cache keeps the pinned revision."""
    return hub_cache() / f"models--{str(model.repository).replace('/', '--')}" / "snapshots" / str(model.revision)


def _repositories(model: Model) -> tuple[str, ...]:
    return (*((model.repository,) if model.repository else ()), *model.also)


def _wrong(path: Path, file: File) -> str | None:
    """Why a file is not the pinned one; None when it is."""
    if file.sha256 is None or (file.optional and not path.is_file()):
        return None
    try:
        sha256 = verify.sha256(path)
    except OSError as error:
        return f"{path} cannot be read ({error.strerror or error})."
    if sha256 == file.sha256:
        return None
    return (
        f"{path} is not the published file: sha256 {sha256[:12]}…, expected {file.sha256[:12]}… "
        f"({path.stat().st_size:,} bytes). It is damaged, cut off, or of another model."
    )


def _found(model: Model, place: _Place, say: Callable[[str], None]) -> Found:
    weights = place.folder / place.files[0].path
    known = place.files[0].sha256
    if known is None and verify.recall(weights, "sha256") is None:
        say(f"{model.name}: nobody publishes the hash of {weights.name}; recorded: sha256 {verify.sha256(weights)}")
    return Found(model, place.folder, weights, known or verify.sha256(weights), place.where)
