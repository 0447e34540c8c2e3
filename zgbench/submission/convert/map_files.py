"""Label maps from files: PNG, ``.npy``, ``.npz`` and TIFF; what a file claims is checked before anything of it is allocated."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from zgbench.datasets.label_png import MAX_PIXELS, Palette, read_label_png, read_png_samples
from zgbench.errors import InputError
from zgbench.storage.text import is_companion
from zgbench.submission.problems import quote

SUFFIXES = (".png", ".npy", ".npz", ".tif", ".tiff")
_LOSSY = (".jpg", ".jpeg", ".webp")
_TIFF_MODES = {"L": np.uint8, "I;16": np.uint16, "I;16B": np.uint16, "I": np.int64}


def map_files(folder: Path) -> list[Path]:
    """Files of label maps in a folder, or one below where it has none itself; companions of operating systems are passed over.

    Raises:
        InputError: none; pictures that cannot hold labels; two maps for one image.
    """
    try:
        here = sorted(path for path in folder.iterdir() if not is_companion(path.name))
        below = sorted(
            path for inner in here if inner.is_dir() for path in inner.iterdir() if not is_companion(path.name)
        )
    except OSError as error:
        raise InputError(f"{folder}: cannot be read ({error.strerror}).") from error
    for place in (here, below):
        found = [path for path in place if path.suffix.lower() in SUFFIXES and path.is_file()]
        if found:
            break
        lossy = [path for path in place if path.suffix.lower() in _LOSSY]
        if lossy:
            raise InputError(
                f"{lossy[0]}: JPEG and WebP change values, so they cannot hold labels. Save label maps as PNG."
            )
    else:
        kinds = sorted({path.suffix or path.name for path in here if path.is_file()})
        raise InputError(
            f"{folder}: holds no label maps ({', '.join(SUFFIXES)}){f', only {quote(kinds, 120)}' if kinds else ''}."
        )
    seen: dict[str, Path] = {}
    for path in found:
        if path.stem in seen:
            raise InputError(
                f"{path}: a second map of the image {quote(path.stem)}, beside {seen[path.stem]}. Keep one."
            )
        seen[path.stem] = path
    return found


def read_map(path: Path, palette: Palette) -> NDArray[Any]:
    """A label map, integer [h, w].

    Raises:
        InputError: not readable, or no label map.
    """
    suffix = path.suffix.lower()
    if suffix == ".png":
        return read_label_png(path, role="label map", palette=palette)
    if suffix in (".tif", ".tiff"):
        return _tiff(path)
    return as_map(read_npy(path) if suffix == ".npy" else _only(path), str(path))


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """Colours of a map, uint8 [h, w, 3], for a legend: of a PNG of any kind, or of an array or TIFF with three channels.

    Raises:
        InputError: not readable, or no colours.
    """
    suffix = path.suffix.lower()
    if suffix == ".png":
        png = read_png_samples(path, str(path), role="label map")
        if png.colour_type == 4 or png.bits == 16:
            raise InputError(f"{path}: expected colours of 8 bits. Save the map as RGB.")
        return png.rgb()
    values = (
        _tiff(path, colours=True)
        if suffix in (".tif", ".tiff")
        else read_npy(path)
        if suffix == ".npy"
        else _only(path)
    )
    if values.ndim != 3 or values.shape[2] != 3 or values.dtype != np.uint8:
        raise InputError(f"{path}: expected colours, uint8 [h, w, 3], found {values.dtype} {values.shape}.")
    return values


def read_npy(file: Path | IO[bytes], name: str | None = None) -> NDArray[Any]:
    """A plain array of numbers from a ``.npy`` file; never objects, whose reading would run code.

    Raises:
        InputError: no such file, objects, or larger than any map.
    """
    name = name or str(file)
    try:
        if isinstance(file, Path):
            with file.open("rb") as opened:
                return _npy(opened, name)
        return _npy(file, name)
    except InputError:
        raise
    except Exception as error:  # headers are Python literals; numpy raises many kinds on bad ones
        said = str(error)[:120]
        raise InputError(
            f"{name}: not a readable .npy file ({said if said.isprintable() else ascii(said)[1:-1]}). Write it with numpy.save."
        ) from error


def _npy(file: IO[bytes], name: str) -> NDArray[Any]:
    start = file.read(16)
    if start.startswith(b"\x80"):
        raise InputError(f"{name}: a pickle, which is not read: it could run code. Write the array with numpy.save.")
    file.seek(0)
    version = np.lib.format.read_magic(file)
    reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = reader(file, max_header_size=4096)
    if dtype.hasobject or dtype.kind not in "biuf" or dtype.itemsize > 8:
        raise InputError(f"{name}: holds {dtype}; expected whole numbers.")
    size = 1
    for side in shape:
        size *= int(side)
    if size > 3 * MAX_PIXELS or len(shape) > 4:
        raise InputError(f"{name}: shape {quote(shape)}, larger than any label map.")
    content = file.read(size * dtype.itemsize)
    if len(content) != size * dtype.itemsize:
        raise InputError(f"{name}: cut off ({len(content)} of {size * dtype.itemsize} bytes). Write the file again.")
    return np.frombuffer(content, dtype=dtype).reshape(shape, order="F" if fortran else "C")


def npz_maps(path: Path) -> Iterator[tuple[str, NDArray[Any]]]:
    """Names and arrays of a ``.npz`` file, one at a time.

    Raises:
        InputError: not readable.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if info.filename.endswith(".npy"):
                    with archive.open(info) as member:
                        shown = quote(info.filename)[1:-1]
                        yield info.filename.removesuffix(".npy"), read_npy(member, f"{path}[{shown}]")
    except InputError:
        raise
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        said = str(error)[:120]
        raise InputError(
            f"{path}: not a readable .npz file ({said if said.isprintable() else ascii(said)[1:-1]})."
        ) from error


