"""Label PNGs: what lies in the file is what is read, in every colour type and bit depth, or the message says why not."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.oracle.png import png, voc_colour
from zgbench.datasets.label_png import read_ids_png, read_label_png, voc_colours
from zgbench.errors import DataError, InputError

VOC = [voc_colour(index) for index in range(256)]
GREY = [(value, value, value) for value in range(256)]


def drawn(bits: int, seed: int = 0) -> np.ndarray:
    return np.random.RandomState(seed).randint(0, 1 << bits, (5, 11))


def test_the_colour_map_is_the_development_kits() -> None:
    assert [tuple(colour) for colour in voc_colours().tolist()] == VOC
    assert VOC[1] == (128, 0, 0) and VOC[20] == (0, 64, 128) and VOC[255] == (224, 224, 192)


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize(
    ("colour_type", "bits"), [(0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (3, 1), (3, 2), (3, 4), (3, 8)]
)
def test_values_are_as_stored(colour_type: int, bits: int, interlaced: bool) -> None:
    stored = drawn(bits)
    for palette in (VOC, GREY) if colour_type == 3 else (None,):
        content = png(stored, colour_type, bits, palette and palette[: 1 << bits], interlaced=interlaced)
        found = read_label_png(content, "a.png")
        assert (found == stored).all()
        assert found.dtype == (np.uint16 if bits == 16 else np.uint8)


@pytest.mark.parametrize("colours", [VOC, GREY], ids=["voc", "grey"])
@given(st.randoms(use_true_random=False), st.lists(st.integers(0, 255), min_size=1, max_size=16, unique=True))
@settings(max_examples=40, deadline=None)
def test_a_palette_in_another_order_says_the_same(colours: Any, random: Any, classes: list[int]) -> None:
    """What lossless optimisers do: the colours in use, in any order, at the least bit depth."""
    # black, white and a few greys are VOC's as well (128: class 7); a palette of nothing else is VOC's
    assume(colours is VOC or any(colours[value] not in VOC and value != 255 for value in classes))
    order = random.sample(classes, len(classes))
    bits = next(b for b in (1, 2, 4, 8) if len(order) <= 1 << b)
    indices = np.array([[random.randrange(len(order)) for _ in range(7)] for _ in range(3)])
    content = png(indices, 3, bits, [colours[value] for value in order])
    assert (read_label_png(content, "a.png") == np.array(order)[indices]).all()


def test_white_is_void_as_many_tools_draw_it() -> None:
    palette = [VOC[0], VOC[15], (255, 255, 255)]
    assert read_label_png(png(np.array([[0, 1, 2]]), 3, 2, palette), "a.png").tolist() == [[0, 15, 255]]


def test_transparency_changes_no_value() -> None:
    stored = drawn(4)
    for colour_type, palette, body in ((3, VOC[:16], bytes(range(0, 160, 10))), (0, None, b"\0\3")):
        content = png(stored, colour_type, 4, palette, chunks=[(b"tRNS", body), (b"gAMA", b"\0\0\xb1\x8f")])
        assert (read_label_png(content, "a.png") == stored).all()


ONE = np.array([[0, 1, 2]])
JPEG = io.BytesIO()
Image.new("RGB", (4, 4)).save(JPEG, "JPEG")
REFUSED: dict[str, tuple[bytes, str]] = {
    "beyond the palette": (png(ONE, 3, 2, VOC[:2]), r"palette indices \[2\], beyond the palette of 2 colours"),
    "one bit, one colour": (png(ONE % 2, 3, 1, VOC[:1]), r"indices \[1\], beyond the palette of 1 colour\."),
    "another palette": (png(ONE, 3, 2, [(0, 0, 0), (1, 2, 3), (9, 9, 9)]), r"neither VOC's colour map nor grey \(it has \(1, 2, 3\)\)"),
    "grey mixed with VOC": (png(ONE, 3, 2, [(0, 0, 0), (128, 0, 0), (9, 9, 9)]), "neither VOC's colour map nor grey"),
    "one colour twice": (png(ONE, 3, 2, [(0, 0, 0)] * 3), "several palette indices in use have one colour"),
    "no palette": (png(ONE, 3, 2), "without a sound palette"),
    "an empty palette": (png(ONE, 3, 2, []), "without a sound palette"),
    "RGB": (png(np.arange(9).reshape(1, 3, 3), 2, 8), "found RGB. Colour pictures of the truth"),
    "RGB, three equal channels": (png(np.repeat(ONE[..., None], 3, 2), 2, 8), "all three channels equal: keep one"),
    "RGB of 16 bits": (png(np.repeat(ONE[..., None], 3, 2), 2, 16), "RGB of 16 bits a channel"),
    "grey with alpha": (png(np.repeat(ONE[..., None], 2, 2), 4, 8), "found grey with alpha"),
    "RGB with alpha": (png(np.full((2, 2, 4), 255), 6, 8), "found RGB with alpha"),
    "RGB, transparent": (png(np.full((2, 2, 4), 9), 6, 8), "RGB with transparent pixels"),
    "a JPEG": (JPEG.getvalue(), "it is a JPEG, whatever its name says.*JPEG changes values"),
    "a GIF": (b"GIF89a", "it is a GIF"),
    "a pointer": (b"version https://git-lfs.github.com/spec/v1", "git lfs pull"),
    "an error page": (b"<!doctype html>", "a page of text"),
    "empty": (b"", "an empty file"),
    "cut off": (png(ONE, 0, 8)[:-20], "cut off"),
    "one bit flipped": (png(ONE, 0, 8).replace(b"IDAT\x78", b"IDAT\x79"), "a checksum is wrong"),
    "animated": (png(ONE, 0, 8, chunks=[(b"acTL", bytes(8))]), "an animated PNG"),
    "3 bits": (png(ONE, 0, 3), "colour type 0 with 3 bits"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_says_no_labels_is_refused_by_name(kind: str) -> None:
    content, says = REFUSED[kind]
    with pytest.raises(DataError, match=says) as raised:
        read_label_png(content, "truth.png")
    assert str(raised.value).startswith("truth.png: ")


def test_the_mend_fits_what_the_file_is_for(tmp_path: Path) -> None:
    content = REFUSED["RGB"][0]
    with pytest.raises(InputError, match=r"use the archive's own files\.$"):
        read_label_png(content, "a.png")
    with pytest.raises(InputError, match=r"one channel of 8 or 16 bits \(Pillow's mode L or I;16\).*--legend"):
        read_label_png(content, "a.png", role="label map")
    with pytest.raises(InputError, match=r"no such file. Unpack the data set again"):
        read_label_png(tmp_path / "a.png")
    with pytest.raises(InputError, match="--palette index"):
        read_label_png(REFUSED["another palette"][0], "a.png", role="label map")


def test_indices_are_taken_when_told() -> None:
    assert (read_label_png(REFUSED["another palette"][0], "a.png", palette="index") == ONE).all()
    with pytest.raises(InputError, match="beyond the palette"):
        read_label_png(REFUSED["beyond the palette"][0], "a.png", palette="index")


@pytest.mark.parametrize("interlaced", [False, True])
def test_panoptic_ids(interlaced: bool) -> None:
    """The same picture as RGB, with alpha, and reduced to a palette by an optimiser."""
    ids = np.array([[0, 7, 70_000], [7, 16_777_215, 0]])
    rgb = np.stack([ids % 256, ids // 256 % 256, ids // 65536], axis=-1)
    colours, indices = np.unique(rgb.reshape(-1, 3), axis=0, return_inverse=True)
    pictures = [
        png(rgb, 2, 8, interlaced=interlaced),
        png(np.dstack([rgb, np.full(ids.shape, 255)]), 6, 8, interlaced=interlaced),
        png(indices.reshape(ids.shape), 3, 2, colours.tolist(), interlaced=interlaced),
    ]
    for content in pictures:
        found, grey = read_ids_png(content, "a.png")
        assert (found == ids).all() and not grey
    found, grey = read_ids_png(png(ids % 60_000, 0, 16), "a.png")
    assert (found == ids % 60_000).all() and grey
    for kind in ("RGB, transparent", "RGB of 16 bits", "grey with alpha"):
        with pytest.raises(InputError, match=r"Panoptic PNGs hold id = R"):
            read_ids_png(REFUSED[kind][0], "a.png")


def test_every_real_truth_is_read_as_pillow_reads_it(shared_data: Path) -> None:
    files = sorted(shared_data.glob("VOCdevkit/VOC201*/Segmentation*Cl*/*.png"))
    assert len(files) > 300
    for file in files[::7]:
        assert (read_label_png(file) == np.asarray(Image.open(file))).all()
