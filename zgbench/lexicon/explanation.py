"""How a label was read and decided, for people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from zgbench.lexicon.decision import LEVELS, REASONS


@dataclass(frozen=True)
class Explanation:
    """A decision with its grounds.

    Attributes:
        heads: head phrases, without what follows them.
        context: the phrases behind the first head.
        word: the lemma that decided or failed.
        synset, gloss: its synset in WordNet; None where none was used.
        path: synsets from there up to the class.
        level, class_id, class_name: the decision; None for no class.
        reason: why there is no class, else "".
        nearest: nearest texts, their class ids and cosines; () without a text encoder.
    """

    label: str
    heads: tuple[str, ...]
    context: tuple[str, ...]
    word: str
    synset: str | None
    gloss: str | None
    path: tuple[str, ...]
    level: int | None
    class_id: int | None
    class_name: str | None
    reason: str
    nearest: tuple[tuple[str, int, float], ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values for ``--json``."""
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """The explanation as text, a fact a line; what cannot be seen in a label is escaped."""
        for line in self._lines():
            yield "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)

    def _lines(self) -> Iterator[str]:
        yield f"label      {self.label}"
        yield f"head       {' | '.join(self.heads) or '-'}" + (
            f"   (context: {', '.join(self.context)})" if self.context else ""
        )
        if self.synset:
            yield f"synset     {self.synset}: {self.gloss}"
        if len(self.path) > 1:
            yield f"path       {' > '.join(self.path)}"
        for text, _, cosine in self.nearest:
            yield f"text       {cosine:.3f} {text}"
        if self.class_name is None or self.level is None:
            yield f"decision   no class: {REASONS[self.reason]}"
        else:
            yield f"decision   {self.class_name} (level {self.level}, {LEVELS[self.level]})"
