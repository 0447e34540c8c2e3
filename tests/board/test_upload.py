"""What is refused before anything is looked into, and at what cost."""

from __future__ import annotations

import gzip
import hashlib
import io
import tracemalloc
import zlib

import pytest

from zgbench.board.upload import take
from zgbench.errors import InputError

MOST = 1 << 20


@pytest.mark.parametrize(
    ("name", "content", "suffix"),
    [
        ("mine.json", b"{}", ".json"),
        ("mine.json.gz", gzip.compress(b"{}", mtime=0), ".json.gz"),
        ("mine.json.gz", gzip.compress(b"{", mtime=0) + gzip.compress(b"}", mtime=0) + b"\0" * 9, ".json.gz"),
        ("a.b.parquet", b"PAR1....PAR1", ".parquet"),
        ("../../etc/passwd.json", b"{}", ".json"),
    ],
)
def test_a_file_is_known_by_its_content(name: str, content: bytes, suffix: str) -> None:
    found = take(name, content, MOST)
    assert (found.suffix, found.sha256) == (suffix, hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("mine.zip", b"PK", "expected a file that ends in"),
        ("mine.pkl", b"\x80\x04.", "expected a file that ends in"),
        ("json", b"{}", "expected a file that ends in"),
        ("mine.json", b"", "the file is empty"),
        ("mine.json", b" " * (MOST + 1), "1.0 MiB; this board takes at most 1.0 MiB"),
        ("mine.parquet", b"PAR1....", "not a Parquet file"),
        ("mine.json.gz", b"{}", "not gzip data"),
        ("mine.json.gz", b"\x1f\x8b\x08" + b"\xff" * 100, "gzip data is damaged"),
        ("mine.json.gz", gzip.compress(b"", mtime=0) * 1001, "more than 1000 pieces"),
    ],
)
def test_refused_with_a_reason(name: str, content: bytes, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        take(name, content, MOST)


def test_a_stranger_s_name_is_shown_escaped_and_cut() -> None:
    assert take("a\u202ecod.json", b"{}", MOST).shown_name == r"a\u202ecod.json"
    assert len(take("x" * 500 + ".json", b"{}", MOST).shown_name) == 81
    with pytest.raises(InputError, match=r"^a\\nb\.zip"):
        take("a\nb.zip", b"", MOST)


def bomb(mebibytes: int) -> bytes:
    """Gzip data that unpacks to so much, made without holding it."""
    packer, out = zlib.compressobj(9, wbits=31), io.BytesIO()
    for _ in range(mebibytes):
        out.write(packer.compress(b" " * (1 << 20)))
    out.write(packer.flush())
    return out.getvalue()


def test_a_decompression_bomb_costs_no_memory() -> None:
    content = bomb(200)
    assert len(content) < MOST
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="unpacks to more than 10 MiB"):
            take("mine.json.gz", content, MOST)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
    assert take("mine.json.gz", bomb(9), MOST).suffix == ".json.gz"
