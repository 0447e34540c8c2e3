"""Does the order of methods survive another mapper? All from stored counts and labels, without a pixel.

Every method is scored under every mapper and threshold; the order that each gives is compared with the first one's by
Kendall's τ-b (1: the same order, 0: none in common, −1: the reverse).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from zgbench.datasets import Vocabulary
from zgbench.encoders import CachedTextEncoder, EmbeddingCache, TextEncoder
from zgbench.encoders.text import SentenceBert
from zgbench.errors import ModelUnavailable, UsageError
from zgbench.scores.comparison import rule_of, vocabulary_of
from zgbench.scores.lexical import Lexical, with_text
from zgbench.scores.reassignment import Decision, text_to_text
from zgbench.scores.result import Stored, load_result
from zgbench.scores.verification import LEXICAL_LEVELS, WITH_TEXT, Reassigned, Row
from zgbench.statistics.resampling import total

THRESHOLDS = (None, 0.3, 0.5, 0.7)
MODELS = ("all-MiniLM-L6-v2", "all-mpnet-base-v2")
Score = Literal["iou_image", "iou_dataset"]
Assigned = NDArray[np.int64]


@dataclass(frozen=True)
class Sensitivity:
    """Scores of every method under every mapper, and how its order goes with the first mapper's.

    Attributes:
        score: which score.
        methods: names.
        settings: mapper and threshold, such as ``TT all-MiniLM-L6-v2, cos>=0.5``; the first one is compared with.
        values: setting → a score a method, fractions; NaN where undefined.
        tau: setting → Kendall's τ-b of its order with the first one's; NaN where either has ties only.
        unavailable: mapper → why it could not be had.
    """

    score: str
    methods: list[str]
    settings: list[str]
    values: dict[str, list[float]]
    tau: dict[str, float]
    unavailable: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """As JSON; undefined numbers are null."""

        def plain(x: float) -> float | None:
            return None if np.isnan(x) else x

        return {
            "score": self.score,
            "methods": self.methods,
            "compared_with": self.settings[0],
            "settings": [
                {"setting": s, "values": [plain(v) for v in self.values[s]], "kendall_tau": plain(self.tau[s])}
                for s in self.settings
            ],
            "unavailable": self.unavailable,
        }


def sensitivity(
    results: Sequence[Path | Stored], *, score: Score = "iou_image", models: Sequence[str] = MODELS
) -> Sensitivity:
    """Score methods under {TT by each model, LT, ST as stored} × {no threshold, 0.3, 0.5, 0.7}.

    Args:
        results: two or more results on the same images of one data set.
        models: Sentence-BERTs for TT; () computes no embedding: only what is stored, and the lexicon.

    Raises:
        UsageError: fewer than two results, or on other images.
        InputError, DataError: a file is damaged or missing.
    """
    stored = [one if isinstance(one, Stored) else load_result(one) for one in results]
    if len(stored) < 2:
        raise UsageError("mapping sensitivity compares the order of methods: give two results or more.")
    about = {(s.result["dataset"]["key"], s.result["dataset"]["ids_sha256"]) for s in stored}
    if len(about) > 1:
        raise UsageError(
            "these results are about other images: "
            + ", ".join(sorted(f"{key} ({ids[:8]})" for key, ids in about))
            + ". Evaluate all methods on the same ones."
        )
    vocabulary = vocabulary_of(stored[0])
    unavailable: dict[str, str] = {}
    mapped: dict[str, list[Assigned]] = {}
    for model in models:
        encoder = CachedTextEncoder(SentenceBert(model), EmbeddingCache())
        try:
            mapped |= _by_cosine(f"TT {model}", stored, _by_text(encoder, vocabulary))
        except ModelUnavailable as error:
            unavailable[f"TT {model}"] = str(error)
    for how in ("TT", "ST"):
        if how == "TT" and models:
            continue
        decisions = [next((r.decision for r in s.reassigned if r.how == how), None) for s in stored]
        if any(d is None for d in decisions):
            lacking = [_name(s) for s, d in zip(stored, decisions, strict=True) if d is None]
            unavailable[how] = f"not stored for {', '.join(lacking)}"
            continue
        known = dict(zip(map(id, stored), decisions, strict=True))
        mapped |= _by_cosine(how, stored, lambda one, known=known: known[id(one)])  # type: ignore[misc]
    mapped |= _by_lexicon(stored, vocabulary, models, unavailable)
    values = {
        setting: [_score(one, assigned, vocabulary, score) for one, assigned in zip(stored, each, strict=True)]
        for setting, each in mapped.items()
    }
    settings = list(values)
    tau = {setting: kendall(values[settings[0]], values[setting]) for setting in settings}
    return Sensitivity(score, [_name(s) for s in stored], settings, values, tau, unavailable)


def kendall(a: Sequence[float], b: Sequence[float]) -> float:
    """Kendall's τ-b of two lists of scores; NaN where one of them does not order anything."""
    from scipy.stats import kendalltau

    defined = ~(np.isnan(a) | np.isnan(b))
    x, y = np.asarray(a)[defined], np.asarray(b)[defined]
    if len(x) < 2 or len(set(x.tolist())) < 2 or len(set(y.tolist())) < 2:
        return float("nan")
    return float(kendalltau(x, y).statistic)


def _name(stored: Stored) -> str:
    return stored.result["submission"]["name"]


def _by_text(encoder: TextEncoder, vocabulary: Vocabulary) -> Callable[[Stored], Decision]:
    return lambda one: text_to_text(one.counts.labels, encoder, one.protocol.text_prompt, vocabulary)


def _by_cosine(
    mapper: str, stored: Sequence[Stored], decide: Callable[[Stored], Decision]
) -> dict[str, list[Assigned]]:
    decisions = [decide(one) for one in stored]
    return {
        f"{mapper}, {'no threshold' if tau is None else f'cos>={tau:g}'}": [
            d.class_id if tau is None else d.kept(tau) for d in decisions
        ]
        for tau in THRESHOLDS
    }


def _by_lexicon(
    stored: Sequence[Stored], vocabulary: Vocabulary, models: Sequence[str], unavailable: dict[str, str]
) -> dict[str, list[Assigned]]:
    alone = [Lexical(vocabulary).of_segments(one.counts.labels)[0] for one in stored]
    found = {f"LT level<={level}": [d.up_to(level) for d in alone] for level in LEXICAL_LEVELS}
    for model in models:
        lexical, why = with_text(vocabulary, CachedTextEncoder(SentenceBert(model), EmbeddingCache()))
        if why:
            unavailable[f"LT {WITH_TEXT} {model}"] = why
        else:
            found[f"LT {WITH_TEXT} {model}"] = [lexical.of_segments(one.counts.labels)[0].class_id for one in stored]
    return found


def _score(stored: Stored, assigned: Assigned, vocabulary: Vocabulary, score: Score) -> float:
    everything = np.ones(len(stored.counts.ids), dtype=bool)
    row = Row(
        Reassigned("MAP", Decision(assigned, np.ones(len(assigned), dtype=np.float32)), ""), "", everything, assigned
    )
    statistics, _ = row.summed(stored.counts, vocabulary, rule_of(stored), stored.protocol.scoring)
    return float(statistics.scores(total(statistics.per_image))[score])
