"""The decision for a noun, and for a noun phrase, by itself."""

from __future__ import annotations

from itertools import takewhile

from zgbench.lexicon.classes import ClassList
from zgbench.lexicon.compiled import Compiled
from zgbench.lexicon.decision import KIND, PART, Decision
from zgbench.lexicon.head import Phrase
from zgbench.lexicon.hierarchy import Hierarchy
from zgbench.lexicon.senses import Senses

_GENERIC_DEPTH = 6
"""Depth, in edges from the root, down to which a place or a notion is generic."""

_WIDE, _NARROW = 400, 50
"""Kinds from which a thing is a wide kind; below which it is of no kind, where it stands next to *artifact*: *thing*."""

BODIES = frozenset(
    f"noun.{domain}"
    for domain in ("animal", "artifact", "body", "food", "group", "object", "person", "plant", "substance")
)
"""Domains of what has a body of its own."""


class Nouns:
    """Decides nouns; remembers each."""

    def __init__(self, hierarchy: Hierarchy, senses: Senses, compiled: Compiled, classes: ClassList) -> None:
        self._hierarchy, self._senses, self._wordnet = hierarchy, senses, hierarchy.wordnet
        self.compiled = compiled
        self._names = dict(zip(classes.ids, classes.names, strict=True))
        self._words: dict[str, Decision] = {}

    def phrase(self, phrase: Phrase) -> Decision:
        """By the longest span of words that ends at the head and is a class name or a noun of WordNet."""
        joined = [n for n in phrase.nouns if "_" not in n and not phrase.words[-1].startswith(n[:2])]
        single = [n for n in phrase.nouns if "_" not in n and n not in joined]
        for start in range(len(phrase.words)):
            named = self.compiled.named_words(phrase.words[start:])
            if named is not None:
                return Decision(
                    named, self.compiled.name_level(phrase.words[start:]), word="_".join(phrase.words[start:])
                )
            size = len(phrase.words) - start
            lemmas = single if size == 1 else [n for n in phrase.nouns if n.count("_") + 1 == size]
            if size == 2:
                lemmas = lemmas + joined
            found = [self.word(lemma) for lemma in lemmas]
            if size > 1 and self._is_made_of(phrase.words[start:]):
                continue
            for decision in found:
                if decision.class_id is not None:
                    return decision
            if found and (size == 1 or not all(self._wordnet.is_instance(s) for s in self._wordnet.senses(lemmas[0]))):
                return next((d for d in found if d.reason != "not visible"), found[0])
        return self.word(phrase.nouns[0])

    def _is_made_of(self, words: tuple[str, ...]) -> bool:
        """Whether a collocation says what a class by name is made of: a *stone wall* is a wall, though WordNet has it as a fence."""
        first = self._senses.visible(words[0])[0][:1]
        senses = self._wordnet.senses("_".join(words))
        return (
            bool(first and senses)
            and self._hierarchy.is_kind(first[0], "material.n.01", "natural_object.n.01")
            and words[0] in self._wordnet.definition(senses[0])
            and self.compiled.named(words[-1]) is not None
        )

    def word(self, lemma: str) -> Decision:
        """The decision for a noun by itself, at level 0 to 3."""
        found = self._words.get(lemma)
        if found is None:
            found = self._words[lemma] = self._word(lemma)
        return found

    def _word(self, lemma: str) -> Decision:
        named = self.compiled.named_words(lemma.split("_"))
        if named is not None:
            return Decision(named, self.compiled.name_level(lemma.split("_")), word=lemma)
        senses, common = self._senses.visible(lemma)
        senses = senses + [s for s in self._wordnet.senses(lemma) if s not in senses and self.compiled.is_class(s)]
        best: tuple[tuple[int, int, int, int], Decision] | None = None
        for rank, synset in enumerate(senses):
            reached = self.compiled.reach(synset)
            if not reached and rank == 0:
                reached = self.compiled.by_members(synset) or self.compiled.by_definition(synset)
            if not reached:
                continue
            class_id = min(reached, key=lambda c: (reached[c], c))
            level = reached[class_id][0]
            if level == KIND and rank >= common:
                continue
            key = (int(rank >= common), level, self._unlike(lemma, class_id), rank)
            if best is None or key < best[0]:
                best = key, Decision(class_id, level, word=lemma, synset=synset)
        if best:
            return best[1]
        if not senses:
            return Decision(None, None, "not visible" if lemma in self._wordnet else "no noun", lemma)
        wholes = self.compiled.part_of(senses[0])
        if len(wholes) == 1:
            return Decision(wholes[0], PART, word=lemma, synset=senses[0])
        if not wholes and self._is_generic(senses[0]):
            return Decision(None, None, "generic", lemma, senses[0])
        return Decision(None, None, "ambiguous" if wholes else "outside", lemma, senses[0])

    def _is_generic(self, synset: int) -> bool:
        """Whether it stands so high that it says little: a wide kind of things, a thing of no kind, a place or a notion."""
        depth, domain = self._hierarchy.depth(synset), self._wordnet.domain(synset)
        if domain not in BODIES:
            return depth <= _GENERIC_DEPTH
        size = self._hierarchy.size(synset, _WIDE)
        return size >= _WIDE or (domain == "noun.artifact" and depth < _GENERIC_DEPTH and size < _NARROW)

    def _unlike(self, lemma: str, class_id: int) -> int:
        """How little the word looks like the class, where WordNet's order of its senses is arbitrary: *bike*, bicycle.

        A *salad bowl* is a bowl before it is a plate.
        """
        if self._senses.is_counted(lemma):
            return 0
        last = lemma.rpartition("_")[2]
        if last != lemma and self.compiled.named(last) == class_id:
            return -len(lemma)
        return -sum(
            1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(lemma, self._names[class_id], strict=False))
        )
