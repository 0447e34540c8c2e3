"""What an encoder is to the rest of zgbench, and how cosines are taken."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from zgbench.errors import ModelUnavailable

Vectors = NDArray[np.float32]


class TextEncoder(Protocol):
    """Text → unit vectors.

    An encoder may have an attribute ``weights``: a hash of all that its vectors depend on. Its vectors are then cached on
    disk under that hash; without it they are not, and ``own:`` stands before its name in signatures.
    """

    @property
    def name(self) -> str:
        """Model and hash, as in the signature."""
        ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """float32 [n, d], each row of length 1. Raises ModelUnavailable when the weights cannot be had."""
        ...


class ImageTextEncoder(TextEncoder, Protocol):
    """CLIP: texts, and the segments of a photo, into one space."""

    def encode_segments(self, photo: Any, masks: NDArray[np.bool_]) -> Vectors:
        """Masks, bool [n, h, w], of a PIL photo → float32 [n, d], each row of length 1."""
        ...


def unit(vectors: NDArray[Any]) -> Vectors:
    """Rows scaled to length 1, float32; a zero row stays zero."""
    found = np.asarray(vectors, dtype=np.float32)
    length = np.sqrt((found.astype(np.float64) ** 2).sum(axis=1, keepdims=True))
    return (found / np.where(length > 0, length, 1)).astype(np.float32)


def device() -> str:
    """``ZGBENCH_DEVICE``, or a CUDA GPU where there is one, or Apple's GPU, or the CPU."""
    import torch

    if chosen := os.environ.get("ZGBENCH_DEVICE"):
        return chosen
    return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"


def needs(package: str, extra: str, error: ImportError) -> ModelUnavailable:
    """The error for a package that is not installed."""
    return ModelUnavailable(
        f"the package {package} cannot be imported ({error}). Install it with: pip install 'zgbench[{extra}]'"
    )
