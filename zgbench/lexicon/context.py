"""What stands beside a head: the whole of a part, the bearer of a mark, the deed that makes a person an agent."""

from __future__ import annotations

import re

from zgbench.lexicon import morphology
from zgbench.lexicon.compiled import Compiled
from zgbench.lexicon.decision import KIND, NAME, PART, SYNONYM, Decision
from zgbench.lexicon.head import Parser, Phrase
from zgbench.lexicon.hierarchy import Hierarchy
from zgbench.lexicon.nouns import BODIES, Nouns
from zgbench.lexicon.senses import Senses

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


class Context:
    """Decides by what is said beside a noun."""

    def __init__(self, hierarchy: Hierarchy, parser: Parser, senses: Senses, compiled: Compiled, nouns: Nouns) -> None:
        self._hierarchy, self._parser, self._senses, self._wordnet = hierarchy, parser, senses, hierarchy.wordnet
        self.compiled, self._nouns = compiled, nouns

    def agent(self, phrase: Phrase, decision: Decision) -> Decision | None:
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
                    return self._nouns.word(agent)
        return self._nouns.word(lemma)

    def part(self, phrase: Phrase) -> Decision | None:
        """The class of the whole that is named beside its part: *mirror of a car*, *bike tire*, *shadow on the wall*."""
        for word in phrase.words[:-1]:
            if self._parser.is_adjective(word):
                continue
            for lemma in self._parser.forms(word)[:1]:
                found = self._within(phrase, self._nouns.word(lemma))
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
        decision = self._nouns.phrase(phrase)
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
            self._wordnet.domain(s) in BODIES for s in (*self._wordnet.senses(lemma)[:1], *senses[:1])
        ):
            return part
        bearer = self._bearer(whole)
        if bearer is None or not senses or lead not in ("of", "on"):
            return None
        kind = self._hierarchy.is_kind
        if any(kind(bearer, b) and kind(senses[0], *parts) and not kind(senses[0], *_ALONE) for b, parts in _BORNE):
            return Decision(whole.class_id, PART, word=lemma, synset=senses[0])
        return None

    def mounted(self, phrase: Phrase, decision: Decision) -> Decision | None:
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
