"""How large a difference must be to be found, and how many images it takes to find one.

A two-sided test at 5 % finds a true difference of d in 80 % of test sets like this one where d is 2.8 standard errors:
1.96 to be significant, and 0.84 more so that four of five draws lie beyond that (Cohen 1988, ch. 2; normal
approximation). A standard error falls with the square root of the number of images.
"""

from __future__ import annotations

import math

FACTOR = 2.8
"""z(97.5 %) + z(80 %), standard errors."""


def smallest(standard_error: float) -> float:
    """Smallest difference that is found in 80 % of cases, in the standard error's unit; NaN where that is undefined."""
    return FACTOR * standard_error


def images_needed(images: int, difference: float, standard_error: float) -> int | None:
    """How many images like these it takes to find a difference as large as the one seen in 80 % of cases.

    Args:
        images: from which the standard error is.

    Returns:
        At least 2; None where no number of images does: no difference was seen, or it is undefined.
    """
    if not math.isfinite(difference) or not math.isfinite(standard_error) or difference == 0:
        return None
    times = smallest(standard_error) / difference
    return max(2, math.ceil(images * times * times)) if math.isfinite(times * times) else None
