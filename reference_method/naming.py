"""Stage 3, naming: CLIP embeddings → free text, by ZeroCap, for many segments at once.

Source: Tewel et al., "ZeroCap: Zero-Shot Image-to-Text Generation for Visual-Semantic Arithmetic", CVPR 2022, section 3,
as "Zero-guidance Segmentation Using Zero Segment Labels", ICCV 2023, section 3.3, uses it.

A causal language model continues a prompt. For each next token its cached keys and values are shifted by a few steps of
gradient descent on

    L = λ_clip · H(softmax(cos(image, candidate texts) / τ), p) + λ_lm · KL(p ‖ p_unshifted)

with p the model's next token under the shift; the token is then drawn by beam search from p^f · p_unshifted^(1 − f).
All beams of all segments go through the language model and CLIP's text tower together; their losses are summed and each
row's gradient has its own norm, so that a row does not depend on the others. Candidates are scored by
:class:`reference_method.clip_text.ClipText` and remembered by :class:`reference_method.text_memory.TextMemory`.

Where the authors' code and this differ: finished beams are not computed on; and a beam's distribution sums to 1, where
theirs is divided by the sum over all beams of a step (``normalise="joint"``), which charges each further token with
about log(beams) and so prefers short texts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from reference_method.clip_text import ClipText
from reference_method.language import LanguageModel
from reference_method.text_memory import CandidateScores, TextMemory
from zgbench.errors import UsageError

_MOST = 1600
"""Rows at a time."""


@dataclass(frozen=True)
class ZeroCapConfig:
    """Constants of ZeroCap; the defaults are the published ones.

    Attributes:
        prompt: what the texts begin with.
        steps: of gradient descent per token.
        step_size, norm_exponent: a step is −step_size · g / ‖g‖^norm_exponent, the norm per row, layer and keys/values.
        clip_weight, clip_temperature, lm_weight: λ_clip, τ, λ_lm.
        fusion: f, exponent of the shifted distribution.
        candidates: tokens that CLIP scores.
        beams: of the search.
        max_tokens: after the prompt.
        end_token: text that ends a name.
        end_factor: > 1 makes the end likelier from the second token on.
        start_factor: > 1 makes the end less likely as the first token.
        forbidden_factor: > 1 makes plain numbers and brackets less likely.
        normalise: the fused distribution per ``beam``, or ``joint``, over all beams of a step (the authors' code).
    """

    prompt: str = "Image of a"
    steps: int = 5
    step_size: float = 0.3
    norm_exponent: float = 0.9
    clip_weight: float = 1.0
    clip_temperature: float = 0.01
    lm_weight: float = 0.2
    fusion: float = 0.99
    candidates: int = 512
    beams: int = 5
    max_tokens: int = 15
    end_token: str = "."
    end_factor: float = 1.01
    start_factor: float = 1.6
    forbidden_factor: float = 20.0
    normalise: Literal["beam", "joint"] = "beam"

    def __post_init__(self) -> None:
        if self.normalise not in ("beam", "joint"):
            raise UsageError(f"naming.normalise={self.normalise}: expected beam or joint.")


class ZeroCap:
    """Names for CLIP embeddings.

    Args:
        language: the language model.
        clip: text side of the CLIP that the embeddings come from.
        config: see :class:`ZeroCapConfig`.
        rows: beams of all segments that are computed at a time; bounds the memory. None: on a GPU 16 for each GiB of its
            memory; elsewhere as many as have the keys and values of one token, and its logits, in 64 MiB each (333 of
            GPT-2 medium). At most 1,600.
        limit: bytes of texts' embeddings that are remembered, see :class:`reference_method.text_memory.TextMemory`.

    Attributes:
        memory: the embeddings of all texts that were candidates so far.
    """

    def __init__(
        self,
        language: LanguageModel,
        clip: ClipText,
        config: ZeroCapConfig | None = None,
        *,
        rows: int | None = None,
        limit: int | None = None,
    ) -> None:
        self.language, self.clip, self.config = language, clip, config or ZeroCapConfig()
        self.rows = rows or _rows(language)
        self.memory = TextMemory(clip, language, limit=limit)
        self.device = language.device
        self._unusable = language.unusable.to(self.device)
        self._candidates = min(self.config.candidates, int((~language.unusable).sum()))
        self._forbidden = language.forbidden().to(self.device)
        self._end = language.tokenizer.encode(self.config.end_token, add_special_tokens=False)[0]
        self._prompt = language.start(self.config.prompt)

    def name(self, embeddings: Tensor) -> list[str]:
        """Embeddings, float [n, d] → n texts without the prompt and the end mark."""
        if not len(embeddings):
            return []
        targets = F.normalize(embeddings.float().to(self.device), dim=-1)
        parts = -(-len(targets) // max(1, self.rows // self.config.beams))
        return [name for part in torch.tensor_split(targets, parts) for name in self._name(part)]

    def _name(self, targets: Tensor) -> list[str]:
        """Beam search, all segments in step. Beams are [n, b, …], n segments of b beams.

        Only beams that have not ended are computed on; ``rows`` says where the past of each of them lies.
        """
        c, n = self.config, len(targets)
        tokens = torch.tensor(self._prompt, device=self.device).expand(n, 1, -1)
        scores = torch.zeros(n, 1, device=self.device)
        lengths = torch.zeros(n, 1, device=self.device)
        ended = torch.zeros(n, 1, dtype=torch.bool, device=self.device)
        past = self.language.past(tokens[:1, 0, :-1]).expand(-1, -1, n, -1, -1, -1)
        rows = torch.arange(n, device=self.device)
        for step in range(c.max_tokens):
            going = (~ended).flatten().nonzero()[:, 0]
            if not len(going):
                break
            segments, past = going // ended.shape[1], past[:, :, rows[going]]
            fused, own = self._next(step, tokens.flatten(0, 1)[going], past, targets[segments])
            found = self._normalised(fused, segments, ended.sum(dim=1))
            past = torch.cat([past, own], dim=-2)
            # an ended beam stays as it is: one continuation, which costs nothing
            total = torch.full((ended.numel(), found.shape[1]), -torch.inf, device=self.device)
            total[:, 0] = scores.flatten()
            total[going] = scores.flatten()[going, None] + found
            lengths = lengths + ~ended
            average, best = (total.unflatten(0, ended.shape) / lengths[..., None]).flatten(1).topk(c.beams, dim=-1)
            source, token = best // found.shape[1], best % found.shape[1]
            lengths, ended = lengths.gather(1, source), ended.gather(1, source)
            tokens = torch.cat([torch.take_along_dim(tokens, source[..., None], dim=1), token[..., None]], dim=-1)
            scores = average * lengths
            rows = torch.zeros(total.shape[0], dtype=torch.long, device=self.device)
            rows[going] = torch.arange(len(going), device=self.device)
            rows = rows.unflatten(0, (n, -1)).gather(1, source).flatten()
            ended = ended | (token == self._end)
        return self._choose(tokens[..., len(self._prompt) :], lengths.long(), targets)

    def _choose(self, tokens: Tensor, lengths: Tensor, targets: Tensor) -> list[str]:
        """Of each segment's beams the text that CLIP finds nearest, of those that say anything."""
        texts = [
            [self.language.text(beam[:length]) for beam, length in zip(beams, ends, strict=True)]
            for beams, ends in zip(tokens.tolist(), lengths.tolist(), strict=True)
        ]
        vectors = self.clip.encode([self.config.prompt + text for beams in texts for text in beams]).to(self.device)
        cosines = (vectors.unflatten(0, (len(texts), -1)) @ targets[..., None])[..., 0]
        names = []
        for beams, ranked in zip(texts, cosines.argsort(descending=True, stable=True).tolist(), strict=True):
            cleaned = (clean(beams[k], self.config.end_token) for k in ranked)
            names.append(next((name for name in cleaned if name), "unknown"))
        return names

    def _next(self, step: int, tokens: Tensor, past: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """What comes after rows of tokens.

        Args:
            tokens: so far, prompt and all, int64 [rows, t].
            past: keys and values of all but the last, [layers, 2, rows, heads, t − 1, d].
            targets: unit embeddings [rows, d].

        Returns:
            logarithms of the fused probabilities of the next token, not normalised, float32 [rows, vocabulary], and
            keys and values of the last one.
        """
        c, last = self.config, tokens[:, -1:]
        scores = self.memory.scores([tuple(row) for row in tokens.tolist()], targets)
        shift, unshifted, own = torch.zeros_like(past), torch.empty(0), torch.empty(0)
        for descent in range(c.steps):
            shift.requires_grad_(True)
            logits, cache = self.language(last, past + shift)
            logp = F.log_softmax(self._usable(logits), dim=-1)
            if descent == 0:  # the shift is 0
                unshifted, own = logp.detach(), self.language.own(cache)
            (gradient,) = torch.autograd.grad(self._loss(logp, unshifted, scores), shift)
            shift = self._moved(shift.detach(), gradient)
        with torch.no_grad():
            logits, cache = self.language(last, past + shift)
            logits = self._usable(logits)
            if c.steps == 0:
                unshifted, own = F.log_softmax(logits, dim=-1), self.language.own(cache)
            logits = self._weighted(step, logits)
            return c.fusion * F.log_softmax(logits, dim=-1) + (1 - c.fusion) * unshifted, own

    def _normalised(self, fused: Tensor, segments: Tensor, ended: Tensor) -> Tensor:
        """Log probabilities from fused ones [rows, vocabulary], of segments [rows] with so many ended beams [n]."""
        if self.config.normalise == "beam":
            return F.log_softmax(fused, dim=-1)
        # what theirs finds for ended beams, whose continuations nobody reads, is all but 1 each
        total = ended.to(fused).index_add(0, segments, fused.logsumexp(dim=-1).exp())
        return fused - total[segments, None].log()

    def _loss(self, logp: Tensor, unshifted: Tensor, scores: CandidateScores) -> Tensor:
        c = self.config
        candidates = logp.detach().topk(self._candidates, dim=-1, sorted=False).indices
        target = F.softmax(scores(candidates) / c.clip_temperature, dim=-1)
        by_clip = -(target * logp.gather(1, candidates)).sum()
        by_language = (logp.exp() * (logp - unshifted)).sum()
        return c.clip_weight * by_clip + c.lm_weight * by_language

    def _moved(self, shift: Tensor, gradient: Tensor) -> Tensor:
        """One step along the gradient, in place: these are the largest tensors here, and new ones cost more than arithmetic."""
        gradient = gradient.float()
        norm = gradient.flatten(3).norm(dim=3)[..., None, None, None] + 1e-15  # of each layer, keys or values, and row
        step = gradient.mul_(self.config.step_size).div_(norm**self.config.norm_exponent)
        return shift.float().sub_(step).to(shift.dtype)

    def _usable(self, logits: Tensor) -> Tensor:
        """Tokens that are no text (the special ones) get a logit so low that their probability is 0."""
        return logits.masked_fill(self._unusable, -1e4)

    def _weighted(self, step: int, logits: Tensor) -> Tensor:
        c = self.config
        logits = torch.where(self._forbidden, _scaled(logits, 1 / c.forbidden_factor), logits)
        end = logits[:, self._end]
        logits[:, self._end] = _scaled(end, 1 / c.start_factor) if step == 0 else _scaled(end, c.end_factor)
        return logits


def _rows(language: LanguageModel) -> int:
    if language.device.type == "cuda":
        return min(_MOST, int(torch.cuda.get_device_properties(language.device).total_memory) // 2**30 * 16)
    token = language.past(torch.zeros(1, 1, dtype=torch.long, device=language.device)).numel()
    return min(_MOST, max(1, 2**26 // (4 * max(token, len(language.words)))))


def clean(text: str, end: str) -> str:
    """A generated text as a label: printable, single spaces, at most 200 characters, without the end mark."""
    words = " ".join("".join(ch if ch.isprintable() else " " for ch in text).split())
    return words.rstrip(end + " ")[:200].strip()


def _scaled(logits: Tensor, factor: float) -> Tensor:
    """Towards likelier for a factor > 1, whatever the sign."""
    return torch.where(logits > 0, logits * factor, logits / factor)
