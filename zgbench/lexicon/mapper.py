"""LT, lexical reassignment: from a reading and a class list to a class and the level at which it was reached."""

from __future__ import annotations

from collections.abc import Iterable

from zgbench.lexicon import morphology
from zgbench.lexicon.classes import ClassList
from zgbench.lexicon.compiled import Compiled
from zgbench.lexicon.decision import KIND, NAME, PART, SYNONYM, Decision
from zgbench.lexicon.head import Parser, Phrase, Reading
from zgbench.lexicon.hierarchy import Hierarchy

_GENERIC_DEPTH = 6
_CLEAR = 0.1
"""A sense is common when it is tagged at least this share of the commonest one's count."""


class Mapper:
    """Maps labels to the classes of a list. The decision for a label depends on nothing but the label and the list."""

    def __init__(self, hierarchy: Hierarchy, parser: Parser, classes: ClassList) -> None:
        self.classes = classes
        self._hierarchy, self._parser, self._wordnet = hierarchy, parser, hierarchy.wordnet
        self.compiled = Compiled(hierarchy, parser, classes)
        self._words: dict[str, Decision] = {}

    def decide(self, labels: Iterable[str]) -> list[Decision]:
        """A decision a label, in order; never raises on a label."""
        return [self.decide_reading(self._parser.read(label)) for label in labels]

    def decide_reading(self, reading: Reading) -> Decision:
        """The decision for a label that was read."""
        exact = self.compiled.named(reading.label)
        if exact is not None:
            return Decision(exact, NAME, word=reading.label)
        if not reading.heads:
            return Decision(None, None, "empty" if "noun" not in reading.reason else "no noun")
        if any(self.hedges(phrase) for phrase in reading.heads):
            return Decision(None, None, "hedged")
        found = [self._phrase(phrase) for phrase in reading.heads]
        reached = [d for d in found if d.class_id is not None]
        if len({d.class_id for d in reached}) > 1:
            return Decision(None, None, "hedged")
        if reached:
            return max(reached, key=lambda d: d.level or 0)
        return found[0]

    def hedges(self, phrase: Phrase) -> bool:
        """Whether the noun phrase strings up the names of three or more classes."""
        if len(phrase.words) < 3:
            return False
        return len({d.class_id for d in map(self.word, phrase.words) if d.class_id is not None and d.level in (NAME, SYNONYM)}) > 2

    def _phrase(self, phrase: Phrase) -> Decision:
        decision = self._noun_phrase(phrase)
        if decision.class_id is not None and decision.level in (NAME, SYNONYM, KIND):
            return self._agent(phrase, decision) or decision
        return self._part(phrase) or decision

    def _noun_phrase(self, phrase: Phrase) -> Decision:
        """By the longest span of words that ends at the head and is a class name or a noun of WordNet."""
        for start in range(len(phrase.words)):
            named = self.compiled.named(" ".join(phrase.words[start:]))
            if named is not None:
                return Decision(named, NAME, word="_".join(phrase.words[start:]))
            size = len(phrase.words) - start
            lemmas = [n for n in phrase.nouns if n.count("_") + 1 == size] if size > 1 else [n for n in phrase.nouns if "_" not in n]
            if size == 2:
                lemmas += [n for n in phrase.nouns if "_" not in n and not phrase.words[-1].startswith(n[:2])]
            for lemma in lemmas:
                decision = self.word(lemma)
                if decision.class_id is not None:
                    return decision
            if lemmas and size > 1 and not all(self._wordnet.is_instance(s) for s in self._wordnet.senses(lemmas[0])):
                return self.word(lemmas[0])
        return self.word(phrase.nouns[-1]) if not phrase.nouns else self.word(phrase.nouns[0])

    def word(self, lemma: str) -> Decision:
        """The decision for a noun by itself, at level 0 to 3."""
        found = self._words.get(lemma)
        if found is None:
            found = self._words[lemma] = self._word(lemma)
        return found

    def _word(self, lemma: str) -> Decision:
        named = self.compiled.named(lemma.replace("_", " "))
        if named is not None:
            return Decision(named, NAME, word=lemma)
        senses = self.senses(lemma)
        best: tuple[tuple[int, int, int, int], Decision] | None = None
        for rank, synset in enumerate(senses):
            for class_id, (level, distance) in self.compiled.reach(synset).items():
                key = (level, rank, distance, class_id)
                if best is None or key < best[0]:
                    best = key, Decision(class_id, level, word=lemma, synset=synset)
        if best:
            return best[1]
        if not senses:
            return Decision(None, None, "not visible" if lemma in self._wordnet else "no noun", lemma)
        if all(self._hierarchy.depth(s) <= _GENERIC_DEPTH for s in senses[:1]):
            return Decision(None, None, "generic", lemma, senses[0])
        wholes = self.compiled.part_of(senses)
        if len(wholes) == 1:
            return Decision(wholes[0][0], PART, word=lemma, synset=wholes[0][1])
        return Decision(None, None, "ambiguous" if wholes else "outside", lemma, senses[0])

    def senses(self, lemma: str) -> list[int]:
        """The senses that a segment's label can have, likeliest first: those that can be seen."""
        wordnet, hierarchy = self._wordnet, self._hierarchy
        synsets = [s for s in wordnet.senses(lemma) if not wordnet.is_instance(s) and hierarchy.is_physical(s)]
        if not synsets:
            return []
        figurative = wordnet.domain(synsets[0]) in ("noun.animal", "noun.food", "noun.plant", "noun.artifact")
        return [s for s in synsets if not (figurative and wordnet.domain(s) == "noun.person")]

    def _agent(self, phrase: Phrase, decision: Decision) -> Decision | None:
        """*person riding …* is a rider, *man on a motorcycle* a motorcyclist: the agent noun of the verb or of the mount."""
        assert decision.class_id is not None
        words = [base + ending for base in phrase.verbs for ending in ("er", "r", base[-1] + "er")]
        for lead, noun in phrase.context:
            if lead == "on":
                for word in noun.nouns:
                    words += [word + "er", word + "r", word + "ist", word[:-1] + "ist", word + "man"]
        for word in words:
            if word in self._wordnet:
                agent = self.word(word)
                if agent.class_id is not None and self.compiled.is_under(agent.class_id, decision.class_id):
                    return agent
        return None

    def _part(self, phrase: Phrase) -> Decision | None:
        """The class of the whole that is named beside its part: *mirror of a car*, *bike tire*."""
        beside = [(None, word) for word in phrase.words[:-1]]
        for _, word in beside:
            for lemma in morphology.noun(word, self._wordnet)[:1]:
                found = self._within(phrase, self.word(lemma))
                if found:
                    return found
        for lead, other in phrase.context[:1]:
            if lead in ("of", "on", "from"):
                found = self._within(phrase, self._noun_phrase(other))
                if found:
                    return found
        return None

    def _within(self, phrase: Phrase, whole: Decision) -> Decision | None:
        if whole.class_id is None or whole.level not in (NAME, SYNONYM, KIND):
            return None
        for lemma in phrase.nouns:
            for synset in self.senses(lemma):
                if self.compiled.fits(synset, whole.class_id):
                    return Decision(whole.class_id, PART, word=lemma, synset=synset)
        return None
