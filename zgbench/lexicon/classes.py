"""A class list as the lexicon sees it: names and aliases to look up, synsets to reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

NO_SYNSET = "-"
"""Stands where a class has no synset in WordNet, and none is to be looked for: it is reached by its names alone."""


@dataclass(frozen=True)
class ClassList:
    """Classes in order; all sequences have one entry a class.

    Attributes:
        ids: class ids.
        names: readable names, ``potted plant``.
        aliases: other names of the same class.
        synsets: WordNet keys, ``dog.n.01``; ``()`` where they are to be found from the name, ``("-",)`` for no synset.
    """

    ids: tuple[int, ...]
    names: tuple[str, ...]
    aliases: tuple[tuple[str, ...], ...]
    synsets: tuple[tuple[str, ...], ...]

    @classmethod
    def of(
        cls,
        names: Sequence[str],
        ids: Sequence[int] | None = None,
        aliases: Sequence[Sequence[str]] | None = None,
        synsets: Sequence[Sequence[str]] | None = None,
    ) -> ClassList:
        """A class list; ids count from 1 when there are none.

        Raises:
            ValueError: the lengths differ, or an id or a name stands twice.
        """
        n = len(names)
        ids = tuple(range(1, n + 1)) if ids is None else tuple(ids)
        other = tuple(tuple(a) for a in aliases) if aliases is not None else ((),) * n
        keys = tuple(tuple(s) for s in synsets) if synsets is not None else ((),) * n
        if not len(ids) == len(other) == len(keys) == n:
            raise ValueError(
                f"expected ids, aliases and synsets for {n} names, got {len(ids)}, {len(other)}, {len(keys)}"
            )
        if len(set(ids)) < n or len(set(names)) < n:
            raise ValueError("an id or a name stands twice in the class list")
        return cls(ids, tuple(names), other, keys)

    def texts(self) -> tuple[tuple[str, int], ...]:
        """Every readable name and alias with its class id, in order: what the nearest text is looked for among."""
        return tuple(
            (text, i)
            for i, name, other in zip(self.ids, self.names, self.aliases, strict=True)
            for text in (name, *other)
        )
