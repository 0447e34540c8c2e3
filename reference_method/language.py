"""The language model that ZeroCap steers: a decoder of transformers and its tokenizer, frozen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from zgbench.errors import UsageError


class LanguageModel:
    """A causal language model of transformers and its tokenizer, frozen.

    Keys and values of all layers are one tensor [layers, 2, n, heads, t, d], so that shifting them and stepping along
    their gradients is one operation and not one for each layer.

    Args:
        model: returns logits and takes a cache of keys and values (every decoder of transformers does).
        tokenizer: the model's.
    """

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self.model = _with_fused_activations(model.eval().requires_grad_(False))
        self.tokenizer = tokenizer
        size = model.get_output_embeddings().weight.shape[0]
        anchor = tokenizer.encode(".", add_special_tokens=False)
        lead = len(self.text(anchor))
        # decoded behind another token, as some tokenizers drop a space at the beginning of a text
        known = min(size, len(tokenizer))
        self.words = [self.text([*anchor, token])[lead:] for token in range(known)] + [""] * (size - known)
        special = set(tokenizer.all_special_ids)
        self.unusable = torch.tensor([not word or token in special for token, word in enumerate(self.words)])

    @property
    def device(self) -> torch.device:
        """Of the weights."""
        device: torch.device = next(self.model.parameters()).device
        return device

    def text(self, tokens: Sequence[int]) -> str:
        """Tokens → text, special tokens left out."""
        found: str = self.tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return found

    def start(self, prompt: str) -> list[int]:
        """Tokens of a prompt, after the token that begins a text, if the model has one."""
        first = self.tokenizer.bos_token_id
        return [*([] if first is None else [first]), *self.tokenizer.encode(prompt, add_special_tokens=False)]

    def forbidden(self) -> Tensor:
        """Bool [vocabulary]: plain numbers of up to five digits without a space before them, brackets, some marks."""
        pattern = re.compile(r"0|[1-9][0-9]{0,4}|[!(),:\n]")
        return torch.tensor([pattern.fullmatch(word) is not None for word in self.words])

    def __call__(self, last: Tensor, past: Tensor) -> tuple[Tensor, Any]:
        """One token after what came before.

        Args:
            last: tokens [n, 1].
            past: keys and values [layers, 2, n, heads, t, d].

        Returns:
            logits, float32 [n, vocabulary], and the cache, for :meth:`own`.
        """
        from transformers.cache_utils import DynamicCache, DynamicLayer

        cache = DynamicCache()
        for keys, values in (layer.unbind() for layer in past.unbind()):
            layer = DynamicLayer()  # filled here: its own update would copy what it is given
            layer.keys, layer.values, layer.is_initialized = keys, values, True
            cache.layers.append(layer)
        logits: Tensor = self.model(input_ids=last, past_key_values=cache, use_cache=True).logits[:, -1]
        return logits.float(), cache

    @staticmethod
    def own(cache: Any) -> Tensor:
        """The last token's keys and values [layers, 2, n, heads, 1, d], detached."""
        parts = [part[:, :, -1:].detach() for layer in cache.layers for part in (layer.keys, layer.values)]
        return torch.stack(parts).unflatten(0, (-1, 2))

    @torch.no_grad()
    def past(self, tokens: Tensor) -> Tensor:
        """Keys and values [layers, 2, n, heads, t, d] for tokens [n, t].

        Raises:
            UsageError: a model whose layers have keys and values of several shapes.
        """
        cache = self.model.base_model(input_ids=tokens, use_cache=True).past_key_values
        parts = [part for layer in cache.layers for part in (layer.keys, layer.values)]
        if len({part.shape for part in parts}) != 1:
            raise UsageError(
                f"naming: expected a language model with keys and values of one shape in all layers, got "
                f"{type(self.model).__name__}. Choose one such as gpt2-medium."
            )
        return torch.stack(parts).unflatten(0, (-1, 2))


def _with_fused_activations(model: Any) -> Any:
    """GPT-2's activation as one operation in place of eight: the same formula."""
    from transformers.activations import NewGELUActivation

    for module in model.modules():
        for name, child in module.named_children():
            if isinstance(child, NewGELUActivation):
                setattr(module, name, torch.nn.GELU(approximate="tanh"))
    return model
