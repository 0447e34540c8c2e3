"""The scores of single classes as scores of their own, so that they are resampled and compared like any other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from zgbench.scores import metrics
from zgbench.scores.families.united import Float
from zgbench.scores.further import Further
from zgbench.statistics.resampling import Difference

_BETWEEN = "\t"
"""Between the name of a score and that of a class, which holds none."""


@dataclass(frozen=True)
class ClassIou:
    """The data-set IoU of each class."""

    per_image: sparse.csr_matrix
    names: tuple[str, ...]

    @classmethod
    def of(cls, statistics: metrics.Statistics, names: tuple[str, ...]) -> ClassIou:
        """Of a row's own scores."""
        first = statistics.layout["I"]
        return cls(statistics.per_image[:, first : first + 2 * len(names)].tocsr(), names)

    def scores(self, sums: Float) -> dict[str, Float]:
        """Class → float64 [...]."""
        n = len(self.names)
        with np.errstate(divide="ignore", invalid="ignore"):
            iou = sums[..., :n] / sums[..., n:]
        return {name: iou[..., k] for k, name in enumerate(self.names)}


@dataclass(frozen=True)
class FurtherClasses:
    """The further scores of each class, named by score and class."""

    whole: Further
    names: tuple[str, ...]

    @property
    def per_image(self) -> sparse.csr_matrix:
        """As of the whole."""
        return self.whole.per_image

    def scores(self, sums: Float) -> dict[str, Float]:
        """Score and class → float64 [...]."""
        return {
            f"{score}{_BETWEEN}{name}": values[..., k]
            for score, values in self.whole.by_class(sums).items()
            for k, name in enumerate(self.names)
        }


def seen(found: dict[str, Difference]) -> dict[str, Difference]:
    """Without the classes that neither of two has."""
    return {name: d for name, d in found.items() if not np.isnan([d.a, d.b]).all()}


def by_score(found: dict[str, Difference]) -> dict[str, dict[str, Difference]]:
    """Score → class → difference, from what :class:`FurtherClasses` gives."""
    sorted_out: dict[str, dict[str, Difference]] = {}
    for name, difference in found.items():
        score, _, cls = name.partition(_BETWEEN)
        sorted_out.setdefault(score, {})[cls] = difference
    return sorted_out
