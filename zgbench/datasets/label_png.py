"""One reader for every PNG that holds labels: ground truth, label maps of a submission, panoptic ids.

What a pixel means is decided from the file's own header: colour type, bit depth, palette and the indices in use. An image
library that scales grey of 2 bits to 0–255 or fills up a palette has no say in it.
Above 300 lines: every colour type goes through the same header, and a second file would only pass it to and fro.
Format: "Portable Network Graphics (PNG) Specification", W3C, third edition.
"""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from zgbench.errors import DataError, InputError

MAX_PIXELS = 1 << 26
"""64 million, a hundred times what the data sets hold."""
MAX_SIDE = 65_535
MAX_BYTES = 1 << 29
SIGNATURE = b"\x89PNG\r\n\x1a\n"
VOID_VALUE = 255
COLOUR_TYPES = {0: "grey", 2: "RGB", 3: "palette", 4: "grey with alpha", 6: "RGB with alpha"}
_BITS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_OTHERS = {
    b"\xff\xd8\xff": "a JPEG", b"GIF8": "a GIF", b"BM": "a BMP", b"II*\0": "a TIFF", b"MM\0*": "a TIFF", b"RIFF": "a WebP",
    b"\x93NUMPY": "a numpy array", b"PK\x03\x04": "a zip archive", b"%PDF": "a PDF", b"<": "a page of text",
    b"version https://git-lfs": "a pointer of Git LFS (git lfs pull brings the file itself)",
}  # fmt: skip

Role = Literal["truth", "label map", "panoptic"]
Palette = Literal["auto", "index"]
Values = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True)
class Mends:
    """What to do about a file of some role."""

    damaged: str
    colours: str
    palette: str
    beyond: str


MENDS: dict[Role, Mends] = {
    "truth": Mends(
        "Unpack the archive again.",
        "Colour pictures of the truth do not say their classes; use the archive's own files.",
        "Use the archive's own files.",
        "The file lost its classes; use the archive's own files.",
    ),
    "label map": Mends(
        "Write the file again.",
        "A label map holds one number a pixel: save it as one channel of 8 or 16 bits (Pillow's mode L or I;16); for a map whose colours mean labels give a legend (--legend).",
        "Save label maps as one channel of 8 or 16 bits (mode L or I;16); or say with --palette index that the indices are the values, or with --legend what the colours mean.",
        "The file lost its values when it was saved; save label maps with mode L or I;16.",
    ),
    "panoptic": Mends(
        "Write the file again.",
        "Panoptic PNGs hold id = R + 256·G + 65536·B in RGB of 8 bits.",
        "",
        "The file lost its ids when it was saved; save it as RGB.",
    ),
}


