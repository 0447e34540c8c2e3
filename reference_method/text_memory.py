"""CLIP's embeddings of what a language model may say next, each computed once.

All segments begin with the same prompt, so the same texts come up again over beams, steps of the descent, segments,
merges and images. A text is named by its context, the language model's tokens so far, and the token after them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reference_method.clip_text import ClipText, Tokens, plain
from reference_method.language import LanguageModel

Ints = NDArray[np.int64]
_PAIRS = 1 << 14
"""Pairs of row and token that are looked up at a time: their vectors are gathered."""


@dataclass(frozen=True)
class _Context:
    """A text so far: where its tokens' places are kept, and CLIP's tokens of it if they can be shared."""

    slot: int
    text: str
    shared: Tokens | None


class TextMemory:
    """Embeddings by context and token, in the text tower's precision and on its device.

    Args:
        clip: the text tower.
        language: whose tokens continue the texts.
        limit: bytes of embeddings, and of the table of their places, that are kept at most. The contexts that were
            not used for longest are forgotten. 0: nothing is remembered. None: 512 MiB on a CPU, 4 GiB elsewhere.
    """

    def __init__(self, clip: ClipText, language: LanguageModel, *, limit: int | None = None) -> None:
        self.clip, self.language = clip, language
        words = len(language.words)
        if limit is None:
            limit = 1 << (29 if clip.device.type == "cpu" else 32)
        self._capacity = limit // (clip.width * clip.dtype.itemsize)
        self._most_contexts = max(limit // (4 * words), 1)
        self._vectors = torch.empty(self._capacity, clip.width, dtype=clip.dtype, device=clip.device)
        self._free = np.arange(self._capacity)
        self._places = np.full((0, words), -1, np.int32)
        self._contexts: OrderedDict[Tokens, _Context] = OrderedDict()
        self._by_slot: dict[int, _Context] = {}
        self._unused: list[int] = []
        # CLIP's tokens of the words that begin with a space, which are the same after every text
        self._apart = np.array([plain(word) and word[:1].isspace() for word in language.words])
        self._own = np.full((words, clip.context), clip.tokenizer.eot_token_id, np.int32)
        self._lengths = np.zeros(words, np.int64)
        self.asked = self.computed = 0

    def scores(self, contexts: Sequence[Tokens], targets: Tensor) -> CandidateScores:
        """Of rows that go on from ``contexts``, against their targets, unit embeddings, float32 [rows, d]."""
        return CandidateScores(self, self._slots_of(contexts), targets)

    def cosines(self, slots: Ints, tokens: Ints, rows: Tensor, targets: Tensor) -> Tensor:
        """Cosines, float32 [n], of the contexts in ``slots`` continued by ``tokens`` with ``targets[rows]``."""
        self.asked += len(slots)
        if not self._capacity:
            self.computed += len(slots)
            return _dots(self._encoded(slots, tokens), targets[rows])
        parts = []
        piece = min(_PAIRS, self._capacity)
        for at in range(0, len(slots), piece):
            places = self._known(slots[at : at + piece], tokens[at : at + piece])
            vectors = self._vectors[torch.from_numpy(places).to(self._vectors.device)]
            parts.append(_dots(vectors, targets[rows[at : at + piece]]))
        return torch.cat(parts)

    def _known(self, slots: Ints, tokens: Ints) -> NDArray[np.int32]:
        """Places of at most ``capacity`` vectors, those computed that were not there."""
        found = self._places[slots, tokens]
        new = self._distinct(slots, tokens, found)
        if len(new) > len(self._free):
            self._forget(len(new), set(slots.tolist()))
            found = self._places[slots, tokens]
            new = self._distinct(slots, tokens, found)
        if len(new):
            self.computed += len(new)
            places, self._free = self._free[: len(new)], self._free[len(new) :]
            vectors = self._encoded(slots[new], tokens[new])
            self._vectors[torch.from_numpy(places).to(self._vectors.device)] = vectors
            self._places[slots[new], tokens[new]] = places
            found = self._places[slots, tokens]
        return found

    def _distinct(self, slots: Ints, tokens: Ints, found: NDArray[np.int32]) -> Ints:
        """Of pairs without a place, one of each: their numbers."""
        missing = np.flatnonzero(found < 0)
        pairs = slots[missing] * len(self._apart) + tokens[missing]
        return missing[np.unique(pairs, return_index=True)[1]]

    def _encoded(self, slots: Ints, tokens: Ints) -> Tensor:
        """Embeddings [n, d] of the contexts in ``slots``, continued by ``tokens``."""
        for token in np.unique(tokens[self._apart[tokens] & (self._lengths[tokens] == 0)]).tolist():
            word = self.clip.tokens(self.language.words[token])[: self.clip.context - 1]
            self._own[token, : len(word)] = word
            self._lengths[token] = len(word) + 1
        contexts = {slot: self._by_slot[slot] for slot in np.unique(slots).tolist()}
        prefixes: dict[Tokens, int] = {}
        number_of = np.full(len(self._places), -1)
        for slot, context in contexts.items():
            if context.shared is not None:
                number_of[slot] = prefixes.setdefault(context.shared, len(prefixes))
        numbers = np.where(self._apart[tokens], number_of[slots], -1)
        own, lengths = self._own[tokens].astype(np.int64), self._lengths[tokens]
        for row in np.flatnonzero(numbers < 0).tolist():  # a word that joins the last one, or text that is cleaned
            prefix, rest = self.clip.split(contexts[int(slots[row])].text, self.language.words[int(tokens[row])])
            numbers[row] = prefixes.setdefault(prefix, len(prefixes))
            rest = rest[: own.shape[1] - 1]
            own[row] = self.clip.tokenizer.eot_token_id
            own[row, : len(rest)] = rest
            lengths[row] = len(rest) + 1
        return self.clip.encode_shared(list(prefixes), numbers, own, lengths)

    def _slots_of(self, contexts: Sequence[Tokens]) -> Ints:
        wanted = dict.fromkeys(contexts)
        new = [context for context in wanted if context not in self._contexts]
        for context in wanted:
            if context in self._contexts:
                self._contexts.move_to_end(context)
        spare = max(self._most_contexts, len(wanted)) - len(self._contexts) - len(new)
        for _ in range(-spare):
            _, oldest = self._contexts.popitem(last=False)
            self._clear(oldest.slot)
            self._unused.append(oldest.slot)
        for context in new:
            if not self._unused:
                grown = max(64, len(self._places) // 2)
                self._unused += range(len(self._places), len(self._places) + grown)
                self._places = np.pad(self._places, ((0, grown), (0, 0)), constant_values=-1)
            text, slot = self.language.text(context), self._unused.pop()
            shared = self.clip.tokens(text) if plain(text) else None
            self._contexts[context] = self._by_slot[slot] = _Context(slot, text, shared)
        return np.array([self._contexts[context].slot for context in contexts], np.int64)

    def _forget(self, needed: int, kept: set[int]) -> None:
        """Make room for ``needed`` vectors, and for a quarter of all at least, if that costs none of ``kept``."""
        wanted = max(needed, self._capacity // 4)
        for context in self._contexts.values():
            if len(self._free) >= wanted:
                return
            if context.slot not in kept:
                self._clear(context.slot)
        if len(self._free) < needed:
            for context in self._contexts.values():
                self._clear(context.slot)

    def _clear(self, slot: int) -> None:
        places = self._places[slot]
        self._free = np.concatenate([self._free, places[places >= 0]])
        self._places[slot] = -1


class CandidateScores:
    """Cosines between rows' targets and their texts continued by a token, each asked for once. See ``TextMemory.scores``."""

    def __init__(self, memory: TextMemory, slots: Ints, targets: Tensor) -> None:
        self._memory, self._slots, self._targets = memory, slots, targets
        self._cosines = torch.full((len(slots), len(memory.language.words)), torch.nan, device=targets.device)

    def __call__(self, tokens: Tensor) -> Tensor:
        """Tokens, int64 [rows, k] → cosines, float32 [rows, k]."""
        found = self._cosines.gather(1, tokens)
        rows, columns = found.isnan().nonzero(as_tuple=True)
        if len(rows):
            wanted = tokens[rows, columns]
            host = torch.stack([rows, wanted]).cpu().numpy()
            new = self._memory.cosines(self._slots[host[0]], host[1], rows, self._targets)
            self._cosines[rows, wanted] = new
            found[rows, columns] = new
        return found


def _dots(vectors: Tensor, targets: Tensor) -> Tensor:
    return (vectors.float() * targets).sum(dim=-1)
