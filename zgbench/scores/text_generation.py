"""Text Generation Quality: of the *truth's* segments, the share whose label fits the true class name (track ``oracle``).

``v1``: cosine > τ, over all truth segments of the set, as the paper has it. ``iccv2023``: cosine ≥ τ, the share of each
image, then the mean over images that have a truth segment, as the released code has it; a truth segment without a label
is missed, where the released code has none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from zgbench.pixels.counts import Counts
from zgbench.protocol import Protocol

Float = NDArray[np.float64]


@dataclass(frozen=True)
class Hits:
    """Statistics of Text Generation Quality, see :class:`zgbench.statistics.resampling.Statistics`.

    Attributes:
        per_image: sparse float64 [images, 2], whose sums' ratio is the score: truth segments whose label fits, and all
            truth segments; or the share of the former, and whether there are any.
    """

    per_image: sparse.csr_matrix

    def scores(self, sums: Float) -> dict[str, Float]:
        """Score name → float64 [...] of summed statistics [..., 2]."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return {"tgq": np.asarray(sums[..., 0] / sums[..., 1])}


def hits(counts: Counts, similarity: NDArray[np.float32], protocol: Protocol) -> Hits:
    """Per-image statistics.

    Args:
        counts: of track ``oracle``, where every truth segment has one entry.
        similarity: float32 [segments], cosine of each label with the true name.
    """
    truth, tau = truth_segments(counts), np.float32(protocol.tau_text)
    fits = similarity > tau if protocol.scoring == "v1" else similarity >= tau
    found = np.bincount(counts.owner[fits], minlength=len(counts.ids)).astype(np.float64)
    of = truth.astype(np.float64)
    if protocol.scoring == "iccv2023":
        found, of = np.divide(found, of, out=np.zeros_like(of), where=of > 0), (of > 0).astype(np.float64)
    return Hits(sparse.csr_matrix(np.stack((found, of), axis=1)))


def truth_segments(counts: Counts) -> NDArray[np.int64]:
    """Number of truth segments of each image, int64 [images] (track ``oracle``)."""
    return np.bincount(counts.image[counts.cls > 0], minlength=len(counts.ids))


def verify(protocol: Protocol) -> str:
    """What a label must reach, in the signature."""
    return f"cos{'>' if protocol.scoring == 'v1' else '>='}{protocol.tau_text:g}"
