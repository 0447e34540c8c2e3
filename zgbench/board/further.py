"""Scores that a board can show though no result holds them: any score of a row follows from the counts beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zgbench import lexicon
from zgbench.datasets import KEYS, builtin_vocabulary
from zgbench.scores.registry import FAMILIES, FAMILY_OF, SCORES


def possible_scores(dataset: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the further scores that the rows of a data set can have.

    Args:
        dataset: as a result file tells it.
    """
    if dataset["key"] in KEYS:
        kinds = any(builtin_vocabulary(dataset["key"]).kinds)
    else:
        kinds = any(one.get("kind") for one in dataset.get("classes") or ())
    return tuple(name for name in FAMILY_OF if kinds or "things and stuff" not in SCORES[name].needs)


def version_of(family: str) -> str:
    """What numbers of a family depend on beyond a row's signature and counts; a part of the names of files in the cache."""
    definitions = FAMILIES[family].definitions
    words = [f"{family}{max(d.version for d in definitions)}"]
    if any("lexicon" in d.needs for d in definitions):
        words.append(lexicon.load().sha256[:8])
    return "-".join(words)
