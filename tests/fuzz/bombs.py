"""Small files that ask for much: what each costs, as JSON. ``python -m tests.fuzz.bombs`` runs them one after the other.

Each is read in a process of its own limits: were one believed, it would end with MemoryError, or not at all.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import resource
import struct
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.fuzz.scratch import scratch
from tests.submission.sample import sound

ADDRESS_SPACE = 8 << 30
Bomb = Callable[[], tuple[str, bytes]]


def _document(images: Iterator[str] | str, top: str = "") -> bytes:
    head = {key: value for key, value in sound().items() if key != "images"}
    return f'{json.dumps(head)[:-1]}{top}, "images": [{images if isinstance(images, str) else ",".join(images)}]}}'.encode()


def _packed(content: bytes) -> bytes:
    return gzip.compress(content, 1)


def long_keys() -> tuple[str, bytes]:
    """20 images with an unknown key of 15 MB: 600 MB of problems, if each kept its key and its path."""
    image = f'{{"id": "2007_000033", "{"k" * 15_000_000}": 1}}'
    return "mine.json.gz", _packed(_document(image for _ in range(20)))


def long_top_key() -> tuple[str, bytes]:
    """An unknown key at the top of 50 MB, for which a similar one would be sought."""
    return "mine.json", _document("", f', "{"dataset" * 7_000_000}": 1')


def brackets() -> tuple[str, bytes]:
    """30 million empty lists, two bytes each in the file and 64 in memory."""
    return "mine.json.gz", _packed(_document('{"id": "2007_000033", "size": [' + "[]," * 20_000_000 + "[]]}"))


def brackets_at_the_top() -> tuple[str, bytes]:
    """The same before the images."""
    return "mine.json.gz", _packed(_document("", ', "method": [' + "{}," * 20_000_000 + "{}]"))


def deep() -> tuple[str, bytes]:
    """Nested 100,000 deep."""
    return "mine.json", _document('{"id": ' + "[" * 100_000 + "]" * 100_000 + "}")


def digits() -> tuple[str, bytes]:
    """A number of ten million digits."""
    return "mine.json", _document('{"id": "2007_000033", "size": [' + "9" * 10_000_000 + ", 6]}")


def blanks() -> tuple[str, bytes]:
    """2 GB of blanks in 9 MB."""
    part = gzip.compress(b" " * (100 << 20), 6)
    return "mine.json.gz", gzip.compress(_document("")[:-2]) + part * 20


def long_mask() -> tuple[str, bytes]:
    """60 MB of runs for a picture of 24 pixels: eight bytes and more a run, several times over."""
    image = {"id": "2007_000033", "size": [4, 6], "segments": [{"label": "a", "counts": "0" * 60_000_000}]}
    return "mine.json", _document(json.dumps(image))


def long_mask_of_a_large_picture() -> tuple[str, bytes]:
    """The same with the size of a picture that could have it, which the truth has not."""
    image = {"id": "2007_000033", "size": [16_000, 16_000], "segments": [{"label": "a", "counts": "0" * 60_000_000}]}
    return "mine.json", _document(json.dumps(image))


def _parquet(columns: dict[str, object]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    head = {key: value for key, value in sound().items() if key != "images"}
    table = pa.table(columns).replace_schema_metadata({"zgbench": json.dumps(head)})
    sink = io.BytesIO()
    pq.write_table(table, sink, dictionary_pagesize_limit=1 << 30, compression="zstd")
    return sink.getvalue()


def one_text_in_many_rows() -> tuple[str, bytes]:
    """5,000 rows with the same label of 20 MB, which the file holds once: 100 GB when spelt out."""
    import pyarrow as pa

    rows = 5_000
    label = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["x" * 20_000_000]))
    columns = {"image_id": ["2007_000033"] * rows, "height": [4] * rows, "width": [6] * rows, "label": label}
    return "mine.parquet", _parquet(columns | {"counts": ["0"] * rows})


def one_large_text() -> tuple[str, bytes]:
    """One label of 150 MB in 5 kB: several times that while it is read."""
    columns = {"image_id": ["2007_000033"], "height": [4], "width": [6], "label": ["x" * 150_000_000], "counts": ["0"]}
    return "mine.parquet", _parquet(columns)


def many_rows_of_one_image() -> tuple[str, bytes]:
    """Five million segments of one image."""
    import pyarrow as pa

    rows = 5_000_000

    def same(value: object) -> object:
        return pa.repeat(pa.scalar(value), rows)

    columns = {"image_id": same("2007_000033"), "height": same(4), "width": same(6), "label": same("a")}
    return "mine.parquet", _parquet(columns | {"counts": same("0")})


def _mat(element: bytes) -> bytes:
    return b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM" + element


def packed_mat() -> tuple[str, bytes]:
    """400 MB of zeros in a compressed variable."""
    packer = zlib.compressobj(9)
    matrix = struct.pack("<II", 14, 400 << 20)
    body = packer.compress(matrix) + b"".join(packer.compress(bytes(1 << 20)) for _ in range(400)) + packer.flush()
    return "truth.mat", _mat(struct.pack("<II", 15, len(body)) + body)


def nested_mat() -> tuple[str, bytes]:
    """Cells in cells, 100,000 deep; scipy follows them until the stack of C ends."""
    flags = struct.pack("<IIII", 6, 8, 1, 0) + struct.pack("<IIii", 5, 8, 1, 1)
    name, unnamed = struct.pack("<II", 1, 8) + b"LabelMap", struct.pack("<II", 1, 0)
    depth = 100_000
    heads, size = [], 0
    for level in range(depth):
        inside = flags + (name if level == depth - 1 else unnamed)
        size += 8 + len(inside)
        heads.append(struct.pack("<II", 14, size - 8) + inside)
    return "truth.mat", _mat(b"".join(reversed(heads)))


def large_png() -> tuple[str, bytes]:
    """A picture of 8,200 × 8,200 pixels in 69 bytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 8_200, 8_200, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 100)
    return "truth.png", b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def program_png() -> tuple[str, bytes]:
    """A PostScript program under the name of a PNG: Pillow would start Ghostscript on it."""
    return "truth.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"


