"""The nouns of WordNet 3.1: senses, hypernyms, wholes of parts, glosses; read from the file that ``build`` makes."""

from __future__ import annotations

import hashlib
import io
from functools import cache, cached_property
from importlib import resources
from typing import Any, BinaryIO

import numpy as np

NAME = "wordnet-3.1"

LEXFILES = (
    "adj.all", "adj.pert", "adv.all", "noun.Tops", "noun.act", "noun.animal", "noun.artifact", "noun.attribute",
    "noun.body", "noun.cognition", "noun.communication", "noun.event", "noun.feeling", "noun.food", "noun.group",
    "noun.location", "noun.motive", "noun.object", "noun.person", "noun.phenomenon", "noun.plant", "noun.possession",
    "noun.process", "noun.quantity", "noun.relation", "noun.shape", "noun.state", "noun.substance", "noun.time",
)  # fmt: skip
"""Lexicographer files by number (lexnames(5WN)): the broad domain of a synset."""


class WordNet:
    """The noun database (Miller 1995; Fellbaum 1998). Synsets are numbered 0 … n − 1 in file order.

    Loaded in about 0.1 s; the glosses are unpacked when first asked for.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._file = np.load(stream, allow_pickle=False)
        lemmas = self._text("lemmas")
        self.lemmas = lemmas
        self._keys: dict[str, int] = {}
        self._number = dict(zip(lemmas, range(len(lemmas)), strict=True))
        self._sense_of: list[int] = self._file["sense_of"].tolist()
        self._tags: list[int] = self._file["sense_tags"].tolist()
        self._sense_from = self._starts("sense")
        self._hypernym_of: list[int] = self._file["hypernym_of"].tolist()
        self._hypernym_from = self._starts("hypernym")
        self._lexfile: bytes = self._file["lexfile"].tobytes()
        self._instance: bytes = self._file["instance"].tobytes()
        self._wholes = {
            kind: (self._file[f"{kind}_of"].tolist(), self._starts(kind)) for kind in ("part", "member", "substance")
        }
        self.noun_exceptions = {p: b for line in reversed(self._text("noun_exceptions")) for p, b in [line.split(" ")]}
        self.verb_exceptions = {p: b for line in reversed(self._text("verb_exceptions")) for p, b in [line.split(" ")]}

    def _text(self, name: str) -> list[str]:
        lines: list[str] = self._file[name].tobytes().decode("ascii").split("\n")
        return lines

    def _starts(self, name: str) -> list[int]:
        starts: list[int] = np.concatenate(([0], np.cumsum(self._file[f"{name}_n"], dtype=np.int64))).tolist()
        return starts

    def __len__(self) -> int:
        return len(self._lexfile)

    def __contains__(self, lemma: str) -> bool:
        """Whether it is a noun: lower case, ``_`` between the words."""
        return lemma in self._number

    @cached_property
    def openers(self) -> frozenset[str]:
        """First words of collocations."""
        return frozenset(lemma.partition("_")[0] for lemma in self.lemmas if "_" in lemma)

    def senses(self, lemma: str) -> list[int]:
        """Synsets of a noun in WordNet's sense order; none for an unknown word."""
        i = self._number.get(lemma)
        return [] if i is None else self._sense_of[self._sense_from[i] : self._sense_from[i + 1]]

    def tags(self, lemma: str) -> list[int]:
        """How often each sense is tagged in the semantic concordance; WordNet's order of uncounted senses is arbitrary."""
        i = self._number.get(lemma)
        return [] if i is None else self._tags[self._sense_from[i] : self._sense_from[i + 1]]

    def hypernyms(self, synset: int) -> list[int]:
        """What it is a kind, or an instance, of."""
        return self._hypernym_of[self._hypernym_from[synset] : self._hypernym_from[synset + 1]]

    def is_instance(self, synset: int) -> bool:
        """Whether it is a single thing with a name, as a city is."""
        return bool(self._instance[synset])

    def wholes(self, synset: int, kind: str = "part") -> list[int]:
        """What it is a part (``part``), a member (``member``) or the stuff (``substance``) of."""
        values, starts = self._wholes[kind]
        return values[starts[synset] : starts[synset + 1]]  # type: ignore[no-any-return]

    @cached_property
    def _kinds(self) -> tuple[list[int], list[int]]:
        return self._inverse("hypernym")

    def kinds(self, synset: int) -> list[int]:
        """Its direct hyponyms."""
        values, starts = self._kinds
        return values[starts[synset] : starts[synset + 1]]

    @cached_property
    def _members(self) -> tuple[list[int], list[int]]:
        return self._inverse("member")

    def members(self, synset: int) -> list[int]:
        """What a group consists of: *tree* for *forest*, *person* for *people*."""
        values, starts = self._members
        return values[starts[synset] : starts[synset + 1]]

    def _inverse(self, name: str) -> tuple[list[int], list[int]]:
        """A relation read from its other end, as values and starts."""
        target = self._file[f"{name}_of"]
        source = np.repeat(np.arange(len(self)), self._file[f"{name}_n"])
        counts = np.bincount(target, minlength=len(self))
        starts: list[int] = np.concatenate(([0], np.cumsum(counts))).tolist()
        return source[np.argsort(target, kind="stable")].tolist(), starts

    def domain(self, synset: int) -> str:
        """Its lexicographer file, as ``noun.animal``."""
        return LEXFILES[self._lexfile[synset]]

    @cached_property
    def _words(self) -> tuple[list[int], list[int]]:
        return self._file["word_of"].tolist(), self._starts("word")

    def words(self, synset: int) -> list[str]:
        """Its lemmas, the commonest first."""
        values, starts = self._words
        return [self.lemmas[i] for i in values[starts[synset] : starts[synset + 1]]]

    @cached_property
    def _glosses(self) -> tuple[bytes, list[int]]:
        """All glosses, a newline behind each, and where each starts."""
        text = self._file["glosses"]
        ends = np.flatnonzero(text == ord("\n"))
        return text.tobytes(), [0, *(ends + 1).tolist(), len(text) + 1]

    def gloss(self, synset: int) -> str:
        """Definition and examples, as WordNet prints them."""
        text, starts = self._glosses
        return text[starts[synset] : starts[synset + 1] - 1].decode("ascii")

    def definition(self, synset: int) -> str:
        """The gloss without its examples."""
        return self.gloss(synset).partition('; "')[0].strip()

    def key(self, synset: int) -> str:
        """A readable name, as ``dog.n.01``: first lemma and number of the sense."""
        word = self.words(synset)[0]
        return f"{word}.n.{self.senses(word).index(synset) + 1:02d}"

    def synset(self, key: str) -> int:
        """The synset of a readable name. Raises KeyError when there is none."""
        known = self._keys.get(key)
        if known is not None:
            return known
        lemma, _, rank = key.rpartition(".n.")
        found = self.senses(lemma)
        if not rank.isdigit() or not 1 <= int(rank) <= len(found):
            raise KeyError(f"{NAME} has no noun synset {key!r}")
        self._keys[key] = found[int(rank) - 1]
        return self._keys[key]

    @cached_property
    def verbs(self) -> dict[str, int]:
        """Verb → how often it is tagged."""
        return self._tagged("verb")

    @cached_property
    def adjectives(self) -> dict[str, int]:
        """Adjective → how often it is tagged."""
        return self._tagged("adj")

    @cached_property
    def adverbs(self) -> dict[str, int]:
        """Adverb → how often it is tagged."""
        return self._tagged("adv")

    def _tagged(self, name: str) -> dict[str, int]:
        return dict(zip(self._text(f"{name}s"), self._file[f"{name}_tags"].tolist(), strict=True))

    @cached_property
    def sha256(self) -> str:
        """Hash of the content: every array with its name, in order of the names."""
        digest = hashlib.sha256()
        for name in sorted(self._file.files):
            array: Any = self._file[name]
            digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode() + array.tobytes())
        return digest.hexdigest()


@cache
def wordnet() -> WordNet:
    """The database that ships with zgbench, loaded once."""
    content = (resources.files("zgbench.lexicon") / "data" / "wordnet31.npz").read_bytes()
    return WordNet(io.BytesIO(content))  # arrays are unpacked when needed: no file is left open or shared by a fork
