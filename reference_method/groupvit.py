"""GroupViT, an open-vocabulary baseline: it is given the class names, which the reference method never is.

Source: Xu et al., "GroupViT: Semantic Segmentation Emerges from Text Supervision", CVPR 2022, section 4, and the
evaluation that its authors published (NVlabs/GroupViT, `segmentation/`): the photo's short side becomes 448 pixels and
nothing is cut off; windows of 448 pixels at a stride of 224, their scores averaged; every pixel belongs to its strongest
group; a group's score of a class is its softmax over the classes times its softmax over the five that the whole window
is nearest to; a pixel is background where no class reaches a score.

Each window sees whole pixels of the photo, so a photo that is not square is seen to its borders.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from reference_method.models import fingerprint, load_groupvit

THRESHOLDS = {"pas20": 0.95, "pc59": 0.35, "pc459": 0.35}
"""Least score of a pixel's class, by data set, as in the published evaluation; none where there is no background."""
_PROMPT = "a photo of a {}."
_LONGEST = 2048
_WINDOWS = 2
"""A window's side in sides of the model's training input (448 of 224 pixels)."""
_LIKELY = 5


class GroupViT:
    """Segments of a photo by class name.

    Args:
        names: the class names.
        threshold: least score, 0 … 1; pixels below are in no segment.
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
        self._model = model.eval()
        self.weights = {"groupvit": fingerprint(model)}
        pictures = processor.image_processor
        self._mean, self._deviation = (
            torch.tensor(v, device=device)[:, None, None] for v in (pictures.image_mean, pictures.image_std)
        )
        vision = model.config.vision_config
        self._patch, self._window = int(vision.patch_size), int(vision.image_size) * _WINDOWS
        words = processor(text=[_PROMPT.format(name) for name in names], padding=True, return_tensors="pt").to(device)
        with torch.inference_mode():
            self._text = F.normalize(model.get_text_features(**words).pooler_output, dim=-1)

    @torch.inference_mode()
    def __call__(self, photo: Image.Image) -> list[tuple[NDArray[np.bool_], str]]:
        """Photo → masks, bool [h, w], that do not overlap, and their class names."""
        pixels = self._pixels(photo)
        height, width = pixels.shape[1:]
        total = torch.zeros(len(self.names) + 1, height, width, device=self._device)
        count = torch.zeros(height, width, device=self._device)
        for top in _starts(height, self._window):
            for left in _starts(width, self._window):
                place = slice(top, top + self._window), slice(left, left + self._window)
                total[:, *place] += self._scores(pixels[:, *place])
                count[place] += 1
        scores = F.interpolate((total / count)[None], (photo.height, photo.width), mode="bilinear", align_corners=False)
        best = scores[0].argmax(dim=0).cpu().numpy() - 1
        return [(best == k, self.names[k]) for k in np.unique(best) if k >= 0]

    def _pixels(self, photo: Image.Image) -> Tensor:
        """Normalised, [3, H, W]: the whole photo, short side as a window, but for very long ones; sides in patches."""
        scale = min(self._window / min(photo.size), _LONGEST / max(photo.size))
        width, height = (max(1, round(side * scale / self._patch)) * self._patch for side in photo.size)
        values = np.asarray(photo.resize((width, height), Image.Resampling.BILINEAR), dtype=np.float32) / 255
        return (torch.from_numpy(values).permute(2, 0, 1).to(self._device) - self._mean) / self._deviation

    def _scores(self, pixels: Tensor) -> Tensor:
        """A window's pixels [3, h, w] → scores [1 + classes, h, w], background first."""
        vision, size = self._model.vision_model, pixels.shape[1:]
        tokens = vision.embeddings(pixels[None], interpolate_pos_encoding=True)
        found = vision.encoder(tokens, output_attentions=True, return_dict=True)
        groups = vision.layernorm(found.last_hidden_state)
        whole = F.normalize(self._model.visual_projection(groups.mean(dim=1)), dim=-1)
        parts = F.normalize(self._model.visual_projection(groups[0]), dim=-1)
        scale = self._model.logit_scale.exp().clamp(max=100)
        logits = scale * parts @ self._text.T  # [groups, classes]
        likely = (whole @ self._text.T)[0].topk(min(_LIKELY, len(self.names))).indices
        among = torch.full_like(logits, -torch.inf)
        among[:, likely] = logits[:, likely]
        by_group = among.softmax(dim=-1) * logits.softmax(dim=-1)
        share = found.attentions[0][0].T  # [tokens, groups of the first stage]
        for attention in found.attentions[1:]:
            share = share @ attention[0].T
        grid = share.T.unflatten(1, (size[0] // self._patch, size[1] // self._patch))
        owner = F.interpolate(grid[None], size, mode="bilinear", align_corners=False)[0].argmax(dim=0)
        scores = by_group[owner].permute(2, 0, 1).float()
        # a threshold above every score would leave nothing of the window
        floor = min(self.threshold, float(by_group.max()))
        return torch.cat([(scores.amax(dim=0) < floor).float()[None], scores])


def _starts(side: int, window: int) -> list[int]:
    """Where windows begin along a side, half a window apart, the last one at its end."""
    last = max(side - window, 0)
    return [*range(0, last, window // 2), last]
