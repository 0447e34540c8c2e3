"""The whole method, as figure 2 of the paper draws it.

photo ─► candidates (DINO) ─► embeddings (CLIP, global subtraction) ─► names (ZeroCap) ─► merging ─► segments
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from reference_method.candidates import Candidates, Refine, segment
from reference_method.clip_text import ClipText
from reference_method.config import ReferenceConfig
from reference_method.merging import Forest, Segment, Vectors, merge
from reference_method.models import fingerprint, load_dino, load_language
from reference_method.naming import ZeroCap
from reference_method.tree import Tree
from zgbench.encoders import clip as clips
from zgbench.encoders.masked_attention import SharedStart
from zgbench.encoders.segment import SegmentEncoder

Precision = Literal["fp32", "bf16", "fp16"]
DTYPES: dict[str, torch.dtype] = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Seen:
    """What stages 1 and 2 make of a photo.

    Attributes:
        photo: of n segments.
        masks: of its segments, bool [n, h, w].
        vectors: their embeddings, float32 [n, d].
        tree: above the segments, see :class:`reference_method.candidates.Candidates`; None: the segments were given.
        start: of the photo in CLIP, which unions of its segments share.
    """

    photo: Image.Image
    masks: NDArray[np.bool_]
    vectors: Vectors
    tree: Tree | None
    start: SharedStart | None


class Reference:
    """The reference method with its models.

    Args:
        config: see :class:`reference_method.config.ReferenceConfig`.
        device: of all models, ``cpu`` or ``cuda:0`` and the like.
        precision: of CLIP and the language model. DINO, whose keys decide the segments, clustering, cosines and
            losses stay in float32.

    Attributes:
        weights: model → hash of its weights, as they are stored: it does not depend on the precision.

    Raises:
        ModelUnavailable: weights or a package cannot be had.
    """

    def __init__(self, config: ReferenceConfig, *, device: str = "cpu", precision: Precision = "fp32") -> None:
        self.config = config
        dtype = DTYPES[precision]
        self._dino = load_dino(
            config.dino, image_size=config.image_size, keep_aspect=config.keep_aspect, stride=config.stride,
            resize_filter=config.resize_filter, device=device, dtype=torch.float32,
        )  # fmt: skip
        model, tokenizer = clips.load(config.clip, device)
        language = load_language(config.language, device=device, dtype=torch.float32)
        self.weights = {
            "dino": fingerprint(self._dino.model),
            "clip": fingerprint(model),
            "language": fingerprint(language.model),
        }
        language.model.to(dtype)
        self._encoder = SegmentEncoder(model, config.encoder, device=device, dtype=dtype)
        self._text = ClipText(model if dtype == torch.float32 else copy.deepcopy(model).to(dtype), tokenizer)
        self._zerocap = ZeroCap(language, self._text, config.naming)
        self._device = torch.device(device)

    def __call__(self, photos: Sequence[Image.Image]) -> list[list[Segment]]:
        """Photos → their named segments, which cover every pixel of a photo once."""
        return self.say([self.see(photo) for photo in photos])

    def name_segments(self, photos: Sequence[Image.Image], masks: Sequence[NDArray[np.bool_]]) -> list[list[Segment]]:
        """Photos and masks, bool [n, h, w] each → the masks as named segments, in their order."""
        return self.say([self.see(photo, own) for photo, own in zip(photos, masks, strict=True)])

    def see(self, photo: Image.Image, masks: NDArray[np.bool_] | None = None) -> Seen:
        """Stages 1 and 2: of a photo its segments, or those that are given, and what CLIP sees in them.

        May run in threads, beside itself and beside :meth:`say` of other photos.
        """
        tree = None
        if masks is None:
            found = self.candidates(photo)
            masks, tree = found.masks(), found.tree
        start = self._encoder.start(photo)
        return Seen(photo, masks, self._encoder.encode(photo, masks, start), tree, start)

    def say(self, seen: Sequence[Seen]) -> list[list[Segment]]:
        """Stages 3 and 4 of photos: names, and where the segments are the method's own (of all photos or of none), merging."""
        names = iter(self._names(np.concatenate([one.vectors for one in seen])) if seen else [])
        named = [
            [Segment(mask, vector, next(names)) for mask, vector in zip(one.masks, one.vectors, strict=True)]
            for one in seen
        ]
        trees = [one.tree for one in seen if one.tree is not None]
        if not trees or self.config.merge is None:
            return named
        forests = [Forest(tree, dict(enumerate(segments))) for tree, segments in zip(trees, named, strict=True)]
        prompt = self.config.merge_prompt
        merge(
            forests,
            self.config.merge,
            embed=lambda photo, unions: self._encoder.encode(seen[photo].photo, unions, seen[photo].start),
            name=self._names,
            read=lambda labels: self._text.encode([prompt.format(label) for label in labels]).cpu().numpy(),
        )
        return [forest.segments() for forest in forests]

    def candidates(self, photo: Image.Image) -> Candidates:
        """Stage 1 alone."""
        c, dino = self.config, self._dino
        return segment(
            dino(dino.pixels(photo)), (photo.height, photo.width), patch=dino.patch, stride=dino.stride, n=c.segments,
            cosine=c.cosine, criterion=c.criterion, normalise=c.normalise_keys, joining=c.joining,
            nearest=c.assignment == "nearest", refine=self._refine(photo) if c.assignment == "crf" else None,
        )  # fmt: skip

    def _refine(self, photo: Image.Image) -> Refine:
        from reference_method.crf import refined

        return lambda distances: refined(distances, self._dino.resized(photo))

    def _names(self, embeddings: Vectors) -> list[str]:
        return self._zerocap.name(torch.from_numpy(np.asarray(embeddings)).to(self._device))
