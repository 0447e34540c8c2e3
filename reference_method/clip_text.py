"""CLIP's text tower, for texts that share their beginning.

ZeroCap asks for the embeddings of hundreds of texts that differ in their last word. CLIP's text attention is causal,
so what comes before the word that differs needs computing once, and of each text only its own last tokens and the end
token. Which tokens a text shares is decided on the tokens themselves: a candidate without a space before it joins the
last word and may change all of that word's tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from zgbench.encoders.masked_attention import Layer
from zgbench.errors import UsageError

_BATCH = 256


class ClipText:
    """The text tower and tokenizer of an open_clip model.

    Args:
        model: an open_clip model; its dtype and device are used.
        tokenizer: the model's; returns int64 [n, context length].

    Raises:
        UsageError: a text tower that is not causal or does not read its end token.
    """

    def __init__(self, model: Any, tokenizer: Any) -> None:
        from open_clip.tokenizer import SimpleTokenizer

        tower = getattr(model, "text", model)
        pooling = getattr(tower, "text_pool_type", getattr(tower, "pool_type", None))
        causal = getattr(tower, "attn_mask", None) is not None
        if not causal or pooling != "argmax" or not isinstance(tokenizer, SimpleTokenizer):
            raise UsageError(
                "naming: expected a CLIP with a causal text tower, pooled at its end token, and CLIP's own tokenizer; "
                f"got {type(tower).__name__} with {type(tokenizer).__name__}. Choose one such as ViT-L-14-336-quickgelu."
            )
        self.model, self.tower, self.tokenizer = model, tower, tokenizer
        self.layers = [Layer(block) for block in tower.transformer.resblocks]
        self.context = int(tower.positional_embedding.shape[0])
        self._words: dict[str, tuple[int, ...]] = {}

    @property
    def device(self) -> torch.device:
        """Of the weights."""
        return self.tower.positional_embedding.device

    @torch.no_grad()
    def encode(self, texts: Sequence[str]) -> Tensor:
        """Texts → float32 [n, d], each row of length 1, by open_clip's own forward pass."""
        parts = [
            self.model.encode_text(self.tokenizer(list(texts[at : at + _BATCH])).to(self.device))
            for at in range(0, len(texts), _BATCH)
        ]
        return F.normalize(torch.cat(parts).float(), dim=-1)

    def split(self, prefix: str, continuation: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Tokens of ``prefix + continuation`` without start and end, as those that other continuations of the same
        kind share and the rest.

        CLIP's tokens never reach across whitespace, so a text can be cut there, and only there.
        """
        if not _plain(prefix + continuation):
            # cleaning (ftfy, HTML entities) may act across words: the text as a whole, and nothing shared
            return (), self._tokens(prefix + continuation)
        if not continuation or continuation[0].isspace():
            return self._tokens(prefix), self._tokens(continuation)
        words = prefix.split()
        last = words[-1] if words and not prefix[-1].isspace() else ""
        head = prefix[: len(prefix) - len(last)]
        return self._tokens(head), self._tokens(last + continuation)

    def _tokens(self, text: str) -> tuple[int, ...]:
        found = self._words.get(text)
        if found is None:
            found = self._words[text] = tuple(self.tokenizer.encode(text))
        return found

    @torch.no_grad()
    def encode_shared(self, prefixes: Sequence[tuple[int, ...]], items: Sequence[Item]) -> Tensor:
        """Embed texts given as a prefix's number and the tokens after it.

        Args:
            prefixes: tokens without the start token, each as short as the context allows.
            items: the texts.

        Returns:
            float32 [len(items), d], each row of length 1, equal to ``encode`` but for rounding.
        """
        embeddings = torch.empty(len(items), 0)
        by_length: dict[int, list[int]] = {}
        endings = []
        for number, item in enumerate(items):
            room = self.context - 2 - len(prefixes[item.prefix])
            endings.append((*item.tokens[: max(room, 0)], self.tokenizer.eot_token_id))
            by_length.setdefault(len(endings[-1]), []).append(number)
        starts = self._starts([prefix[: self.context - 2] for prefix in prefixes])
        for length, numbers in sorted(by_length.items()):
            rows: dict[int, list[int]] = {}
            for number in numbers:
                rows.setdefault(items[number].prefix, []).append(number)
            for chunk in _chunks(rows, length, 65536 if self.device.type != "cpu" else 4096):
                found = self._continue(starts, chunk, endings, length)
                if not embeddings.shape[1]:
                    embeddings = torch.empty(len(items), found.shape[1], device=found.device)
                embeddings[[number for _, numbers_ in chunk for number in numbers_]] = found
        return embeddings

    def _starts(self, prefixes: Sequence[tuple[int, ...]]) -> _Starts:
        """Keys and values of every layer for the start token and the prefixes, padded to the longest."""
        longest = 1 + max((len(prefix) for prefix in prefixes), default=0)
        sot, eot = self.tokenizer.sot_token_id, self.tokenizer.eot_token_id
        tokens = torch.tensor([[sot, *prefix, *[eot] * (longest - 1 - len(prefix))] for prefix in prefixes])
        lengths = torch.tensor([1 + len(prefix) for prefix in prefixes], device=self.device)
        x = self._embedded(tokens.to(self.device), torch.arange(longest, device=self.device))
        keys, values = [], []
        for layer in self.layers:
            q, k, v = layer.project(x)
            keys.append(k)
            values.append(v)
            if layer is not self.layers[-1]:
                x = layer.finish(x, F.scaled_dot_product_attention(q, k, v, is_causal=True))
        return _Starts(lengths, keys, values)

    def _continue(self, starts: _Starts, chunk: _Chunk, endings: list[tuple[int, ...]], length: int) -> Tensor:
        """Embeddings of the chunk's texts, all with ``length`` tokens after their prefix, in the chunk's order."""
        widest = max(len(numbers) for _, numbers in chunk)
        index = torch.tensor([prefix for prefix, _ in chunk], device=self.device)
        padded = [numbers + numbers[:1] * (widest - len(numbers)) for _, numbers in chunk]
        tokens = torch.tensor([[endings[number] for number in numbers] for numbers in padded], device=self.device)
        width = widest
        before = int(starts.lengths[index].max())
        positions = starts.lengths[index][:, None, None] + torch.arange(length, device=self.device)
        x = self._embedded(tokens, positions.expand(-1, width, -1)).flatten(1, 2)  # [n, width·length, d]
        unseen = torch.arange(before, device=self.device)[None] >= starts.lengths[index][:, None]
        future = torch.ones(length, length, dtype=torch.bool, device=self.device).triu(1)
        for number, layer in enumerate(self.layers):
            q, k, v = layer.project(x)
            if number == len(self.layers) - 1:  # only the end token is read
                q = q.unflatten(2, (width, length))[:, :, :, -1]
                x = x.unflatten(1, (width, length))[:, :, -1]
            queries = q.shape[2] // width
            q = q * q.shape[-1] ** -0.5
            first_k, first_v = starts.keys[number][index, :, :before], starts.values[number][index, :, :before]
            shared = (q @ first_k.transpose(-1, -2)).masked_fill(unseen[:, None, None], -torch.inf)
            k, v = (part.unflatten(2, (width, length)) for part in (k, v))
            own = q.unflatten(2, (width, queries)) @ k.transpose(-1, -2)
            own = own.masked_fill(future[-queries:], -torch.inf).flatten(2, 3)
            weights = torch.cat([shared, own], dim=-1).softmax(dim=-1)
            heads = weights[..., :before] @ first_v
            heads = heads + (weights[..., before:].unflatten(2, (width, queries)) @ v).flatten(2, 3)
            x = layer.finish(x, heads)
        x = self.tower.ln_final(x.unflatten(1, (width, -1))[:, :, -1])
        projection = self.tower.text_projection
        if projection is not None:
            x = projection(x) if isinstance(projection, torch.nn.Linear) else x @ projection
        kept = torch.cat([x[row, : len(numbers)] for row, (_, numbers) in enumerate(chunk)])
        return F.normalize(kept.float(), dim=-1)

    def _embedded(self, tokens: Tensor, positions: Tensor) -> Tensor:
        weight = self.tower.token_embedding(tokens).to(self.layers[0].attn.in_proj_weight.dtype)
        return weight + self.tower.positional_embedding.to(weight.dtype)[positions]


@dataclass(frozen=True, slots=True)
class Item:
    """A text: the number of its prefix and the tokens after it, without the end token."""

    prefix: int
    tokens: tuple[int, ...]


@dataclass(frozen=True)
class _Starts:
    lengths: Tensor
    keys: list[Tensor]
    values: list[Tensor]


_Chunk = list[tuple[int, list[int]]]


def _chunks(rows: dict[int, list[int]], length: int, limit: int) -> list[_Chunk]:
    """Groups of (prefix, its texts) of at most ``limit`` tokens, padding counted, texts of like number together."""
    pieces: _Chunk = []
    most = max(1, limit // length)
    for prefix, numbers in rows.items():
        pieces += [(prefix, numbers[at : at + most]) for at in range(0, len(numbers), most)]
    pieces.sort(key=lambda piece: -len(piece[1]))
    chunks: list[_Chunk] = []
    for piece in pieces:
        if chunks and (len(chunks[-1]) + 1) * len(chunks[-1][0][1]) * length <= limit:
            chunks[-1].append(piece)
        else:
            chunks.append([piece])
    return chunks


def _plain(text: str) -> bool:
    """Whether cleaning a text leaves it as it is, but for case and runs of whitespace."""
    return text.isascii() and "&" not in text and text.replace("\n", " ").replace("\t", " ").isprintable()
