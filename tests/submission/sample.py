"""A small sound submission for the drawn images of the fixture ``tiny_voc``, as plain values to be spoilt."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np

from tests.conftest import VOC_IDS
from tests.oracle.rle import compress


def sound() -> dict[str, Any]:
    """Three images, two segments each but for the last, which has none."""
    columns = np.arange(6)[None].repeat(4, axis=0)
    left, right = compress(columns < 2), compress(columns > 3)

    def image(image_id: str, segments: list[dict[str, str]]) -> dict[str, Any]:
        return {"id": image_id, "size": [4, 6], "segments": segments}

    both = [{"label": "plane", "counts": left}, {"label": "bicycle", "counts": right}]
    return {
        "format": "zgbench/1", "name": "my method", "dataset": "pas20", "track": "free",
        "method": {"description": "d", "url": "https://example.org", "text_guidance": False, "segmentation_labels": False},
        "images": [image(VOC_IDS[0], [dict(s) for s in both]), image(VOC_IDS[1], both), image(VOC_IDS[2], [])],
    }  # fmt: skip


def oracle() -> dict[str, Any]:
    """Labels for the truth's segments of the three images."""
    document = sound() | {"track": "oracle"}
    for k, image in enumerate(document["images"]):
        names = ["aeroplane", "bicycle", *(["dog"] if k else [])]
        image["segments"] = [{"label": f"a {name}", "class": name} for name in names]
    return document


def write(document: Any, path: Path) -> Path:
    """Write a value as JSON, gzipped if the name says so."""
    content = json.dumps(document).encode()
    path.write_bytes(gzip.compress(content) if path.name.endswith(".gz") else content)
    return path
