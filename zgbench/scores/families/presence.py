"""pmF1, IL_MCC and cgF1 of SAM 3, and the hallucination rate: is a class there, and is it where it should be?

A query is a class of the list in an image. It has a truth where the class covers pixels of the truth, a prediction where
kept segments of the class cover pixels that count.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from zgbench.scores.families.definition import Need, ScoreDefinition
from zgbench.scores.families.united import Classes, Column, Float, United, ratio

_SAM3 = "Carion et al., SAM 3, 2025 (arXiv 2511.16719), section 3 and appendix"
_ROW: tuple[Need, ...] = ("counts", "reassignment")


class Presence:
    """pmF1, IL_MCC, cgF1, hallucination rate."""

    definitions = (
        ScoreDefinition(
            "pmf1", "pmF1", _ROW,
            "micro F1 of queries, mean over IoU ≥ 0.5, 0.55, …, 0.95; false positives are counted in queries with a truth only",
            _SAM3, "undefined without a query that has a truth",
        ),
        ScoreDefinition(
            "il_mcc", "IL_MCC", _ROW,
            "Matthews correlation of predicted and true presence over all (image, class)",
            f"{_SAM3}; Matthews, 1975",
            "0 where all or none are present, or are predicted; undefined without an image", low=-1.0,
        ),
        ScoreDefinition(
            "cgf1", "cgF1", _ROW, "pmF1 · IL_MCC", _SAM3, "undefined where one of the two is", low=-1.0,
        ),
        ScoreDefinition(
            "hallucination", "Hallucination rate", _ROW,
            "share of the classes absent from an image that are predicted in it, then the mean over images",
            "as CHAIR asks of captions (Rohrbach et al., EMNLP 2018), here of the classes of a list",
            "an image that shows every class is left out; undefined where all do", better="lower",
        ),
    )  # fmt: skip

    def columns(self, united: United, classes: Classes) -> dict[str, Column]:
        """A class: presence ``tp``, ``fp``, ``fn``, and the share of the ten thresholds ``reached``. An image: ``images``,
        ``absent`` (whether a class is absent) and ``invented`` (the share of the absent that is predicted).
        """
        found = united.found
        is_truth, is_predicted = found.truth > 0, found.predicted > 0
        both, fp = is_truth & is_predicted, is_predicted & ~is_truth
        steps = 20 * found.intersection // np.maximum(found.union, 1) - 9  # IoU ≥ k/20 for k = 10 … 19, in integers
        absent = classes.n - united.per_image(is_truth)
        invented = np.divide(united.per_image(fp), absent, out=np.zeros(united.n_images), where=absent > 0)
        return {
            "images": np.ones(united.n_images), "absent": (absent > 0).astype(np.float64), "invented": invented,
            "tp": united.by_class(both), "fp": united.by_class(fp), "fn": united.by_class(is_truth & ~is_predicted),
            "reached": united.by_class(np.where(both, np.clip(steps, 0, 10) / 10, 0.0)),
        }  # fmt: skip

    def values(self, sums: Mapping[str, Float], classes: Classes) -> dict[str, Float]:
        """Over all queries; the hallucination rate over images."""
        tp, fp, fn, reached = (sums[key].sum(axis=-1) for key in ("tp", "fp", "fn", "reached"))
        pmf1, mcc = _pmf1(tp, fn, reached), _mcc(tp, fp, fn, sums["images"] * classes.n)
        return {
            "pmf1": pmf1, "il_mcc": mcc, "cgf1": pmf1 * mcc, "hallucination": ratio(sums["invented"], sums["absent"]),
        }  # fmt: skip

    def by_class(self, sums: Mapping[str, Float], classes: Classes) -> dict[str, Float]:
        """Over the queries of each class; its hallucination rate is the share of the images without it that get it."""
        tp, fp, fn = sums["tp"], sums["fp"], sums["fn"]
        images = sums["images"][..., None]
        seen = tp + fp + fn > 0  # a class that nobody has and nobody predicts says nothing
        pmf1, mcc = _pmf1(tp, fn, sums["reached"]), np.where(seen, _mcc(tp, fp, fn, images), np.nan)
        hallucination = np.where(seen, ratio(fp, images - tp - fn), np.nan)
        return {"pmf1": pmf1, "il_mcc": mcc, "cgf1": pmf1 * mcc, "hallucination": hallucination}


def _pmf1(tp: Float, fn: Float, reached: Float) -> Float:
    """With one segment a query, F1 at a threshold is 2·reached / (2·reached + (both − reached) + (truths − reached)),
    whose denominator both + truths is the same at every threshold: the mean is taken above it.
    """
    return ratio(2 * reached, tp + tp + fn)


def _mcc(tp: Float, fp: Float, fn: Float, queries: Float) -> Float:
    tn = queries - tp - fp - fn
    with np.errstate(invalid="ignore"):
        margins = np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    found = np.where(margins > 0, ratio(tp * tn - fp * fn, margins), 0.0)
    return np.where(queries > 0, np.clip(found, -1.0, 1.0), np.nan)
