"""Counts and scores of drawn scenes, for the tests of the field's scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.oracle.slow_scorer import Scene
from zgbench.pixels.counts import Counts, ImageCounts
from zgbench.pixels.gathered import Gathered
from zgbench.protocol import Pixels
from zgbench.scores.families.united import Classes, United
from zgbench.scores.further import Further, statistics
from zgbench.scores.registry import FAMILY_OF
from zgbench.statistics.resampling import total


def counts_of(scenes: Sequence[Scene], labels: Sequence[Sequence[str]] | None = None) -> Counts:
    """N[s, c] and void pixels of scenes."""
    gathered = Gathered({str(k): k for k in range(len(scenes))})
    for k, scene in enumerate(scenes):
        place = np.full(scene.truth.shape, -1)
        for s, mask in enumerate(scene.masks):
            place[mask] = s
        found: dict[tuple[int, int], int] = {}
        void = np.zeros(len(scene.masks), dtype=np.int32)
        for s, c in zip(place.ravel().tolist(), scene.truth.ravel().tolist(), strict=True):
            if c >= 0:
                found[s, c] = found.get((s, c), 0) + 1
            elif s >= 0:
                void[s] += 1
        rows = np.array([(s, c, n) for (s, c), n in sorted(found.items())], dtype=np.int32).reshape(-1, 3).T
        names = list(labels[k]) if labels is not None else [f"label {c}" for c in scene.classes]
        height, width = scene.truth.shape
        gathered.add(ImageCounts(str(k), (height, width), names, None, *rows, void=void))
    return gathered.counts(sum(len(scene.masks) for scene in scenes))


def further_of(
    scenes: Sequence[Scene], classes: Sequence[int], background: Pixels = "count", *, similarity: np.ndarray | None = None,
    kinds: tuple[str, ...] = (), names: Sequence[str] = tuple(FAMILY_OF),
) -> Further:  # fmt: skip
    """Statistics of the further scores of a row whose segments have the scenes' classes."""
    about = Classes(len(classes), kinds, np.eye(len(classes)) if similarity is None else similarity)
    assigned = np.array([c for scene in scenes for c in scene.classes], dtype=np.int64)
    return statistics([United(counts_of(scenes), assigned, np.array(classes), background)], names, about)


def scores_of(scenes: Sequence[Scene], classes: Sequence[int], background: Pixels = "count", **about: object) -> dict[str, float]:  # fmt: skip
    """The scores themselves; arguments as of :func:`further_of`."""
    found = further_of(scenes, classes, background, **about)  # type: ignore[arg-type]
    return {name: float(value) for name, value in found.scores(total(found.per_image)).items()}
