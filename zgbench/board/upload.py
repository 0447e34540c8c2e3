"""Takes an uploaded file in, without ever looking into it.

The server only counts and hashes bytes: what is inside is read by a process with limits of its own. Names and ids from
an upload never become paths; a file is kept under the hash of its content.
"""

from __future__ import annotations

import hashlib
import io
import zlib
from dataclasses import dataclass

from zgbench.errors import InputError
from zgbench.submission.problems import quote

SUFFIXES = (".json.gz", ".json", ".parquet")
_UNPACKED = 10
"""A gzipped upload may unpack to so many times the largest upload."""
_MEMBERS = 1000
"""Pieces of which a gzip file may consist: each costs a little, and 20 bytes make one."""
_CHUNK = 1 << 18


@dataclass(frozen=True)
class Upload:
    """A file that may be queued.

    Attributes:
        content: its bytes.
        suffix: ``.json``, ``.json.gz`` or ``.parquet``.
        sha256: of the content, hexadecimal.
        shown_name: its name as a person may see it: control and bidi characters escaped, at most 80 characters.
    """

    content: bytes
    suffix: str
    sha256: str
    shown_name: str


def take(name: str, content: bytes, most: int) -> Upload:
    """Check a file by its ending, size and first bytes.

    Args:
        name: as the uploader calls it; only its ending counts.
        most: bytes of the largest upload.

    Raises:
        InputError: why it is refused.
    """
    shown = quote(name, 80)[1:-1]
    suffix = next((s for s in SUFFIXES if name.endswith(s)), None)
    if suffix is None:
        raise InputError(f"{shown}: expected a file that ends in {', '.join(SUFFIXES)}. See submissions/README.md.")
    if len(content) > most:
        raise InputError(
            f"{shown}: {_mib(len(content))} MiB; this board takes at most {_mib(most)} MiB. Write it as .parquet or .json.gz."
        )
    if not content:
        raise InputError(f"{shown}: the file is empty. Upload it again.")
    if suffix == ".parquet" and not (content.startswith(b"PAR1") and content.endswith(b"PAR1")):
        raise InputError(f"{shown}: not a Parquet file (it does not begin and end with PAR1). Was it cut short?")
    if suffix == ".json.gz":
        _check_unpacked(content, _UNPACKED * most, shown)
    return Upload(content, suffix, hashlib.sha256(content).hexdigest(), shown)


def _mib(size: int) -> str:
    return f"{size / (1 << 20):.0f}" if size >= 10 << 20 else f"{size / (1 << 20):.1f}"


def _check_unpacked(content: bytes, most: int, shown: str) -> None:
    """Refuse a decompression bomb; unpacks a chunk at a time and keeps none."""
    if not content.startswith(b"\x1f\x8b"):
        raise InputError(f"{shown}: not gzip data. Compress the file again, or upload it as .json.")
    source, total, members = io.BytesIO(content), 0, 1
    unpacker = zlib.decompressobj(wbits=31)
    waiting = b""
    try:
        while waiting or (waiting := source.read(_CHUNK)):
            total += len(unpacker.decompress(waiting, _CHUNK))
            if total > most:
                raise InputError(f"{shown}: unpacks to more than {_mib(most)} MiB. No honest submission does.")
            waiting = unpacker.unconsumed_tail
            if unpacker.eof:  # gzip files may follow one another
                waiting = unpacker.unused_data.lstrip(b"\0")
                unpacker, members = zlib.decompressobj(wbits=31), members + 1
                if members > _MEMBERS:
                    raise InputError(f"{shown}: gzip data in more than {_MEMBERS} pieces. Compress the file again.")
    except zlib.error as error:
        raise InputError(f"{shown}: the gzip data is damaged. Compress the file again.") from error
