"""Masked attention with global subtraction inside a CLIP vision transformer.

Source: "Zero-guidance Segmentation Using Zero Segment Labels", ICCV 2023, section 3.2.

In a masked layer, with q, k, v from the layer's input, x = q·kᵀ/√d_head and M in [0, 1] the segment's mask on
the tokens (1 for the global token):

    A_masked = (exp(x)·M / Σ exp(x)·M) · v              A = softmax(x) · v
    w        = exp(−(S + 1)² / (2σ²))                   S = mean cosine of masked and unmasked attention
    A_out    = A_masked − w · A[global]

The paper leaves three things open. They are decided here as follows:

- **Input of the unmasked branch**: the same q, k, v as the masked branch, so from the second masked layer on the
  segment's own tokens. Both branches then differ in the mask alone, which is what S is to measure; the paper's
  released code does the same.
- **Place of the subtraction**: on softmax·v, before the output projection. A projection would scale its own bias by
  (1 − w) if A[global] went through it too. Subtracting A[global] is the same as subtracting w times the global
  token's row of probabilities in every head, the form that the released code has.
- **S**: one number per segment and layer. `outputs`: the cosine per token of the heads' concatenated outputs, which is
  the vector that the layer passes on, mean over all tokens, the global one included. `probabilities`: the cosine
  of the rows of attention probabilities per head and token, mean over heads and tokens, as in the released code.

What is not computed, because nothing depends on it: tokens that no query attends to (without subtraction), keys
with M = 0, and in the last layer everything past the attention but the global token's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from zgbench.errors import UsageError

Saliency = Literal["outputs", "probabilities"]


def area_average(masks: Tensor, grid: tuple[int, int]) -> Tensor:
    """Share of each cell's area that a mask covers, exact for every ratio of sizes.

    A mask's pixel that lies across a border counts in both cells by the area that it has in each.

    Args:
        masks: bool [n, h, w].
        grid: rows and columns of the cells.

    Returns:
        float32 [n, *grid] in [0, 1]; exactly 0 where no pixel reaches and 1 where all are set (up to 2^24 pixels).
    """
    height, width = masks.shape[1:]
    rows, columns = (_overlaps(cells, size).to(masks.device) for cells, size in zip(grid, (height, width), strict=True))
    return rows @ masks.float() @ columns.T / (height * width)


def _overlaps(cells: int, size: int) -> Tensor:
    """Length that each of `size` pixels has in each of `cells`, in units of 1/cells of a pixel: integers [cells, size].

    Both divide the same line of length cells·size: a cell is `size` long, a pixel `cells`.
    """
    cell, pixel = torch.arange(cells)[:, None] * size, torch.arange(size)[None] * cells
    return (torch.minimum(cell + size, pixel + cells) - torch.maximum(cell, pixel)).clamp_min(0).float()


class Layer:
    """A residual attention block of open_clip, taken apart where the attention's output leaves the heads.

    Reads the block's own modules, so that every variant (QuickGELU, layer scale, normalised queries and keys, …)
    is computed as open_clip does. Dropouts are left out: this is inference.
    """

    def __init__(self, block: Any) -> None:
        self.block = block
        self.attn = block.attn
        if hasattr(block, "ln_1_kv") or getattr(self.attn, "logit_scale", None) is not None:
            raise UsageError(
                "segment encoder: expected blocks with scaled dot-product self-attention, got cross-attention or "
                "scaled cosine attention; choose a plain ViT such as ViT-L-14-336-quickgelu"
            )

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Tokens [n, t, d] → queries, keys and values, each [n, heads, t, d / heads]."""
        packed = F.linear(self.block.ln_1(x), self.attn.in_proj_weight, self.attn.in_proj_bias)
        packed = packed.unflatten(-1, (3, self.attn.num_heads, -1)).permute(2, 0, 3, 1, 4)
        q, k, v = packed.unbind(0)
        if hasattr(self.attn, "ln_q"):
            q, k = self.attn.ln_q(q), self.attn.ln_k(k)
        return q, k, v

    def finish(self, x: Tensor, heads: Tensor) -> Tensor:
        """Input tokens [n or 1, t, d] and their heads' outputs [n, heads, t, d / heads] → output tokens [n, t, d]."""
        block = self.block
        if getattr(self.attn, "head_scale", None) is not None:
            heads = heads * self.attn.head_scale
        attended = heads.transpose(1, 2).flatten(2)
        if hasattr(self.attn, "ln_inner"):
            attended = self.attn.ln_inner(attended)
        attended = self.attn.out_proj(attended)
        if hasattr(block, "ln_attn"):
            attended = block.ln_attn(attended)
        x = x + block.ls_1(attended)
        return x + block.ls_2(block.mlp(block.ln_2(x)))

    def __call__(self, x: Tensor) -> Tensor:
        """The whole block, unmasked: tokens [n, t, d] → [n, t, d]."""
        return self.finish(x, F.scaled_dot_product_attention(*self.project(x)))


class _Support:
    """The tokens with M > 0 of each segment, padded to the chunk's longest list by tokens with M = 0.

    The global token is always the first. The padding is harmless, as its bias is log 0 = −∞.

    Args:
        weights: float32 [n, t], M of every token; `weights[:, 0]` is 1.
        dtype: that of the logits that the bias is added to.
    """

    def __init__(self, weights: Tensor, dtype: torch.dtype) -> None:
        inside = weights > 0
        longest = int(inside.sum(dim=1).max())
        self.index = torch.argsort(inside.to(torch.uint8), dim=1, descending=True, stable=True)[:, :longest]
        # softmax(x + log M) is exp(x)·M / Σ exp(x)·M, with the maximum taken over the mask: no underflow to 0/0.
        self.bias = weights.gather(1, self.index).log().to(dtype)[:, None, None, :]

    def tokens(self, x: Tensor) -> Tensor:
        """Tokens [n or 1, t, d] → the supports' [n, k, d]."""
        return torch.take_along_dim(x, self.index[:, :, None], dim=1)

    def heads(self, x: Tensor) -> Tensor:
        """Keys or values [n or 1, heads, t, c] → the supports' [n, heads, k, c]."""
        return torch.take_along_dim(x, self.index[:, None, :, None], dim=2)


