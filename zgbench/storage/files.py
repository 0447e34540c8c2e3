"""Writing so that nothing is ever half-written, and hashing so that content decides, never dates."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from zgbench.errors import ZgbenchError

PART = ".zgbench-part"
"""Ending of what is being written. Whoever writes it holds a lock on it, so one without a lock was left by a process
that was killed, and the next one that writes into the folder removes it."""
_swept: set[Path] = set()


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path in the folder of ``path``; rename it over ``path`` when the block succeeds.

    When the block raises, the temporary file is removed and ``path`` stays as it was.

    Raises:
        ZgbenchError: the folder cannot be made or written (full, read-only, not a folder).
    """
    with replacing_all(path) as (temporary,):
        yield temporary


@contextmanager
def replacing_all(
    *paths: str | os.PathLike[str], check: Callable[[], None] = lambda: None
) -> Iterator[tuple[Path, ...]]:
    """As :func:`replacing`, for files of one folder that belong together.

    They are renamed one right after the other when all are on the disk, in the order given, while no other process
    renames any in that folder. So a full disk leaves all as they were, and of two processes one wins with all of its files.
    ``check`` is called right before; when it raises, all stay as they were.
    """
    targets = [Path(path) for path in paths]
    folder = targets[0].parent
    temporaries: list[Path] = []
    handles: list[int] = []
    try:
        with _telling(targets[0], "Choose another folder with --out."):
            folder.mkdir(parents=True, exist_ok=True)
            with _alone(folder):
                _sweep(folder)
                for target in targets:
                    handle, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", suffix=PART, dir=folder)
                    temporaries.append(Path(name))
                    if _lock(handle, wait=False):
                        handles.append(handle)
                    else:  # where there are no locks, an open file may not be renamed either
                        os.close(handle)
        with _telling(targets[0], "Free some space or choose another folder."):
            yield tuple(temporaries)
            for temporary in temporaries:
                temporary.chmod(0o666 & ~_umask())
                with temporary.open("r+b") as file:  # Windows flushes only what may be written
                    os.fsync(file.fileno())
            with _alone(folder):
                check()
                for temporary, target in zip(temporaries, targets, strict=True):
                    temporary.replace(target)
    finally:
        for temporary in temporaries:
            temporary.unlink(missing_ok=True)
        for handle in handles:
            os.close(handle)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside ``path``; put it in the place of ``path`` when the block succeeds.

    Raises:
        ZgbenchError: the place cannot be written.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}.old{PART}")
    temporary, handle = None, None
    try:
        with _telling(path, "Choose another folder with --out."):
            path.parent.mkdir(parents=True, exist_ok=True)
            with _alone(path.parent):
                _sweep(path.parent)
                temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=PART, dir=path.parent))
                handle = _opened(temporary)
                if handle is not None:
                    _lock(handle, wait=False)
        with _telling(path, "Free some space or choose another folder."):
            yield temporary
            temporary.chmod(0o777 & ~_umask())
            with _alone(path.parent):
                if path.exists():
                    path.rename(aside)
                temporary.rename(path)
    finally:
        for left in (temporary, aside):
            if left is not None:
                shutil.rmtree(left, ignore_errors=True)
        if handle is not None:
            os.close(handle)


def check_folder(folder: Path) -> None:
    """Find out before the work whether files could be written into a folder, which need not be there yet.

    Raises:
        ZgbenchError: something else stands in its place, or it may not be written.
    """
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir():
        raise ZgbenchError(f"cannot write into {folder}: {place} is not a folder. Choose another folder with --out.")
    if not os.access(place, os.W_OK | os.X_OK):
        raise ZgbenchError(f"cannot write into {folder}: {place} is read-only. Choose another folder with --out.")


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Write ``content`` to ``path`` completely or not at all."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def sha256_file(path: str | os.PathLike[str]) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_lines(lines: Iterable[str]) -> str:
    """Hexadecimal SHA-256 of UTF-8 lines, each ended by a newline (how id lists are hashed)."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode("utf-8") + b"\n")
    return digest.hexdigest()


def stamp(paths: Iterable[Path | str]) -> str:
    """A text that is another one when any of the files was changed or replaced meanwhile.

    Dates are only compared for being the same, so a clock that is set back does no harm.
    """
    digest = hashlib.sha256()
    for path in paths:
        try:
            s = os.stat(path)  # noqa: PTH116  many texts come here, and a Path of each would cost more
            digest.update(f"{s.st_ino} {s.st_size} {s.st_mtime_ns} {s.st_ctime_ns}\n".encode())
        except OSError:
            digest.update(b"none\n")
    return digest.hexdigest()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextmanager
def _telling(path: Path, mend: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ZgbenchError(f"cannot write {path}: {error.strerror or error}. {mend}") from error


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Other processes wait meanwhile that would make or rename files here; where there are no locks, nobody waits."""
    handle = _opened(folder)
    try:
        if handle is not None:
            _lock(handle, wait=True)
        yield
    finally:
        if handle is not None:
            os.close(handle)


def _opened(folder: Path) -> int | None:
    """A handle to lock a folder by; None where folders cannot be opened (Windows)."""
    try:
        return os.open(folder, os.O_RDONLY)
    except PermissionError:
        return None


def _lock(handle: int, *, wait: bool) -> bool:
    """Take a lock that ends with the process; False when another holds it or the file system has none."""
    try:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):
        return False
    return True


def _sweep(folder: Path) -> None:
    """Remove what killed processes left here; once a process and folder."""
    if folder in _swept:
        return
    _swept.add(folder)
    for entry in [entry for entry in os.scandir(folder) if entry.name.startswith(".") and entry.name.endswith(PART)]:
        with contextlib.suppress(OSError):
            if entry.is_symlink():
                continue
            handle = os.open(entry.path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
            try:
                if _lock(handle, wait=False):
                    if entry.is_dir(follow_symlinks=False):
                        shutil.rmtree(entry.path, ignore_errors=True)
                    else:
                        Path(entry.path).unlink()
            finally:
                os.close(handle)