def _only(path: Path) -> NDArray[Any]:
    found = list(npz_maps(path)) if len(npz_names(path)) == 1 else []
    if not found:
        raise InputError(f"{path}: expected one array, the label map; found {quote(npz_names(path), 200)}.")
    return found[0][1]


def npz_names(path: Path) -> list[str]:
    """Names of the arrays in a ``.npz`` file."""
    try:
        with zipfile.ZipFile(path) as archive:
            return [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        said = str(error)[:120]
        raise InputError(
            f"{path}: not a readable .npz file ({said if said.isprintable() else ascii(said)[1:-1]})."
        ) from error


def as_map(values: NDArray[Any], name: str) -> NDArray[Any]:
    """An array as a label map, integer [h, w]. Raises InputError: it is none."""
    if values.ndim == 3 and 1 in (values.shape[0], values.shape[2]):
        values = values[0] if values.shape[0] == 1 else values[..., 0]
    if values.ndim != 2:
        mend = (
            " For a map whose colours mean labels give a legend (--legend)."
            if values.ndim == 3 and values.shape[2] == 3
            else ""
        )
        raise InputError(f"{name}: expected a label map [h, w], found the shape {values.shape}.{mend}")
    if values.dtype.kind == "f":
        if (
            not np.isfinite(values).all()
            or (values != np.floor(values)).any()
            or np.abs(values, dtype=np.float64).max(initial=0) > 1 << 31
        ):
            raise InputError(
                f"{name}: holds {values.dtype} that are no whole numbers (from {values.min():g} to {values.max():g}). Save class ids or segment numbers, not scores."
            )
        values = values.astype(np.int64)
    if values.dtype == np.bool_:
        raise InputError(
            f"{name}: holds true and false; a label map has a number for each segment. Save it as integers."
        )
    return values


def _tiff(path: Path, *, colours: bool = False) -> NDArray[Any]:
    from PIL import Image

    try:
        with Image.open(path, formats=["TIFF"]) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise InputError(f"{path}: {picture.height} × {picture.width} pixels, more than {MAX_PIXELS}.")
            if getattr(picture, "n_frames", 1) != 1:
                raise InputError(f"{path}: {picture.n_frames} pages; expected one label map.")  # type: ignore[attr-defined]
            mode = picture.mode
            if mode == "RGB" and colours:
                return np.asarray(picture, dtype=np.uint8)
            if mode in _TIFF_MODES:
                return np.asarray(picture).astype(_TIFF_MODES[mode])
            if mode == "F":
                return as_map(np.asarray(picture), str(path))
    except InputError:
        raise
    except Exception as error:  # Pillow raises many kinds on damaged files
        said = str(error)[:120]
        raise InputError(
            f"{path}: not a readable TIFF ({said if said.isprintable() else ascii(said)[1:-1]}). Write the file again."
        ) from error
    raise InputError(
        f"{path}: expected one channel of 8, 16 or 32 bits, found mode {mode}. Save the map as grey of 8 or 16 bits; for colours that mean labels give a legend (--legend)."
    )
