"""Arrays of any library, type and device as numpy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from zgbench.errors import UsageError


def to_numpy(value: Any, what: str) -> NDArray[Any]:
    """A numpy array of an array, tensor or list of them: of torch, jax, tensorflow, cupy, PIL; on any device.

    Tensors that need a gradient are detached; bfloat16 and other types that numpy lacks become float32.

    Args:
        what: what the array is, for messages.

    Raises:
        UsageError: no array.
    """
    try:
        found = _plain(value)
        if isinstance(value, (list, tuple)) and any(
            hasattr(item, "__array__") or hasattr(item, "detach") for item in value
        ):
            parts = [_plain(item) for item in value]
            shapes = sorted({part.shape for part in parts})
            if len(shapes) > 1:
                raise UsageError(
                    f"{what}: arrays of different shapes, {' and '.join(map(str, shapes[:4]))}. Give them one shape."
                )
            found = np.stack(parts)
        array = np.asarray(found)
    except UsageError:
        raise
    except Exception as error:  # every library has errors of its own
        raise UsageError(f"{what}: {type(value).__name__} cannot be read as an array ({str(error)[:200]}).") from error
    if array.dtype.kind == "V":  # bfloat16 and float8 of ml_dtypes, which jax uses
        try:
            array = array.astype(np.float32)
        except (TypeError, ValueError) as error:
            raise UsageError(f"{what}: values of type {array.dtype} are no numbers.") from error
    if array.dtype.kind not in "biuf":
        raise UsageError(f"{what}: expected numbers, got {type(value).__name__} of {array.dtype}.")
    return array


def _plain(value: Any) -> Any:
    if hasattr(value, "detach") and hasattr(value, "cpu"):  # torch
        value = value.detach().cpu()
        if getattr(value, "is_sparse", False):
            value = value.to_dense()
        if str(value.dtype) in ("torch.bfloat16", "torch.float8_e4m3fn", "torch.float8_e5m2"):
            value = value.float()
        return value.numpy()
    if type(value).__module__.startswith("cupy") and hasattr(value, "get"):
        return value.get()
    return value


def as_masks(array: NDArray[Any], what: str) -> NDArray[np.bool_]:
    """Masks, bool [n, h, w], of an array of any type whose values say yes or no: 0 and 1, or 0 and 255.

    One mask [h, w] and a channel of one ([n, 1, h, w]) are taken too.

    Raises:
        UsageError: another shape, or other values: probabilities, logits, a label map.
    """
    if array.ndim == 4 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 2:
        array = array[None]
    if array.ndim != 3:
        raise UsageError(f"{what}: expected masks [n, h, w], got shape {array.shape}.")
    if array.dtype == np.bool_:
        return array
    high = array == (255 if array.dtype.kind in "iu" and array.size and array.max() == 255 else 1)
    if not (high | (array == 0)).all():
        mend = (
            "Threshold probabilities (masks > 0.5) or logits (masks > 0) first."
            if array.dtype.kind == "f"
            else "Of a label map [h, w] give no third axis."
        )
        raise UsageError(
            f"{what}: masks of {array.dtype} hold other values than 0 and 1 (from {array.min():g} to {array.max():g}). {mend}"
        )
    return np.asarray(high)
