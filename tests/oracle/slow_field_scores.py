"""The published scores that are not the benchmark's own, by their definitions: masks, loops over classes, fractions.

Scenes as in :mod:`tests.oracle.slow_scorer`: truth 0 is no class, −1 void; a mask's class 0 is dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from tests.oracle.slow_lexicon import SlowLexicon
from tests.oracle.slow_scorer import Scene

THRESHOLDS = [Fraction(k, 20) for k in range(10, 20)]


def united(scene: Scene, background: str) -> Iterator[tuple[int, np.ndarray, np.ndarray, np.ndarray]]:
    """Class, its truth, its prediction with what counts nowhere, and what counts nowhere for it; bool [h, w] each."""
    shown = {int(c) for c in np.unique(scene.truth)} - {0, -1}
    for c in sorted(shown | set(scene.classes) - {0}):
        predicted = np.zeros(scene.truth.shape, dtype=bool)
        for mask, of in zip(scene.masks, scene.classes, strict=True):
            if of == c:
                predicted |= mask
        nowhere = scene.truth == (-1 if background != "all" else -2)
        if background == "ignore" or (background == "released" and c not in shown):
            nowhere |= scene.truth == 0
        yield c, scene.truth == c, predicted, nowhere


def panoptic(scenes: Sequence[Scene], background: str, classes: Sequence[int]) -> dict[str, float]:
    """PQ, SQ, RQ: means over the classes that have a TP, FP or FN."""
    found: dict[int, list[Fraction]] = {c: [Fraction(0)] * 4 for c in classes}  # Σ IoU, TP, FP, FN
    for scene in scenes:
        for c, truth, predicted, nowhere in (u for u in united(scene, background) if u[0] in found):
            union = int((truth | predicted).sum()) - int((predicted & nowhere).sum())
            iou = Fraction(int((truth & predicted).sum()), union) if union else Fraction(0)
            if truth.any() and iou > Fraction(1, 2):
                found[c][0] += iou
                found[c][1] += 1
                continue
            if truth.any():
                found[c][3] += 1
            if predicted.any() and Fraction(int((predicted & nowhere).sum()), int(predicted.sum())) <= Fraction(1, 2):
                found[c][2] += 1
    seen = [v for v in found.values() if v[1] + v[2] + v[3]]
    return {
        "pq": mean([v[0] / (v[1] + v[2] / 2 + v[3] / 2) for v in seen]),
        "sq": mean([v[0] / v[1] if v[1] else Fraction(0) for v in seen]),
        "rq": mean([v[1] / (v[1] + v[2] / 2 + v[3] / 2) for v in seen]),
    }


def presence(scenes: Sequence[Scene], background: str, classes: Sequence[int]) -> dict[str, float]:
    """pmF1, IL_MCC, cgF1, hallucination rate."""
    there, said = [], []
    tp, fp, fn = (dict.fromkeys(THRESHOLDS, 0) for _ in range(3))
    invented = []
    for scene in scenes:
        found = {c: (truth, predicted & ~nowhere) for c, truth, predicted, nowhere in united(scene, background)}
        nothing = np.zeros(scene.truth.shape, dtype=bool)
        absent = wrong = 0
        for c in classes:
            truth, predicted = found.get(c, (nothing, nothing))
            there.append(bool(truth.any()))
            said.append(bool(predicted.any()))
            absent += not truth.any()
            wrong += bool(predicted.any() and not truth.any())
            if not truth.any():
                continue
            iou = Fraction(int((truth & predicted).sum()), int((truth | predicted).sum()))
            for t in THRESHOLDS:
                hit = iou >= t
                tp[t] += hit
                fn[t] += not hit
                fp[t] += bool(predicted.any()) and not hit
        if absent:
            invented.append(Fraction(wrong, absent))
    f1 = [Fraction(2 * tp[t], 2 * tp[t] + fp[t] + fn[t]) for t in THRESHOLDS if tp[t] + fp[t] + fn[t]]
    pmf1 = mean(f1)
    y, x = np.array(there, float), np.array(said, float)
    mcc = 0.0 if y.std() == 0 or x.std() == 0 else float(np.corrcoef(y, x)[0, 1])
    return {"pmf1": pmf1, "il_mcc": mcc, "cgf1": pmf1 * mcc, "hallucination": mean(invented)}


def open_miou(scenes: Sequence[Scene], classes: Sequence[int], similarity: np.ndarray) -> dict[str, float]:
    """Open mIoU from a confusion of the whole set, C[p, g]; the last row is "predicted as nothing"."""
    n = len(classes)
    confusion = np.zeros((n + 1, n), dtype=np.int64)
    for scene in scenes:
        prediction = np.zeros(scene.truth.shape, dtype=np.int64)
        for mask, of in zip(scene.masks, scene.classes, strict=True):
            prediction[mask] = of
        for g, c in enumerate(classes):
            values, pixels = np.unique(prediction[scene.truth == c], return_counts=True)
            for value, number in zip(values.tolist(), pixels.tolist(), strict=True):
                confusion[list(classes).index(value) if value else n, g] += number
    scores = []
    for c in range(n):
        area = int(confusion[:, c].sum())
        if area:
            credit = sum(confusion[p, c] * similarity[p, c] for p in range(n))
            taken = sum(confusion[c, g] * (1 - similarity[c, g]) for g in range(n) if g != c)
            scores.append(float(credit / (area + taken)))
    return {"open_miou": sum(scores) / len(scores) if scores else float("nan")}


def path_similarity(lexicon: SlowLexicon, synsets: Sequence[Sequence[str]]) -> np.ndarray:
    """1 / (1 + edges of the shortest way up and down again), of the nearest synsets; keys such as ``dog.n.01``."""

    def up(key: str) -> dict[int, int]:
        lemma, _, number = key.rsplit(".", 2)
        level, found, edges = {lexicon.senses[lemma][int(number) - 1]}, {}, 0
        while level:
            found |= dict.fromkeys(level, edges)
            level = {p for s in level for p in lexicon.parents.get(s, ())} - set(found)
            edges += 1
        return found

    ways = [[up(key) for key in keys] for keys in synsets]
    return np.array(
        [
            [
                1.0 if a is b else max(1 / (1 + min(x[s] + y[s] for s in x.keys() & y.keys())) for x in a for y in b)
                for b in ways
            ]
            for a in ways
        ]
    )


def cased(
    scenes: Sequence[Scene], vectors: Sequence[Sequence[np.ndarray]], names: dict[int, np.ndarray], background: str
) -> dict[str, float]:
    """CaSED's soft, overlap and nearest IoU as they are meant; label vectors of each scene's masks, class vectors by id."""
    soft, overlap, nearest = [], [], []
    for scene, of_masks in zip(scenes, vectors, strict=True):
        shown = sorted({int(c) for c in np.unique(scene.truth)} - {0, -1})
        counted = np.ones(scene.truth.shape, bool) if background == "all" else scene.truth != -1
        if background == "ignore":
            counted = scene.truth > 0
        most, near = [], []
        for mask, vector in zip(scene.masks, of_masks, strict=True):
            pixels = {c: int((mask & counted & (scene.truth == c)).sum()) for c in (0, *shown)}
            most.append(max(pixels, key=lambda c: (pixels[c], -c)) if any(pixels.values()) else 0)
            alike = {c: float(np.float32(vector.astype(float) @ names[c].astype(float))) for c in shown}
            near.append(max(alike, key=lambda c: (alike[c], -c)) if shown else 0)
        for c in shown:
            truth = scene.truth == c
            score = np.zeros(scene.truth.shape)
            for mask, vector in zip(scene.masks, of_masks, strict=True):
                score[mask & counted] = max(0.0, float(np.float32(vector.astype(float) @ names[c].astype(float))))
            hit = float(score[truth].sum())
            soft.append(hit / (float(score.sum()) + int(truth.sum()) - hit))
            for found, chosen in ((overlap, most), (nearest, near)):
                predicted = np.zeros(scene.truth.shape, bool)
                for mask, of in zip(scene.masks, chosen, strict=True):
                    if of == c:
                        predicted |= mask & counted
                found.append(Fraction(int((predicted & truth).sum()), int((predicted | truth).sum())))
    soft_mean = sum(soft) / len(soft) if soft else float("nan")
    return {"cased_soft": soft_mean, "cased_overlap": mean(overlap), "cased_nearest": mean(nearest)}


def oracle_track(
    labels: Sequence[dict[int, str]], truths: Sequence[np.ndarray], names: dict[int, Sequence[str]], vectors: dict[str, np.ndarray]
) -> dict[str, float]:  # fmt: skip
    """Scores of labels on the truth's segments.

    Args:
        labels: label of each class that has one, image by image.
        names: the name as listed, as read, and aliases of each class.
        vectors: of labels and listed names.
    """
    cosines, shared, included = [], [], []
    for given, truth in zip(labels, truths, strict=True):
        for c in {int(c) for c in np.unique(truth)} - {0, -1}:
            if c not in given:
                cosines.append(0.0)
                shared.append(0.0)
                included.append(False)
                continue
            cosines.append(float(np.float32(vectors[given[c]].astype(float) @ vectors[names[c][0]].astype(float))))
            said = {"".join(filter(str.isalnum, word)) for word in given[c].lower().split()} - {""}
            best = 0.0
            for name in names[c][:2]:
                of_name = {"".join(filter(str.isalnum, word)) for word in name.lower().split()}
                best = max(best, len(said & of_name) / len(said | of_name))
            shared.append(best)
            included.append(any(name.lower() in given[c].lower() for name in names[c]))
    found = {
        "label_similarity": float(np.mean(cosines)),
        "s_iou": float(np.mean(shared)),
        "text_inclusion": float(np.mean(included)),
    }
    return found | {
        f"label_similarity.{t}": float(np.mean([x > np.float32(t) for x in cosines])) for t in (0.5, 0.6, 0.7, 0.8, 0.9)
    }


def mean(values: Sequence[Fraction]) -> float:
    """Mean, NaN of nothing."""
    return float(sum(values, Fraction(0)) / len(values)) if values else float("nan")
