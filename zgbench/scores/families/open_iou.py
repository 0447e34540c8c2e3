"""Open mIoU: an IoU that forgives near misses by how alike two classes are."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from zgbench.scores.families.definition import ScoreDefinition
from zgbench.scores.families.united import Classes, Column, Float, United, mean_of_defined, ratio


class OpenIou:
    """Σ_p C[p, c]·S[p, c] / (Σ_p C[p, c] + Σ_{g≠c} C[c, g]·(1 − S[c, g])), mean over the classes c with truth.

    C[p, g] are the pixels of true class g that are predicted as p (or as nothing, which is like no class); pixels of no
    class count nowhere, whatever the background rule.
    """

    definitions = (
        ScoreDefinition(
            "open_miou", "Open mIoU", ("counts", "reassignment", "lexicon"),
            "Σ_p C[p,c]·S[p,c] / (Σ_p C[p,c] + Σ_{g≠c} C[c,g]·(1 − S[c,g])), mean over the classes with truth: a wrong class "
            "counts by its similarity S (WordNet's path similarity, or a matrix); pixels of no class are ignored",
            "Zhou et al., Open mIoU, TPAMI 2025 (arXiv 2311.03352), section 3",
            "a class without truth is left out; undefined where all are",
        ),
    )  # fmt: skip

    def columns(self, united: United, classes: Classes) -> dict[str, Column]:
        """A class: pixels of its truth (``truth``), those of them that are credited (``credit``), and what its predictions
        take from other classes (``taken``).
        """
        assert classes.similarity is not None
        counts, n = united.counts, len(united.classes)
        own = np.flatnonzero((counts.segment >= 0) & (counts.cls > 0))
        predicted = united.assigned[counts.segment[own]]
        own, predicted = own[predicted > 0], predicted[predicted > 0]
        p, g = np.searchsorted(united.classes, predicted), np.searchsorted(united.classes, counts.cls[own])
        alike, pixels, image = classes.similarity[p, g], counts.pixels[own].astype(np.float64), counts.image[own]

        def table(values: Float, cls: NDArray[np.intp]) -> sparse.csr_matrix:
            found = sparse.csr_matrix((values, (image, cls)), shape=(united.n_images, n))  # sums what stands twice
            found.eliminate_zeros()
            return found

        return {
            "truth": united.by_class(united.found.truth),
            "credit": table(pixels * alike, g),
            "taken": table(pixels * (1 - alike), p),
        }

    def values(self, sums: Mapping[str, Float], classes: Classes) -> dict[str, Float]:
        """Mean over the classes with truth."""
        found = self.by_class(sums, classes)["open_miou"]
        return {"open_miou": mean_of_defined(found, sums["truth"] > 0)}

    def by_class(self, sums: Mapping[str, Float], classes: Classes) -> dict[str, Float]:
        """Of every class with truth."""
        found = ratio(sums["credit"], sums["truth"] + sums["taken"])
        return {"open_miou": np.where(sums["truth"] > 0, found, np.nan)}
