"""Reading photos: damaged metadata costs no photo, damaged pictures are refused, and which way up."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from zgbench.datasets import photo
from zgbench.errors import DataError

VALUES = np.arange(12 * 9 * 3, dtype=np.uint8).reshape(9, 12, 3)


def _saved(form: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(VALUES).save(file, format=form, **options)
    return file.getvalue()


def _decode(content: bytes, **options: object) -> np.ndarray:
    return np.asarray(photo.decode(content, "x.jpg", mend="Give another.", formats=photo_formats, **options))


photo_formats = ("JPEG", "PNG", "WEBP")


def _exif(orientation: int, *more: bytes) -> bytes:
    """A TIFF header, orientation, and further entries of 12 bytes with 8 bytes of data behind all."""
    entries = [struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0), *more]
    directory = struct.pack("<H", len(entries)) + b"".join(entries) + struct.pack("<I", 0)
    return b"Exif\0\0" + b"II*\0" + struct.pack("<I", 8) + directory + struct.pack("<ii", -1, 0)


def _entry(tag: int, kind: int, count: int, value: int) -> bytes:
    return struct.pack("<HHII", tag, kind, count, value & 0xFFFFFFFF)


def _with_app(content: bytes, marker: int, payload: bytes) -> bytes:
    return content[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(payload) + 2) + payload + content[2:]


BAD_ENTRIES = {
    "rational (-1, 0) in an unsigned tag": _entry(0x011A, 5, 1, 38),
    "short that is a signed long": _entry(0x0128, 9, 1, -5),
    "unknown type": _entry(0x011A, 99, 1, 3),
    "four thousand million values": _entry(0x010F, 2, 0xFFFFFFFF, 38),
    "text outside the block": _entry(0x010F, 2, 40, 0x7FFFFFFF),
    "a maker note of zeros": _entry(0x927C, 7, 8, 38),
    "a sub-directory at itself": _entry(0x8769, 4, 1, 8),
    "a text in a number's tag": _entry(0x0128, 2, 4, 0x41414141),
    "GPS outside the block": _entry(0x8825, 4, 1, 0x7FFFFFF0),
}


@pytest.mark.parametrize("entry", BAD_ENTRIES.values(), ids=list(BAD_ENTRIES))
@pytest.mark.parametrize("with_jfif", [True, False])
def test_bad_exif_entries_cost_nothing(entry: bytes, with_jfif: bool) -> None:
    plain = _saved("JPEG")
    content = _with_app(plain, 0xE1, _exif(6, entry))
    if not with_jfif:  # then Pillow looks for the resolution in the EXIF data
        at = content.index(b"\xff\xe0")
        content = content[:at] + content[at + 2 + int.from_bytes(content[at + 2 : at + 4], "big") :]
    assert np.array_equal(_decode(content), _decode(plain))
    assert np.array_equal(_decode(content, upright=True), np.rot90(_decode(plain), -1))


@pytest.mark.parametrize("orientation", range(10))
def test_which_way_up(orientation: int) -> None:
    """EXIF's eight orientations; 0 and 9 are none."""
    plain = _decode(_saved("JPEG"))
    expected = {
        2: plain[:, ::-1], 3: plain[::-1, ::-1], 4: plain[::-1], 5: plain.swapaxes(0, 1), 6: np.rot90(plain, -1),
        7: plain[::-1, ::-1].swapaxes(0, 1), 8: np.rot90(plain),
    }.get(orientation, plain)  # fmt: skip
    content = _with_app(_saved("JPEG"), 0xE1, _exif(orientation))
    assert np.array_equal(_decode(content, upright=True), expected)
    assert np.array_equal(_decode(content), plain)


def _chunk(kind: bytes, data: bytes, crc: int | None = None) -> bytes:
    found = zlib.crc32(kind + data) if crc is None else crc
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", found)


BAD_CHUNKS = {
    "EXIF that is none": _chunk(b"eXIf", b"nonsense"),
    "EXIF with a bad rational": _chunk(b"eXIf", _exif(1, BAD_ENTRIES["rational (-1, 0) in an unsigned tag"])[6:]),
    "profile that does not unpack": _chunk(b"iCCP", b"x\0\0not zlib"),
    "profile of another method": _chunk(b"iCCP", b"x\0\x07not zlib"),
    "profile cut off": _chunk(b"iCCP", b"x"),
    "text with a wrong checksum": _chunk(b"tEXt", b"Comment\0hello", crc=1),
    "text that unpacks to very much": _chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(1 << 23))),
    "international text cut off": _chunk(b"iTXt", b"XML:com.adobe.xmp\0\1"),
    "gamma of no length": _chunk(b"gAMA", b""),
    "primaries of a wrong length": _chunk(b"cHRM", b"abc"),
    "resolution cut off": _chunk(b"pHYs", b"\0"),
}


