"""Random models of the real architectures, small enough for tests."""

from __future__ import annotations

from typing import Any

import torch
from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg, set_model_preprocess_cfg
from open_clip.tokenizer import SimpleTokenizer
from transformers import AutoTokenizer, GPT2LMHeadModel

from reference_method.language import LanguageModel
from reference_method.models import MINI


def clip(seed: int = 0, **text: Any) -> CLIP:
    """CLIP with the real vocabulary and context of 77 tokens; text embeddings far apart."""
    torch.manual_seed(seed)
    settings = {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 4, "layers": 4, **text}
    model = CLIP(
        48,
        CLIPVisionCfg(layers=4, width=64, patch_size=8, image_size=48, head_width=32),
        CLIPTextCfg(**settings),
        quick_gelu=True,
    ).eval()
    set_model_preprocess_cfg(model, {"mean": (0.5,) * 3, "std": (0.25,) * 3})
    with torch.no_grad():
        for value in model.transformer.parameters():
            value.add_(0.1 * torch.randn_like(value))
        model.token_embedding.weight.mul_(20)
        model.positional_embedding.mul_(20)
    return model


def clip_tokenizer() -> SimpleTokenizer:
    """CLIP's own, which open_clip brings along."""
    return SimpleTokenizer()


def gpt2() -> tuple[GPT2LMHeadModel, Any]:
    """GPT-2 of mini: random weights would say the same of everything."""
    model = GPT2LMHeadModel.from_pretrained(MINI / "gpt2", dtype=torch.float32).eval().requires_grad_(False)
    return model, AutoTokenizer.from_pretrained(MINI / "gpt2")


def language() -> LanguageModel:
    """The same, as naming takes it."""
    return LanguageModel(*gpt2())
