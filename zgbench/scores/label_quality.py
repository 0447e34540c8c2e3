"""Labels that say nothing or everything: what a submission could hedge with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LabelQuality:
    """Of the distinct labels of a submission.

    Attributes:
        distinct: how many there are.
        generic: so general that they could mean many classes (*thing*, *scene*); no class under LT.
        hedged: name things of more than one class of the list (*dog cat person*); no class under LT.
        no_class: have no class under LT, these among them.
    """

    distinct: int
    generic: int
    hedged: int
    no_class: int

    @property
    def vague(self) -> float:
        """Share of the distinct labels that are generic or hedged, 0–1."""
        return (self.generic + self.hedged) / self.distinct if self.distinct else 0.0
