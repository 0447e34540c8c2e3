"""A dense CRF over candidates, as the released code of the ICCV 2023 paper refines them.

Source: Krähenbühl and Koltun, "Efficient Inference in Fully Connected CRFs with Gaussian Edge Potentials", NIPS 2011,
by its authors' library with the constants of the released code: 10 iterations; smoothness 25 at 1 pixel; appearance 100
at 5 pixels and 13 of 255 levels of colour; unary energies are the squared distances to the segments' means, less the
greatest of each feature.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from zgbench.errors import ModelUnavailable


def refined(distances: NDArray[np.float32], image: Image.Image) -> NDArray[np.integer[Any]]:
    """Segment number of each pixel.

    Args:
        distances: float32 [rows, columns, k], squared, of the map's features to the k segments' means.
        image: RGB; the map is stretched over it.

    Returns:
        [h, w] of the image's size, values 0 … k − 1; some may be gone.

    Raises:
        ModelUnavailable: the library is not installed.
    """
    try:
        import pydensecrf.densecrf as library
    except ImportError as error:
        raise ModelUnavailable(
            "assignment=crf needs the package pydensecrf2, which comes as source: pip install pydensecrf2 (it wants a "
            "C++ compiler). Without it: --set assignment=nearest, the same but for the refinement."
        ) from error
    rows, columns, count = distances.shape
    energy = distances - distances.max(axis=2, keepdims=True)
    at = np.arange(image.height) * rows // image.height, np.arange(image.width) * columns // image.width
    large = energy[at[0][:, None], at[1][None]].reshape(-1, count)
    crf = library.DenseCRF2D(image.width, image.height, count)
    crf.setUnaryEnergy(np.ascontiguousarray(large.T))
    crf.addPairwiseGaussian(sxy=1, compat=25)
    crf.addPairwiseBilateral(sxy=5, srgb=13, rgbim=np.array(image.convert("RGB")), compat=100)
    found: NDArray[np.integer[Any]] = np.argmax(crf.inference(10), axis=0).reshape(image.height, image.width)
    return found
