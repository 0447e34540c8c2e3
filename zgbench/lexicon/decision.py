"""What a label becomes under LT."""

from __future__ import annotations

from dataclasses import dataclass

NAME, SYNONYM, KIND, PART, KIN, TEXT = 0, 1, 2, 3, 4, 5
"""Levels, after LAC: the name or an alias, a synonym, a kind of it, a part of it. Behind them what is only near: kin (a
direct kind of the same narrow thing, or that thing: *railing*, *barrier*, fence), and the nearest text."""

LEVELS = {NAME: "name", SYNONYM: "synonym", KIND: "kind", PART: "part", KIN: "kin", TEXT: "nearest text"}


@dataclass(frozen=True)
class Decision:
    """A decision for a label.

    Attributes:
        class_id: id of the class, None for no class.
        level: 0–5 as above, None for no class.
        reason: one of ``REASONS`` where there is no class, else "".
        word: the lemma that decided or failed, ``street_sign``; "" where there is none.
        synset: number of its synset, None where none decided.
    """

    class_id: int | None
    level: int | None
    reason: str = ""
    word: str = ""
    synset: int | None = None


REASONS = {
    "empty": "the label holds no word",
    "negated": "the label says what is not there",
    "no noun": "the label names no noun that the lexicon knows",
    "hedged": "the label names things of more than one class",
    "generic": "the word stands so high in the hierarchy that it could mean many classes",
    "ambiguous": "it fits two classes equally well",
    "not visible": "the word means nothing that can be seen as a segment",
    "outside": "the word is known, and no class of the list is the same, more general or its whole",
}
"""Why there is no class."""

SETTLED = frozenset({"empty", "negated", "hedged", "generic", "not visible"})
"""Reasons that the nearest text must not overrule."""
