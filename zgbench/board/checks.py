"""What must hold of every stored result, whatever made it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from zgbench.board.true_names import fitting
from zgbench.datasets import known_ids
from zgbench.pixels.counts import select
from zgbench.protocol import facts_of, outdated
from zgbench.scores.by_label import from_counts
from zgbench.scores.comparison import row_of, rule_of, vocabulary_of
from zgbench.scores.further import definition, further, possible, rows_scores, similarity_for
from zgbench.scores.registry import FAMILY_OF, SCORES
from zgbench.scores.result import Stored, number
from zgbench.scores.text_generation import truth_segments
from zgbench.scores.verification import Row
from zgbench.statistics import resampling
from zgbench.storage.files import sha256_lines

RULES = 2
"""Raised with each change of a rule here; what was said of a result before is then said anew."""
_SPARE = 1e-9
"""Sums of floats in another order."""


def violations(stored: Stored) -> list[str]:
    """Every rule that a result breaks, a sentence each; empty for a sound one.

    Args:
        stored: from :func:`zgbench.scores.result.load_result`, which has checked the hashes of the files beside it.
    """
    found = [wrong for row in stored.result["scores"] for wrong in _row(stored, row)]
    data = stored.result["dataset"]
    if data["images"] != len(stored.counts.ids):
        found.append(f"it is about {data['images']} images, its statistics about {len(stored.counts.ids)}")
    if data["truth_sha256"] != stored.counts.truth_sha256():
        found.append("its statistics are about another truth than it says")
    known = known_ids(data["key"])  # None of a data set that is not built in
    if data["official"] and known is not None and frozenset(stored.counts.ids) != known:
        found.append(f"its {len(stored.counts.ids)} images are not the official split")
    return found + _tgq(stored) + _by_label(stored)


def _row(stored: Stored, row: Mapping[str, Any]) -> list[str]:
    name = f"{row['reassign']} {row['verify']}"
    if (why := outdated(row["signature"])) is not None:
        return [f"{name}: {why}"]
    return [
        f"{name}: {wrong}"
        for wrong in (*_within(row, stored.protocol.scoring), *_classes(row, stored), *_again(row, stored))
    ]


def _within(row: Mapping[str, Any], scoring: str) -> list[str]:
    """Rules between the numbers of one row."""
    wrong = []
    values = {"iou_image": row["iou_image"], "iou_dataset": row["iou_dataset"]}
    values |= {f"recall {k}": v for k, v in row["recall"].items()}
    for key, score in values.items():
        value, (low, high) = score["value"], score["ci95"]
        if value is None:
            if low is not None or high is not None:
                wrong.append(f"{key} is undefined but has an interval")
        elif not 0 <= value <= 1:
            wrong.append(f"{key} is {value}, not a fraction")
        elif low is None or high is None or not 0 <= low <= high <= 1:
            wrong.append(f"the interval of {key} is [{low}, {high}]")
    recall = [row["recall"][k]["value"] for k in ("0.25", "0.5", "0.75")]
    area = row["recall"]["auc"]["value"]
    if None not in (*recall, area):
        if not recall[0] >= recall[1] >= recall[2]:
            wrong.append(f"recall rises with τ_IoU: {recall}")
        # found(τ) falls from at most 1 to 0, so its area lies between its lower and its upper steps
        below, spare = 0.25 * sum(recall), _SPARE if scoring == "v1" else 0.01  # there, it is a mean over 101 values
        if not below - spare <= area <= 0.25 + below + spare:
            wrong.append(f"the area {area} does not fit recall {recall}")
    if not 0 <= row["segments_kept"] <= row["segments"]:
        wrong.append(f"{row['segments_kept']} of {row['segments']} segments are kept")
    return wrong


def _classes(row: Mapping[str, Any], stored: Stored) -> list[str]:
    """The data-set IoU is the mean of its classes; a class recalled at all has some IoU."""
    wrong = []
    defined = [c["iou"] for c in row["per_class"].values() if c["iou"] is not None]
    value = row["iou_dataset"]["value"]
    if (value is None) != (not defined) or (defined and abs(float(np.mean(defined)) - value) > _SPARE):
        wrong.append(f"iou_dataset is {value}, the mean of its classes {np.mean(defined) if defined else None}")
    for name, c in row["per_class"].items():
        if c["images"] and c["recall"] and not c["iou"]:
            wrong.append(f"{name} is recalled but has no IoU")
        if bool(c["images"]) != (c["recall"] is not None):
            wrong.append(f"{name} is in {c['images']} images, its recall {c['recall']}")
    if stored.result["protocol"]["scoring"] == "v1":
        seen = [(c["recall"], c["images"]) for c in row["per_class"].values() if c["images"]]
        total, half = sum(n for _, n in seen), row["recall"]["0.5"]["value"]
        if total and abs(sum(r * n for r, n in seen) / total - half) > _SPARE:
            wrong.append(f"recall at .5 is {half}, by its classes {sum(r * n for r, n in seen) / total}")
    return wrong


def _again(row: Mapping[str, Any], stored: Stored) -> list[str]:
    """Everything worked out again from the statistics."""
    wrong = []
    vocabulary = vocabulary_of(stored)
    found = row_of(stored, (row["reassign"], row["verify"]))
    n = int(found.images.sum())
    protocol = stored.protocol
    drawn = resampling.Resamples(n, protocol.resamples, protocol.seed)
    statistics, per_class = found.summed(stored.counts, vocabulary, rule_of(stored), protocol.scoring)
    scores = resampling.estimates(statistics, drawn)
    told = {"iou_image": row["iou_image"], "iou_dataset": row["iou_dataset"]}
    told |= {f"recall.{k}": v for k, v in row["recall"].items()}
    for key, estimate in scores.items():
        if not _alike(number(estimate), told[key]):
            wrong.append(f"{key} is {told[key]}, from the statistics {number(estimate)}")
    for class_id, values in per_class.items():
        if row["per_class"].get(vocabulary.name(class_id)) != values:
            wrong.append(f"{vocabulary.name(class_id)} is not as the statistics have it")
    if protocol.scoring == "v1":  # classes that the truth lacks can only lower an image's mean IoU
        column = {key: statistics.per_image[:, place].toarray().ravel() for key, place in statistics.layout.items()}
        if (column["iou"] * column["recalled"] > column["found.auc"] + _SPARE)[column["recalled"] > 0].any():
            wrong.append("an image's IoU exceeds the mean IoU of its truth segments")
    wrong += _further(row, stored, found, drawn)
    segments = int(np.diff(stored.counts.offsets)[found.images].sum())
    if (n, segments, found.kept(stored.counts)) != (row["images"], row["segments"], row["segments_kept"]):
        wrong.append("the numbers of images and kept segments are not those of the statistics")
    return wrong + _signed(row, stored, found)


def _further(row: Mapping[str, Any], stored: Stored, found: Row, drawn: resampling.Resamples) -> list[str]:
    """The scores that were asked for, worked out again."""
    told = row.get("more", {})
    vocabulary = vocabulary_of(stored)
    names = possible([name for name in told if name in FAMILY_OF], vocabulary)
    wrong = [f"{name!a} is no score that its rows can have" for name in told if name not in names]
    similarity = similarity_for(names, vocabulary)
    for name in [n for n in names if told[n]["definition"] != definition(n, similarity)]:
        wrong.append(
            f"{name} is by {told[name]['definition']!a}, here {definition(name, similarity)} is worked out again"
        )
    names = tuple(name for name in names if told[name]["definition"] == definition(name, similarity))
    if not names:
        return wrong
    statistics = further(found, stored.counts, vocabulary, rule_of(stored), names, similarity)
    for name, score in rows_scores(statistics, drawn, vocabulary, similarity).items():
        classes, again = told[name].get("per_class", {}), score.get("per_class", {})
        if not _alike(score, told[name]):
            wrong.append(f"{name} is {told[name]['value']} {told[name]['ci95']}, from the statistics {score['value']} {score['ci95']}")  # fmt: skip
        elif classes.keys() != again.keys() or any(abs(classes[c] - again[c]) > _SPARE for c in again):
            wrong.append(f"{name} by class is not as the statistics have it")
    return wrong


def _signed(row: Mapping[str, Any], stored: Stored, found: Row) -> list[str]:
    """What a signature says of images and truth: rows of one signature are paired image by image."""
    told, counts = facts_of(row["signature"]), select(stored.counts, found.images)
    known = {
        "n": str(len(counts.ids)), "ids": sha256_lines(counts.ids), "truth": counts.truth_sha256(),
        "track": stored.result["submission"]["track"], "reassign": row["reassign"], "verify": row["verify"],
    }  # fmt: skip
    return [
        f"its signature says {key}:{told[key]}, its statistics {value[:8]}"
        for key, value in known.items()
        if key in told and told[key] != (value[: len(told[key])] if key in ("ids", "truth") else value)
    ]


def _tgq(stored: Stored) -> list[str]:
    """Text Generation Quality worked out again."""
    told = stored.result["tgq"]
    if told is None:
        return []
    protocol = stored.protocol
    drawn = resampling.Resamples(len(stored.counts.ids), protocol.resamples, protocol.seed)
    again = number(resampling.estimates(fitting(stored), drawn)["tgq"])
    truth = int(truth_segments(stored.counts).sum())
    wrong = []
    if not _alike(again, told):
        wrong.append(f"TGQ is {told['value']} {told['ci95']}, from the similarities {again}")
    if (told["segments"], told["labelled"]) != (truth, len(stored.counts.labels)):
        wrong.append("TGQ: the numbers of segments and labels are not those of the statistics")
    return wrong


def _by_label(stored: Stored) -> list[str]:
    """Scores of labels worked out again from their numbers by image, and from the labels where that needs no model."""
    wrong: list[str] = []
    told = {
        name: (score, block)
        for block in stored.result.get("by_label", {}).values()
        for name, score in block["scores"].items()
    }
    if not told:
        return []
    if stored.labels is None or set(told) != set(stored.labels.names):
        return ["by_label: its numbers by image are not about its scores"]
    for _, block in told.values():
        if (why := outdated(block["signature"])) is not None:
            return [f"by_label: {why}"]
    protocol, vocabulary = stored.protocol, vocabulary_of(stored)
    drawn = resampling.Resamples(len(stored.counts.ids), protocol.resamples, protocol.seed)
    segments = int(stored.labels.per_image[:, [0]].sum())
    for name, estimate in resampling.estimates(stored.labels, drawn).items():
        score, block = told[name]
        if not _alike(number(estimate), score) or score["definition"] != definition(name, None):
            wrong.append(f"{name} is {score['value']} {score['ci95']}, from its numbers by image {number(estimate)}")
        if (block["images"], block["segments"]) != (len(stored.counts.ids), segments):
            wrong.append(f"{name}: the numbers of images and truth segments are not those of the statistics")
    plain = [name for name in told if "label vectors" not in SCORES[name].needs]
    if plain:
        again = from_counts(stored.counts, plain, vocabulary, rule_of(stored))
        if abs(again.per_image - stored.labels.only(plain).per_image).max() > _SPARE:
            wrong.append("by_label: its numbers by image are not those of its labels")
    return wrong


def _alike(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    pairs = zip((a["value"], *a["ci95"]), (b["value"], *b["ci95"]), strict=True)
    return all(
        (x is None and y is None) or (x is not None and y is not None and abs(x - y) <= _SPARE) for x, y in pairs
    )
