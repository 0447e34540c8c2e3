"""Drawn data sets in the layout of each official archive, and one of one's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SIZE = (6, 8)
IDS = ("a", "b", "c")


def save(path: Path, pixels: Any) -> None:
    """A PNG of these values, or a JPEG or array by the path's ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npy":
        np.save(path, pixels)
    else:
        Image.fromarray(np.asarray(pixels)).save(path)


def photo(path: Path) -> None:
    save(path, np.full((*SIZE, 3), 90, dtype=np.uint8))


def stripes(*values: int) -> np.ndarray:
    """An int64 [6, 8] map of upright stripes, as wide as there is room."""
    return np.repeat(np.array(values), -(-SIZE[1] // len(values)))[: SIZE[1]][None].repeat(SIZE[0], axis=0)


def panoptic(folder: Path, name: str, images: dict[str, list[tuple[int, int]]], categories: list[Any] = []) -> None:  # noqa: B006
    """PNGs and JSON of COCO panoptic: for each image (segment id, category id) stripes, the last stripe black."""
    annotations = []
    for image_id, segments in images.items():
        ids = stripes(*(segment for segment, _ in segments), 0)
        rgb = np.stack((ids % 256, ids // 256 % 256, ids // 65536), axis=2).astype(np.uint8)
        save(folder / name / f"{image_id}.png", rgb)
        infos = [{"id": s, "category_id": c, "iscrowd": 0, "area": 1, "bbox": [0, 0, 1, 1]} for s, c in segments]
        annotations.append({"image_id": 1, "file_name": f"{image_id}.png", "segments_info": infos})
    content = {"images": [], "annotations": annotations, "categories": categories}
    (folder / f"{name}.json").write_text(json.dumps(content))


OWN = """format = "zgbench-dataset/1"
key = "mine"
title = "Three drawn pictures"
images = 3
photos = "photos/{id}.jpg"
citation = "nobody, nowhere"
licence = "CC0"

classes = [
    { id = 1, name = "cat", aliases = ["kitty"], synsets = ["cat.n.01"], kind = "thing" },
    { id = 2, name = "dog" },
    { id = 5, name = "grass-other", readable = "grass", kind = "stuff" },
]

[truth]
files = "masks/{id}.png"
background = [0]
void = [255]
"""


def own(folder: Path, text: str = OWN) -> Path:
    """A data set of one's own: pictures a, b and c of cat, dog, grass, background and void."""
    for k, image_id in enumerate(IDS):
        save(folder / f"masks/{image_id}.png", stripes(1, 2 if k else 1, 5, 0, 255).astype(np.uint8))
        photo(folder / f"photos/{image_id}.jpg")
    (folder / "dataset.toml").write_text(text, encoding="utf-8")
    return folder
