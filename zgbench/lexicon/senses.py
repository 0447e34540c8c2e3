"""Which senses of a noun a segment's label can have, and what a definition says besides the hierarchy."""

from __future__ import annotations

import re

from zgbench.lexicon.head import Parser
from zgbench.lexicon.hierarchy import Hierarchy
from zgbench.lexicon.words import PARTITIVES

_COMMON = 0.1
"""A sense is common when it is tagged at least this share of the commonest one's count."""

_COUNTED = 3
"""Tags that a word needs for WordNet's order of its senses to mean something."""

_MATERIAL = "material.n.01"

_LIVING = frozenset({"noun.animal", "noun.plant"})

_THINGS = frozenset({"noun.animal", "noun.artifact", "noun.food", "noun.plant", "noun.object", "noun.substance"})

_BORNE = frozenset("of on in to covers forms at under above".split())
"""Words of definitions that lead from a part to what bears it."""


class Senses:
    """Chooses senses by WordNet's counts, what can be seen, and fixed rules."""

    def __init__(self, hierarchy: Hierarchy, parser: Parser) -> None:
        self._hierarchy, self._wordnet, self._parser = hierarchy, hierarchy.wordnet, parser
        self._visible: dict[str, tuple[list[int], int]] = {}
        self._borne: dict[int, list[int]] = {}
        self._genera: dict[int, tuple[int, ...]] = {}

    def common(self, pairs: list[tuple[int, int]]) -> list[int]:
        """Of (sense, count) in sense order: the first, and those that are tagged nearly as often."""
        most = max((t for _, t in pairs), default=0)
        return [s for i, (s, t) in enumerate(pairs) if i == 0 or (t and t >= _COMMON * most)]

    def visible(self, lemma: str) -> tuple[list[int], int]:
        """The senses that can be seen, likeliest first, and how many of them are common.

        The order is WordNet's; where a word is hardly ever tagged that order is arbitrary, so all its things are common,
        stuff comes after them (*birch*), and persons behind (*monitor*, *stroller*).
        """
        found = self._visible.get(lemma)
        if found is None:
            found = self._visible[lemma] = self._find(lemma)
        return found

    def is_counted(self, lemma: str) -> bool:
        """Whether the word is tagged often enough for the order of its senses to mean something."""
        return max(self._wordnet.tags(lemma), default=0) >= _COUNTED

    def _find(self, lemma: str) -> tuple[list[int], int]:
        w, h = self._wordnet, self._hierarchy
        counts = dict(zip(w.senses(lemma), w.tags(lemma), strict=True))
        pairs = [(s, t) for s, t in counts.items() if not w.is_instance(s) and h.is_physical(s)]
        if not pairs:
            return [], 0
        if w.domain(pairs[0][0]) in _THINGS:  # a dog may be called a person, but a person is hardly shown as *dog*
            pairs = [(s, t) for s, t in pairs if w.domain(s) != "noun.person"]
        most = max(counts.values())
        if most < _COUNTED:
            solid = [s for s, _ in pairs if w.domain(s) in _THINGS]
            animal = any(w.domain(s) == "noun.animal" for s in solid)
            stuff = [s for s in solid if h.is_kind(s, _MATERIAL) or (animal and w.domain(s) == "noun.food")]
            things = [s for s in solid if s not in stuff] + stuff
            return [*things, *(s for s, _ in pairs if s not in things)], len(things) or len(pairs)
        common = self.common(pairs)
        if h.is_kind(common[0], _MATERIAL):  # an oak is a tree before it is its wood
            common = [s for s, _ in pairs if w.domain(s) in _LIVING and not h.is_kind(s, _MATERIAL)][:1] + common
        elif w.domain(common[0]) == "noun.food":  # and a duckling an animal before it is its meat
            common = [s for s, _ in pairs if w.domain(s) == "noun.animal"][:1] + common
        elif w.domain(common[0]) == "noun.group":  # and a church a building before it is its members
            common = [s for s, t in pairs if w.domain(s) == "noun.artifact" and t][:1] + common
        common = list(dict.fromkeys(common))
        if pairs[0][1] < _COMMON * most:
            common = []  # what can be seen is a rare meaning of the word
        return common + [s for s, _ in pairs if s not in common], len(common)

    def of_class(self, lemma: str, *, whole: bool) -> list[int]:
        """The senses of a class name. Where only the name's head is a noun (*traffic sign*), its signs belong to it as well."""
        w, h = self._wordnet, self._hierarchy
        senses, common = self.visible(lemma)
        chosen = senses[: max(common, 1)]
        first_solid = [s for s in senses if h.is_kind(s, "physical_entity.n.01", "group.n.01")]
        if not first_solid:
            return chosen
        chosen = [s for s in chosen if s in first_solid] or first_solid[:1]
        parents = {p for s in chosen for p in w.hypernyms(s)}
        chosen += [s for s in senses if s not in chosen and parents & set(w.hypernyms(s))]
        if not whole:
            stems = {x for s in chosen for x in self._stems(s)}
            chosen += [s for s in senses if s not in first_solid and stems & self._stems(s)]
        return chosen

    def _stems(self, synset: int) -> set[str]:
        words = re.findall("[a-z]{6,}", self._wordnet.definition(synset).lower())
        return {word[:6] for word in words}

    def same(self, synset: int) -> list[int]:
        """What a definition equates it with: *a human being*, *a piece of ground*, *all the plant life in a region*."""
        definition = self._wordnet.definition(synset).partition(";")[0]
        words = definition.split()
        if self._wordnet.domain(synset) == "noun.group" and words[:2] == ["all", "the"]:
            pass
        elif (
            not (" of " in definition and words[1:3] and words[1] in PARTITIVES)
            and "_".join(words[1:]) not in self._wordnet
        ):
            return []
        return self._find_genus(synset, same=False)

    def genus(self, synset: int) -> tuple[int, ...]:
        """What the definition says it is, where the hierarchy does not: *road* for lane; of the same domain."""
        found = self._genera.get(synset)
        if found is None:
            found = self._genera[synset] = tuple(self._find_genus(synset, same=True))
        return found

    def _find_genus(self, synset: int, *, same: bool) -> list[int]:
        w, h = self._wordnet, self._hierarchy
        reading = self._parser.read(w.definition(synset).partition(";")[0])
        found = []
        for phrase in reading.heads[:2]:
            senses = self.visible(phrase.nouns[0])[0]
            if (
                senses
                and not set(senses) & set(h.above(synset))
                and h.depth(senses[0]) > 2
                and (not same or w.domain(senses[0]) == w.domain(synset))
            ):
                found.append(senses[0])
        return found

    def borne_by(self, synset: int) -> list[int]:
        """What its definition names as bearer: *a hoop that covers a wheel*, *organ in higher plants*; and the wholes of that."""
        found = self._borne.get(synset)
        if found is None:
            found = []
            for phrase in self._parser.read(self._wordnet.definition(synset).partition(";")[0]).heads[:1]:
                for lead, other in phrase.context[:1]:
                    for bearer in self.visible(other.nouns[0])[0][:1]:
                        if lead in _BORNE and not self._hierarchy.is_kind(bearer, "person.n.01"):
                            found += [bearer, *self._hierarchy.wholes(bearer)]
            self._borne[synset] = found
        return found
