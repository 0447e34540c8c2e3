"""Stage 3, naming: CLIP embeddings → free text, by ZeroCap, for many segments at once.

Source: Tewel et al., "ZeroCap: Zero-Shot Image-to-Text Generation for Visual-Semantic Arithmetic", CVPR 2022, section 3,
as "Zero-guidance Segmentation Using Zero Segment Labels", ICCV 2023, section 3.3, uses it.

A causal language model continues a prompt. For each next token its cached keys and values are shifted by a few steps of
gradient descent on

    L = λ_clip · H(softmax(cos(image, candidate texts) / τ), p) + λ_lm · KL(p ‖ p_unshifted)

with p the model's next token under the shift; the token is then drawn by beam search from p^f · p_unshifted^(1 − f).
All beams of all segments go through the language model and CLIP's text tower together; their losses are summed and each
row's gradient has its own norm, so that a row does not depend on the others. Candidates are scored by
:class:`reference_method.clip_text.ClipText` and remembered over the descent's steps, whose candidates mostly recur.

Where the authors' code and this differ: finished beams are not computed on; and a beam's distribution sums to 1, where
theirs is divided by the sum over all beams of a step (``normalise="joint"``), which charges each further token with
about log(beams) and so prefers short texts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from reference_method.clip_text import ClipText, Item
from zgbench.errors import UsageError


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


class LanguageModel:
    """A causal language model of transformers and its tokenizer, frozen.

    Args:
        model: returns logits and takes a cache of keys and values (every decoder of transformers does).
        tokenizer: the model's.
    """

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self.model = model.eval().requires_grad_(False)
        self.tokenizer = tokenizer
        size = model.get_output_embeddings().weight.shape[0]
        anchor = tokenizer.encode(".", add_special_tokens=False)
        lead = len(self.text(anchor))
        # decoded behind another token, as some tokenizers drop a space at the beginning of a text
        known = min(size, len(tokenizer))
        self.words = [self.text([*anchor, token])[lead:] for token in range(known)] + [""] * (size - known)
        special = set(tokenizer.all_special_ids)
        self.unusable = torch.tensor([not word or token in special for token, word in enumerate(self.words)])

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

    def __call__(self, last: Tensor, past: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
        """Logits, float32 [n, vocabulary], after the tokens [n, 1] with the keys and values of what came before."""
        from transformers import DynamicCache

        cache = DynamicCache(ddp_cache_data=list(past))
        logits: Tensor = self.model(input_ids=last, past_key_values=cache, use_cache=True).logits[:, -1]
        return logits.float()

    @torch.no_grad()
    def past(self, tokens: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Keys and values of every layer for tokens [n, t]."""
        cache = self.model(input_ids=tokens, use_cache=True).past_key_values
        return [(layer.keys, layer.values) for layer in cache.layers]