class SharedStart:
    """The part of the first masked layer that all segments of an image share, as they have the same input.

    Args:
        layer: the first masked layer.
        x: its input, tokens [1, t, d].
    """

    def __init__(self, layer: Layer, x: Tensor) -> None:
        self.x = x
        self.qkv = layer.project(x)
        self.unmasked = F.scaled_dot_product_attention(*self.qkv)


def masked_layers(layers: Sequence[Layer], start: SharedStart, weights: Tensor) -> Tensor:
    """Run the masked layers without global subtraction; the global token's output.

    A token with M = 0 is attended to by no query, hence only the tokens of the segment are carried along.

    Args:
        layers: the masked layers, first to last; at least one.
        start: the shared part of `layers[0]`.
        weights: float32 [n, t], M of every token, 1 for the global token.

    Returns:
        [n, d], the global token after the last block.
    """
    support = _Support(weights, start.x.dtype)
    x = support.tokens(start.x)
    for number, layer in enumerate(layers):
        q, k, v = map(support.heads, start.qkv) if number == 0 else layer.project(x)
        if layer is layers[-1]:
            x, q = x[:, :1], q[:, :, :1]
        x = layer.finish(x, F.scaled_dot_product_attention(q, k, v, attn_mask=support.bias))
    return x[:, 0]


def subtracted_layers(
    layers: Sequence[Layer], start: SharedStart, weights: Tensor, *, saliency: Saliency, sigma: float
) -> Tensor:
    """Run the masked layers with global subtraction; the global token's output.

    Args:
        layers: the masked layers, first to last; at least one.
        start: the shared part of `layers[0]`.
        weights: float32 [n, t], M of every token, 1 for the global token.
        saliency: what S compares (see the module's docstring).
        sigma: σ of the subtraction's weight, > 0.

    Returns:
        [n, d], the global token after the last block.
    """
    support = _Support(weights, start.x.dtype)
    x = start.x
    for number, layer in enumerate(layers):
        last = layer is layers[-1]
        q, k, v = start.qkv if number == 0 else layer.project(x)
        # Only S over outputs needs the attention of queries other than the global token's in the last layer …
        needed = q if saliency == "outputs" or not last else q[:, :, :1]
        keys, values = support.heads(k), support.heads(v)
        masked = F.scaled_dot_product_attention(
            needed.expand(len(weights), -1, -1, -1), keys, values, attn_mask=support.bias
        )
        if saliency == "outputs":
            unmasked = start.unmasked if number == 0 else F.scaled_dot_product_attention(q, k, v)
            similarity = _cosine_of_outputs(masked, unmasked)
        else:
            # … and S over probabilities needs no other unmasked output than the global token's in any layer.
            unmasked = start.unmasked if number == 0 else F.scaled_dot_product_attention(q[:, :, :1], k, v)
            similarity = _cosine_of_probabilities(q, k, weights)
        w = torch.exp(-((similarity + 1) ** 2) / (2 * sigma**2)).to(masked.dtype)
        if last:
            x, masked = x[:, :1], masked[:, :, :1]
        x = layer.finish(x, masked - w[:, None, None, None] * unmasked[:, :, :1])
    return x[:, 0]


def _cosine_of_outputs(masked: Tensor, unmasked: Tensor) -> Tensor:
    """Mean over tokens of the cosine of attention outputs, heads concatenated.

    [n, heads, t, c] and [n or 1, heads, t, c] → float32 [n].
    """
    a, b = masked.float(), unmasked.float()
    dots = (a * b).sum(dim=(1, 3))
    norms = (a.square().sum(dim=(1, 3)) * b.square().sum(dim=(1, 3))).sqrt()
    return (dots / norms.clamp_min(torch.finfo(torch.float32).tiny)).mean(dim=1)


def _cosine_of_probabilities(q: Tensor, k: Tensor, weights: Tensor) -> Tensor:
    """Mean over heads and tokens of the cosine of masked and unmasked attention probabilities.

    The denominators of both softmaxes cancel in a cosine: with e = exp(x), a row's cosine is
    Σ e²M / √(Σ e²M² · Σ e²), three products of e² with the mask.

    q, k [n or 1, heads, t, c] and weights [n, t] → float32 [n].
    """
    columns = torch.stack([weights, weights.square(), torch.ones_like(weights)], dim=-1)
    shared = len(q) == 1
    if shared:
        # The logits are the same for all segments: their columns stand side by side in one product.
        columns = columns.transpose(0, 1).flatten(1)[None]
    similarities = []
    # One set of logits at a time: [heads, t, t] is the largest array of the whole encoder.
    for queries, keys, column in zip(q, k, columns, strict=True):
        logits = (queries @ keys.transpose(1, 2)).float().mul_(2 * q.shape[-1] ** -0.5)
        squares = logits.sub_(logits.amax(dim=-1, keepdim=True)).exp_()
        both, masked, unmasked = (squares @ column).unflatten(-1, (-1, 3)).unbind(-1)
        # Where all of the mask's e² underflow, the cosine itself is below 1e-15: 0 is right.
        norms = (masked * unmasked).sqrt().clamp_min(torch.finfo(torch.float32).tiny)
        similarities.append((both / norms).mean(dim=(0, 1)))
    return torch.cat(similarities)
