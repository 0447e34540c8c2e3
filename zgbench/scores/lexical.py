"""LT, lexical reassignment: a label's head noun, its place in WordNet, and the class above it; never the truth.

Where the lexicon leaves a label open, the nearest text over readable names and aliases may decide, at a threshold of
its own. A decision depends on the label and the class list alone.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from zgbench import lexicon
from zgbench.datasets import Vocabulary
from zgbench.encoders import TextEncoder
from zgbench.errors import ModelUnavailable
from zgbench.lexicon.decision import KIN
from zgbench.lexicon.nearest import THRESHOLDS, NearestText
from zgbench.scores.label_quality import LabelQuality
from zgbench.scores.reassignment import Decision, distinct_labels

RULES = 1
"""Version of the rules by which a label is read and a class found; one that gives other classes is a new one."""
NO_CLASS = -1
"""Level of a label that no class of the list fits."""


def class_list(vocabulary: Vocabulary) -> lexicon.ClassList:
    """The classes of a vocabulary as the lexicon sees them."""
    return lexicon.ClassList.of(
        vocabulary.readable or vocabulary.names, vocabulary.ids, vocabulary.also or None, vocabulary.synsets or None
    )


@dataclass(frozen=True)
class Lexical:
    """LT for one class list.

    Attributes:
        text: decides what the lexicon leaves open; None for the lexicon alone.
    """

    vocabulary: Vocabulary
    text: TextEncoder | None = None

    @cached_property
    def mapper(self) -> lexicon.Mapper:
        """The lexicon, compiled for the class list."""
        return lexicon.load().mapper(class_list(self.vocabulary))

    @property
    def name(self) -> str:
        """Lexicon, rules and class list, in the signature."""
        found = lexicon.load()
        classes = hashlib.sha256(repr(self.mapper.classes).encode()).hexdigest()[:8]
        return f"{found.name}@{found.sha256[:8]},rules={RULES},classes={classes}"

    @property
    def threshold(self) -> float:
        """Cosine from which the nearest text decides; chosen for each text model on labels that people mapped."""
        model = self.text.name.partition("@")[0] if self.text is not None else ""
        return THRESHOLDS.get(model, max(THRESHOLDS.values()))

    @property
    def fallback(self) -> str:
        """The nearest text, in the signature; empty without one."""
        return f"text={self.text.name}>={self.threshold:g}" if self.text is not None else ""

    def nearest(self) -> NearestText | None:
        """What decides where the lexicon does not.

        Raises:
            ModelUnavailable: the text model cannot be had.
        """
        if self.text is None:
            return None
        return NearestText(self.mapper.classes, self.text.encode, self.threshold)

    def decide(self, labels: Sequence[str]) -> list[lexicon.Decision]:
        """A decision a label, in order, the nearest text behind the lexicon where there is one."""
        found = self.mapper.decide(labels)
        nearest = self.nearest()
        if nearest is None:
            return found
        read = lexicon.load().read
        return nearest.decide([read(label) for label in labels], found, max_level=KIN)

    def of_segments(self, labels: tuple[str, ...]) -> tuple[Decision, LabelQuality]:
        """T* and level of every segment, and what the distinct labels are like."""
        distinct, inverse = distinct_labels(labels)
        found = self.decide(distinct)
        classes = np.array([d.class_id or 0 for d in found], dtype=np.int64)
        levels = np.array([NO_CLASS if d.level is None else d.level for d in found], dtype=np.int8)
        reasons = Counter(d.reason for d in found if d.class_id is None)
        quality = LabelQuality(
            len(distinct), reasons["generic"], reasons["hedged"], len(distinct) - int((classes > 0).sum())
        )
        return Decision(classes[inverse], np.ones(len(labels), dtype=np.float32), levels[inverse]), quality


def with_text(vocabulary: Vocabulary, text: TextEncoder) -> tuple[Lexical, str]:
    """LT with the nearest text behind it, or without where its model cannot be had; and why not, else ""."""
    try:
        text.encode(["one"])
    except ModelUnavailable as error:
        return Lexical(vocabulary), str(error)
    return Lexical(vocabulary, text), ""
