"""Real VOC images and submissions about them, for the benchmarks."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
from machine import not_measured

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
WORDS = ("cat", "dog", "a person", "some grass", "bus", "train", "furniture", "screen", "bottle", "boat")
WIDTH = 64


def need_images() -> None:
    """End with status 77 where the images are not at hand."""
    if not SHARED.is_dir():
        not_measured("real images: ../shared/data is not there")


class Stand:
    """Stands in for SBERT and CLIP: a fixed random direction for every text. Model time is not what is measured."""

    name = "stand-in"

    def encode(self, texts: list[str]) -> np.ndarray:
        rows = [np.random.RandomState(sum(map(ord, t)) % 2**31).standard_normal(WIDTH) for t in texts]
        found = np.stack(rows) + 1.0  # a common part, so that cosines are well above the thresholds
        return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)

    def encode_segments(self, photo: object, masks: np.ndarray) -> np.ndarray:
        raise AssertionError("the embeddings come with the submission")


def label_map(truth: np.ndarray) -> np.ndarray:
    """About 14 segments: the truth's own, cut out of a grid of 12. Class ids [h, w] → 1, 2, … [h, w]."""
    height, width = truth.shape
    grid = (np.arange(height)[:, None] * 3 // height) * 4 + np.arange(width)[None] * 4 // width
    _, numbers = np.unique(np.where(truth > 0, truth + 100, grid), return_inverse=True)
    return numbers.reshape(truth.shape) + 1


def make(path: Path, data: Path, key: str, ids: list[str], *, embeddings: bool = False) -> Path:
    """A submission about these images."""
    from zgbench import SubmissionWriter, open_dataset

    dataset = open_dataset(key, data)
    random = np.random.RandomState(0)
    with SubmissionWriter(path, name="bench", dataset=key) as writer:
        for image_id in ids:
            segments = label_map(dataset.source.truth(image_id).classes())
            n = int(segments.max())
            labels = [WORDS[random.randint(len(WORDS))] for _ in range(n)]
            vectors = random.standard_normal((n, WIDTH)) + 1 if embeddings else None
            writer.add(image_id, segments, labels, embeddings=vectors)
    return path


def rate(found: Any, path: Path) -> None:
    """A table of ratings: every segment, for each class that it was reassigned to."""
    counts, random = found.counts, np.random.RandomState(1)
    with path.open("w", newline="") as file:
        ratings = csv.writer(file)
        ratings.writerow(["image_id", "segment", "label", "rater", "score"])
        for reassigned in found.reassigned:
            for segment, image in enumerate(counts.owner):
                if not (chosen := int(reassigned.decision.class_id[segment])):
                    continue
                label = found.dataset.vocabulary.name(chosen)
                ratings.writerow([counts.ids[image], segment - counts.offsets[image], label, "r", random.randint(4)])
