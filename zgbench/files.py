"""Writing so that nothing is ever half-written, and hashing so that content decides, never dates."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from zgbench.errors import ZgbenchError


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path in the folder of ``path``; rename it over ``path`` when the block succeeds.

    When the block raises, the temporary file is removed and ``path`` stays as it was.

    Raises:
        ZgbenchError: the folder cannot be made or written (full, read-only, not a folder).
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise ZgbenchError(f"cannot write {path}: {error.strerror}. Choose another folder with --out.") from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise ZgbenchError(
            f"cannot write {path}: {error.strerror or error}. Free some space or choose another folder."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


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
