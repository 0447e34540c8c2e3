"""LT, lexical reassignment: from a reading and a class list to a class and the level at which it was reached."""

from __future__ import annotations

import re
from collections.abc import Iterable
from os.path import commonprefix

from zgbench.lexicon import morphology
from zgbench.lexicon.classes import ClassList
from zgbench.lexicon.compiled import Compiled
from zgbench.lexicon.decision import KIND, NAME, PART, SYNONYM, Decision
from zgbench.lexicon.head import Parser, Phrase, Reading
from zgbench.lexicon.hierarchy import Hierarchy
from zgbench.lexicon.senses import Senses

_GENERIC_DEPTH = 6
_DOING = re.compile(r"\bwho ([a-z]+)\b")


class Mapper:
    """Maps labels to the classes of a list. The decision for a label depends on nothing but the label and the list."""

    def __init__(self, hierarchy: Hierarchy, parser: Parser, senses: Senses, classes: ClassList) -> None:
        self.classes = classes
        self._hierarchy, self._parser, self._senses, self._wordnet = hierarchy, parser, senses, hierarchy.wordnet
        self.compiled = Compiled(hierarchy, parser, senses, classes)
        self._names = dict(zip(classes.ids, classes.names, strict=True))
        self._words: dict[str, Decision] = {}

    def decide(self, labels: Iterable[str]) -> list[Decision]:
        """A decision a label, in order; never raises on a label."""
        return self.decide_readings(map(self._parser.read, labels))

    def decide_readings(self, readings: Iterable[Reading]) -> list[Decision]:
        """As ``decide``, for labels that were read."""
        return [self._reading(reading) for reading in readings]

    def _reading(self, reading: Reading) -> Decision:
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
        """The head by its common senses; then as the part of what is named beside it; then by its rarer senses."""
        decision = self._noun_phrase(phrase)
        if decision.class_id is not None and decision.level in (NAME, SYNONYM, KIND) and self._is_sure(decision):
            return self._agent(phrase, decision) or decision
        part = self._part(phrase)
        if part or decision.class_id is not None:
            return part or decision
        return self._head_of_name(phrase) or decision

    def _is_sure(self, decision: Decision) -> bool:
        if decision.synset is None:
            return True
        senses, common = self._senses.visible(decision.word)
        return decision.synset in senses[:common]

    def _head_of_name(self, phrase: Phrase) -> Decision | None:
        """*light* for the class *traffic light*, where no other class ends in that word."""
        for lemma in phrase.nouns:
            if lemma in self.compiled.heads:
                return Decision(self.compiled.heads[lemma], SYNONYM, word=lemma)
        return None

    def _noun_phrase(self, phrase: Phrase) -> Decision:
        """By the longest span of words that ends at the head and is a class name or a noun of WordNet."""
        joined = [n for n in phrase.nouns if "_" not in n and not phrase.words[-1].startswith(n[:2])]
        single = [n for n in phrase.nouns if "_" not in n and n not in joined]
        for start in range(len(phrase.words)):
            named = self.compiled.named(" ".join(phrase.words[start:]))
            if named is not None:
                return Decision(named, NAME, word="_".join(phrase.words[start:]))
            size = len(phrase.words) - start
            lemmas = single if size == 1 else [n for n in phrase.nouns if n.count("_") + 1 == size]
            if size == 2:
                lemmas = lemmas + joined
            found = [self.word(lemma) for lemma in lemmas]
            for decision in found:
                if decision.class_id is not None:
                    return decision
            if found and (size == 1 or not all(self._wordnet.is_instance(s) for s in self._wordnet.senses(lemmas[0]))):
                return next((d for d in found if d.reason != "not visible"), found[0])
        return self.word(phrase.nouns[0])

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
        senses, common = self._senses.visible(lemma)
        counted = any(self._wordnet.tags(lemma))
        best: tuple[tuple[object, ...], Decision] | None = None
        for rank, synset in enumerate(senses):
            for class_id, (level, distance) in self.compiled.reach(synset).items():
                if level == KIND and rank >= common:
                    continue
                order = rank if counted else -len(commonprefix([lemma, self._names[class_id]]))
                key = (rank >= common, level, order, rank, distance, class_id)
                if best is None or key < best[0]:
                    best = key, Decision(class_id, level, word=lemma, synset=synset)
        if best:
            return best[1]
        if not senses:
            return Decision(None, None, "not visible" if lemma in self._wordnet else "no noun", lemma)
        wholes = self.compiled.part_of(senses[0])
        if len(wholes) == 1:
            return Decision(wholes[0], PART, word=lemma, synset=senses[0])
        if not wholes and self._hierarchy.depth(senses[0]) <= _GENERIC_DEPTH:
            return Decision(None, None, "generic", lemma, senses[0])
        return Decision(None, None, "ambiguous" if wholes else "outside", lemma, senses[0])

    def _agent(self, phrase: Phrase, decision: Decision) -> Decision | None:
        """*person riding …* is a rider, *man on a motorcycle* a motorcyclist, who rides: the agent noun of verb or mount."""
        assert decision.class_id is not None
        words = [base + ending for base in phrase.verbs for ending in ("er", "r", base[-1] + "er")]
        for lead, noun in phrase.context[:1]:
            if lead == "on":
                for word in noun.nouns:
                    words += [word + "er", word + "r", word + "ist", word[:-1] + "ist", word + "man"]
        words += [decision.word]
        for word in words:
            found = self._doer(word)
            if found and found.class_id is not None and self.compiled.is_under(found.class_id, decision.class_id):
                return found
        return None

    def _doer(self, lemma: str) -> Decision | None:
        """The noun, or the agent noun of what its definition says that it does."""
        if lemma not in self._wordnet:
            return None
        for synset in self._wordnet.senses(lemma)[:2]:
            doing = _DOING.search(self._wordnet.definition(synset))
            base = morphology.verb(doing[1], self._wordnet) if doing else None
            for ending in ("er", "r") if base else ():
                if (agent := f"{base}{ending}") in self._wordnet and self.compiled.named(agent) is not None:
                    return self.word(agent)
        return self.word(lemma)

    def _part(self, phrase: Phrase) -> Decision | None:
        """The class of the whole that is named beside its part: *mirror of a car*, *bike tire*."""
        for word in phrase.words[:-1]:
            for lemma in morphology.noun(word, self._wordnet)[:1]:
                found = self._within(phrase, self.word(lemma))
                if found:
                    return found
        for lead, other in phrase.context[:2]:
            if lead in ("of", "on", "from", "in"):
                whole = self._noun_phrase(other)
                found = self._within(phrase, whole) or (self._attached(phrase, whole) if lead in ("on", "of") else None)
                if found:
                    return found
        return None

    def _within(self, phrase: Phrase, whole: Decision) -> Decision | None:
        if whole.class_id is None or whole.level not in (NAME, SYNONYM, KIND):
            return None
        for lemma in phrase.nouns:
            for synset in self._senses.visible(lemma)[0]:
                if self.compiled.fits(synset, whole.class_id):
                    return Decision(whole.class_id, PART, word=lemma, synset=synset)
        return None

    def _attached(self, phrase: Phrase, whole: Decision) -> Decision | None:
        """*logo on a car*, *shirt on a man*: an attachment goes with the thing that bears it."""
        if whole.class_id is None or whole.level not in (NAME, SYNONYM, KIND):
            return None
        bearer = whole.synset if whole.synset is not None else next(iter(self.compiled.synsets[whole.class_id]), None)
        senses = self._senses.visible(phrase.nouns[0])[0]
        if bearer is None or not senses:
            return None
        kind = self._hierarchy.is_kind
        if kind(bearer, "vehicle.n.01") and kind(senses[0], "device.n.01", "covering.n.02", "structure.n.01", "surface.n.01", "container.n.01", "signal.n.01", "sign.n.02", "symbol.n.01", "part.n.02", "mechanism.n.05"):
            return Decision(whole.class_id, PART, word=phrase.nouns[0], synset=senses[0])
        if kind(bearer, "building.n.01") and kind(senses[0], "structure.n.01", "device.n.01", "covering.n.02", "signal.n.01"):
            return Decision(whole.class_id, PART, word=phrase.nouns[0], synset=senses[0])
        if kind(bearer, "person.n.01") and kind(senses[0], "clothing.n.01"):
            return Decision(whole.class_id, PART, word=phrase.nouns[0], synset=senses[0])
        return None
