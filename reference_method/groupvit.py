"""GroupViT, an open-vocabulary baseline: it is given the class names, which the reference method never is.

Source: Xu et al., "GroupViT: Semantic Segmentation Emerges from Text Supervision", CVPR 2022, section 4: patches are
grouped, each group takes the class name that is nearest in CLIP's manner, and a pixel is background where no class
reaches a probability.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image

from reference_method.models import fingerprint, load_groupvit

THRESHOLDS = {"pas20": 0.95, "pc59": 0.35, "pc459": 0.35, "mini": 0.0}
"""Least probability of a pixel's class, by data set, as in the paper's published evaluation; none on mini, which has no
background."""
_PROMPT = "a photo of a {}."


class GroupViT:
    """Segments of a photo by class name.

    Args:
        names: the class names.
        threshold: least probability, 0 … 1; pixels below are in no segment.
        device: of the computation.
        model, processor: another GroupViT of transformers than the published one.

    Raises:
        ModelUnavailable: the weights cannot be had.
    """

    def __init__(
        self, names: Sequence[str], threshold: float, *, device: str = "cpu", model: Any = None, processor: Any = None
    ) -> None:
        self.names, self.threshold, self._device = list(names), threshold, device
        if model is None:
            model, processor = load_groupvit(device)
        self._model, self._processor = model.eval(), processor
        self.weights = {"groupvit": fingerprint(model)}
        prompts = [_PROMPT.format(name) for name in names]
        self._text = processor(text=prompts, padding=True, return_tensors="pt").to(device)

    @torch.inference_mode()
    def __call__(self, photo: Image.Image) -> list[tuple[NDArray[np.bool_], str]]:
        """Photo → masks, bool [h, w], that do not overlap, and their class names."""
        pixels = self._processor(images=photo, return_tensors="pt").to(self._device)
        logits = self._model(**self._text, **pixels, output_segmentation=True).segmentation_logits
        full = F.interpolate(logits.float(), (photo.height, photo.width), mode="bilinear", align_corners=False)[0]
        probability, best = full.softmax(dim=0).max(dim=0)
        best = torch.where(probability >= self.threshold, best, -1).cpu().numpy()
        return [(best == k, self.names[k]) for k in np.unique(best) if k >= 0]
