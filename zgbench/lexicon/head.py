"""The head phrase of a free label: which noun it is about, what stands before it, and in which context."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import cached_property

from zgbench.lexicon import morphology
from zgbench.lexicon.hierarchy import Hierarchy
from zgbench.lexicon.words import (
    CONJUNCTIONS,
    DETERMINERS,
    INDEFINITES,
    NEGATIONS,
    PARTITIVES,
    PREPOSITIONS,
    RELATIVES,
    VERBS,
)

_TOKEN = re.compile(r"[a-z0-9][a-z0-9'-]*|[,;:/&|+()\n]")
_BREAKS = frozenset(",;:|+()\n")
_LONGEST = 5
"""Words of the longest collocation that is looked up."""


@dataclass(frozen=True)
class Phrase:
    """A noun with what was said around it.

    Attributes:
        words: the noun phrase up to its head, without determiners: ``("red", "sports", "car")``.
        nouns: lemmas that end at the head, the longest collocation first: ``("sports_car", "car")``.
        context: nouns of the phrases behind it, each with the preposition or verb before it: ``(("on", "road"),)``.
        verbs: base forms of the participles and verbs behind it: ``("ride",)``.
    """

    words: tuple[str, ...]
    nouns: tuple[str, ...]
    context: tuple[tuple[str, Phrase], ...] = ()
    verbs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """How a label is read.

    Attributes:
        label: as given.
        heads: one phrase; more where *and*, *or*, a comma or a slash joins several; none where no noun was found.
        reason: why there is none, ``empty``, ``negated`` or ``no noun``, else "".
    """

    label: str
    heads: tuple[Phrase, ...] = field(default=())
    reason: str = ""


def tokens(label: str) -> list[str]:
    """Words and separators in lower case; marks and letters outside ASCII that have no plain form are dropped."""
    plain = label.lower()
    if not plain.isascii():
        decomposed = unicodedata.normalize("NFKD", label).casefold().replace("’", "'")
        plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    return [t.rstrip("'-") for t in _TOKEN.findall(plain)]


class Parser:
    """Finds head phrases with WordNet's words and the closed classes of ``words``. Deterministic."""

    def __init__(self, hierarchy: Hierarchy) -> None:
        self._hierarchy, self._wordnet = hierarchy, hierarchy.wordnet
        self._forms: dict[str, tuple[str, ...]] = {}
        self._verbs: dict[str, str | None] = {}

    def forms(self, word: str) -> tuple[str, ...]:
        """As ``morphology.noun``; remembers what it found."""
        found = self._forms.get(word)
        if found is None:
            found = self._forms[word] = morphology.noun(word, self._wordnet) if len(word) > 1 else ()
        return found

    def _verb(self, word: str) -> str | None:
        if word not in self._verbs:
            self._verbs[word] = morphology.verb(word, self._wordnet)
        return self._verbs[word]

    def read(self, label: str) -> Reading:
        """The reading of a label of any content; never raises."""
        found = tokens(label[:400])
        if not any(t[0].isalpha() for t in found if t not in _BREAKS):
            return Reading(label, reason="empty")
        if found[0] in NEGATIONS:
            return Reading(label, reason="negated")
        heads = self._heads(found)
        return Reading(label, tuple(heads), "" if heads else "no noun")

    def _heads(self, found: list[str]) -> list[Phrase]:
        """Heads of a clause; skips parts without a noun, as *black* in *black and white dog*."""
        parts, rest = self._coordinated(found)
        joined = len([words for words in parts if words]) > 1
        phrases = [
            p
            for words in parts
            if not (joined and words is not parts[-1] and self._qualifies(words)) and (p := self._phrase(words))
        ]
        if not phrases:
            return self._heads(rest[1:]) if rest else []
        last = phrases[-1]
        if rest and rest[0] == "of" and last.words[-1] in PARTITIVES:
            return phrases[:-1] + (self._heads(rest[1:]) or [last])
        context, verbs = self._context(rest)
        return [Phrase(p.words, p.nouns, context, verbs) for p in phrases]

    def _coordinated(self, found: list[str]) -> tuple[list[list[str]], list[str]]:
        """The noun phrases before the first preposition, relative or verb, and what follows from there."""
        parts: list[list[str]] = [[]]
        for i, token in enumerate(found):
            if token in CONJUNCTIONS or token in _BREAKS:
                parts.append([])
            elif token in DETERMINERS and not (token in RELATIVES and parts[-1]):
                continue
            elif self._ends(found, i, parts[-1]):
                if any(parts):
                    return parts, found[i:]
            else:
                parts[-1].append(token)
        return parts, []

    def _ends(self, found: list[str], i: int, before: list[str]) -> bool:
        """Whether the token ends the noun phrase that ``before`` began."""
        token = found[i]
        if token in PREPOSITIONS or token in RELATIVES or token in VERBS:
            return True
        if not before or not self._noun(before[-1]):
            return False
        base = self._verb(token)
        if base is None or any("_".join([*before[-n:], token]) in self._wordnet for n in range(1, _LONGEST)):
            return False
        following = found[i + 1] if i + 1 < len(found) else None
        if token.endswith("s") and self.forms(token):
            # "a dog sits on …", but "fire hydrants": a verb where the verb is the commoner, and something is said of it
            return (following in DETERMINERS or following in PREPOSITIONS) and self._wordnet.verbs[base] > 3 * sum(
                self._tags(token)
            )
        if following in DETERMINERS:
            return True
        if self._is_alive(before[-1]) and self._wordnet.verbs[base] > sum(self._tags(token)):
            return True
        if self._names_thing(token):
            return False  # "a stone building", "metal railing along the street"
        is_noun = token in self._wordnet and sum(self._tags(token)) > 0
        return not is_noun or self._is_alive(before[-1]) or following is None or following in PREPOSITIONS

    def _names_thing(self, word: str) -> bool:
        """Whether the first sense of the noun is a made thing: *building*, *clothing*, not *walking*."""
        senses = self._wordnet.senses(word)
        return bool(senses) and self._wordnet.domain(senses[0]) == "noun.artifact"

    def _is_alive(self, word: str) -> bool:
        """Whether the noun means a person, an animal or a vehicle, which does what follows: *woman riding bicycle*."""
        senses = [s for lemma in self.forms(word) for s in self._wordnet.senses(lemma)[:1]]
        return word in INDEFINITES or any(
            self._wordnet.domain(s) in ("noun.person", "noun.animal", "noun.group")
            or self._hierarchy.is_kind(s, "vehicle.n.01")
            for s in senses
        )

    def _tags(self, word: str) -> list[int]:
        return [t for lemma in self.forms(word) for t in self._wordnet.tags(lemma)]

    def _noun(self, word: str) -> bool:
        return word in INDEFINITES or bool(self.forms(word))

    def _phrase(self, words: list[str]) -> Phrase | None:
        """The noun phrase up to its last noun; None when no word is one."""
        for end in range(len(words), 0, -1):
            nouns = self._nouns(words[:end])
            if nouns and not (end == 1 and self.is_adjective(words[0])):
                return Phrase(tuple(words[:end]), nouns)
        return None

    def _nouns(self, words: list[str]) -> tuple[str, ...]:
        """Lemmas that end at the last word, the longest first; a collocation may also be written in one, or with a hyphen."""
        found: list[str] = []
        for start in range(max(0, len(words) - _LONGEST), len(words) - 1):
            span = [part for word in words[start:] for part in word.split("-")]
            opens = span[0] in self._wordnet.openers
            # "street light" is a streetlight, but "a red coat" no redcoat
            closes = len(span) == 2 and not self.is_adjective(span[0])
            if (opens or closes) and not self._literal(words[start:]):
                for joint in ("_",) * opens + ("-", "") * closes:
                    found += self.forms(joint.join(span))
        found += self.forms(words[-1])
        last = words[-1]
        if last in INDEFINITES:
            found.append(INDEFINITES[last])
        if "-" in last and not found:
            found += self.forms(last.replace("-", "_")) or self.forms(last.replace("-", ""))
            found += self.forms(last.rpartition("-")[2])
        return tuple(dict.fromkeys(found))

    def _literal(self, words: list[str]) -> bool:
        """Whether a collocation begins with a colour and is no kind of its last word: a *black box* is a box that is black."""
        if words[0] not in self._colours or self._wordnet.adjectives.get(words[0], 0) == 0:
            return False
        wordnet = self._wordnet
        heads = {s for lemma in self.forms(words[-1]) for s in wordnet.senses(lemma)}
        return not any(
            heads & set(self._hierarchy.above(s))
            for lemma in self.forms("_".join(words))
            for s in wordnet.senses(lemma)
            if not wordnet.is_instance(s)
        )

    @cached_property
    def _colours(self) -> frozenset[str]:
        """Adjectives that are nouns for a colour as well, or made of one: *red*, *golden*."""
        wordnet = self._wordnet
        queue = [wordnet.synset("color.n.01")]
        for at in queue:
            queue += wordnet.kinds(at)
        words = {word for synset in queue for word in wordnet.words(synset)}
        return frozenset(word for word in (*words, *(w + "en" for w in words)) if word in wordnet.adjectives)

    def _qualifies(self, words: list[str]) -> bool:
        """Whether a part before *and* is one word that can be an adjective: *orange and white cone*."""
        return len(words) == 1 and self._wordnet.adjectives.get(words[0], 0) > 0

    def is_adjective(self, word: str) -> bool:
        """Whether a word is the name of a colour or a quality rather than of a thing: *white*, not *orange*."""
        return self._wordnet.adjectives.get(word, 0) > 2 * sum(self._tags(word))

    def _context(self, rest: list[str]) -> tuple[tuple[tuple[str, Phrase], ...], tuple[str, ...]]:
        """The nouns behind the head with the word that leads to each, and the verbs."""
        context: list[tuple[str, Phrase]] = []
        verbs: list[str] = []
        while rest:
            lead, rest = rest[0], rest[1:]
            base = self._verb(lead)
            if base and lead not in PREPOSITIONS and lead not in VERBS:
                verbs.append(base)
            parts, rest_after = self._coordinated(rest) if rest else ([[]], [])
            for words in parts:
                phrase = self._phrase(words)
                if phrase:
                    context.append((lead, phrase))
            rest = rest_after
        return tuple(context), tuple(verbs)
