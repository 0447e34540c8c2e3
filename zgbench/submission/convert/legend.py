"""Maps whose colours mean labels, with a legend that says which."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zgbench.datasets.label_png import voc_colours
from zgbench.errors import InputError, UsageError
from zgbench.storage.csv_table import read_csv
from zgbench.storage.text import read_json, read_text
from zgbench.submission.convert.label_files import class_names
from zgbench.submission.problems import quote

Colour = tuple[int, int, int]
VOC_LEGEND = "pas20"
_NOWHERE = ("background", "void", "unlabeled", "unlabelled", "ignore")


def read_legend(given: str) -> dict[Colour, str]:
    """Colour → label.

    Files: JSON ``{label: [r, g, b]}`` or ``{"#rrggbb": label}``; CSV with the columns label, r, g, b, or label and
    color (``#rrggbb``); CVAT's ``labelmap.txt`` (``label:r,g,b::``). ``pas20``: VOC's own colours. Black lies in no segment,
    nor does what the legend calls background, void, unlabelled or ignore.

    Raises:
        UsageError, InputError: no such file, or not of that form; one colour for two labels.
    """
    if given == VOC_LEGEND:
        colours = voc_colours().tolist()
        rows = [(name, tuple(colours[value])) for value, name in class_names("pas20").items()] + [
            ("void", tuple(colours[255]))
        ]
        return {colour: label for label, colour in rows}
    path = Path(given)
    if not path.is_file():
        raise UsageError(
            f"--legend {given}: there is no such file. Expected a .json, .csv or .txt file, or {VOC_LEGEND} for VOC's colours."
        )
    pairs = _pairs(path)
    found: dict[Colour, str] = {}
    for label, colour in pairs:
        if found.get(colour, label) != label:
            raise InputError(f"{path}: the colour {colour} stands for {quote(found[colour])} and for {quote(label)}.")
        found[colour] = label
    if not found:
        raise InputError(f"{path}: holds no colours.")
    return found


def values_of(
    rgb: NDArray[np.uint8], legend: Mapping[Colour, str], where: str
) -> tuple[NDArray[np.int32], dict[int, str]]:
    """A label map, int32 [h, w], 0 = in no segment, and the labels of its values, from colours, uint8 [h, w, 3].

    Raises:
        InputError: colours that the legend lacks.
    """
    codes = rgb[..., 0].astype(np.int64) << 16 | rgb[..., 1].astype(np.int64) << 8 | rgb[..., 2]
    present, inverse, counts = np.unique(codes, return_inverse=True, return_counts=True)
    table = np.zeros(len(present), dtype=np.int32)
    strange: list[tuple[Colour, int]] = []
    number = {label: place for place, label in enumerate(dict.fromkeys(legend.values()), start=1)}
    for place, code in enumerate(present.tolist()):
        colour = (code >> 16, code >> 8 & 255, code & 255)
        label = legend.get(colour)
        if label is None and colour != (0, 0, 0):
            strange.append((colour, int(counts[place])))
        elif label is not None and label.lower() not in _NOWHERE:
            table[place] = number[label]
    if strange:
        shown = ", ".join(f"{colour} ({n} pixels)" for colour, n in strange[:5])
        raise InputError(
            f"{where}: {len(strange)} colours that the legend lacks: {shown}{', …' if len(strange) > 5 else ''}. "
            "Add them, or save the map without smoothing and as PNG."
        )
    held = set(table.tolist())
    return table[inverse].reshape(codes.shape), {value: label for label, value in number.items() if value in held - {0}}


def _pairs(path: Path) -> list[tuple[str, Colour]]:
    suffix = path.suffix.lower()
    if suffix == ".json":
        content = read_json(path)
        if not isinstance(content, Mapping):
            raise InputError(f'{path}: expected {{label: [r, g, b]}} or {{"#rrggbb": label}}.')
        return [
            (str(value), _colour(key, f"{path}: {quote(key)}"))
            if isinstance(value, str) and key.startswith("#")
            else (key, _colour(value, f"{path}: {quote(key)}"))
            for key, value in content.items()
        ]
    if suffix in (".csv", ".tsv"):
        return _rows(path)
    if suffix == ".txt":
        found = []
        for number, line in enumerate(read_text(path).splitlines(), start=1):
            if line.strip() and not line.startswith("#"):
                label, _, rest = line.partition(":")
                found.append((label.strip(), _colour(rest.split(":")[0].split(","), f"{path}: line {number}")))
        return found
    raise UsageError(f"--legend {path}: expected a .json, .csv or .txt file.")


def _rows(path: Path) -> list[tuple[str, Colour]]:
    try:
        table = read_csv(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as a table ({quote(str(error), 120)[1:-1]}).") from error
    columns = {str(column).lower(): column for column in table.columns}
    label = next((columns[name] for name in ("label", "name", "class") if name in columns), None)
    whole = next((columns[name] for name in ("color", "colour", "hex") if name in columns), None)
    if label is None or not (whole or {"r", "g", "b"} <= set(columns)):
        raise InputError(
            f"{path}: expected the columns label, r, g, b (or label and color), found {quote(', '.join(map(str, table.columns)), 200)}."
        )
    return [
        (cells[label], _colour(cells[whole] if whole else [cells[columns[c]] for c in "rgb"], f"{path}: row {row}"))
        for row, cells in enumerate(table.to_dict("records"))
    ]


def _colour(value: Any, where: str) -> Colour:
    if isinstance(value, str) and re.fullmatch(r"#?[0-9a-fA-F]{6}", value):
        code = int(value.removeprefix("#"), 16)
        return code >> 16, code >> 8 & 255, code & 255
    try:
        if not isinstance(value, (list, tuple)) or len(value) != 3 or any(isinstance(v, (bool, float)) for v in value):
            raise ValueError
        r, g, b = (int(v) for v in value)
        if not all(0 <= v <= 255 for v in (r, g, b)):
            raise ValueError
    except (TypeError, ValueError):
        raise InputError(
            f"{where}: expected a colour, three whole numbers 0–255 or #rrggbb, found {quote(value)}."
        ) from None
    return r, g, b
