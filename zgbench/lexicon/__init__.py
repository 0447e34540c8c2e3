"""The noun hierarchy of WordNet, the head phrase of a label, and LT: which class a free label means."""

from zgbench.lexicon.classes import ClassList
from zgbench.lexicon.decision import LEVELS, REASONS, Decision
from zgbench.lexicon.head import Phrase, Reading
from zgbench.lexicon.lexicon import Lexicon, load
from zgbench.lexicon.mapper import Mapper

__all__ = ["LEVELS", "REASONS", "ClassList", "Decision", "Lexicon", "Mapper", "Phrase", "Reading", "load"]
