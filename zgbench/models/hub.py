"""Getting a pinned model from the hub, with its own client; every failure becomes one sentence with its cause."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from zgbench.extras import missing
from zgbench.models import verify
from zgbench.models.catalogue import File, Model

_PATIENCE: float = 10
"""Seconds until a hub that does not answer is told."""


class Unreachable(Exception):
    """The hub, or a file on it, could not be had; the text is the cause."""


def download(model: Model, say: Callable[[str], None]) -> None:
    """Fetch a model's files into the hub's cache.

    Args:
        model: one with a repository.
        say: told the size before it begins.

    Raises:
        Unreachable: says why. Nothing that is not the pinned file stays in the cache.
    """
    assert model.repository is not None
    folder = snapshot(
        model.repository, str(model.revision), [f.path for f in model.files if not f.optional],
        [f.path for f in model.files if f.optional], say,
    )  # fmt: skip
    for file in model.files:
        _check(folder / file.path, file)


def snapshot(
    repository: str,
    revision: str | None,
    files: list[str] | None,
    optional: list[str],
    say: Callable[[str], None],
) -> Path:
    """Fetch files of a repository; gives the folder in the hub's cache that holds them, absolute.

    Args:
        files: that must be there; None: all but the same weights in other formats.

    Raises:
        Unreachable: says why.
    """
    if missing("fetch"):
        raise Unreachable("the package huggingface_hub is not installed (pip install 'zgbench[fetch]')")
    from huggingface_hub import HfApi, constants, get_hf_file_metadata, hf_hub_download, hf_hub_url

    if constants.HF_HUB_OFFLINE:
        raise Unreachable("it is not in the cache, and HF_HUB_OFFLINE forbids to ask the hub")
    with _telling(repository):
        # asked once and without retries: the client would try for minutes before it says that there is no way
        info = HfApi().model_info(repository, revision=revision, files_metadata=True, timeout=_PATIENCE)
        sizes = {entry.rfilename: entry.size or 0 for entry in info.siblings or ()}
        wanted = [name for name in sizes if _needed(name, set(sizes))] if files is None else files
        absent = [name for name in wanted if name not in sizes]
        if absent:
            raise Unreachable(f"{repository} on {constants.ENDPOINT} has no file {absent[0]} (revision {revision})")
        wanted = [*wanted, *(name for name in optional if name in sizes)]
        say(f"fetching {repository} from {constants.ENDPOINT}: {sum(sizes[name] for name in wanted) / 1e6:,.1f} MB")
        place = Path()
        for name in wanted:
            get_hf_file_metadata(hf_hub_url(repository, name, revision=info.sha), timeout=_PATIENCE)
            path = Path(hf_hub_download(repository, name, revision=revision or info.sha)).absolute()
            place = path.parents[len(Path(name).parts) - 1]
    return place


def _needed(name: str, names: set[str]) -> bool:
    path = Path(name)
    if len(path.parts) > 2 or path.suffix in (".onnx", ".h5", ".msgpack", ".ot", ".md", ".py", ".tflite"):
        return False
    return not (path.suffix in (".bin", ".pth", ".pt") and any(other.endswith(".safetensors") for other in names))


def _check(path: Path, file: File) -> None:
    from huggingface_hub import constants

    if file.sha256 is None or not path.is_file():
        return
    sha256 = verify.sha256(path)
    if sha256 != file.sha256:
        drop(path)
        raise Unreachable(
            f"the file {file.path} that {constants.ENDPOINT} delivered is not the published one (sha256 {sha256[:12]}…, "
            f"expected {file.sha256[:12]}…) and was removed; if HF_ENDPOINT names a mirror, choose another"
        )


def drop(path: Path) -> None:
    """Remove a file of the hub's cache, which is a link, with what it leads to; the client then fetches it again."""
    path.resolve().unlink(missing_ok=True)
    path.unlink(missing_ok=True)


@contextlib.contextmanager
def _telling(repository: str) -> Iterator[None]:
    """Turn what the hub's client raises into one sentence."""
    try:
        yield
    except Unreachable:
        raise
    except Exception as error:  # the hub's clients raise many kinds, some of them around what happened
        inner = error.__cause__ if isinstance(error.__cause__, Exception) else error
        raise Unreachable(_cause(repository, inner)) from error


def _cause(repository: str, error: Any) -> str:
    from huggingface_hub import constants
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    hub, text = constants.ENDPOINT, " ".join(str(error).split())[:200]
    status = getattr(getattr(error, "response", None), "status_code", None)
    kind = type(error).__name__
    if isinstance(error, GatedRepoError):
        return f"{hub} gives {repository} only to those who have agreed to its terms (set HF_TOKEN)"
    if isinstance(error, RevisionNotFoundError):
        return f"{repository} on {hub} has no such revision; if HF_ENDPOINT names a mirror, it is not up to date"
    if isinstance(error, EntryNotFoundError):
        return f"a file is missing in {repository} on {hub} ({text})"
    if isinstance(error, RepositoryNotFoundError):
        return f"{hub} has no {repository}"
    if status == 429:
        return f"{hub} answers 429, too many requests: wait some minutes, or set HF_TOKEN to be counted by name"
    if status is not None:
        return f"{hub} answers {status} ({text})"
    if "Timeout" in kind:
        return f"{hub} did not answer within {_PATIENCE:g} seconds"
    if "Consistency check failed" in str(error):
        return f"the download from {hub} was cut off; try again ({text})"
    if isinstance(error, OSError) and error.errno is not None and error.filename is not None:
        return f"{error.filename} cannot be written ({error.strerror})"
    return f"{hub} cannot be reached ({kind}: {text})"
