"""Makes demo.json: what a so-so method might say about ``mini``. It shows how a submission is written.

    python submissions/make_demo.py

The segments are mini's own truth, worsened: some merged, some cut in two, some shifted, some left out; the labels are
class names, synonyms, vague words or wrong. Everything follows from one seed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import zgbench
from zgbench.datasets import mini

VAGUE = ("object", "thing", "background", "something colourful", "scenery")


def labels_and_map(truth: np.ndarray, rng: np.random.RandomState) -> tuple[np.ndarray, dict[int, str]]:
    """A label map, int [h, w], 0 = in no segment, and a label for each of its values."""
    by_id = {c.id: c for c in mini.CLASSES}
    found = np.zeros(truth.shape, dtype=np.int64)
    labels: dict[int, str] = {}
    for class_id in rng.permutation(np.unique(truth)):
        kind = by_id[int(class_id)]
        mask = np.roll(truth == class_id, rng.randint(-3, 4, 2), axis=(0, 1))
        parts = [mask]
        if rng.rand() < 0.2:
            upper = np.arange(len(mask))[:, None] < np.median(np.nonzero(mask)[0])
            parts = [mask & upper, mask & ~upper]
        for part in parts:
            draw = rng.rand()
            if draw < 0.08 or not part.any():
                continue
            if draw < 0.16 and labels:
                value = max(labels)  # merged with the segment before
            else:
                value = len(labels) + 1
                words = rng.choice(kind.synonyms) if draw < 0.55 else kind.name
                wrong = rng.choice([c.name for c in mini.CLASSES])
                labels[value] = str(rng.choice(VAGUE) if draw > 0.94 else wrong if draw > 0.84 else words)
            found[part] = value
    shown = np.unique(found)
    return found, {value: label for value, label in labels.items() if value in shown}


def main() -> None:
    rng = np.random.RandomState(2023)
    dataset = zgbench.open_dataset("mini")
    about = {"description": "The truth, worsened at random. Made by submissions/make_demo.py."}
    target = Path(__file__).with_name("demo.json")
    with zgbench.SubmissionWriter(target, name="demo", dataset="mini", method=about) as submission:
        for image_id in dataset.ids:
            label_map, labels = labels_and_map(dataset.source.truth(image_id).classes(), rng)
            submission.add(image_id, label_map, labels)
    print(target)


if __name__ == "__main__":
    main()
