"""LT, lexical reassignment: from a reading and a class list to a class and the level at which it was reached."""

from __future__ import annotations

from collections.abc import Iterable

from zgbench.lexicon.classes import ClassList
from zgbench.lexicon.compiled import Compiled
from zgbench.lexicon.context import Context
from zgbench.lexicon.decision import KIN, KIND, NAME, SYNONYM, Decision
from zgbench.lexicon.explanation import Explanation
from zgbench.lexicon.head import Parser, Phrase, Reading, tokens
from zgbench.lexicon.hierarchy import Hierarchy
from zgbench.lexicon.nearest import NearestText
from zgbench.lexicon.nouns import Nouns
from zgbench.lexicon.senses import Senses


class Mapper:
    """Maps labels to the classes of a list. The decision for a label depends on nothing but the label and the list."""

    def __init__(self, hierarchy: Hierarchy, parser: Parser, senses: Senses, classes: ClassList) -> None:
        self.classes = classes
        self._hierarchy, self._parser, self._senses, self._wordnet = hierarchy, parser, senses, hierarchy.wordnet
        self.compiled = Compiled(hierarchy, parser, senses, classes)
        self._nouns = Nouns(hierarchy, senses, self.compiled, classes)
        self._context = Context(hierarchy, parser, senses, self.compiled, self._nouns)
        self._names = dict(zip(classes.ids, classes.names, strict=True))

    def decide(self, labels: Iterable[str]) -> list[Decision]:
        """A decision a label, in order; never raises on a label."""
        return self.decide_readings(map(self._parser.read, labels))

    def decide_readings(self, readings: Iterable[Reading]) -> list[Decision]:
        """As ``decide``, for labels that were read."""
        return [self._reading(reading) for reading in readings]

    def word(self, lemma: str) -> Decision:
        """The decision for a noun of WordNet by itself, at level 0 to 3."""
        return self._nouns.word(lemma)

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
            return Decision(exact, self.compiled.name_level(tokens(reading.label)), word=reading.label)
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
                    if d.class_id is not None
                    and (d.level in (NAME, SYNONYM) or self.compiled.named(d.word) is not None)
                }
            )
            > 2
        )

    def _phrase(self, phrase: Phrase) -> Decision:
        """The head by its common senses; then as the part of what is named beside it; then by its rarer senses."""
        decision = self._nouns.phrase(phrase)
        if decision.class_id is not None and (mount := self._context.mounted(phrase, decision)):
            return mount
        if decision.class_id is not None and decision.level in (NAME, SYNONYM, KIND) and self._is_sure(decision):
            return self._context.agent(phrase, decision) or decision
        part = self._context.part(phrase)
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
