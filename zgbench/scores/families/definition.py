"""What is to be known of a score: the entry of the registry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Better = Literal["higher", "lower"]
Need = Literal["counts", "reassignment", "label vectors", "things and stuff", "lexicon", "track oracle"]
Scope = Literal["row", "labels", "oracle"]
"""What a score is of: a row (reassignment and verification), the labels without reassignment, the truth's segments."""


@dataclass(frozen=True)
class ScoreDefinition:
    """One score. Every score is a fraction, shown in %.

    Attributes:
        name: its key in results, on the command line and on the board.
        title: as tables show it.
        needs: what it is worked out from.
        definition, source: in a sentence; where it was published.
        when_empty: what becomes of it, and of a part of it, where there is nothing to score.
        scope: what it is of.
        better: whether a higher or a lower value is the better one.
        low, high: its bounds.
        default: whether it is worked out without being asked for.
        version: of the definition, in the signature of a score that is not a default one.
    """

    name: str
    title: str
    needs: tuple[Need, ...]
    definition: str
    source: str
    when_empty: str
    scope: Scope = "row"
    better: Better = "higher"
    low: float = 0.0
    high: float = 1.0
    default: bool = False
    version: int = 1

    def to_dict(self) -> dict[str, Any]:
        """As ``zgbench scores list --json`` tells it."""
        return {
            "name": self.name, "title": self.title, "unit": "fraction", "range": [self.low, self.high],
            "better": self.better, "default": self.default, "of": self.scope, "needs": list(self.needs),
            "definition": self.definition, "source": self.source, "when_empty": self.when_empty,
            "version": self.version,
        }  # fmt: skip
