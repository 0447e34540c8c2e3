"""CLIP, for segment-to-text reassignment: text tower and segment encoder of one open_clip model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zgbench.encoders.base import Vectors, device, needs, unit
from zgbench.encoders.text import first_line, quiet
from zgbench.errors import ModelUnavailable

_BATCH = 64


@dataclass(frozen=True)
class OpenClipModel:
    """An architecture of open_clip and the tag of its pretrained weights."""

    architecture: str
    pretrained: str
    repository: str


MODELS: dict[str, OpenClipModel] = {
    # OpenAI's weights were trained with QuickGELU; the architecture without it loads them and gives wrong vectors
    "ViT-L-14-336-quickgelu/openai": OpenClipModel(
        "ViT-L-14-336-quickgelu", "openai", "timm/vit_large_patch14_clip_336.openai"
    ),
}


class Clip:
    """A CLIP model of open_clip, loaded at its first use.

    Args:
        model: key of ``MODELS``.
        segments: fields of ``SegmentEncoderConfig``.
    """

    def __init__(self, model: str, segments: Mapping[str, Any]) -> None:
        self._key, self._options = model, dict(segments)
        self._model: Any = None
        self._tokenizer: Any = None
        self._segments: Any = None

    @property
    def name(self) -> str:
        """Model and tag of the weights."""
        return self._key

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Texts → float32 [n, d], each row of length 1. Raises ModelUnavailable."""
        import torch

        model = self._loaded()
        parts = []
        with torch.inference_mode():
            for at in range(0, len(texts), _BATCH):
                tokens = self._tokenizer(list(texts[at : at + _BATCH])).to(next(model.parameters()).device)
                parts.append(model.encode_text(tokens).float().cpu().numpy())
        return unit(np.concatenate(parts))

    def encode_segments(self, photo: Any, masks: NDArray[np.bool_]) -> Vectors:
        """Masks, bool [n, h, w], of a PIL photo → float32 [n, d], each row of length 1. Raises ModelUnavailable."""
        if self._segments is None:
            from zgbench.encoders.segment import SegmentEncoder, SegmentEncoderConfig

            self._segments = SegmentEncoder(self._loaded(), SegmentEncoderConfig(**self._options), device=device())
        vectors: Vectors = self._segments.encode(photo, masks)
        return vectors

    def _loaded(self) -> Any:
        if self._model is not None:
            return self._model
        if self._key not in MODELS:
            raise ModelUnavailable(
                f"CLIP {self._key!r} is not part of this version of zgbench. TT works without it: --reassign tt"
            )
        chosen = MODELS[self._key]
        with quiet():
            try:
                self._knock(chosen)  # before the import, which takes seconds
                import open_clip

                model = open_clip.create_model(
                    chosen.architecture, pretrained=chosen.pretrained, device=device(), precision="fp32"
                )
            except ImportError as error:
                raise needs("open_clip_torch", "models", error) from error
            except Exception as error:  # the hub's clients raise many kinds
                raise ModelUnavailable(
                    f"CLIP {self._key} cannot be loaded: {first_line(error)}. Connect to the internet once (it is then "
                    f"cached). Without it: --reassign tt, which needs no CLIP."
                ) from error
        self._model = model.eval()
        self._tokenizer = open_clip.get_tokenizer(chosen.architecture)
        return self._model

    def _knock(self, chosen: OpenClipModel) -> None:
        """Raise at once when the weights are neither cached nor to be reached; loading would retry for a minute."""
        from huggingface_hub import HfApi, try_to_load_from_cache

        if not isinstance(try_to_load_from_cache(chosen.repository, "open_clip_model.safetensors"), str):
            HfApi().model_info(chosen.repository, timeout=10)
