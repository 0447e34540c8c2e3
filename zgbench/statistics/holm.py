"""p-values of several tests, corrected so that all together err in at most 5 of 100 cases."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]


def holm(p: Float) -> Float:
    """Correct for the number of tests by Holm's step-down method (1979).

    Args:
        p: float64 [tests]; NaN is no test and does not count.

    Returns:
        float64 [tests], at most 1; NaN where there was no test.
    """
    found = np.full(len(p), np.nan)
    tests = np.flatnonzero(~np.isnan(p))
    order = tests[np.argsort(p[tests], kind="stable")]
    stepped = p[order] * np.arange(len(order), 0, -1)
    found[order] = np.minimum(np.maximum.accumulate(stepped), 1.0)
    return found
