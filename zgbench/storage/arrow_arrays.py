"""Numpy arrays and texts as Arrow arrays, and back, without pandas.

``pa.array`` and ``to_numpy`` import pandas to ask whether what they are given is of it. That takes a third of a second,
longer than all the reading and writing of an evaluation whose counts are known.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray


def numbers(values: NDArray[Any]) -> Any:
    """Integers or floats, [n], as they are."""
    import pyarrow as pa

    packed = np.ascontiguousarray(values)
    return pa.Array.from_buffers(pa.from_numpy_dtype(packed.dtype), len(packed), [None, pa.py_buffer(packed)])


def texts(values: Iterable[str], chosen: NDArray[np.int64] | None = None) -> Any:
    """Texts as Arrow's ``string``.

    Args:
        chosen: int64 [n], which of the values, in this order; None: each once.

    Raises:
        OverflowError: they have 2 GiB or more together, which this type cannot hold.
    """
    import pyarrow as pa

    encoded = [value.encode() for value in values]
    if chosen is not None:
        encoded = list(map(encoded.__getitem__, chosen.tolist()))
    ends = np.fromiter(accumulate(map(len, encoded), initial=0), dtype=np.int64, count=len(encoded) + 1)
    if ends[-1] > np.iinfo(np.int32).max:
        raise OverflowError("texts of 2 GiB or more in one array")
    buffers = [None, pa.py_buffer(ends.astype(np.int32)), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(encoded), buffers)


def as_numpy(values: Any) -> NDArray[Any]:
    """An Arrow array of integers or floats without nulls, read-only.

    Raises:
        ArrowException: it holds nulls, or is of another type.
    """
    return np.from_dlpack(values)
