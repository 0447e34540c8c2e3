"""A statistic with its bootstrap interval, or the reason why it is undefined."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zgbench.statistics import resampling


@dataclass(frozen=True)
class Interval:
    """A statistic with its 95 % percentile interval.

    Attributes:
        value, low, high: None where undefined.
        n: what it was worked out from (items, pairs or ratings).
        reason: why it is undefined, "" where it is not.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    reason: str = ""

    def __str__(self) -> str:
        if self.value is None:
            return f"undefined ({self.reason})"
        if self.low is None or self.high is None:
            return f"{self.value:.3f}"
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"

    def to_dict(self) -> dict[str, object]:
        """As it stands in a result file."""
        found: dict[str, object] = {"value": self.value, "ci95": [self.low, self.high], "n": self.n}
        return found | ({"reason": self.reason} if self.reason else {})


def undefined(reason: str, n: int = 0) -> Interval:
    """A statistic that has no value."""
    return Interval(None, None, None, n, reason)


def interval(value: float, samples: NDArray[np.float64], n: int) -> Interval:
    """A statistic with the percentiles of its resamples, of those that are defined."""
    low, high = (None if math.isnan(end) else end for end in resampling.interval(samples))
    return Interval(float(value), low, high, n)
