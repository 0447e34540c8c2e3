"""Submissions as bad methods would make them, from the truth: merged, split, shifted, dropped, misnamed."""

from __future__ import annotations

import numpy as np

Segment = tuple[np.ndarray, str]
SYNONYMS = {
    "aeroplane": "airplane", "tvmonitor": "tv set", "sofa": "couch", "motorbike": "motorcycle", "person": "a man",
    "diningtable": "table", "pottedplant": "plant in a pot", "cow": "cattle", "boat": "a sailing boat", "car": "sports car",
}  # fmt: skip
VAGUE = ("thing", "object", "animal", "something blurry", "stuff", "indoor scene", "a photo")


def exact(truth: np.ndarray, names: dict[int, str]) -> list[Segment]:
    """The truth itself."""
    return [(truth == c, names[int(c)]) for c in np.unique(truth) if c > 0]


def synonyms(truth: np.ndarray, names: dict[int, str]) -> list[Segment]:
    """The truth's segments under other names."""
    return [(mask, SYNONYMS.get(label, label)) for mask, label in exact(truth, names)]


def worse(truth: np.ndarray, names: dict[int, str], rng: np.random.RandomState) -> list[Segment]:
    """Everything that goes wrong, at random; masks never overlap and are never empty."""
    segments = exact(truth, names)
    if len(segments) > 1 and rng.rand() < 0.3:  # merged
        (a, label), (b, _) = segments.pop(), segments.pop()
        segments.append((a | b, label))
    if rng.rand() < 0.4 and (truth <= 0).any():  # background and void taken for something
        segments.append((truth <= 0, str(rng.choice(list(names.values())))))
    pieces: list[Segment] = []
    for mask, label in segments:
        if rng.rand() < 0.35:  # split, both halves under labels of their own
            rows = np.arange(mask.shape[0])[:, None] < np.median(np.nonzero(mask)[0])
            pieces += [(mask & rows, label), (mask & ~rows, SYNONYMS.get(label, label))]
        else:
            pieces.append((mask, label))
    taken = np.zeros(truth.shape, dtype=bool)
    result = []
    for mask, label in pieces:
        if rng.rand() < 0.12:  # missing
            continue
        dy, dx = rng.randint(-12, 13, 2) if rng.rand() < 0.5 else (0, 0)
        moved = np.zeros_like(mask)
        h, w = mask.shape
        moved[max(dy, 0) : h + min(dy, 0), max(dx, 0) : w + min(dx, 0)] = mask[
            max(-dy, 0) : h + min(-dy, 0), max(-dx, 0) : w + min(-dx, 0)
        ]
        moved &= ~taken
        if not moved.any():
            continue
        taken |= moved
        draw = rng.rand()
        if draw < 0.15:
            label = str(rng.choice(list(names.values())))  # wrong
        elif draw < 0.27:
            label = str(rng.choice(VAGUE))
        elif draw < 0.45:
            label = SYNONYMS.get(label, f"a {label}")
        result.append((moved, label))
    return result
