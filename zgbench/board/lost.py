"""Which step loses a segment: the steps of :mod:`zgbench.board.waterfall`, segment by segment.

    masks       its IoU with the truth of the class that fills most of it is at most 0.5, so no name could save it; or
                unlabelled pixels fill most of it
    names       a good mask that got a wrong class, and its label stands for another class in the whole set (TT only: ST does
                not look at labels)
    mapping     mask and label are good, but the protocol gave it another class
    threshold   the class is right, and verification dropped it

A segment that no step loses is kept, has the right class, and an IoU above 0.5 with it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zgbench.board.method import Opened
from zgbench.board.overlap import Overlap
from zgbench.board.waterfall import steps

STEPS = {"masks": "Masks", "names": "Names", "mapping": "Mapping", "threshold": "Threshold"}
"""Step → its title, in the order in which they are asked: the first that loses a segment counts."""
_FOUND = 0.5


def lost_by(row: Opened, found: Overlap, best: NDArray[np.int64]) -> list[str]:
    """For every segment the key of STEPS that loses it, or an empty text.

    Args:
        found: overlaps of the row's counts, wide enough for all of its classes.
        best: class that fills most of each segment, ``found.majority()``.
    """
    by_step = steps(row)
    names = by_step.get("names")
    mapped_wrong = row.row.reassigned.decision.class_id != best
    wrong = {
        "masks": found.iou(best) <= _FOUND,
        "names": mapped_wrong & (names != best) if names is not None else np.zeros(len(best), dtype=bool),
        "mapping": mapped_wrong,
        "threshold": row.row.assigned == 0,
    }
    lost = np.full(len(best), "", dtype=object)
    for step in reversed(STEPS):
        lost[wrong[step]] = step
    return [str(step) for step in lost]
