"""Scores of labels on the truth's segments (track ``oracle``), beside Text Generation Quality."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from zgbench.datasets import Vocabulary
from zgbench.pixels.counts import Counts
from zgbench.scores.families.definition import Need, ScoreDefinition

Float = NDArray[np.float64]
SHARES = {f"label_similarity.{t}": np.float32(t) for t in (0.5, 0.6, 0.7, 0.8, 0.9)}
LEVELS = {"label_exact": 0, "label_synonym": 1, "label_hyponym": 2, "label_meronym": 3}
_CONTI = "Conti et al., Vocabulary-free Image Classification, NeurIPS 2023, section 5"
_LAC = "the nested levels of LAC (ICLR 2026), here by WordNet and the rules of LT"
_EMPTY = "a truth segment without a label counts 0; undefined without a truth segment"
_VECTORS: tuple[Need, ...] = ("label vectors", "track oracle")
_TEXT: tuple[Need, ...] = ("track oracle",)
_LEXICON: tuple[Need, ...] = ("lexicon", "track oracle")
_TOLD = {
    "label_exact": ("Label exact", "its name or an alias"),
    "label_synonym": ("Label synonym", "its name, or a synonym"),
    "label_hyponym": ("Label hyponym", "its name, a synonym, or a kind of it"),
    "label_meronym": ("Label meronym", "its name, a synonym, a kind or a part of it"),
}

DEFINITIONS = (
    ScoreDefinition(
        "label_similarity", "Semantic similarity", _VECTORS,
        "mean cosine of label and true class name over truth segments", _CONTI, _EMPTY, scope="oracle", low=-1.0,
    ),
    *(
        ScoreDefinition(
            name, f"Similarity > {name[-3:]}", _VECTORS,
            f"share of truth segments whose label has a cosine > {name[-3:]} with the true class name", _CONTI, _EMPTY,
            scope="oracle",
        )
        for name in SHARES
    ),
    ScoreDefinition(
        "s_iou", "S-IoU", _TEXT,
        "mean over truth segments of the words that label and class name share, over all words of both; of the name as listed "
        "(pottedplant) and as read (potted plant) the nearer one",
        _CONTI, _EMPTY, scope="oracle",
    ),
    ScoreDefinition(
        "text_inclusion", "Text inclusion", _TEXT,
        "share of truth segments whose label contains the class's name or an alias, as a text, case ignored (car is in carpet)",
        "Conti et al., On Large Multimodal Models as Open-World Image Classifiers, ICCV 2025, section 3", _EMPTY,
        scope="oracle",
    ),
    *(
        ScoreDefinition(
            name, title, _LEXICON, f"share of truth segments whose label is, by the lexicon, the true class: {told}", _LAC,
            _EMPTY, scope="oracle",
        )
        for name, (title, told) in _TOLD.items()
    ),
)  # fmt: skip


def words(text: str) -> frozenset[str]:
    """The words of a text: letters, digits and spaces are kept, case is not."""
    return frozenset("".join(c for c in text.lower() if c.isalnum() or c == " ").split())


def word_iou(label: str, name: str) -> float:
    """Shared words over all words of both; 0 where there are none."""
    a, b = words(label), words(name)
    return len(a & b) / len(a | b) if a | b else 0.0


def includes(label: str, names: Sequence[str]) -> bool:
    """Whether a label contains one of the names."""
    return any(name.lower() in label.lower() for name in names)


def names_of(vocabulary: Vocabulary) -> dict[int, tuple[str, ...]]:
    """Class id → readable name, name and aliases."""
    readable = vocabulary.readable or vocabulary.names
    also = vocabulary.also or ((),) * len(readable)
    return {
        class_id: (first, name, *others)
        for class_id, first, name, others in zip(vocabulary.ids, readable, vocabulary.names, also, strict=True)
    }


def by_segment(
    counts: Counts,
    vocabulary: Vocabulary,
    names: Sequence[str],
    similarity: NDArray[np.float32] | None,
    reached: tuple[NDArray[np.int64], NDArray[np.int8]] | None,
) -> dict[str, Float]:
    """Score name → its value for each labelled segment, float64 [segments].

    Args:
        counts: of track ``oracle``.
        similarity: float32 [segments], cosine of label and true name; None where no score asks for it.
        reached: class and level of each label by the lexicon, [segments] each; None where no score asks for them.
    """
    assert counts.truth is not None
    of_class = names_of(vocabulary)
    pairs = list(zip(counts.labels, counts.truth.tolist(), strict=True))
    distinct = dict.fromkeys(pairs)

    def of_pairs(made: dict[tuple[str, int], float]) -> Float:
        return np.array([made[pair] for pair in pairs], dtype=np.float64)

    found: dict[str, Float] = {}
    for name in names:
        if name == "s_iou":
            found[name] = of_pairs(
                {(label, c): max(word_iou(label, name) for name in of_class[c][:2]) for label, c in distinct}
            )
        elif name == "text_inclusion":
            found[name] = of_pairs({(label, c): float(includes(label, of_class[c])) for label, c in distinct})
        elif name in LEVELS:
            assert reached is not None
            classes, levels = reached
            found[name] = ((classes == counts.truth) & (levels >= 0) & (levels <= LEVELS[name])).astype(np.float64)
        else:
            assert similarity is not None
            found[name] = (similarity > SHARES[name] if name in SHARES else similarity).astype(np.float64)
    return found
