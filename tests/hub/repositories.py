"""Repositories with the files of the real ones: their architectures, smaller, with random weights."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from tests.hub.server import Repository
from zgbench.models import File, Model


def pinned(name: str, repository: Repository, weights: str, **more: Any) -> Model:
    """A catalogue entry for a repository, with the hash of each of its files."""
    others = [path for path in repository.files if path not in (weights, "README.md")]
    files = tuple(File(path, hashlib.sha256(repository.files[path]).hexdigest()) for path in (weights, *others))
    size = sum(map(len, repository.files.values()))
    return Model(name, "of a test", files, size, "none", repository.name, repository.revision, **more)


def sentence_bert(folder: Path, seed: int = 0, width: int = 32) -> Path:
    """The files of all-MiniLM-L6-v2, with two narrow layers of random weights."""
    import shutil

    import torch
    from transformers import BertConfig, BertModel

    from zgbench.models import find

    found = find("all-MiniLM-L6-v2")
    assert found is not None
    for file in found.model.files[1:]:
        (folder / file.path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(found.folder / file.path, folder / file.path)
    settings = json.loads((folder / "config.json").read_text())
    settings |= {"hidden_size": width, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    torch.manual_seed(seed)
    BertModel(BertConfig(**settings)).save_pretrained(folder)
    pooling = json.loads((folder / "1_Pooling/config.json").read_text())
    (folder / "1_Pooling/config.json").write_text(json.dumps(pooling | {"word_embedding_dimension": width}))
    return folder


def clip(folder: Path, seed: int = 0) -> tuple[str, Path, Path]:
    """A small CLIP: its architecture's name, and its weights as the hub's file and as the authors' archive."""
    import open_clip
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True)
    settings = open_clip.get_model_config("ViT-L-14-336-quickgelu")
    settings["vision_cfg"] |= {"image_size": 64, "width": 64, "layers": 3, "patch_size": 16}
    settings["text_cfg"] |= {"width": 64, "heads": 1, "layers": 2}
    settings["embed_dim"] = 24
    name = "zg-small-clip"
    (folder / f"{name}.json").write_text(json.dumps(settings))
    open_clip.add_model_config(folder / f"{name}.json")
    torch.manual_seed(seed)
    model = open_clip.create_model(name).eval()
    half = {k: v.half() for k, v in model.state_dict().items()}  # what was published is in half precision
    model.load_state_dict(half)
    (folder / "hub").mkdir()
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, folder / "hub/open_clip_model.safetensors")
    (folder / "original").mkdir()
    _archive(half, folder / "original/ViT-L-14-336px.pt")
    return name, folder / "hub", folder / "original"


def _archive(tensors: dict[str, Any], path: Path) -> None:
    """Tensors as CLIP's authors publish them: a TorchScript archive with its settings among them."""
    import warnings

    import torch

    class Holder(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x

    root = Holder()
    settings = {
        "input_resolution": torch.tensor(64),
        "context_length": torch.tensor(77),
        "vocab_size": torch.tensor(49408),
    }
    for name, value in (tensors | settings).items():
        *outer, inner = name.split(".")
        module = root
        for part in outer:
            if part not in dict(module.named_children()):
                module.add_module(part, Holder())
            module = module.get_submodule(part)
        module.register_buffer(inner, value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(root), str(path))


def gpt2(folder: Path) -> Path:
    """The files of gpt2-medium, of the small language model that comes along."""
    import shutil

    from reference_method.models import MINI

    shutil.copytree(MINI / "gpt2", folder)
    return folder


def dino(folder: Path) -> Path:
    """ViT-S/8 at full size."""
    import timm
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True)
    torch.manual_seed(0)
    model = timm.create_model("vit_small_patch8_224", num_classes=0)
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({"architecture": "vit_small_patch8_224", "num_classes": 0}))
    return folder


def groupvit(folder: Path) -> Path:
    """GroupViT, small, with its weights in a pickle and the processor that crops."""
    import torch
    from transformers import CLIPImageProcessor, CLIPTokenizer, GroupViTConfig, GroupViTModel

    torch.manual_seed(0)
    config = GroupViTConfig(
        text_config={"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64, "vocab_size": 600, "eos_token_id": 599, "bos_token_id": 598},
        vision_config={"hidden_size": 48, "depths": [2, 1, 1], "num_group_tokens": [8, 4, 0], "num_output_groups": [8, 4, 0], "image_size": 32, "patch_size": 8, "num_attention_heads": 2, "intermediate_size": 96},
        projection_dim=24, projection_intermediate_dim=48,
    )  # fmt: skip
    pieces = [*(chr(c) for c in range(97, 123)), *(f"{chr(c)}</w>" for c in range(97, 123)), ".</w>", "."]
    vocabulary = {piece: k for k, piece in enumerate(pieces)} | {"<|startoftext|>": 598, "<|endoftext|>": 599}
    tokenizer = CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77)
    images = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    model = GroupViTModel(config)
    for part in (images, tokenizer, config):
        part.save_pretrained(folder)
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    return folder