BOMBS: dict[str, Bomb] = {
    bomb.__name__: bomb
    for bomb in (
        long_keys, long_top_key, brackets, brackets_at_the_top, deep, digits, blanks, long_mask,
        long_mask_of_a_large_picture, one_text_in_many_rows, one_large_text, many_rows_of_one_image, packed_mat, nested_mat, large_png,
        program_png,
    )
}  # fmt: skip


def read(path: Path) -> None:
    """Read a file by its ending as an evaluation would, with the truth of three small images."""
    from tests.fuzz import targets
    from zgbench.datasets.label_png import read_label_png
    from zgbench.datasets.mat_file import read_label_map

    if path.suffix == ".mat":
        read_label_map(path)
    elif path.suffix == ".png":
        read_label_png(path)
    else:
        targets.collected(path)


def main() -> None:
    """Read bombs, each in a process of its own; print a line for each."""
    import pyarrow.parquet  # noqa: F401  what a reader imports is not what a file costs

    import tests.fuzz.targets  # noqa: F401

    for path in sys.argv[1:]:
        sys.stdout.flush()
        child = os.fork()
        if not child:
            _one(Path(path))
            sys.stdout.flush()
            os._exit(0)
        if status := os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
            sys.exit(f"{path}: the process ended with status {status}")


def _one(path: Path) -> None:
    """Read a bomb; print what came out, the seconds of the processor and the MiB that it took."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    from tests.fuzz.targets import peak

    before, started = peak(), time.process_time()
    try:
        read(path)
        kind, said = "accepted", ""
    except Exception as error:
        kind, said = type(error).__name__, str(error)
    grown = (peak() - before) >> 20
    print(json.dumps({"kind": kind, "said": said, "seconds": time.process_time() - started, "MiB": grown}))


def place(name: str) -> Path:
    """Write a bomb; its path."""
    file, content = BOMBS[name]()
    path = scratch() / name / file
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path


if __name__ == "__main__":
    main()
