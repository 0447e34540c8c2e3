"""Does a rule map labels as people do? Every rule against pairs of a label and the class that people gave it.

What a benchmark reports stands on the step from a free label to a class; here it is measured, with intervals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from zgbench.datasets import Vocabulary
from zgbench.encoders import TextEncoder
from zgbench.errors import ModelUnavailable
from zgbench.protocol import Protocol
from zgbench.scores.lexical import Lexical, with_text
from zgbench.scores.reassignment import text_to_text
from zgbench.scores.verification import LEXICAL_LEVELS, WITH_TEXT, default_level
from zgbench.statistics.resampling import interval, weights

Int = NDArray[np.int64]
RESAMPLES, SEED = 1000, 0
_CONFUSIONS, _EXAMPLES = 10, 3


class Measure(TypedDict):
    """A share, 0–1, with its 95 % interval."""

    value: float
    ci95: list[float]


class Confusion(TypedDict):
    """People say ``people``, the rule says ``rule``, ``count`` times; ``none`` is no class."""

    people: str
    rule: str
    count: int
    labels: list[str]


class Checked(TypedDict):
    """One rule against people.

    ``agreement``: share of all pairs for which both say the same, ``none`` included. ``precision``: of the labels that the
    rule gives a class, the share that people give the same. ``dropped_right``: of the labels that its nearest class has
    right, the share that the rule gives no class. None where there is nothing to divide by.
    """

    rule: str
    agreement: Measure
    precision: float | None
    precision_ci95: list[float] | None
    dropped_right: float | None
    dropped_right_ci95: list[float] | None
    confusions: list[Confusion]


@dataclass(frozen=True)
class MappingCheck:
    """Every rule that could be had, and why the others could not."""

    pairs: int
    rules: list[Checked]
    default: str
    unavailable: dict[str, str]

    def to_dict(self) -> dict[str, object]:
        """As JSON (contract ``mapping check --json``)."""
        return {
            "pairs": self.pairs, "rules": self.rules, "default": self.default, "unavailable": self.unavailable,
        }  # fmt: skip


def check_mapping(
    pairs: Sequence[tuple[str, int]], vocabulary: Vocabulary, protocol: Protocol, text: TextEncoder
) -> MappingCheck:
    """Measure TT at the protocol's τ and without one, and LT by level and with the nearest text behind it.

    Args:
        pairs: labels with the class id that people gave them, 0 for none; one or more.
        text: the protocol's Sentence-BERT. What needs it is left out, and told, where it cannot be had.
    """
    labels = tuple(label for label, _ in pairs)
    people = np.array([class_id for _, class_id in pairs], dtype=np.int64)
    found: list[tuple[str, Int, Int]] = []  # rule, what it says, and what its nearest class would be
    unavailable = {"ST": "looks at the segment's picture, which a label alone does not have"}
    try:
        decision = text_to_text(labels, text, protocol.text_prompt, vocabulary)
        found += [
            (f"TT cos>={protocol.tau_text:g}", decision.kept(protocol.tau_text), decision.class_id),
            ("TT", decision.class_id, decision.class_id),
        ]
    except ModelUnavailable as error:
        unavailable["TT"] = str(error)
    lexical, why = with_text(vocabulary, text)
    if why:
        unavailable[f"LT {WITH_TEXT}"] = why
    whole = lexical.of_segments(labels)[0]
    alone = whole if lexical.text is None else Lexical(vocabulary).of_segments(labels)[0]
    found += [(f"LT level<={level}", alone.up_to(level), whole.class_id) for level in LEXICAL_LEVELS]
    if lexical.text is not None:
        found.append((f"LT {WITH_TEXT}", whole.class_id, whole.class_id))
    rows = [verify.removeprefix("LT ") for verify, _, _ in found if verify.startswith("LT ")]
    drawn = weights(len(pairs), RESAMPLES, SEED)
    name = _namer(vocabulary)
    rules = [_checked(rule, said, nearest, people, labels, name, drawn) for rule, said, nearest in found]
    return MappingCheck(len(pairs), rules, f"LT {default_level(rows)}", unavailable)


def _namer(vocabulary: Vocabulary) -> Callable[[int], str]:
    names = dict(zip(vocabulary.ids, vocabulary.names, strict=True)) | {0: "none"}
    return lambda class_id: names[class_id]


def _checked(
    rule: str,
    said: Int,
    nearest: Int,
    people: Int,
    labels: Sequence[str],
    name: Callable[[int], str],
    drawn: NDArray[np.uint8],
) -> Checked:
    right, kept = said == people, said > 0
    could = (nearest == people) & (people > 0)
    value, ends = _share(right, np.ones(len(people), dtype=bool), drawn)
    precision, precision_ends = _share(right, kept, drawn)
    dropped, dropped_ends = _share(~kept, could, drawn)
    assert value is not None and ends is not None
    return {
        "rule": rule,
        "agreement": {"value": value, "ci95": ends},
        "precision": precision,
        "precision_ci95": precision_ends,
        "dropped_right": dropped,
        "dropped_right_ci95": dropped_ends,
        "confusions": _confusions(said, people, labels, name),
    }


def _share(
    hit: NDArray[np.bool_], among: NDArray[np.bool_], drawn: NDArray[np.uint8]
) -> tuple[float | None, list[float] | None]:
    """Share of hits with its percentile bootstrap interval over pairs; None where there are none to share."""
    if not among.any():
        return None, None
    w = drawn.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        samples = (w @ (hit & among)) / (w @ among.astype(np.float64))
    return float((hit & among).sum() / among.sum()), list(interval(samples))


def _confusions(said: Int, people: Int, labels: Sequence[str], name: Callable[[int], str]) -> list[Confusion]:
    wrong = np.flatnonzero(said != people).tolist()
    count = Counter((int(people[i]), int(said[i])) for i in wrong)
    examples: dict[tuple[int, int], list[str]] = {}
    for i in wrong:
        examples.setdefault((int(people[i]), int(said[i])), []).append(labels[i])
    return [
        {"people": name(a), "rule": name(b), "count": n, "labels": examples[(a, b)][:_EXAMPLES]}
        for (a, b), n in sorted(count.items(), key=lambda pair: (-pair[1], pair[0]))[:_CONFUSIONS]
    ]