@pytest.mark.parametrize("chunk", BAD_CHUNKS.values(), ids=list(BAD_CHUNKS))
def test_bad_metadata_of_a_png_costs_nothing(chunk: bytes) -> None:
    content = _saved("PNG")
    end = content.index(b"IDAT") - 4
    assert np.array_equal(_decode(content[:end] + chunk + content[end:], upright=True), VALUES)


APPS = {
    "profile that is none": (0xE2, b"ICC_PROFILE\0\1\1nonsense"),
    "profile in parts that lack one": (0xE2, b"ICC_PROFILE\0\2\3nonsense"),
    "profile's number missing": (0xE2, b"ICC_PROFILE\0"),
    "several pictures, none": (0xE2, b"MPF\0II*\0\xff\xff\xff\xff"),
    "several pictures at nowhere": (0xE2, b"MPF\0II*\0\x08\0\0\0\1\0\2\xb0\7\0\xff\xff\xff\x7f\0\0\0\0"),
    "XMP of no end": (0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta"),
    "Photoshop's cut off": (0xED, b"Photoshop 3.0\x008BIM\x04"),
    "Photoshop's resolution cut off": (0xED, b"Photoshop 3.0\x008BIM\x03\xed\0\0\0\0\0\x02ab"),
    "EXIF of nothing": (0xE1, b"Exif\0\0"),
    "EXIF at nowhere": (0xE1, b"Exif\0\0II*\0\xff\xff\xff\xff"),
    "FlashPix of nothing": (0xE2, b"FPXR\0"),
    "Adobe's cut off": (0xEE, b"Adobe"),
    "JFIF's cut off": (0xE0, b"JFIF\0"),
    "comment in no language": (0xFE, bytes(range(256))),
}


@pytest.mark.parametrize(("marker", "payload"), APPS.values(), ids=list(APPS))
def test_bad_metadata_of_a_jpeg_costs_nothing(marker: int, payload: bytes) -> None:
    plain = _saved("JPEG")
    assert np.array_equal(_decode(_with_app(plain, marker, payload), upright=True), _decode(plain))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0xE0, 0xEF), st.sampled_from([b"Exif\0\0II*\0\x08\0\0\0", b"ICC_PROFILE\0", b"MPF\0MM\0*", b"", b"Adobe", b"JFIF\0"]), st.binary(max_size=60))  # fmt: skip
def test_whatever_stands_in_a_jpegs_segments(marker: int, head: bytes, rest: bytes) -> None:
    """Adobe's own segment says how colours are stored: the picture may be another one, but it is one."""
    found = _decode(_with_app(_saved("JPEG"), marker, head + rest), upright=marker != 0xE1)
    assert found.shape == (9, 12, 3)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_damaged_picture_is_refused(form: str) -> None:
    content = _saved(form)
    with pytest.raises(DataError, match=r"x\.jpg: not a readable picture .*Give another\."):
        _decode(content[: len(content) // 2])


def test_other_formats_and_sizes_are_refused() -> None:
    with pytest.raises(DataError, match="not a readable picture"):
        _decode(_saved("BMP"))
    with pytest.raises(DataError, match="9 × 12 pixels, more than 100"):
        _decode(_saved("PNG"), max_pixels=100)
    with pytest.raises(DataError, match="not a readable picture"):
        _decode(b"")


def test_depths_and_palettes() -> None:
    grey = (np.arange(12, dtype=np.uint16) * 5000).reshape(3, 4)
    file = io.BytesIO()
    Image.fromarray(grey).save(file, format="PNG")
    assert np.array_equal(_decode(file.getvalue())[..., 0], (grey / 65535 * 255).astype(np.uint8))
    clear = Image.new("P", (2, 2), 1)
    clear.putpalette([0, 0, 0, 10, 20, 30])
    file = io.BytesIO()
    clear.save(file, format="PNG", transparency=1)
    assert np.array_equal(_decode(file.getvalue())[0, 0], [10, 20, 30])
