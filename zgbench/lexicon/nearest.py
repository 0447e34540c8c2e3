"""The fallback of LT: what the lexicon does not settle goes to the nearest text over readable names and aliases."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zgbench.lexicon.classes import ClassList
from zgbench.lexicon.decision import SETTLED, TEXT, Decision
from zgbench.lexicon.head import Reading

Encode = Callable[[Sequence[str]], NDArray[Any]]
"""Texts → float32 [n, d], rows of length 1."""

THRESHOLDS = {"all-MiniLM-L6-v2": 0.65, "all-mpnet-base-v2": 0.65}
"""Text model → cosine from which its nearest text decides; chosen on labels that people mapped."""


class NearestText:
    """Nearest text by cosine, float32. Ties go to the lowest class id."""

    def __init__(self, classes: ClassList, encode: Encode, threshold: float) -> None:
        self._texts = sorted(classes.texts(), key=lambda pair: pair[1])
        self._encode, self.threshold = encode, threshold
        self._vectors = np.asarray(encode([text for text, _ in self._texts]), dtype=np.float32)

    def decide(self, readings: Iterable[Reading], decisions: Iterable[Decision], max_level: int = 3) -> list[Decision]:
        """The decisions up to ``max_level``; where the lexicon left it open, the nearest text at or above the threshold."""
        readings, result = list(readings), list(decisions)
        open_ = [i for i, d in enumerate(result) if is_open(d, max_level)]
        texts = sorted({text_of(readings[i]) for i in open_})
        if not texts:
            return [
                d if d.level is None or d.level <= max_level else Decision(None, None, "outside", d.word)
                for d in result
            ]
        cosines = np.asarray(self._encode(texts), dtype=np.float32) @ self._vectors.T
        best = dict(
            zip(texts, zip(cosines.argmax(axis=1).tolist(), cosines.max(axis=1).tolist(), strict=True), strict=True)
        )
        for i in open_:
            at, cosine = best[text_of(readings[i])]
            found = result[i]
            if cosine >= self.threshold:
                result[i] = Decision(self._texts[at][1], TEXT, word=self._texts[at][0])
            elif found.class_id is not None:
                result[i] = Decision(None, None, "outside", found.word)
        return result

    def nearest(self, reading: Reading, count: int = 5) -> list[tuple[str, int, float]]:
        """The nearest texts, their class ids and cosines."""
        cosines = (np.asarray(self._encode([text_of(reading)]), dtype=np.float32) @ self._vectors.T)[0]
        order = np.argsort(-cosines, kind="stable")[:count].tolist()
        return [(*self._texts[i], float(cosines[i])) for i in order]


def is_open(decision: Decision, max_level: int = 3) -> bool:
    """Whether the nearest text may decide."""
    if decision.class_id is not None:
        return decision.level is not None and decision.level > max_level
    return decision.reason not in SETTLED


def text_of(reading: Reading) -> str:
    """What is shown to the text encoder: the label as it is."""
    return reading.label
