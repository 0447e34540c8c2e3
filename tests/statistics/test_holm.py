"""Holm's correction by hand."""

from __future__ import annotations

import numpy as np
import pytest

from zgbench.statistics.holm import holm


def test_holm_by_hand() -> None:
    # sorted .01 .02 .03 .04 times 4 3 2 1: .04 .06 .06 .06
    assert holm(np.array([0.04, 0.01, 0.03, 0.02])) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm(np.array([0.5, 0.9])).tolist() == [1, 1]
    assert holm(np.zeros(0)).tolist() == []
    undefined, rest = holm(np.array([np.nan, 0.02]))
    assert np.isnan(undefined) and rest == 0.02  # an undefined one is no test
