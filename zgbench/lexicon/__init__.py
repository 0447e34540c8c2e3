"""The noun hierarchy of WordNet, the head phrase of a label, and LT: which class a free label means."""

from zgbench.lexicon.classes import ClassList
from zgbench.lexicon.decision import KIN, KIND, LEVELS, NAME, PART, REASONS, SYNONYM, TEXT, Decision
from zgbench.lexicon.explanation import Explanation
from zgbench.lexicon.head import Phrase, Reading
from zgbench.lexicon.lexicon import Lexicon, load
from zgbench.lexicon.mapper import Mapper
from zgbench.lexicon.nearest import THRESHOLDS, Encode, NearestText

__all__ = [
    "KIN",
    "KIND",
    "LEVELS",
    "NAME",
    "PART",
    "REASONS",
    "SYNONYM",
    "TEXT",
    "THRESHOLDS",
    "ClassList",
    "Decision",
    "Encode",
    "Explanation",
    "Lexicon",
    "Mapper",
    "NearestText",
    "Phrase",
    "Reading",
    "load",
]
