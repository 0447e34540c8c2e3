"""CLIP's text tower, for texts that share their beginning.

ZeroCap asks for the embeddings of hundreds of texts that differ in their last word. CLIP's text attention is causal,
so what comes before the word that differs needs computing once, and of each text only its own last tokens and the end
token. Which tokens a text shares is decided on the tokens themselves: a candidate without a space before it joins the
last word and may change all of that word's tokens.

**A text's embedding does not depend on its company, to the last bit.** Products of another shape round in another way,
so every product is of the same number of rows: the tokens of as many texts as fit stand in them one after another, and
what is left is filled up. Attention alone is computed text by text, in one of a few shapes that a text's own lengths
choose. Embeddings can then be remembered, and a run that was stopped and goes on, or is shared out, gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from zgbench.encoders.masked_attention import Layer
from zgbench.errors import UsageError

Tokens = tuple[int, ...]


class ClipText:
    """The text tower and tokenizer of an open_clip model.

    Args:
        model: an open_clip model; its dtype and device are used.
        tokenizer: the model's; returns int64 [n, context length].
        batch: tokens at a time, of which some may be filling, twice the context at least; None: 8,192 on a GPU, 256 on
            a CPU.

    Raises:
        UsageError: a text tower that is not causal or does not read its end token.
    """

    def __init__(self, model: Any, tokenizer: Any, *, batch: int | None = None) -> None:
        from open_clip.tokenizer import SimpleTokenizer

        tower = getattr(model, "text", model)
        pooling = getattr(tower, "text_pool_type", getattr(tower, "pool_type", None))
        causal = getattr(tower, "attn_mask", None) is not None
        if not causal or pooling != "argmax" or not isinstance(tokenizer, SimpleTokenizer):
            raise UsageError(
                "naming: expected a CLIP with a causal text tower, pooled at its end token, and CLIP's own tokenizer; "
                f"got {type(tower).__name__} with {type(tokenizer).__name__}. Choose one such as ViT-L-14-336-quickgelu."
            )
        self.tower, self.tokenizer = tower, tokenizer
        self.layers = [Layer(block) for block in tower.transformer.resblocks]
        self.context = int(tower.positional_embedding.shape[0])
        self.dtype = self.layers[0].attn.in_proj_weight.dtype
        self.batch = max(batch or (8192 if self.device.type != "cpu" else 256), 2 * self.context)
        self._projection = _product(tower.text_projection)
        self.width = int(self._projection(tower.positional_embedding[:1].to(self.dtype)).shape[1])
        self.tokens = lru_cache(maxsize=1 << 17)(self._tokens)
        self._starts: dict[int, _Starts] = {}
        self._lately: dict[str, Tensor] = {}

    @property
    def device(self) -> torch.device:
        """Of the weights."""
        return self.tower.positional_embedding.device

    def encode(self, texts: Sequence[str]) -> Tensor:
        """Texts → float32 [n, d], each row of length 1; what was asked for lately is remembered."""
        wanted = list(dict.fromkeys(texts))
        new = [text for text in wanted if text not in self._lately]
        if new:
            found = self.encode_shared([()], np.zeros(len(new), int), *self.padded([self.tokens(text) for text in new]))
            self._lately.update(zip(new, F.normalize(found.float(), dim=-1).unbind(), strict=True))
        rows = {text: self._lately[text] for text in wanted}
        while len(self._lately) > 1 << 14:
            del self._lately[next(iter(self._lately))]
        return torch.stack([rows[text] for text in texts]) if texts else torch.zeros(0, self.width, device=self.device)

    def split(self, prefix: str, continuation: str) -> tuple[Tokens, Tokens]:
        """Tokens of ``prefix + continuation`` without start and end, as those that other continuations of the same
        kind share and the rest.

        CLIP's tokens never reach across whitespace, so a text can be cut there, and only there.
        """
        if not plain(prefix + continuation):
            # cleaning (ftfy, HTML entities) may act across words: the text as a whole, and nothing shared
            return (), self.tokens(prefix + continuation)
        if not continuation or continuation[0].isspace():
            return self.tokens(prefix), self.tokens(continuation)
        words = prefix.split()
        last = words[-1] if words and not prefix[-1].isspace() else ""
        head = prefix[: len(prefix) - len(last)]
        return self.tokens(head), self.tokens(last + continuation)

    def _tokens(self, text: str) -> Tokens:
        if len(self.tokenizer.cache) > 1 << 17:  # every word ever seen
            self.tokenizer.cache.clear()
        return tuple(self.tokenizer.encode(text))

    def padded(self, owns: Sequence[Tokens]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Tokens of texts → int64 [n, width], filled up with the end token, and how many they are with it, int64 [n]."""
        lengths = np.array([len(own) + 1 for own in owns], np.int64)
        tokens = np.full((len(owns), max(lengths, default=1)), self.tokenizer.eot_token_id, np.int64)
        for row, own in zip(tokens, owns, strict=True):
            row[: len(own)] = own
        return tokens, lengths

    @torch.no_grad()
    def encode_shared(
        self, prefixes: Sequence[Tokens], numbers: NDArray[np.int64], tokens: NDArray[np.int64], lengths: NDArray[np.int64]
    ) -> Tensor:  # fmt: skip
        """Embed texts given as a prefix's number and the tokens after it.

        Args:
            prefixes: tokens without the start token.
            numbers: of each text's prefix, int64 [n].
            tokens: after the prefix, int64 [n, width], filled up with the end token.
            lengths: of them with one end token, int64 [n].

        Returns:
            [n, d] in the tower's dtype, each row of length 1, equal to open_clip's forward pass but for rounding. A
            text beyond the context is cut as open_clip cuts it.
        """
        prefixes = [prefix[: self.context - 2] for prefix in prefixes]
        before = np.array([1 + len(prefix) for prefix in prefixes], np.int64)[numbers]
        lengths = np.minimum(lengths, self.context - before)
        tokens = tokens.copy()
        tokens[np.arange(len(tokens)), lengths - 1] = self.tokenizer.eot_token_id
        shapes = np.stack([_rounded(before, 8), _rounded(lengths, 1)], axis=1)
        order = np.lexsort((numbers, shapes[:, 0], shapes[:, 1]))
        found = torch.empty(len(numbers), self.width, dtype=self.dtype, device=self.device)
        for chosen in self._batches(order, shapes[:, 1]):
            rows = np.empty(len(chosen), np.int64)
            for length in np.unique(shapes[chosen, 0]).tolist():  # all at once, as they may drive out others
                same = shapes[chosen, 0] == length
                rows[same] = self._start(length).rows(prefixes, numbers[chosen[same]])
            parts = []
            for shape in dict.fromkeys(map(tuple, shapes[chosen].tolist())):  # in order, as they are sorted
                same = (shapes[chosen] == shape).all(axis=1)
                alike = chosen[same]
                own = np.take(tokens[alike], np.arange(shape[1]), axis=1, mode="clip")
                parts.append(_Alike(self._start(shape[0]), rows[same], own, before[alike], lengths[alike]))
            found[torch.from_numpy(chosen).to(self.device)] = self._continue(parts)
        return found

    def _batches(self, order: NDArray[np.int64], widths: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Texts in an order, cut where their tokens fill a batch; half as many texts as tokens are in it at most."""
        batches, first, filled = [], 0, 0
        for at, width in enumerate(np.maximum(widths[order], 2).tolist()):
            if filled + width > self.batch:
                batches.append(order[first:at])
                first, filled = at, 0
            filled += width
        return [*batches, order[first:]] if len(order) else []

    def _start(self, length: int) -> _Starts:
        if length not in self._starts:
            self._starts[length] = _Starts(self, length)
        return self._starts[length]

    def _continue(self, parts: list[_Alike]) -> Tensor:
        """A batch of texts → their embeddings [n, d], each of length 1."""
        device = self.device
        flat = np.zeros((3, self.batch), np.int64)  # tokens, positions; where the end tokens are
        begin = count = 0
        for part in parts:
            n, length = part.tokens.shape
            part.at = slice(begin, begin + n * length)
            flat[0, part.at] = part.tokens.ravel()
            flat[1, part.at] = (part.before[:, None] + np.arange(length)).clip(max=self.context - 1).ravel()
            flat[2, count : count + n] = begin + np.arange(n) * length + part.lengths - 1
            begin, count = begin + n * length, count + n
        tokens, positions, ends = torch.from_numpy(flat).to(device).unbind()
        ends = ends[: self.batch // 2]
        biases = [part.bias(device) for part in parts]
        x = self.embedded(tokens, positions)[None]
        heads = torch.zeros_like(x)
        for number, layer in enumerate(self.layers):
            q, k, v = layer.project(x)
            for part, bias in zip(parts, biases, strict=True):
                heads[0, part.at] = part.attended(number, q, k, v, bias)
            found = heads
            if number == len(self.layers) - 1:  # only the end token is read
                x, found = x[:, ends], heads[:, ends]
            x = layer.finish(x, found.unflatten(-1, (q.shape[1], -1)).transpose(1, 2))
        x = self._projection(self.tower.ln_final(x[0]))
        return F.normalize(x.float(), dim=-1).to(self.dtype)[:count]

    def embedded(self, tokens: Tensor, positions: Tensor) -> Tensor:
        """Tokens and their positions [...] → the tower's input [..., width]."""
        return (
            self.tower.token_embedding(tokens).to(self.dtype)
            + self.tower.positional_embedding.to(self.dtype)[positions]
        )


@dataclass
class _Alike:
    """Texts of a batch whose prefixes and own tokens are padded to the same two lengths.

    Attributes:
        starts: keys and values of prefixes of that length.
        rows: the texts' places in them, int64 [n].
        tokens: after the prefix, int64 [n, length].
        before: tokens of the prefix, with the start token, int64 [n].
        lengths: own tokens, with the end token, int64 [n].
        at: where the tokens stand in the batch.
    """

    starts: _Starts
    rows: NDArray[np.int64]
    tokens: NDArray[np.int64]
    before: NDArray[np.int64]
    lengths: NDArray[np.int64]
    at: slice = field(default_factory=lambda: slice(0))

    def bias(self, device: torch.device) -> Tensor:
        """0 for each key that a token sees, those of the prefix first, else −∞: float32 [n, 1, length, all]."""
        n, length = self.tokens.shape
        seen = np.arange(self.starts.length) < self.before[:, None]
        causal = np.tri(length, dtype=bool)
        both = np.concatenate([np.repeat(seen[:, None], length, axis=1), np.repeat(causal[None], n, axis=0)], axis=2)
        return torch.from_numpy(np.where(both[:, None], np.float32(0), np.float32("-inf"))).to(device)

    def attended(self, layer: int, q: Tensor, k: Tensor, v: Tensor, bias: Tensor) -> Tensor:
        """Of a batch's [1, heads, tokens, d] the attention of these texts, heads side by side [n · length, width].

        Not PyTorch's fused attention: on a CPU with several threads that gives other last bits for other places in
        a batch.
        """
        q, k, v = (x[0, :, self.at].unflatten(1, self.tokens.shape).transpose(0, 1) for x in (q, k, v))
        first = self.starts.layers[layer][:, torch.from_numpy(self.rows).to(q.device)]
        keys, values = torch.cat([first[0], k], dim=2), torch.cat([first[1], v], dim=2)
        logits = (q * q.shape[-1] ** -0.5) @ keys.transpose(2, 3)
        heads = (logits.float() + bias).softmax(dim=-1).to(q.dtype) @ values
        return heads.transpose(1, 2).flatten(2).flatten(0, 1)


class _Starts:
    """Keys and values of prefixes that are padded to one length, for as many of them as fit.

    Args:
        clip: the text tower.
        length: of the padded prefixes with the start token.

    Attributes:
        layers: for each layer keys and values [2, places, heads, length, d].
    """

    def __init__(self, clip: ClipText, length: int) -> None:
        self._clip, self.length = clip, length
        self._at_once = max(4, clip.batch // 64)
        layer = clip.layers[0]
        heads, width = layer.attn.num_heads, layer.attn.in_proj_weight.shape[1]
        size = 2 * len(clip.layers) * length * width * clip.dtype.itemsize
        budget = 1 << (26 if clip.device.type == "cpu" else 30)
        self._places = max(clip.batch, budget // size) // self._at_once * self._at_once
        self._known: dict[Tokens, int] = {}
        shape = 2, self._places, heads, length, width // heads
        self.layers = [torch.zeros(shape, dtype=clip.dtype, device=clip.device) for _ in clip.layers]

    def rows(self, prefixes: Sequence[Tokens], numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Numbers of prefixes, at most a batch → their places, int64 [n]; those that are not known are computed."""
        wanted, inverse = np.unique(numbers, return_inverse=True)
        chosen = [prefixes[number] for number in wanted.tolist()]
        new = [prefix for prefix in dict.fromkeys(chosen) if prefix not in self._known]
        if len(self._known) + len(new) > self._places:
            self._known.clear()
            new = list(dict.fromkeys(chosen))
        for at in range(0, len(new), self._at_once):
            self._compute(new[at : at + self._at_once])
        return np.array([self._known[prefix] for prefix in chosen], np.int64)[inverse]

    def _compute(self, prefixes: list[Tokens]) -> None:
        clip, first = self._clip, len(self._known)
        sot, eot = clip.tokenizer.sot_token_id, clip.tokenizer.eot_token_id
        filled = prefixes + prefixes[:1] * (self._at_once - len(prefixes))
        rows = [[sot, *prefix, *[eot] * self.length][: self.length] for prefix in filled]
        positions = torch.arange(self.length, device=clip.device).clamp_max(clip.context - 1)
        x = clip.embedded(torch.tensor(rows, device=clip.device), positions)
        for number, layer in enumerate(clip.layers):
            q, k, v = layer.project(x)
            for part, found in enumerate((k, v)):
                self.layers[number][part, first : first + len(prefixes)] = found[: len(prefixes)]
            if layer is not clip.layers[-1]:
                x = layer.finish(x, F.scaled_dot_product_attention(q, k, v, is_causal=True))
        self._known.update({prefix: first + number for number, prefix in enumerate(prefixes)})


def _product(projection: Any) -> Callable[[Tensor], Tensor]:
    if projection is None:
        return lambda x: x
    return projection if isinstance(projection, torch.nn.Linear) else lambda x: x @ projection


def _rounded(lengths: NDArray[np.int64], step: int) -> NDArray[np.int64]:
    """Up to the next of few lengths: 1, 2, 3, 4, 6, 8, 12, 16, 24, … steps."""
    found = -(-lengths // step)
    grain = 1 << np.maximum(np.log2(np.maximum(found - 1, 1)).astype(np.int64) - 1, 0)
    rounded: NDArray[np.int64] = -(-found // grain) * grain * step
    return rounded


def plain(text: str) -> bool:
    """Whether cleaning a text leaves it as it is, but for case and runs of whitespace."""
    return text.isascii() and "&" not in text and text.replace("\n", " ").replace("\t", " ").isprintable()
