"""CLIP, for segment-to-text reassignment: text tower and segment encoder of one open_clip model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zgbench.encoders.base import Vectors, device, needs, unit
from zgbench.encoders.text import first_line, quiet
from zgbench.errors import ModelUnavailable
from zgbench.storage.files import sha256_file

_BATCH = 64


MINI = Path(__file__).with_name("mini_clip")
"""Folder of the small CLIP of the data set ``mini``; ``reference_method/mini`` says how it was trained."""


@dataclass(frozen=True)
class OpenClipModel:
    """An architecture of open_clip and the tag of its pretrained weights."""

    architecture: str
    pretrained: str
    repository: str

    @property
    def revision(self) -> str | None:
        """None: open_clip's tag names the weights."""
        return None

    def load(self, device: str) -> tuple[Any, Any]:
        """Model, float32, and tokenizer. Raises whatever the hub's clients raise."""
        self._knock()  # before the import, which takes seconds
        import open_clip

        model = open_clip.create_model(self.architecture, pretrained=self.pretrained, device=device, precision="fp32")
        return model.eval(), open_clip.get_tokenizer(self.architecture)

    def _knock(self) -> None:
        """Raise at once when the weights are neither cached nor to be reached; loading would retry for a minute."""
        from huggingface_hub import HfApi, try_to_load_from_cache

        if not isinstance(try_to_load_from_cache(self.repository, "open_clip_model.safetensors"), str):
            HfApi().model_info(self.repository, timeout=10)


@dataclass(frozen=True)
class OpenClipFolder:
    """A model in a folder: ``open_clip_config.json``, ``open_clip_model.safetensors`` and its own ``merges.txt.gz``."""

    folder: Path

    @property
    def revision(self) -> str:
        """Hash of the weights."""
        return sha256_file(self.folder / "open_clip_model.safetensors")

    def load(self, device: str) -> tuple[Any, Any]:
        """Model, float32, and tokenizer."""
        import json

        import open_clip
        from open_clip.tokenizer import SimpleTokenizer

        model = open_clip.create_model(f"local-dir:{self.folder}", device=device, precision="fp32")
        settings = json.loads((self.folder / "open_clip_config.json").read_text())["model_cfg"]
        length = settings["text_cfg"]["context_length"]
        return model.eval(), SimpleTokenizer(str(self.folder / "merges.txt.gz"), context_length=length)


MODELS: dict[str, OpenClipModel | OpenClipFolder] = {
    # OpenAI's weights were trained with QuickGELU; the architecture without it loads them and gives wrong vectors
    "ViT-L-14-336-quickgelu/openai": OpenClipModel(
        "ViT-L-14-336-quickgelu", "openai", "timm/vit_large_patch14_clip_336.openai"
    ),
    "zgbench-mini": OpenClipFolder(MINI),
}


def load(key: str, device: str) -> tuple[Any, Any]:
    """A CLIP of open_clip in float32, for inference, and its tokenizer.

    Args:
        key: of ``MODELS``.

    Raises:
        ModelUnavailable: no such model, or its weights cannot be had.
    """
    if key not in MODELS:
        raise ModelUnavailable(
            f"CLIP {key!r} is not part of this version of zgbench. TT works without it: --reassign tt"
        )
    with quiet():
        try:
            return MODELS[key].load(device)
        except ImportError as error:
            raise needs("open_clip_torch", "models", error) from error
        except Exception as error:  # the hub's clients raise many kinds
            raise ModelUnavailable(
                f"CLIP {key} cannot be loaded: {first_line(error)}. Connect to the internet once (it is then "
                f"cached). Without it: --reassign tt, which needs no CLIP."
            ) from error


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
        """Model and tag of the weights, or their hash."""
        revision = MODELS[self._key].revision if self._key in MODELS else None
        return f"{self._key}@{revision[:8]}" if revision else self._key

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
        if self._model is None:
            self._model, self._tokenizer = load(self._key, device())
        return self._model