class ZeroCap:
    """Names for CLIP embeddings.

    Args:
        language: the language model.
        clip: text side of the CLIP that the embeddings come from.
        config: see :class:`ZeroCapConfig`.
        rows: beams of all segments that are computed at a time, ≥ the number of beams; bounds the memory.
    """

    def __init__(
        self, language: LanguageModel, clip: ClipText, config: ZeroCapConfig | None = None, *, rows: int = 320
    ) -> None:
        self.language, self.clip, self.config = language, clip, config or ZeroCapConfig()
        self.rows = rows
        device = next(language.model.parameters()).device
        self.device = device
        self._unusable = language.unusable.to(device)
        self._forbidden = language.forbidden().to(device)
        self._end = language.tokenizer.encode(self.config.end_token, add_special_tokens=False)[0]
        self._prompt = language.start(self.config.prompt)

    def name(self, embeddings: Tensor) -> list[str]:
        """Embeddings, float [n, d] → n texts without the prompt and the end mark."""
        at_once = max(1, self.rows // self.config.beams)
        names: list[str] = []
        for at in range(0, len(embeddings), at_once):
            names += self._name(F.normalize(embeddings[at : at + at_once].float().to(self.device), dim=-1))
        return names

    def _name(self, targets: Tensor) -> list[str]:
        """Beam search, all segments in step. Beams are [n, b, …], n segments of b beams."""
        c, n = self.config, len(targets)
        prompt = torch.tensor(self._prompt, device=self.device)
        scores, first = self._next(0, prompt.expand(n, 1, -1), torch.ones(n, 1, dtype=torch.bool), targets).topk(
            c.beams, dim=-1
        )
        scores, tokens = scores[:, 0], first[:, 0, :, None]
        lengths = torch.ones_like(scores)
        ended = tokens[..., -1] == self._end
        for step in range(1, c.max_tokens):
            if bool(ended.all()):
                break
            context = torch.cat([prompt.expand(n, c.beams, -1), tokens], dim=-1)
            total = scores[..., None] + self._next(step, context, ~ended.cpu(), targets)
            # an ended beam stays as it is: one continuation, which costs nothing
            total[ended] = -torch.inf
            total[..., 0] = torch.where(ended, scores, total[..., 0])
            lengths = lengths + ~ended
            average, best = (total / lengths[..., None]).flatten(1).topk(c.beams, dim=-1)
            source, token = best // total.shape[-1], best % total.shape[-1]
            lengths, ended = lengths.gather(1, source), ended.gather(1, source)
            tokens = torch.cat([torch.take_along_dim(tokens, source[..., None], dim=1), token[..., None]], dim=-1)
            scores = average * lengths
            ended = ended | (token == self._end)
        return self._choose(tokens, lengths.long(), targets)

    def _choose(self, tokens: Tensor, lengths: Tensor, targets: Tensor) -> list[str]:
        """Of each segment's beams the text that CLIP finds nearest, of those that say anything."""
        texts = [
            [self.language.text(beam[:length].tolist()) for beam, length in zip(beams, ends, strict=True)]
            for beams, ends in zip(tokens, lengths, strict=True)
        ]
        vectors = self.clip.encode([self.config.prompt + text for beams in texts for text in beams]).to(self.device)
        cosines = (vectors.unflatten(0, (len(texts), -1)) @ targets[..., None])[..., 0]
        names = []
        for beams, row in zip(texts, cosines, strict=True):
            ranked = [
                clean(beams[k], self.config.end_token) for k in row.argsort(descending=True, stable=True).tolist()
            ]
            names.append(next((name for name in ranked if name), "unknown"))
        return names

    def _next(self, step: int, context: Tensor, active: Tensor, targets: Tensor) -> Tensor:
        """Log probabilities of the next token, float32 [n, b, vocabulary]; rows that are not active stay 0.

        Args:
            context: tokens [n, b, t].
            active: bool [n, b], on the CPU.
            targets: unit embeddings [n, d].
        """
        result = torch.zeros(*context.shape[:2], len(self._unusable), device=self.device)
        rows = active.flatten().nonzero()[:, 0].to(self.device)
        tokens = context.flatten(0, 1)[rows]
        segments = rows // context.shape[1]
        found = self._next_rows(step, tokens, targets[segments])
        result.view(-1, result.shape[-1])[rows] = self._normalised(found, segments, (~active).sum(dim=1))
        return result

    def _normalised(self, fused: Tensor, segments: Tensor, ended: Tensor) -> Tensor:
        """Logarithms of fused probabilities [rows, vocabulary], of segments [rows] with so many ended beams [n]."""
        if self.config.normalise == "beam":
            return F.log_softmax(fused, dim=-1)
        # what theirs finds for ended beams, whose continuations nobody reads, is all but 1 each
        total = ended.to(fused).index_add(0, segments, fused.logsumexp(dim=-1).exp())
        return fused - total[segments, None].log()

    def _next_rows(self, step: int, tokens: Tensor, targets: Tensor) -> Tensor:
        c = self.config
        past, last = self.language.past(tokens[:, :-1]), tokens[:, -1:]
        prefixes = [self.language.text(row) for row in tokens.tolist()]
        scores = CandidateScores(self.clip, prefixes, self.language.words, targets)
        shifts = [tuple(torch.zeros_like(part) for part in layer) for layer in past]
        unshifted = torch.empty(0)
        for descent in range(c.steps):
            for layer in shifts:
                for part in layer:
                    part.requires_grad_(True)
            logits = self._usable(self.language(last, _shifted(past, shifts)))
            logp = F.log_softmax(logits, dim=-1)
            if descent == 0:
                unshifted = logp.detach()
            loss = self._loss(logp, unshifted, scores)
            parts = [part for layer in shifts for part in layer]
            gradients = torch.autograd.grad(loss, parts)
            moved = iter([self._moved(part, g) for part, g in zip(parts, gradients, strict=True)])
            shifts = [(next(moved), next(moved)) for _ in shifts]
        with torch.no_grad():
            logits = self._usable(self.language(last, _shifted(past, shifts)))
            if c.steps == 0:
                unshifted = F.log_softmax(logits, dim=-1)
            logits = self._weighted(step, logits)
            return c.fusion * F.log_softmax(logits, dim=-1) + (1 - c.fusion) * unshifted

    def _loss(self, logp: Tensor, unshifted: Tensor, scores: CandidateScores) -> Tensor:
        c = self.config
        candidates = logp.detach().topk(min(c.candidates, int((~self._unusable).sum())), dim=-1).indices
        target = F.softmax(scores(candidates) / c.clip_temperature, dim=-1)
        by_clip = -(target * logp.gather(1, candidates)).sum()
        by_language = (logp.exp() * (logp - unshifted)).sum()
        return c.clip_weight * by_clip + c.lm_weight * by_language

    def _moved(self, shift: Tensor, gradient: Tensor) -> Tensor:
        norm = gradient.float().flatten(1).norm(dim=1)[:, None, None, None] + 1e-15
        step = self.config.step_size * gradient.float() / norm**self.config.norm_exponent
        return (shift.detach().float() - step).to(shift.dtype)

    def _usable(self, logits: Tensor) -> Tensor:
        """Tokens that are no text (the special ones) get a logit so low that their probability is 0."""
        return logits.masked_fill(self._unusable, -1e4)

    def _weighted(self, step: int, logits: Tensor) -> Tensor:
        c = self.config
        logits = torch.where(self._forbidden, _scaled(logits, 1 / c.forbidden_factor), logits)
        end = logits[:, self._end]
        logits[:, self._end] = _scaled(end, 1 / c.start_factor) if step == 0 else _scaled(end, c.end_factor)
        return logits


class CandidateScores:
    """Cosines between rows' targets and their texts continued by a token, each computed once.

    Args:
        clip: the text tower.
        prefixes: text of each row.
        words: text of each token.
        targets: unit embeddings, float32 [rows, d].
    """

    def __init__(self, clip: ClipText, prefixes: Sequence[str], words: Sequence[str], targets: Tensor) -> None:
        self._clip, self._texts, self._words, self._targets = clip, prefixes, words, targets
        self._known = torch.full((len(prefixes), len(words)), torch.nan, device=targets.device)

    def __call__(self, tokens: Tensor) -> Tensor:
        """Tokens, int64 [rows, k] → cosines, float32 [rows, k]."""
        found = self._known.gather(1, tokens)
        missing = found.isnan()
        if bool(missing.any()):
            rows = missing.nonzero()[:, 0]
            wanted = tokens[missing]
            self._known[rows, wanted] = self._scored(rows, wanted)
            found = self._known.gather(1, tokens)
        return found

    def _scored(self, rows: Tensor, tokens: Tensor) -> Tensor:
        prefixes: dict[tuple[int, ...], int] = {}
        items = []
        for row, token in zip(rows.tolist(), tokens.tolist(), strict=True):
            shared, own = self._clip.split(self._texts[row], self._words[token])
            items.append(Item(prefixes.setdefault(shared, len(prefixes)), own))
        vectors = self._clip.encode_shared(list(prefixes), items).to(self._targets.device)
        return (vectors * self._targets[rows]).sum(dim=-1)


def clean(text: str, end: str) -> str:
    """A generated text as a label: printable, single spaces, at most 200 characters, without the end mark."""
    words = " ".join("".join(ch if ch.isprintable() else " " for ch in text).split())
    return words.rstrip(end + " ")[:200].strip()


def _scaled(logits: Tensor, factor: float) -> Tensor:
    """Towards likelier for a factor > 1, whatever the sign."""
    return torch.where(logits > 0, logits * factor, logits / factor)


def _shifted(past: Sequence[tuple[Tensor, Tensor]], shifts: Sequence[Any]) -> list[tuple[Tensor, Tensor]]:
    return [(k + dk, v + dv) for (k, v), (dk, dv) in zip(past, shifts, strict=True)]
