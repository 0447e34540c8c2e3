"""Sentence-BERT, for text-to-text reassignment and Text Generation Quality."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from zgbench.encoders.base import Vectors, device, needs, unit
from zgbench.errors import ModelUnavailable, UsageError
from zgbench.extras import need
from zgbench.models import CATALOGUE, find, locate
from zgbench.models.verify import sha256_folder

_BATCH = 16
_LENGTHS = (8, 16, 32, 64, 128, 256)
MODELS = ("all-mpnet-base-v2", "all-MiniLM-L6-v2")
"""Those of the catalogue that are Sentence-BERTs."""
_PACKAGED = "all-MiniLM-L6-v2"


class SentenceBert:
    """Sentence-BERT (Reimers & Gurevych 2019), loaded at its first use.

    A text is always computed in a batch of the same shape, so its vector does not depend on its company.

    Args:
        model: one of ``MODELS``, or the path of a folder with a model of Sentence Transformers. A path is absolute or
            begins with ``./``, ``../`` or ``~``: a folder that only has a model's name is never taken for it.

    Raises:
        UsageError: neither.
    """

    def __init__(self, model: str | os.PathLike[str]) -> None:
        self._key = str(model)
        self._folder = None if self._key in MODELS else own_folder(model, "text model", MODELS)
        self._model: Any = None

    @property
    def name(self) -> str:
        """Model and the first digits of its hash."""
        return f"{self._key if self._folder is None else f'folder/{self._folder.name}'}@{self.weights[:8]}"

    @cached_property
    def weights(self) -> str:
        """SHA-256 of the weights; of a folder of one's own, of all its files."""
        return sha256_folder(self._folder) if self._folder is not None else str(CATALOGUE[self._key].weights.sha256)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """float32 [n, d], each row of length 1.

        Raises:
            ModelUnavailable: the weights cannot be had; says what would work instead.
        """
        if self._model is None:
            self._model = self._load()  # before the import, which takes seconds
        import torch

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
        need("offline" if self._key == _PACKAGED and find(_PACKAGED) is None else "models", "Sentence-BERT")
        try:
            place = self._folder or locate(self._key).folder
        except ModelUnavailable as error:
            raise ModelUnavailable(f"Sentence-BERT: {error}{_instead(self._key)}") from error
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise needs("sentence-transformers", "models", error) from error
        with quiet():
            try:
                return SentenceTransformer(str(place), device=device(), local_files_only=True)
            except Exception as error:  # whatever is wrong with files that are not pinned
                raise ModelUnavailable(
                    f"Sentence-BERT {self._key} cannot be loaded from {place}: {first_line(error)}."
                ) from error


def _instead(key: str) -> str:
    if key == _PACKAGED:
        return ""
    return (
        "\n  Or choose the text model that comes in a package: --protocol offline (pip install 'zgbench[offline]'). "
        "Scores of the two are not comparable."
    )


def own_folder(model: str | os.PathLike[str], what: str, known: Sequence[str]) -> Path:
    """The absolute path of a folder that somebody names in a model's place.

    Raises:
        UsageError: it is no path, or there is no such folder.
    """
    text = os.fspath(model)
    path = Path(text).expanduser()
    if not (isinstance(model, Path) or path.is_absolute() or text.startswith(("./", "../"))):
        raise UsageError(
            f"{what} {text!r}: expected one of {', '.join(known)}, or the path of a folder, written as ./{text} or absolute."
        )
    if not path.is_dir():
        raise UsageError(f"{what} {text!r}: there is no such folder.")
    return path.absolute()


def first_line(error: BaseException) -> str:
    """An exception in one line of bounded length."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else text[:200] + "…"


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep the libraries' progress bars and advice off the terminal while weights load from the disk."""
    names = ("transformers", "sentence_transformers", "huggingface_hub", "httpx")
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.ERROR)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    with contextlib.suppress(ImportError, AttributeError):
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
