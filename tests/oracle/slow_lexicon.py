"""The decision for a single noun, found the slow way: down from every class through plain dictionaries.

Reads the arrays of the shipped file, and nothing else of zgbench. The rules are those of ``docs/lexicon.md``, written anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

THINGS = {5, 6, 13, 20, 17, 27}  # lexicographer files: animal, artifact, food, plant, object, substance
ACT, ANIMAL, ARTIFACT, FOOD, GROUP, PERSON, PLANT = 4, 5, 6, 13, 14, 18, 20


class SlowLexicon:
    """Naive dictionaries; synsets are their numbers in the file."""

    def __init__(self, file: Path) -> None:
        arrays = np.load(file)
        self.lemmas: list[str] = bytes(arrays["lemmas"]).decode().split("\n")
        self.lexfile = [int(x) for x in arrays["lexfile"]]
        self.instance = [bool(x) for x in arrays["instance"]]
        self.senses: dict[str, list[int]] = {}
        self.tags: dict[str, list[int]] = {}
        at = 0
        of, tags = arrays["sense_of"], arrays["sense_tags"]
        for lemma, n in zip(self.lemmas, arrays["sense_n"], strict=True):
            self.senses[lemma] = [int(x) for x in of[at : at + int(n)]]
            self.tags[lemma] = [int(x) for x in tags[at : at + int(n)]]
            at += int(n)
        self.parents: dict[int, set[int]] = {}
        self.children: dict[int, set[int]] = {}
        at = 0
        for child, n in enumerate(arrays["hypernym_n"]):
            for parent in arrays["hypernym_of"][at : at + int(n)]:
                self.parents.setdefault(child, set()).add(int(parent))
                self.children.setdefault(int(parent), set()).add(child)
            at += int(n)
        self._below: dict[int, dict[int, int]] = {}

    def key(self, text: str) -> int:
        lemma, _, rank = text.rpartition(".n.")
        return self.senses[lemma][int(rank) - 1]

    def below(self, synset: int) -> dict[int, int]:
        """Everything that is a kind of it → steps, the synset itself included; ring by ring."""
        if synset not in self._below:
            found, ring, steps = {synset: 0}, {synset}, 0
            while ring:
                steps += 1
                ring = {c for s in ring for c in self.children.get(s, ())} - set(found)
                found |= dict.fromkeys(ring, steps)
            self._below[synset] = found
        return self._below[synset]

    def is_kind(self, synset: int, key: str) -> bool:
        return synset in self.below(self.key(key))

    def visible(self, lemma: str) -> tuple[list[int], set[int]]:
        """Senses that can be seen, likeliest first, and the common ones."""
        counts = dict(zip(self.senses[lemma], self.tags[lemma], strict=True))
        roots = ("physical_entity.n.01", "group.n.01", "communication.n.02")
        seen = [s for s in counts if not self.instance[s] and self.lexfile[s] != ACT]
        seen = [s for s in seen if any(self.is_kind(s, r) for r in roots)]
        if not seen:
            return [], set()
        if self.lexfile[seen[0]] in THINGS:
            seen = [s for s in seen if self.lexfile[s] != PERSON]
        most = max(counts.values())
        material = {s for s in seen if self.is_kind(s, "material.n.01")}
        if most < 3:
            things = [s for s in seen if self.lexfile[s] in THINGS]
            animal = any(self.lexfile[s] == ANIMAL for s in things)
            late = [s for s in things if s in material or (animal and self.lexfile[s] == FOOD)]
            order = [s for s in things if s not in late] + late
            order += [s for s in seen if s not in order]
            return order, set(things) or set(seen)
        top = max(counts[s] for s in seen)
        common = [s for s in seen if s == seen[0] or (counts[s] and counts[s] >= 0.1 * top)]
        if common[0] in material:
            first = [s for s in seen if self.lexfile[s] in (ANIMAL, PLANT) and s not in material]
        elif self.lexfile[common[0]] == FOOD:
            first = [s for s in seen if self.lexfile[s] == ANIMAL]
        elif self.lexfile[common[0]] == GROUP:
            first = [s for s in seen if self.lexfile[s] == ARTIFACT and counts[s]]
        else:
            first = []
        common = first[:1] + [s for s in common if s not in first[:1]]
        rare = counts[seen[0]] < 0.1 * most
        return common + [s for s in seen if s not in common], set() if rare else set(common)

    def reached(self, synset: int, classes: Mapping[int, Sequence[int]]) -> tuple[int, int] | None:
        """Level (1 or 2) and class that the synset is the same as or a kind of; the nearest, then the lowest id."""
        found = [
            (self.below(s)[synset], class_id)
            for class_id, own in classes.items()
            for s in own
            if synset in self.below(s)
        ]
        if not found:
            return None
        steps, class_id = min(found)
        return (1 if steps == 0 else 2), class_id
