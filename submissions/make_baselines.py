"""Makes three simple baselines for ``mini``: what a method should beat, and what a score says of saying nothing.

    python submissions/make_baselines.py

whole image     one segment that holds the whole image, called "object"
grid            a fixed grid of 4 × 4 cells, each called "object"
commonest       the truth's own segments, each called by the class that the training scenes show most often

Nothing here looks at the photos; the third looks at the truth's masks, and says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

import zgbench
from zgbench.datasets import mini

Segments = tuple[np.ndarray, dict[int, str]]
GENERIC = "object"
GRID = 4
TRAINING_SCENES = 1000


def whole_image(truth: np.ndarray) -> Segments:
    """A label map, int [h, w], with one segment."""
    return np.ones(truth.shape, dtype=np.int64), {1: GENERIC}


def grid(truth: np.ndarray) -> Segments:
    """A label map with equal cells."""
    height, width = truth.shape
    rows = np.arange(height)[:, None] * GRID // height
    columns = np.arange(width)[None, :] * GRID // width
    return rows * GRID + columns + 1, {k + 1: GENERIC for k in range(GRID * GRID)}


def commonest(truth: np.ndarray, name: str) -> Segments:
    """The truth's segments, all called the same."""
    values = np.unique(truth[truth > 0])
    found = np.searchsorted(values, truth) + 1
    return np.where(truth > 0, found, 0), {k + 1: name for k in range(len(values))}


def commonest_class() -> str:
    """The class that most of the training scenes show."""
    names = {c.id: c.name for c in mini.CLASSES}
    seen: Counter[int] = Counter()
    for index in range(TRAINING_SCENES):
        seen.update(np.unique(mini.scene("train", index).truth).tolist())
    return names[min(names, key=lambda c: (-seen[c], c))]


def main() -> None:
    name = commonest_class()
    baselines: dict[str, tuple[str, str, Callable[[np.ndarray], Segments]]] = {
        "baseline-whole-image": ("whole image, “object”", f"One segment an image, called “{GENERIC}”.", whole_image),
        "baseline-grid": (
            f"grid {GRID} × {GRID}, “object”",
            f"{GRID * GRID} equal cells, each called “{GENERIC}”.",
            grid,
        ),
        "baseline-commonest": (
            f"truth's masks, all “{name}”",
            "The truth's own masks (which no method has), called by the class that training scenes show most often.",
            lambda truth: commonest(truth, name),
        ),
    }
    dataset = zgbench.open_dataset("mini")
    for stem, (title, description, method) in baselines.items():
        target = Path(__file__).with_name(f"{stem}.parquet")
        about = {"description": f"{description} Made by submissions/make_baselines.py."}
        with zgbench.SubmissionWriter(target, name=title, dataset="mini", method=about) as submission:
            for image_id in dataset.ids:
                submission.add(image_id, *method(dataset.source.truth(image_id).classes()))
        print(target)


if __name__ == "__main__":
    main()
