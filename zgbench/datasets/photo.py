"""Photos, read in one place: what a camera or an editor left in a file beside the picture decides nothing but which way up.

Damaged metadata (EXIF, ICC, XMP, text) never costs a photo: it is passed over, and where the image library stumbles
over it, the photo is read without it. A damaged picture is refused.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from zgbench.errors import DataError

MAX_PIXELS = 1 << 27
"""Of a photo of one's own: 134 million, above what telephones take."""
_ORIENTATION = 0x0112
_TURNS = {
    2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE", 6: "ROTATE_270", 7: "TRANSVERSE",
    8: "ROTATE_90",
}  # fmt: skip
"""EXIF 2.32, tag Orientation → what turns the picture upright, as a name in Pillow's ``Transpose``."""


def decode(
    content: bytes,
    name: str,
    *,
    mend: str,
    formats: Sequence[str] = ("JPEG", "PNG"),
    upright: bool = False,
    max_pixels: int = MAX_PIXELS,
) -> Any:
    """A photo's file → PIL image in RGB, 8 bits a channel.

    Args:
        content: the file.
        name: of the file, for messages.
        mend: ends the message of a damaged one.
        formats: Pillow's names; others run code of their own (EPS starts Ghostscript).
        upright: turn it as its EXIF orientation says. Not for photos of data sets: their masks belong to the pixels
            as stored.
        max_pixels: more are refused before anything is unpacked.

    Raises:
        DataError: no picture, a damaged one, or too large.
    """
    first: Exception | None = None
    # Pillow warns of metadata that it cannot read; nobody needs to know
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for version in _versions(content):
            try:
                return _decoded(version, name, formats, upright, max_pixels)
            except DataError:
                raise
            except Exception as error:  # Pillow raises many kinds on damaged files
                first = first or error
    assert first is not None
    raise DataError(f"{name}: not a readable picture ({_said(first, formats)}). {mend}") from first


def to_rgb(image: Any) -> Any:
    """A PIL picture of any mode and depth → RGB, 8 bits; 16-bit greys are scaled, not cut off."""
    from PIL import Image

    if image.mode.startswith(("I", "F")):
        values = np.asarray(image, dtype=np.float64)
        top = 65535.0 if values.max(initial=0) > 255 else 255.0
        image = Image.fromarray((np.clip(values / top, 0, 1) * 255).astype(np.uint8))
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")  # as Pillow asks for, with a warning
    return image.convert("RGB")


def _decoded(content: bytes, name: str, formats: Sequence[str], upright: bool, max_pixels: int) -> Any:
    from PIL import Image

    with Image.open(io.BytesIO(content), formats=list(formats)) as picture:
        if picture.width * picture.height > max_pixels:
            raise DataError(
                f"{name}: {picture.height} × {picture.width} pixels, more than {max_pixels}. Give a smaller picture."
            )
        picture.load()
        turn = _turn(picture) if upright else None
        found = to_rgb(picture)
        return found.transpose(Image.Transpose[turn]) if turn else found


def _turn(picture: Any) -> str | None:
    """Which way up, None: as stored, or the metadata does not say it readably."""
    try:
        return _TURNS.get(picture.getexif().get(_ORIENTATION))
    except Exception:  # a parser of whatever a file holds
        return None


def _versions(content: bytes) -> Iterator[bytes]:
    """The file, then without its metadata but EXIF, then without all of it."""
    yield content
    for keep_exif in (True, False):
        bare = None
        if content.startswith(b"\x89PNG\r\n\x1a\n"):
            bare = _bare_png(content, keep_exif)
        elif content.startswith(b"\xff\xd8"):
            bare = _bare_jpeg(content, keep_exif)
        if bare is not None and bare != content:
            yield bare


def _bare_png(content: bytes, keep_exif: bool) -> bytes:
    kept = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"} | ({b"eXIf"} if keep_exif else set())
    found, at = [content[:8]], 8
    while at + 12 <= len(content):
        end = at + 12 + int.from_bytes(content[at : at + 4], "big")
        if content[at + 4 : at + 8] in kept:
            found.append(content[at:end])
        at = end
    return b"".join(found)


def _bare_jpeg(content: bytes, keep_exif: bool) -> bytes:
    """Without comments and APP1 … APP13 and APP15; APP0 (JFIF) and APP14 (Adobe) say how the colours are stored, if
    they are whole."""
    found, at = [content[:2]], 2
    while at + 4 <= len(content) and content[at] == 0xFF:
        marker, end = content[at + 1], at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        if marker == 0xDA:
            break
        exif = keep_exif and content[at + 4 : at + 10] == b"Exif\0\0"
        cut = marker in (0xE0, 0xEE) and end - at < 16
        if exif or not (cut or marker in {0xFE, *range(0xE1, 0xEE), 0xEF}):
            found.append(content[at:end])
        at = end
    return b"".join([*found, content[at:]])


def _said(error: Exception, formats: Sequence[str]) -> str:
    """An error's text as it may be printed; it can quote the file."""
    from PIL import UnidentifiedImageError

    if isinstance(error, UnidentifiedImageError):  # its text gives an address in memory
        return f"neither {' nor '.join(formats)}, or its beginning is damaged"
    text = str(error)[:120] or type(error).__name__
    return text if text.isprintable() else ascii(text)[1:-1]