@dataclass(frozen=True)
class LabelPng:
    """A PNG as stored.

    Attributes:
        samples: uint8 or uint16, [h, w] (grey values or palette indices) or [h, w, 3] (RGB of 8 bits), at the file's own bit depth.
        colour_type: the PNG's number, a key of ``COLOUR_TYPES``.
        bits: a sample (or index).
        palette: uint8 [colours, 3], of colour type 3.
    """

    samples: Values
    colour_type: int
    bits: int
    palette: NDArray[np.uint8] | None = None

    def used(self) -> NDArray[np.int64]:
        """The values or indices that occur, ascending, int64; of one channel."""
        occurs = np.zeros(1 << 16 if self.samples.dtype == np.uint16 else 1 << 8, dtype=bool)
        occurs[self.samples] = True
        return np.flatnonzero(occurs)

    def rgb(self) -> NDArray[np.uint8]:
        """The colours, uint8 [h, w, 3]; grey of fewer than 8 bits is scaled, as the format wants it."""
        if self.palette is not None:
            return self.palette[self.samples]
        if self.samples.ndim == 3:
            return self.samples.astype(np.uint8)
        scaled = self.samples * np.uint8(255 // ((1 << self.bits) - 1)) if self.bits < 8 else self.samples
        return np.repeat(scaled.astype(np.uint8)[..., None], 3, axis=2)


@cache
def voc_colours() -> NDArray[np.uint8]:
    """VOC's colour map, uint8 [256, 3]: the bits of the index dealt out to R, G and B, highest first (``VOClabelcolormap``)."""
    colours = np.zeros((256, 3), dtype=np.uint8)
    for index in range(256):
        for bit in range(8):
            colours[index, bit % 3] |= (index >> bit & 1) << (7 - bit // 3)
    return colours


@cache
def _voc_index() -> dict[tuple[int, ...], int]:
    """VOC colour → index; many tools draw void in white."""
    return {tuple(colour): index for index, colour in enumerate(voc_colours().tolist())} | {(255, 255, 255): VOID_VALUE}


def read_label_png(
    file: Path | io.BytesIO | bytes, name: str | None = None, *, role: Role = "truth", palette: Palette = "auto"
) -> Values:
    """The value that each pixel means, uint8 or uint16 [h, w].

    Grey (1, 2, 4, 8, 16 bits) gives its values as stored. Of a palette PNG the colours decide, so that one that was
    reordered or reduced says the same: VOC's colours stand for their index (white for 255, as void's own 224, 224, 192),
    grey ones for their value (a palette of nothing but black, white and VOC's own greys is VOC's).

    Args:
        file: a path, or the content.
        name: for messages (default: the path).
        role: what the file is, for messages.
        palette: ``index`` takes the indices of a palette PNG for the values, whatever its colours.

    Raises:
        DataError (of truth) or InputError: no such file, damaged or no PNG, more than one channel, indices beyond the palette, another palette.
    """
    name = name or str(file)
    png = read_png_samples(file, name, role=role)
    if role == "label map" and (png.colour_type, png.bits) == (0, 1):
        raise InputError(
            f"{name}: a grey PNG of 1 bit is black and white and holds no numbers of segments. Label maps: save them as one channel of 8 or 16 bits (mode L or I;16)."
        )
    if png.colour_type not in (0, 3):
        raise _refusal(role)(
            f"{name}: expected one channel (grey or palette), found {_channels(png)}. {MENDS[role].colours}"
        )
    if png.palette is None or palette == "index":
        return png.samples
    table = _meaning(png, name, role)
    return png.samples if table is None else table[png.samples]


def read_ids_png(file: Path | io.BytesIO | bytes, name: str | None = None) -> tuple[NDArray[np.int64], bool]:
    """Panoptic ids R + 256·G + 65536·B, int64 [h, w], and whether the file has one grey channel.

    A palette PNG is read by its colours. Of a grey one the values are given; what was RGB before it was reduced to grey of
    8 bits has 65793 times as large ids.

    Raises:
        InputError: no such file, damaged or no PNG, 16 bits a channel, transparent pixels.
    """
    name = name or str(file)
    png = read_png_samples(file, name, role="panoptic")
    if png.colour_type == 4:
        raise InputError(f"{name}: expected RGB, found {_channels(png)}. {MENDS['panoptic'].colours}")
    if png.colour_type == 0:
        return png.samples.astype(np.int64), True
    rgb = png.rgb().astype(np.int64)
    return rgb[..., 0] + 256 * rgb[..., 1] + 65536 * rgb[..., 2], False


def read_png_samples(file: Path | io.BytesIO | bytes, name: str, *, role: Role) -> LabelPng:
    """A PNG's samples as stored; checksums, size and the palette's range are checked.

    Alpha that hides nothing is left out of RGB.

    Raises:
        DataError (of truth) or InputError: no such file, damaged or no PNG, indices beyond the palette, transparent pixels, 16 bits a channel of several.
    """
    try:
        content = _content(file)
        colour_type, bits, palette = _header(content, name, role)
        samples = _decode(content, colour_type, bits)
    except FileNotFoundError as error:
        mend = "Unpack the data set again, or see: zgbench datasets check" if role == "truth" else MENDS[role].damaged
        raise _refusal(role)(f"{name}: no such file. {mend}") from error
    except InputError:
        raise
    except Exception as error:  # Pillow raises many kinds on damaged files
        raise _refusal(role)(f"{name}: not a readable PNG ({_said(error)}). {MENDS[role].damaged}") from error
    if colour_type == 6:
        if (samples[..., 3] != 255).any():
            raise _refusal(role)(f"{name}: found RGB with transparent pixels. {MENDS[role].colours}")
        samples = samples[..., :3]
    png = LabelPng(samples, colour_type, bits, palette)
    if palette is not None and int(samples.max()) >= len(palette):
        beyond = [int(i) for i in png.used() if i >= len(palette)]
        raise _refusal(role)(
            f"{name}: pixels hold the palette indices {beyond[:8]}, beyond the palette of {len(palette)} colour{'s' if len(palette) != 1 else ''}. {MENDS[role].beyond}"
        )
    return png


def _refusal(role: Role) -> type[InputError]:
    return DataError if role == "truth" else InputError


def _content(file: Path | io.BytesIO | bytes) -> bytes:
    if isinstance(file, bytes):
        return file
    if isinstance(file, io.BytesIO):
        return file.read()
    with file.open("rb") as opened:
        content = opened.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES >> 20} MiB")
    return content


def _header(content: bytes, name: str, role: Role) -> tuple[int, int, NDArray[np.uint8] | None]:
    """Colour type, bits and palette; the checksums are compared on the way.

    Pillow leaves out those of the pixels, and one wrong bit there can be another class.
    """
    if not content.startswith(SIGNATURE):
        found = next((kind for start, kind in _OTHERS.items() if content.startswith(start)), None)
        found = found or ("an empty file" if not content else "something else")
        lossy = " JPEG changes values, so it cannot hold labels." if found == "a JPEG" else ""
        raise _refusal(role)(
            f"{name}: not a readable PNG (it is {found}, whatever its name says).{lossy} {MENDS[role].damaged}"
        )
    at, kind = 8, b""
    chunks: dict[bytes, bytes] = {}
    while kind != b"IEND":
        length, kind = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        end = at + 8 + length
        if end + 4 > len(content):
            raise ValueError("cut off")
        if zlib.crc32(content[at + 4 : end]) != int.from_bytes(content[end : end + 4], "big"):
            raise ValueError("a checksum is wrong")
        if kind in (b"IHDR", b"PLTE", b"acTL"):
            if kind in chunks:
                raise ValueError(f"{kind.decode()} stands there twice")
            chunks[kind] = content[at + 8 : end]
        at = end + 4
    header = chunks.get(b"IHDR", b"")
    if len(header) != 13 or content[12:16] != b"IHDR":
        raise ValueError("it does not begin with its size")
    width, height = int.from_bytes(header[:4], "big"), int.from_bytes(header[4:8], "big")
    bits, colour_type = header[8], header[9]
    if bits not in _BITS.get(colour_type, ()):
        raise ValueError(f"colour type {colour_type} with {bits} bits")
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise _refusal(role)(
            f"{name}: {height} × {width} pixels, more than {MAX_PIXELS}. No picture of the data sets is as large."
        )
    if b"acTL" in chunks:
        raise _refusal(role)(f"{name}: an animated PNG; expected one picture. {MENDS[role].damaged}")
    if bits == 16 and colour_type != 0:
        raise _refusal(role)(f"{name}: found {COLOUR_TYPES[colour_type]} of 16 bits a channel. {MENDS[role].colours}")
    if colour_type != 3:
        return colour_type, bits, None
    raw = chunks.get(b"PLTE", b"")
    if not raw or len(raw) % 3 or len(raw) > 768:
        raise ValueError("a palette PNG without a sound palette")
    return colour_type, bits, np.frombuffer(raw, dtype=np.uint8).reshape(-1, 3)


def _decode(content: bytes, colour_type: int, bits: int) -> Values:
    from PIL import Image

    # other formats than PNG run code of their own: EPS starts Ghostscript
    with Image.open(io.BytesIO(content), formats=["PNG"]) as picture:
        samples: NDArray[Any] = np.asarray(picture)
    if bits == 16:
        return samples.astype(np.uint16)
    if colour_type == 0 and bits in (2, 4):
        return (samples // (255 // ((1 << bits) - 1))).astype(np.uint8)  # Pillow scales them up
    return samples.astype(np.uint8)


def _meaning(png: LabelPng, name: str, role: Role) -> NDArray[np.uint8] | None:
    """What each palette index stands for, uint8 [256]; None where it stands for itself."""
    assert png.palette is not None
    if np.array_equal(png.palette, voc_colours()[: len(png.palette)]):
        return None  # as the archive has it
    used = png.used()
    colours = png.palette[used].astype(np.int64)
    grey = (colours == colours[:, :1]).all(axis=1)
    voc = np.array([_voc_index().get(tuple(colour), -1) for colour in colours.tolist()])
    if (voc == used).all() or (grey.all() and (colours[:, 0] == used).all()):
        return None
    found = voc if (voc >= 0).all() else colours[:, 0] if grey.all() else None
    if found is None:
        strange = colours[(voc < 0) & ~grey] if ((voc < 0) & ~grey).any() else colours[voc < 0]
        shown = ", ".join(str(tuple(colour)) for colour in strange[:3].tolist())
        raise _refusal(role)(
            f"{name}: the palette is neither VOC's colour map nor grey (it has {shown}{', …' if len(strange) > 3 else ''}), and palette indices alone say "
            f"nothing: tools reorder them. {MENDS[role].palette}"
        )
    if len(np.unique(colours, axis=0)) < len(colours):
        raise _refusal(role)(
            f"{name}: several palette indices in use have one colour, so it cannot be told what they stand for. {MENDS[role].palette}"
        )
    table = np.zeros(256, dtype=np.uint8)
    table[used] = found
    return table


def _channels(png: LabelPng) -> str:
    equal = ""
    if png.samples.ndim == 3 and png.colour_type in (2, 6):
        same = (png.samples == png.samples[..., :1]).all()
        equal = ", all three channels equal: keep one" if same else ""
    return f"{COLOUR_TYPES[png.colour_type]}{equal}"


def _said(error: Exception) -> str:
    """An error's text as it may be printed; it can quote the file."""
    text = str(error)[:120] or type(error).__name__
    return text if text.isprintable() else ascii(text)[1:-1]
