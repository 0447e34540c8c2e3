"""How often a 95 % interval holds the true value, by the number of images.

    python tests/benchmarks/interval_coverage.py [--runs 1000]

The images of a real result are taken for the world: n of them are drawn with replacement, as if they were the test set,
and intervals are made from these n alone. The true value is the score over all of the world's images. Worlds: the 1,449
truths of PAS-20 and the 47 of PC-59 under a submission with every kind of error (needs ../shared/data; labels are class
names or none, so no model is needed), and the 200 scenes of mini with the reference method, as the board stores them.

percentile: what zgbench gives (Efron & Tibshirani 1993, ch. 13). BCa: ch. 14. studentised: ch. 12. Standard errors and
acceleration come from the infinitesimal jackknife.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import norm

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import zgbench
from tests.conftest import HashedText
from tests.oracle.perturb import worse
from zgbench.scores.comparison import row_of, statistics_of, vocabulary_of
from zgbench.scores.metrics import Statistics
from zgbench.scores.result import load_result

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"
SCORES = ("iou_image", "iou_dataset", "recall.0.5", "recall.auc")
RESAMPLES = 1000
Float = np.ndarray


def perturbed(key: str, data: Path) -> Statistics:
    """Statistics of a submission with every kind of error on all images of a folder."""
    dataset = zgbench.open_dataset(key, data)
    names = dict(zip(dataset.vocabulary.ids, dataset.vocabulary.names, strict=True))
    rng = np.random.RandomState(0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.parquet"
        with zgbench.SubmissionWriter(path, name="worse", dataset=key) as submission:
            for image_id in dataset.ids:
                truth = dataset.source.truth(image_id).classes()
                found = worse(truth, names, rng)
                masks = np.stack([m for m, _ in found]) if found else np.zeros((0, *truth.shape), bool)
                submission.add(image_id, masks, [label for _, label in found])
        zgbench.evaluate(
            path, data=data, protocol="offline", reassign=["tt"], text_encoder=HashedText(), out=folder, resamples=1
        )
        stored = load_result(Path(folder) / f"s.{key}.result.json")
        return statistics_of(stored, row_of(stored, ("TT", "cos>=0.5")), vocabulary_of(key))


def of_the_board() -> Statistics:
    """Statistics of the reference method on mini."""
    stored = load_result(ROOT / "leaderboard/results/reference.mini.result.json")
    return statistics_of(stored, row_of(stored, ("TT", "cos>=0.5")), vocabulary_of("mini"))


@dataclass(frozen=True)
class Parts:
    """Per-image statistics as dense columns, and the scores as ratios of them."""

    table: Float
    layout: dict[str, int]
    n_classes: int

    @classmethod
    def of(cls, world: Statistics) -> Parts:
        return cls(world.per_image.toarray(), world.layout, world.n_classes)

    def ratios(self, name: str) -> tuple[slice, slice]:
        """Columns above and below; a score is the mean over the defined ratios of their sums."""
        at = self.layout
        if name == "iou_dataset":
            return slice(at["I"], at["I"] + self.n_classes), slice(
                at["I"] + self.n_classes, at["I"] + 2 * self.n_classes
            )
        above, below = ("iou", "images") if name == "iou_image" else (name.replace("recall", "found"), "recalled")
        return slice(at[above], at[above] + 1), slice(at[below], at[below] + 1)

    def score(self, name: str, sums: Float) -> tuple[Float, Float]:
        """Value, float64 [...], of summed statistics [..., columns], and its derivative by them, [..., columns]."""
        above, below = self.ratios(name)
        defined = sums[..., below] > 0
        under = np.where(defined, sums[..., below], 1)
        ratio = np.where(defined, sums[..., above], 0) / under
        number = defined.sum(axis=-1, keepdims=True)
        slope = np.zeros_like(sums)
        slope[..., above] = defined / under / number
        slope[..., below] = -1.0 * defined * ratio / under / number
        return ratio.sum(axis=-1) / number[..., 0], slope


def intervals(parts: Parts, sample: Float, rng: np.random.RandomState) -> dict[str, dict[str, tuple[float, float]]]:
    """Method → score → 95 % interval from per-image statistics, float64 [n, columns]."""
    n = len(sample)
    weights = rng.multinomial(n, np.full(n, 1 / n), RESAMPLES).astype(np.float64)
    sums, whole = weights @ sample, sample.sum(axis=0)
    found: dict[str, dict[str, tuple[float, float]]] = {"percentile": {}, "BCa": {}, "studentised": {}}
    for name in SCORES:
        value, slope = parts.score(name, whole)
        drawn, slopes = parts.score(name, sums)
        influence = sample @ slope  # sums to 0: a ratio does not change when all are doubled
        error = np.sqrt((influence**2).sum())
        errors = np.sqrt((weights * (sample @ slopes.T).T ** 2).sum(axis=1))
        found["percentile"][name] = _quantiles(drawn, (0.025, 0.975))
        skew = (influence**3).sum() / (6 * error**3)
        bias = norm.ppf(np.clip((drawn < value).mean() + (drawn == value).mean() / 2, 1e-4, 1 - 1e-4))
        z = bias + norm.ppf([0.025, 0.975])
        found["BCa"][name] = _quantiles(drawn, norm.cdf(bias + z / (1 - skew * z)))
        low, high = _quantiles((drawn - value) / np.maximum(errors, 1e-12), (0.025, 0.975))
        found["studentised"][name] = (float(value - high * error), float(value - low * error))
    return found


def _quantiles(values: Float, at: object) -> tuple[float, float]:
    low, high = np.quantile(values, at)  # type: ignore[call-overload]
    return float(low), float(high)


def coverage(parts: Parts, n: int, runs: int) -> dict[str, dict[str, tuple[float, float]]]:
    """Method → score → (share of runs whose interval holds the true value, mean width)."""
    true = {name: float(parts.score(name, parts.table.sum(axis=0))[0]) for name in SCORES}
    rng = np.random.RandomState(n)
    held: dict[str, dict[str, list[tuple[bool, float]]]] = {}
    for _ in range(runs):
        sample = parts.table[rng.randint(0, len(parts.table), n)]
        for method, found in intervals(parts, sample, rng).items():
            for name, (low, high) in found.items():
                inside = low <= true[name] <= high
                held.setdefault(method, {}).setdefault(name, []).append((inside, high - low))
    return {
        method: {name: tuple(np.mean(values, axis=0)) for name, values in of.items()} for method, of in held.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--n", type=int, nargs="*", default=[20, 47, 75, 100, 150, 200, 300, 600])
    parser.add_argument("--world", nargs="*", default=["pas20", "pc59", "mini"])
    options = parser.parse_args()
    worlds: dict[str, Callable[[], Statistics]] = {
        "pas20": lambda: perturbed("pas20", SHARED / "VOC2012_masks_val"),
        "pc59": lambda: perturbed("pc59", SHARED),
        "mini": of_the_board,
    }
    print("Coverage of 95 % intervals, % (and mean width, points); scores: " + ", ".join(SCORES))
    print(
        "| world | n | " + " | ".join(f"{m} {s}" for s in SCORES for m in ("percentile", "BCa", "studentised")) + " |"
    )
    for name in options.world:
        if name != "mini" and not SHARED.is_dir():
            print(f"{name}: not measured, ../shared/data is not there", file=sys.stderr)
            continue
        parts = Parts.of(worlds[name]())
        for n in options.n:
            found = coverage(parts, n, options.runs)
            cells = [
                f"{100 * found[m][s][0]:.1f} ({100 * found[m][s][1]:.1f})"
                for s in SCORES
                for m in ("percentile", "BCa", "studentised")
            ]
            print(f"| {name}, {len(parts.table)} images | {n} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
