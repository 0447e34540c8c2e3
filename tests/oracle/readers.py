"""Ground truth of the real images, read without zgbench."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import loadmat

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
VOC = SHARED / "VOCdevkit"


def ids(key: str) -> list[str]:
    """Images of the sample, in the order of its list."""
    place = "VOC2012/ImageSets/Segmentation" if key == "pas20" else "VOC2010/ImageSets/SegmentationContext"
    return (VOC / place / "val.txt").read_text().split()


def truth(key: str, image_id: str) -> np.ndarray:
    """Class id of every pixel, int64 [h, w]: 0 is no class, −1 counts nowhere."""
    if key == "pas20":
        values = np.array(Image.open(VOC / f"VOC2012/SegmentationClass/{image_id}.png")).astype(np.int64)
        values[values == 255] = -1
    elif key == "pc59":
        values = np.array(Image.open(VOC / f"VOC2010/SegmentationClassContext/{image_id}.png")).astype(np.int64)
    else:
        values = loadmat(str(SHARED / f"pascal-context/trainval/{image_id}.mat"))["LabelMap"].astype(np.int64)
        values[(values == 0) | (values == 431)] = -1
    return values
