"""A class list compiled against the hierarchy: which classes a synset reaches, at which level, how far."""

from __future__ import annotations

from collections.abc import Sequence

from zgbench.lexicon.classes import NO_SYNSET, ClassList
from zgbench.lexicon.decision import KIND, NAME, SYNONYM
from zgbench.lexicon.head import Parser, tokens
from zgbench.lexicon.hierarchy import Hierarchy
from zgbench.lexicon.senses import Senses

_SHARED_DEPTH = 6
"""Depth from which a common hypernym tells something about a part."""

_KIN_KINDS = 80
"""Kinds that a shared hypernym may have, itself included, for two words to be kin."""


class Compiled:
    """Names to look up and synsets to reach."""

    def __init__(self, hierarchy: Hierarchy, parser: Parser, senses: Senses, classes: ClassList) -> None:
        self._hierarchy, self._wordnet, self._parser, self._senses = hierarchy, hierarchy.wordnet, parser, senses
        self._names: dict[str, int] = {}
        self._first = {i: " ".join(tokens(name)) for i, name in zip(classes.ids, classes.names, strict=True)}
        for text, class_id in classes.texts():
            self._names.setdefault(" ".join(tokens(text)), class_id)
        self.heads = self._shared_heads(classes)
        """Last word of class names of several words → the class, where it is the only one with that word."""
        self.synsets: dict[int, tuple[int, ...]] = {}
        whole: set[int] = set()
        by_head: list[tuple[int, tuple[int, ...]]] = []
        for i, name, keys in zip(classes.ids, classes.names, classes.synsets, strict=True):
            if keys:
                self.synsets[i] = tuple(self._wordnet.synset(k) for k in keys if k != NO_SYNSET)
                whole.update(self.synsets[i])
                continue
            found, is_whole = self._find(name)
            if is_whole:
                self.synsets[i] = found
                whole.update(found)
            else:
                by_head.append((i, found))
        for i, found in by_head:
            # *toy car* is found by its head only; where *car* is a class as well, that sense is the car's
            self.synsets[i] = tuple(s for s in found if s not in whole)
        self._classes_of: dict[int, list[int]] = {}
        self._below: dict[int, set[int]] = {}
        for i in classes.ids:
            for synset in self.synsets[i]:
                self._classes_of.setdefault(synset, []).append(i)
                for above in hierarchy.above(synset):
                    self._below.setdefault(above, set()).add(i)
        self._reach: dict[int, dict[int, tuple[int, int]]] = {}

    def name_level(self, words: Sequence[str]) -> int:
        """The level of a name or alias: an alias that the hierarchy has below the class is a kind of it, *pony*, horse."""
        class_id = self.named_words(words)
        if class_id is None or " ".join(words) == self._first[class_id]:
            return NAME
        senses = [s for lemma in self._parser.forms("_".join(words)) for s in self._wordnet.senses(lemma)]
        below = any(class_id in self.reach(s) for s in senses)
        return KIND if below and not any(map(self.is_class, senses)) else NAME

    def _shared_heads(self, classes: ClassList) -> dict[str, int]:
        found: dict[str, set[int]] = {}
        for class_id, name in zip(classes.ids, classes.names, strict=True):
            words = tokens(name)
            if len(words) > 1:
                found.setdefault(words[-1], set()).add(class_id)
        return {word: next(iter(ids)) for word, ids in found.items() if len(ids) == 1}

    def named(self, text: str) -> int | None:
        """The class whose name or alias this is."""
        return self.named_words(tokens(text))

    def named_words(self, words: Sequence[str]) -> int | None:
        """As ``named``, for a text that was split into words."""
        found = self._names.get(" ".join(words))
        if found is None and words and words[-1] not in self._wordnet:  # glasses are not a glass
            for single in self._parser.forms(words[-1]):
                found = self._names.get(" ".join([*words[:-1], single]), found)
        return found

    def _find(self, name: str) -> tuple[tuple[int, ...], bool]:
        """Synsets of a class from its name, and whether the whole name is a noun of the lexicon."""
        reading = self._parser.read(name)
        if not reading.heads:
            return (), True
        phrase, w = reading.heads[0], self._wordnet
        lemma = phrase.nouns[0]
        is_whole = lemma.count("_") + 1 >= len(phrase.words) or "".join(phrase.words) == lemma
        chosen = self._senses.of_class(lemma, whole=is_whole) or w.senses(lemma)[:1]
        members = [m for s in chosen if w.domain(s) == "noun.group" for m in w.members(s)]
        return tuple(dict.fromkeys([*chosen, *members, *(d for s in chosen for d in self._senses.same(s))])), is_whole

    def is_class(self, synset: int) -> bool:
        """Whether it is the synset of a class."""
        return synset in self._classes_of

    def reach(self, synset: int) -> dict[int, tuple[int, int]]:
        """Class id → level 1 or 2 and distance, for every class that the synset is the same as or a kind of."""
        found = self._reach.get(synset)
        if found is None:
            found = {}
            for above, distance in self._hierarchy.above(synset).items():
                for class_id in self._classes_of.get(above, ()):
                    if class_id not in found:
                        found[class_id] = (KIND if distance else SYNONYM, distance)
            self._reach[synset] = found
        return found

    def by_members(self, synset: int) -> dict[int, tuple[int, int]]:
        """As ``reach``, for what a group consists of: *herd*, *crowd*, *forest*."""
        return {
            class_id: (KIND, distance + 1)
            for member in reversed(self._wordnet.members(synset))
            for class_id, (_, distance) in self.reach(member).items()
        }

    def by_definition(self, synset: int) -> dict[int, tuple[int, int]]:
        """As ``reach``, for what the definition says it is where the hierarchy does not: *lane*, road."""
        return {
            class_id: (KIND, distance + 1)
            for genus in reversed(self._senses.genus(synset))
            for class_id, (_, distance) in self.reach(genus).items()
        }

    def part_of(self, synset: int) -> list[int]:
        """The classes nearest to a part by itself; several where the part fits several equally well."""
        best: dict[int, int] = {}
        for whole, steps in self._hierarchy.wholes(synset, climb=0, deep=1).items():
            for class_id, (_, distance) in self.reach(whole).items():
                best[class_id] = min(best.get(class_id, 99), steps + distance)
        nearest = min(best.values(), default=0)
        return sorted(c for c, d in best.items() if d == nearest)

    def fits(self, synset: int, class_id: int) -> bool:
        """Whether the synset, or a kind of it, can be a part of the class: of it, of a kind of it, or of what it is a kind of."""
        wholes = (w for part in (synset, *self._wordnet.kinds(synset)) for w in self._hierarchy.wholes(part))
        return any(self._about(whole, class_id) for whole in wholes)

    def is_borne(self, synset: int, class_id: int) -> bool:
        """Whether the definition of a part names what bears it, and that fits the class: a tire *covers a wheel*."""
        return any(self._about(bearer, class_id) for bearer in self._senses.borne_by(synset))

    def _about(self, whole: int, class_id: int) -> bool:
        return class_id in self.reach(whole) or (
            class_id in self._below.get(whole, ()) and self._hierarchy.depth(whole) >= _SHARED_DEPTH
        )

    def kin(self, synset: int) -> int | None:
        """The one class that is a direct kind of the synset, or of what the synset is a direct kind of: *railing*, fence.

        None when there are several such classes, or none, or what they share is so general that it means little.
        """
        for above in (synset, *self._wordnet.hypernyms(synset)):
            if self._hierarchy.size(above, _KIN_KINDS + 1) > _KIN_KINDS:
                continue
            near = {
                c
                for c in self._below.get(above, ())
                if any(above in self._wordnet.hypernyms(s) for s in self.synsets[c])
            }
            if len(near) == 1:
                return next(iter(near))
        return None

    def is_under(self, class_id: int, other: int) -> bool:
        """Whether a class is a kind of another one of the list."""
        return class_id != other and any(other in self.reach(s) for s in self.synsets[class_id])
