"""The plain way, written from the formulas and for the reader's eye: tests compare with it and ``bench`` runs against it.

One segment at a time, every layer and token of it computed, every candidate text encoded whole, nothing remembered.
"""

from __future__ import annotations

import math
import re
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from reference_method.naming import ZeroCapConfig
from zgbench.encoders.masked_attention import area_average
from zgbench.encoders.segment import SegmentEncoderConfig


def embed_segment(visual: Any, pixels: Tensor, mask: Tensor, config: SegmentEncoderConfig) -> Tensor:
    """One segment through all layers of an open_clip vision transformer (``masked`` or ``globsub``).

    Attention is PyTorch's fused one, so that what sharing saves is measured, not a slower way to write a softmax.

    Args:
        pixels: normalised, [3, H, W].
        mask: bool [h, w].

    Returns:
        [d], not normalised.
    """
    weights = F.pad(area_average(mask[None], visual.grid_size).flatten(), (1, 0), value=1.0)
    patches = visual.conv1(pixels[None]).flatten(2).transpose(1, 2)
    x = visual.ln_pre(torch.cat([visual.class_embedding[None, None], patches], dim=1) + visual.positional_embedding)
    blocks = visual.transformer.resblocks
    first = config.first_masked_layer % len(blocks)
    for block in blocks[:first]:
        x = block(x)
    for block in blocks[first:]:
        packed = F.linear(block.ln_1(x), block.attn.in_proj_weight, block.attn.in_proj_bias)
        q, k, v = (part.unflatten(2, (block.attn.num_heads, -1)).transpose(1, 2) for part in packed.chunk(3, dim=2))
        heads = F.scaled_dot_product_attention(q, k, v, attn_mask=weights.log()[None, None, None])
        if config.mode == "globsub":
            unmasked = F.scaled_dot_product_attention(q, k, v)
            if config.saliency == "outputs":
                a, b = heads.transpose(1, 2).flatten(2), unmasked.transpose(1, 2).flatten(2)
            else:
                logits = q @ k.transpose(2, 3) * q.shape[-1] ** -0.5
                a, b = (logits + weights.log()).softmax(dim=-1), logits.softmax(dim=-1)
            saliency = F.cosine_similarity(a, b, dim=-1).mean()
            heads = heads - torch.exp(-((saliency + 1) ** 2) / (2 * config.sigma**2)) * unmasked[:, :, :1]
        x = x + block.attn.out_proj(heads.transpose(1, 2).flatten(2))
        x = x + block.mlp(block.ln_2(x))
    embedding: Tensor = visual.ln_post(x[0, 0]) @ visual.proj
    return embedding


