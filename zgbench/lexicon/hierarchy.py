"""Walks over the noun hierarchy: ancestors with their distance, wholes of a part, depth, what kind of thing a synset is."""

from __future__ import annotations

from collections.abc import Iterable

from zgbench.lexicon.wordnet import WordNet


class Hierarchy:
    """Memoised walks. Distances are numbers of edges on the shortest way up."""

    def __init__(self, wordnet: WordNet) -> None:
        self.wordnet = wordnet
        self._above: dict[int, dict[int, int]] = {}
        self._depth: dict[int, int] = {}
        self._size: dict[tuple[int, int], int] = {}
        self._wholes: dict[tuple[int, int, int], dict[int, int]] = {}

    def above(self, synset: int) -> dict[int, int]:
        """The synset itself (0) and everything that it is a kind of, nearest first → distance."""
        found = self._above.get(synset)
        if found is None:
            found = {synset: 0}
            queue = [synset]
            for at in queue:
                for parent in self.wordnet.hypernyms(at):
                    if parent not in found:
                        found[parent] = found[at] + 1
                        queue.append(parent)
            self._above[synset] = found
        return found

    def path(self, synset: int, targets: Iterable[int]) -> list[int]:
        """The shortest way up to the nearest of the targets, both ends included; [] when it is a kind of none."""
        above, wanted = self.above(synset), set(targets)
        goal = next((s for s in above if s in wanted), None)
        if goal is None:
            return []
        way = [synset]
        while way[-1] != goal:
            parents = [p for p in self.wordnet.hypernyms(way[-1]) if goal in self.above(p)]
            way.append(min(parents, key=lambda p: self.above(p)[goal]))
        return way

    def depth(self, synset: int) -> int:
        """Edges on the shortest way to the root, *entity*."""
        found = self._depth.get(synset)
        if found is None:
            parents = self.wordnet.hypernyms(synset)
            found = self._depth[synset] = 1 + min(map(self.depth, parents)) if parents else 0
        return found

    def wholes(self, synset: int, climb: int = 2, deep: int = 3) -> dict[int, int]:
        """What it, or what it is a kind of by at most ``climb`` steps, is a part or the stuff of; and their wholes → distance."""
        known = self._wholes.get((synset, climb, deep))
        if known is not None:
            return known
        found: dict[int, int] = {}
        level = {s: d for s, d in self.above(synset).items() if d <= climb}
        for _ in range(deep):
            following: dict[int, int] = {}
            for at, distance in level.items():
                for kind in ("part", "substance"):
                    for whole in self.wordnet.wholes(at, kind):
                        if whole not in found:
                            following.setdefault(whole, distance + 1)
            found |= following
            level = following
        self._wholes[synset, climb, deep] = found
        return found

    def size(self, synset: int, most: int) -> int:
        """How many kinds it has, itself included; counted up to ``most``."""
        known = self._size.get((synset, most))
        if known is not None:
            return known
        found = {synset}
        queue = [synset]
        for at in queue:
            new = [kind for kind in self.wordnet.kinds(at) if kind not in found]
            found.update(new)
            queue += new
            if len(found) >= most:
                break
        self._size[synset, most] = min(len(found), most)
        return self._size[synset, most]

    def is_kind(self, synset: int, *keys: str) -> bool:
        """Whether it is a kind of one of the named synsets."""
        above = self.above(synset)
        return any(self.wordnet.synset(key) in above for key in keys)

    def is_physical(self, synset: int) -> bool:
        """Whether it can be seen in a picture: a physical thing, a group, or a sign; no act, though WordNet has some there."""
        return self.wordnet.domain(synset) != "noun.act" and self.is_kind(
            synset, "physical_entity.n.01", "group.n.01", "communication.n.02"
        )
