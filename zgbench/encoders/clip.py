"""CLIP, for segment-to-text reassignment: text tower and segment encoder of one open_clip model."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zgbench.encoders.base import Vectors, device, needs, unit
from zgbench.encoders.text import first_line, own_folder, quiet
from zgbench.errors import ModelUnavailable
from zgbench.extras import need
from zgbench.models import CATALOGUE, find, locate, verify
from zgbench.models.resolve import tell

_BATCH = 64
_TENSORS = "sha256 of tensors"

MINI = Path(__file__).with_name("mini_clip")
"""Folder of the small CLIP of the data set ``mini``; ``reference_method/mini`` says how it was trained."""


@dataclass(frozen=True)
class OpenClipModel:
    """A model of the catalogue whose architecture open_clip knows.

    Its weights are published in two files, the hub's and the authors' own. What names them is the hash of their tensors,
    which is the same either way.
    """

    key: str
    architecture: str

    def weights(self) -> str | None:
        """SHA-256 of the tensors if they were loaded here before, else None."""
        found = find(self.key)
        return verify.recall(found.weights, _TENSORS) if found is not None else None

    def place(self) -> Path:
        """The file with the weights. Raises ModelUnavailable."""
        return locate(self.key).weights

    def load(self, place: Path, device: str) -> tuple[Any, Any]:
        """Model, float32, and tokenizer, from one of the two files."""
        import open_clip

        if place.suffix == ".pt":
            model = open_clip.create_model(self.architecture, load_weights=False, device="cpu", precision="fp32")
            model.load_state_dict(_tensors_of_archive(place))
            model = model.to(device)
        else:
            model = open_clip.create_model(self.architecture, pretrained=str(place), device=device, precision="fp32")
        if verify.recall(place, _TENSORS) is None:
            found = sha256_tensors(model)
            tell(f"{self.key}: recorded the sha256 of its tensors, {found}; signatures carry its first digits")
            verify.remember(place, _TENSORS, found)
        return model.eval(), open_clip.get_tokenizer(self.architecture)


@dataclass(frozen=True)
class OpenClipFolder:
    """A model in a folder: ``open_clip_config.json``, weights, and ``merges.txt.gz`` if it has a tokenizer of its own.

    Attributes:
        folder: None for one of the catalogue.
    """

    key: str
    folder: Path | None = None

    def weights(self) -> str:
        """SHA-256 of the weights; of a folder of one's own, of all its files."""
        return str(CATALOGUE[self.key].weights.sha256) if self.folder is None else verify.sha256_folder(self.folder)

    def place(self) -> Path:
        """The folder. Raises ModelUnavailable."""
        return self.folder or locate(self.key).folder

    def load(self, place: Path, device: str) -> tuple[Any, Any]:
        """Model, float32, and tokenizer."""
        import open_clip
        from open_clip.tokenizer import SimpleTokenizer

        model = open_clip.create_model(f"local-dir:{place}", device=device, precision="fp32").eval()
        if not (place / "merges.txt.gz").is_file():
            return model, open_clip.get_tokenizer(f"local-dir:{place}")
        settings = json.loads((place / "open_clip_config.json").read_text())["model_cfg"]
        length = settings["text_cfg"]["context_length"]
        return model, SimpleTokenizer(str(place / "merges.txt.gz"), context_length=length)


MODELS: dict[str, OpenClipModel | OpenClipFolder] = {
    # OpenAI's weights were trained with QuickGELU; the architecture without it loads them and gives wrong vectors
    "ViT-L-14-336-quickgelu/openai": OpenClipModel("ViT-L-14-336-quickgelu/openai", "ViT-L-14-336-quickgelu"),
    "zgbench-mini": OpenClipFolder("zgbench-mini"),
}


def source(model: str | os.PathLike[str]) -> OpenClipModel | OpenClipFolder:
    """One of ``MODELS``, or a folder by its path.

    Raises:
        UsageError: neither.
    """
    if (known := MODELS.get(str(model))) is not None:
        return known
    folder = own_folder(model, "CLIP", tuple(MODELS))
    return OpenClipFolder(f"folder/{folder.name}", folder)


def load(model: str | os.PathLike[str], on: str | None = None) -> tuple[Any, Any]:
    """A CLIP of open_clip in float32, for inference, and its tokenizer.

    Args:
        model: key of ``MODELS``, or the path of a folder.
        on: the device; by default see :func:`zgbench.encoders.base.device`.

    Raises:
        ModelUnavailable: its weights cannot be had.
        UsageError: no such model.
    """
    found = source(model)
    need("models", "CLIP")
    try:
        place = found.place()
    except ModelUnavailable as error:
        raise ModelUnavailable(f"CLIP: {error}") from error
    with quiet():
        try:
            return found.load(place, on or device())
        except ImportError as error:
            raise needs("open_clip_torch", "models", error) from error
        except Exception as error:  # whatever is wrong with files that are not pinned
            raise ModelUnavailable(f"CLIP {model} cannot be loaded from {place}: {first_line(error)}.") from error


def sha256_tensors(model: Any) -> str:
    """Hexadecimal SHA-256 of a model's tensors by name, shape and content in float32, whatever file they came from."""
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        digest.update(f"{name} {tuple(value.shape)}\n".encode())
        digest.update(value.detach().float().cpu().contiguous().numpy().astype("<f4").tobytes())
    return digest.hexdigest()


def _tensors_of_archive(path: Path) -> dict[str, Any]:
    """The tensors of the file that CLIP's authors published, a TorchScript archive in half precision."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is on its way out; the file is what it is
        archive = torch.jit.load(str(path), map_location="cpu")
    settings = ("input_resolution", "context_length", "vocab_size")
    return {name: value.float() for name, value in archive.state_dict().items() if name not in settings}


class Clip:
    """A CLIP model of open_clip, loaded at its first use.

    Args:
        model: key of ``MODELS``, or the path of a folder with a model of open_clip.
        segments: fields of ``SegmentEncoderConfig``.

    Raises:
        UsageError: no such model.
    """

    def __init__(self, model: str | os.PathLike[str], segments: Mapping[str, Any]) -> None:
        self._source, self._options = source(model), dict(segments)
        self._given = model
        self._weights: str | None = None
        self._model: Any = None
        self._tokenizer: Any = None
        self._segments: Any = None

    @property
    def name(self) -> str:
        """Model and the first digits of its hash. Raises ModelUnavailable when that is not known yet."""
        return f"{self._source.key}@{self.weights[:8]}"

    @property
    def weights(self) -> str:
        """The hash that names the weights; the model is loaded for it once. Raises ModelUnavailable."""
        if self._weights is None:
            self._weights = self._source.weights()
        if self._weights is None:
            self._weights = sha256_tensors(self._loaded())
        return self._weights

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Texts → float32 [n, d], each row of length 1. Raises ModelUnavailable."""
        model = self._loaded()
        import torch

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
            try:
                self._model, self._tokenizer = load(self._given)
            except ModelUnavailable as error:
                raise ModelUnavailable(f"{error}\n  Without it: --reassign tt, which needs no CLIP.") from error
        return self._model