def zerocap(
    language: Any, tokenizer: Any, clip: Any, clip_tokenizer: Any, target: Tensor, config: ZeroCapConfig
) -> str:
    """A name for one embedding by ZeroCap. Its beams go through the language model together, as the authors' do.

    Args:
        language, tokenizer: a GPT-2 of transformers.
        clip, clip_tokenizer: of open_clip.
        target: [d].
    """
    from transformers import DynamicCache

    target = target / target.norm()
    device = next(language.parameters()).device
    words = [tokenizer.decode([token]) for token in range(language.config.vocab_size)]
    special = torch.tensor([token in tokenizer.all_special_ids for token in range(len(words))], device=device)
    forbidden = torch.tensor(
        [bool(re.fullmatch(r"0|[1-9][0-9]{0,4}|[!(),:\n]", word)) for word in words], device=device
    )
    end = tokenizer.encode(config.end_token)[0]
    prompt = [tokenizer.bos_token_id, *tokenizer.encode(config.prompt)]

    def cosines(texts: list[str]) -> Tensor:
        with torch.no_grad():
            vectors = clip.encode_text(clip_tokenizer(texts).to(device))
        return vectors @ target / vectors.norm(dim=1)

    def scale(logits: Tensor, factor: float) -> Tensor:
        return torch.where(logits > 0, logits * factor, logits / factor)

    def next_token(rows: list[list[int]], first: bool, ended: int) -> Tensor:
        """Log probabilities [beams, vocabulary]."""
        tokens = torch.tensor(rows, device=device)
        with torch.no_grad():
            cache = language(tokens[:, :-1], use_cache=True).past_key_values
        past = [(layer.keys, layer.values) for layer in cache.layers]
        shift = [(torch.zeros_like(k), torch.zeros_like(v)) for k, v in past]

        def logits_with(shift: list[tuple[Tensor, Tensor]]) -> Tensor:
            moved = [(k + dk, v + dv) for (k, v), (dk, dv) in zip(past, shift, strict=True)]
            found = language(tokens[:, -1:], past_key_values=DynamicCache(ddp_cache_data=moved)).logits[:, -1]
            return torch.where(special, -1e4, found)

        with torch.no_grad():
            unshifted = logits_with(shift).softmax(dim=1)
        for _ in range(config.steps):
            shift = [(dk.detach().requires_grad_(), dv.detach().requires_grad_()) for dk, dv in shift]
            probabilities = logits_with(shift).softmax(dim=1)
            loss = torch.zeros((), device=device)
            for row, p, before in zip(rows, probabilities, unshifted, strict=True):
                candidates = p.topk(min(config.candidates, int((~special).sum()))).indices
                texts = [tokenizer.decode([*row[1:], token]) for token in candidates.tolist()]
                wanted = (cosines(texts) / config.clip_temperature).softmax(dim=0)
                loss = loss - config.clip_weight * (wanted * p[candidates].log()).sum()
                p, before = p[~special], before[~special]
                loss = loss + config.lm_weight * (p * (p.log() - before.log())).sum()
            gradients = torch.autograd.grad(loss, [part for pair in shift for part in pair])
            steps = []
            for gradient in gradients:
                norm = gradient.pow(2).sum(dim=(1, 2, 3), keepdim=True).sqrt() + 1e-15
                steps.append(-config.step_size * gradient / norm**config.norm_exponent)
            shift = [(dk + steps[2 * k], dv + steps[2 * k + 1]) for k, (dk, dv) in enumerate(shift)]
        with torch.no_grad():
            logits = logits_with(shift)
            logits = torch.where(forbidden, scale(logits, 1 / config.forbidden_factor), logits)
            factor = 1 / config.start_factor if first else config.end_factor
            logits[:, end] = scale(logits[:, end], factor)
            fused = logits.softmax(dim=1) ** config.fusion * unshifted ** (1 - config.fusion)
            total = fused.sum(dim=1, keepdim=True) if config.normalise == "beam" else fused.sum() + ended
            return (fused / total).log()

    beams: list[tuple[float, list[int]]] = [(0.0, [])]
    for step in range(config.max_tokens):
        growing = [(total, tokens) for total, tokens in beams if end not in tokens]
        if not growing:
            break
        grown = [(total, tokens) for total, tokens in beams if end in tokens]
        rows = next_token([prompt + tokens for _, tokens in growing], step == 0, len(grown)).topk(config.beams, dim=1)
        for (total, tokens), values, indices in zip(growing, rows.values.tolist(), rows.indices.tolist(), strict=True):
            grown += [(total + value, [*tokens, token]) for value, token in zip(values, indices, strict=True)]
        beams = sorted(grown, key=lambda beam: -beam[0] / len(beam[1]))[: config.beams]
    texts = [tokenizer.decode(tokens) for _, tokens in beams]
    ranked = cosines([config.prompt + text for text in texts]).tolist()
    names = [(-value, " ".join(text.split()).rstrip(config.end_token + " ")) for value, text in zip(ranked, texts, strict=True)]  # fmt: skip
    usable = [(value, name) for value, name in names if name and not math.isnan(value)]
    return min(usable, key=lambda pair: pair[0])[1] if usable else "unknown"
