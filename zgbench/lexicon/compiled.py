"""A class list compiled against the hierarchy: which classes a synset reaches, at which level, how far."""

from __future__ import annotations

from zgbench.lexicon.classes import ClassList
from zgbench.lexicon.decision import KIND, SYNONYM
from zgbench.lexicon.head import Parser, tokens
from zgbench.lexicon.hierarchy import Hierarchy

_CLEAR = 0.1


class Compiled:
    """Names to look up and synsets to reach."""

    def __init__(self, hierarchy: Hierarchy, parser: Parser, classes: ClassList) -> None:
        self._hierarchy, self._wordnet, self._parser = hierarchy, hierarchy.wordnet, parser
        self._names: dict[str, int] = {}
        for text, class_id in classes.texts():
            self._names.setdefault(self._key(text), class_id)
        self.synsets: dict[int, tuple[int, ...]] = {}
        self._classes_of: dict[int, list[int]] = {}
        for i, name, aliases, keys in zip(classes.ids, classes.names, classes.aliases, classes.synsets, strict=True):
            found = tuple(self._wordnet.synset(k) for k in keys) if keys else self._find(name, aliases)
            self.synsets[i] = found
            for synset in found:
                self._classes_of.setdefault(synset, []).append(i)
        self._below: dict[int, set[int]] = {}
        for i, found in self.synsets.items():
            for synset in found:
                for above in hierarchy.above(synset):
                    self._below.setdefault(above, set()).add(i)
        self._reach: dict[int, dict[int, tuple[int, int]]] = {}

    def _key(self, text: str) -> str:
        words = tokens(text)
        return " ".join(words)

    def named(self, text: str) -> int | None:
        """The class whose name or alias this is."""
        key = self._key(text)
        found = self._names.get(key)
        if found is None and key.endswith("s"):
            found = self._names.get(key[:-1], self._names.get(key.removesuffix("es")))
        return found

    def _find(self, name: str, aliases: tuple[str, ...]) -> tuple[int, ...]:
        """Synsets of a class from its name."""
        reading = self._parser.read(name)
        if not reading.heads:
            return ()
        phrase = reading.heads[0]
        lemma = phrase.nouns[0]
        h, w = self._hierarchy, self._wordnet
        pairs = [(s, t) for s, t in zip(w.senses(lemma), w.tags(lemma), strict=True) if h.is_physical(s) and not w.is_instance(s)]
        if not pairs:
            return tuple(w.senses(lemma)[:1])
        first = pairs[0]
        most = max(t for _, t in pairs)
        chosen = [s for s, t in pairs if s == first[0] or (t and t >= _CLEAR * most)]
        sisters = {p for s in chosen for p in w.hypernyms(s)}
        chosen += [s for s, _ in pairs if s not in chosen and sisters & set(w.hypernyms(s))]
        members = [m for s in chosen for m in h.members(s)]
        definitional = [d for s in chosen if (d := self._genus(s)) is not None]
        return tuple(dict.fromkeys(chosen + members + definitional))

    def _genus(self, synset: int) -> int | None:
        """The synset of a definition that is nothing but a noun, *a human being*, or of a group's *all the plant life*."""
        definition = self._wordnet.definition(synset)
        words = [t for t in tokens(definition)]
        if words[:1] in (["a"], ["an"], ["the"]) and "_".join(words[1:]) in self._wordnet:
            return self._wordnet.senses("_".join(words[1:]))[0]
        if words[:2] == ["all", "the"] and self._wordnet.domain(synset) == "noun.group":
            for n in (3, 2, 1):
                found = self._wordnet.senses("_".join(words[2 : 2 + n]))
                if found:
                    return found[0]
        return None

    def reach(self, synset: int) -> dict[int, tuple[int, int]]:
        """Class id → level 1 or 2 and distance, for every class that the synset is the same as or a kind of."""
        found = self._reach.get(synset)
        if found is None:
            found = {}
            for above, distance in self._hierarchy.above(synset).items():
                for class_id in self._classes_of.get(above, ()):
                    if class_id not in found:
                        found[class_id] = (KIND if distance else SYNONYM, distance)
            for member in self._hierarchy.members(synset):
                for above, distance in self._hierarchy.above(member).items():
                    for class_id in self._classes_of.get(above, ()):
                        found.setdefault(class_id, (KIND, distance + 1))
            self._reach[synset] = found
        return found

    def part_of(self, senses: list[int]) -> list[tuple[int, int]]:
        """The classes nearest to a part by itself, each with the sense; several where the part fits several equally well."""
        for synset in senses:
            best: dict[int, int] = {}
            for whole, steps in self._hierarchy.wholes(synset).items():
                for class_id, (_, distance) in self.reach(whole).items():
                    best[class_id] = min(best.get(class_id, 99), steps + distance)
            if best:
                nearest = min(best.values())
                return [(c, synset) for c, d in sorted(best.items()) if d == nearest]
        return []

    def fits(self, synset: int, class_id: int) -> bool:
        """Whether the synset can be a part of the class: of it, of a kind of it, or of what it is a kind of."""
        for whole in self._hierarchy.wholes(synset):
            if class_id in self.reach(whole) or class_id in self._below.get(whole, ()):
                return True
        return False

    def is_under(self, class_id: int, other: int) -> bool:
        """Whether a class is a kind of another one of the list."""
        return class_id != other and any(other in self.reach(s) for s in self.synsets[class_id])
