"""The lexicon: WordNet, its hierarchy and the parser, made once."""

from __future__ import annotations

from functools import cache

from zgbench.lexicon.classes import ClassList
from zgbench.lexicon.head import Parser, Reading
from zgbench.lexicon.hierarchy import Hierarchy
from zgbench.lexicon.mapper import Mapper
from zgbench.lexicon.senses import Senses
from zgbench.lexicon.wordnet import NAME, wordnet


class Lexicon:
    """Reads labels and maps them to classes."""

    name = NAME

    def __init__(self) -> None:
        self.wordnet = wordnet()
        self.hierarchy = Hierarchy(self.wordnet)
        self.parser = Parser(self.hierarchy)
        self.senses = Senses(self.hierarchy, self.parser)

    @property
    def sha256(self) -> str:
        """Hash of the lexicon's content, hex."""
        return self.wordnet.sha256

    def read(self, label: str) -> Reading:
        """The head phrases of a label."""
        return self.parser.read(label)

    def mapper(self, classes: ClassList) -> Mapper:
        """A mapper to the classes of a list."""
        return Mapper(self.hierarchy, self.parser, self.senses, classes)


@cache
def load() -> Lexicon:
    """The lexicon that ships with zgbench."""
    return Lexicon()
