"""LT, lexical reassignment: from a reading and a class list to a class and the level at which it was reached."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import takewhile

from zgbench.lexicon import morphology
from zgbench.lexicon.classes import ClassList
from zgbench.lexicon.compiled import Compiled
from zgbench.lexicon.decision import KIN, KIND, NAME, PART, SYNONYM, Decision
from zgbench.lexicon.explanation import Explanation
from zgbench.lexicon.head import Parser, Phrase, Reading
from zgbench.lexicon.hierarchy import Hierarchy
from zgbench.lexicon.nearest import NearestText
from zgbench.lexicon.senses import Senses

_GENERIC_DEPTH = 6

"""Depth, in edges from the root, down to which a place or a notion is generic."""

_WIDE, _NARROW = 400, 50
"""Kinds from which a thing is a wide kind; below which it is of no kind, where it stands next to *artifact*: *thing*."""

_BODIES = frozenset(
    {
        "noun.animal",
        "noun.artifact",
        "noun.food",
        "noun.object",
        "noun.person",
        "noun.plant",
        "noun.substance",
        "noun.body",
        "noun.group",
    }
)
_VEHICLES = ("conveyance.n.03",)
_FITTED = ("visual_signal.n.01", "source_of_illumination.n.01")
_BORNE = (
    ("conveyance.n.03", ("artifact.n.01", "communication.n.02")),
    ("building.n.01", ("structure.n.01", "device.n.01", "covering.n.02")),
    ("person.n.01", ("clothing.n.01",)),
)
_ALONE = ("conveyance.n.03", "container.n.01", "furniture.n.01", "way.n.06", "building.n.01", "weapon.n.01")
"""What stays a thing of its own wherever it is."""
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

    def explain(self, label: str, nearest: NearestText | None = None) -> Explanation:
        """How a label is read and decided, and what the nearest texts would say."""
        reading = self._parser.read(label)
        decision = self._reading(reading)
        way = (
            []
            if decision.synset is None or decision.class_id is None
            else self._way(decision.synset, decision.class_id)
        )
        wordnet = self._wordnet
        return Explanation(
            label=label,
            heads=tuple(" ".join(phrase.words) for phrase in reading.heads),
            context=tuple(f"{lead} {' '.join(o.words)}" for phrase in reading.heads[:1] for lead, o in phrase.context),
            word=decision.word,
            synset=None if decision.synset is None else wordnet.key(decision.synset),
            gloss=None if decision.synset is None else wordnet.gloss(decision.synset),
            path=tuple(wordnet.key(s) for s in way),
            level=decision.level,
            class_id=decision.class_id,
            class_name=None if decision.class_id is None else self._names[decision.class_id],
            reason=decision.reason,
            nearest=() if nearest is None else tuple(nearest.nearest(reading)),
        )

    def _way(self, synset: int, class_id: int) -> list[int]:
        """From the synset to the class: up, or from what it is a part of up."""
        targets = self.compiled.synsets[class_id]
        way = self._hierarchy.path(synset, targets)
        for whole in () if way else self._hierarchy.wholes(synset):
            up = self._hierarchy.path(whole, targets)
            if up:
                return [synset, *up]
        return way

    def _reading(self, reading: Reading) -> Decision:
        exact = self.compiled.named(reading.label)
        if exact is not None:
            return Decision(exact, NAME, word=reading.label)
        lemma = reading.label.strip().lower().replace(" ", "_")
        if lemma in self._wordnet and (whole := self.word(lemma)).level == SYNONYM:
            return whole
        if not reading.heads:
            return Decision(None, None, reading.reason)
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
        return (
            len(
                {
                    d.class_id
                    for d in map(self.word, phrase.words)
                    if d.class_id is not None and d.level in (NAME, SYNONYM)
                }
            )
            > 2
        )

    def _phrase(self, phrase: Phrase) -> Decision:
        """The head by its common senses; then as the part of what is named beside it; then by its rarer senses."""
        decision = self._noun_phrase(phrase)
        if decision.class_id is not None and (mount := self._mounted(phrase, decision)):
            return mount
        if decision.class_id is not None and decision.level in (NAME, SYNONYM, KIND) and self._is_sure(decision):
            return self._agent(phrase, decision) or decision
        part = self._part(phrase)
        if part or decision.class_id is not None:
            return part or decision
        return self._head_of_name(decision) or self._relative(decision) or self._kin(decision) or decision

    def _relative(self, decision: Decision) -> Decision | None:
        """A *filing cabinet* is a cabinet by its last word, and WordNet, which has it elsewhere, as furniture too."""
        class_id = self.compiled.named(decision.word.rpartition("_")[2]) if "_" in decision.word else None
        if class_id is None or decision.synset is None or self._wordnet.domain(decision.synset) != "noun.artifact":
            return None
        near = {s for s, d in self._hierarchy.above(decision.synset).items() if 0 < d <= 2}
        if any(near & set(self._wordnet.hypernyms(s)) for s in self.compiled.synsets[class_id]):
            return Decision(class_id, KIND, word=decision.word, synset=decision.synset)
        return None

    def _is_sure(self, decision: Decision) -> bool:
        if decision.synset is None:
            return True
        senses, common = self._senses.visible(decision.word)
        return decision.synset in senses[:common]

    def _head_of_name(self, decision: Decision) -> Decision | None:
        """*light* for the class *traffic light*, where no other class ends in that word."""
        if "_" in decision.word or decision.word not in self.compiled.heads:
            return None
        return Decision(self.compiled.heads[decision.word], SYNONYM, word=decision.word)

    def _kin(self, decision: Decision) -> Decision | None:
        if decision.synset is None or decision.reason not in ("outside", "generic"):
            return None
        found = self.compiled.kin(decision.synset)
        return Decision(found, KIN, word=decision.word, synset=decision.synset) if found is not None else None

    def _noun_phrase(self, phrase: Phrase) -> Decision:
        """By the longest span of words that ends at the head and is a class name or a noun of WordNet."""
        joined = [n for n in phrase.nouns if "_" not in n and not phrase.words[-1].startswith(n[:2])]
        single = [n for n in phrase.nouns if "_" not in n and n not in joined]
        for start in range(len(phrase.words)):
            named = self.compiled.named_words(phrase.words[start:])
            if named is not None:
                return Decision(named, NAME, word="_".join(phrase.words[start:]))
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
            return Decision(named, NAME, word=lemma)
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
        if domain not in _BODIES:
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
        """The class of the whole that is named beside its part: *mirror of a car*, *bike tire*, *shadow on the wall*."""
        for word in phrase.words[:-1]:
            if self._parser.is_adjective(word):
                continue
            for lemma in self._parser.forms(word)[:1]:
                found = self._within(phrase, self.word(lemma))
                if found:
                    return found
        for lead, other in phrase.context[:3]:
            whole = self._whole(other)
            if lead not in ("of", "on", "from", "in") or whole is None:
                continue
            found = self._within(phrase, whole) or self._attached(phrase, whole, lead)
            if found:
                return found
        return None

    def _whole(self, phrase: Phrase) -> Decision | None:
        decision = self._noun_phrase(phrase)
        return decision if decision.class_id is not None and decision.level in (NAME, SYNONYM, KIND) else None

    def _within(self, phrase: Phrase, whole: Decision) -> Decision | None:
        """The part, where the lexicon knows it as one of the whole."""
        if whole.class_id is None or whole.level not in (NAME, SYNONYM, KIND):
            return None
        for lemma in phrase.nouns:
            senses, common = self._senses.visible(lemma)
            for synset in senses[: max(common, 1)]:
                if self.compiled.fits(synset, whole.class_id) or self.compiled.is_borne(synset, whole.class_id):
                    return Decision(whole.class_id, PART, word=lemma, synset=synset)
        return None

    def _attached(self, phrase: Phrase, whole: Decision, lead: str) -> Decision | None:
        """*logo on a car*, *shirt on a man*, *shadow on the wall*: what is no thing of its own goes with what bears it."""
        assert whole.class_id is not None
        lemma = phrase.nouns[0]
        part = Decision(whole.class_id, PART, word=lemma)
        senses = self._senses.visible(lemma)[0]
        if lead == "on" and not any(
            self._wordnet.domain(s) in _BODIES for s in (*self._wordnet.senses(lemma)[:1], *senses[:1])
        ):
            return part
        bearer = self._bearer(whole)
        if bearer is None or not senses or lead not in ("of", "on"):
            return None
        kind = self._hierarchy.is_kind
        if any(kind(bearer, b) and kind(senses[0], *parts) and not kind(senses[0], *_ALONE) for b, parts in _BORNE):
            return Decision(whole.class_id, PART, word=lemma, synset=senses[0])
        return None

    def _mounted(self, phrase: Phrase, decision: Decision) -> Decision | None:
        """*red light on a bus*: a device or a signal on a vehicle is the vehicle's, whatever class it has by itself."""
        for lead, other in phrase.context[:1]:
            whole = self._whole(other) if lead == "on" else None
            bearer = self._bearer(whole) if whole else None
            kind = self._hierarchy.is_kind
            if (
                bearer is not None
                and whole
                and decision.synset is not None
                and kind(bearer, *_VEHICLES)
                and kind(decision.synset, *_FITTED)
            ):
                return Decision(whole.class_id, PART, word=decision.word, synset=decision.synset)
        return None

    def _bearer(self, whole: Decision) -> int | None:
        """The synset of a whole; by its name, the first one of the class."""
        assert whole.class_id is not None
        return whole.synset if whole.synset is not None else next(iter(self.compiled.synsets[whole.class_id]), None)
