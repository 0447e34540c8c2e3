"""Makes baselines and ceilings: what a method should beat, and what the truth itself would reach.

    python submissions/make_baselines.py                  # of mini
    python submissions/make_baselines.py --data DIR       # and of PAS-20, of which the truth must be at hand

whole image     one segment that holds the whole image, called "object"; on PAS-20 also by the commonest class
grid            a fixed grid of 4 × 4 cells, each called "object"
commonest       the truth's own segments, each called by the class that the training images show most often
names           the truth's own segments, each called by the name of its class (a ceiling)
words           the truth's own segments, called by everyday words for their class (a ceiling)

Nothing here looks at the photos. What holds the truth's masks of PAS-20 is data of PASCAL VOC and no part of this
repository: it is made from your own copy.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import zgbench
from zgbench.board.kinds import Kind
from zgbench.datasets import Dataset, mini

Segments = tuple[np.ndarray, dict[int, str]]
HERE = Path(__file__).resolve().parent
GENERIC = "object"
GRID = 4
TRAINING_SCENES = 1000
COMMONEST_OF_VOC = "person"
"""In 442 of the 1,464 images of VOC 2012 segmentation train, more than any other class."""
WORDS = {
    "aeroplane": ("plane", "airplane", "aircraft"),
    "bicycle": ("bike", "cycle", "pushbike"),
    "bird": ("little bird", "wild bird", "birdie"),
    "boat": ("ship", "vessel", "watercraft"),
    "bottle": ("glass bottle", "flask", "bottle of drink"),
    "bus": ("coach", "public bus", "omnibus"),
    "car": ("automobile", "vehicle", "motor car"),
    "cat": ("kitty", "pet cat", "house cat"),
    "chair": ("seat", "wooden chair", "stool"),
    "cow": ("cattle", "bull", "dairy cow"),
    "diningtable": ("table", "kitchen table", "dinner table"),
    "dog": ("doggy", "pet dog", "puppy"),
    "horse": ("pony", "riding horse", "steed"),
    "motorbike": ("motorcycle", "scooter", "motor cycle"),
    "person": ("people", "man", "woman"),
    "pottedplant": ("plant", "houseplant", "flower pot"),
    "sheep": ("lamb", "flock of sheep", "woolly sheep"),
    "sofa": ("couch", "settee", "lounge"),
    "train": ("railway train", "locomotive", "railcar"),
    "tvmonitor": ("TV", "computer screen", "television"),
}
"""Class → what people call it; a class's segments take these words in turn."""


@dataclass(frozen=True)
class Simple:
    """A submission that follows a rule.

    Attributes:
        stem: of its files on the board.
        segments: truth, int [h, w], class ids → label map and labels.
        holds_truth: whether its masks are the truth's.
    """

    stem: str
    title: str
    description: str
    kind: Kind
    segments: Callable[[np.ndarray], Segments]
    holds_truth: bool = False


def whole_image(truth: np.ndarray, name: str = GENERIC) -> Segments:
    """A label map, int [h, w], with one segment."""
    return np.ones(truth.shape, dtype=np.int64), {1: name}


def grid(truth: np.ndarray) -> Segments:
    """A label map with equal cells."""
    height, width = truth.shape
    rows = np.arange(height)[:, None] * GRID // height
    columns = np.arange(width)[None, :] * GRID // width
    return rows * GRID + columns + 1, {k + 1: GENERIC for k in range(GRID * GRID)}


def of_truth(truth: np.ndarray, name: Callable[[int], str]) -> Segments:
    """The truth's segments, each called as its class id says."""
    values = np.unique(truth[truth > 0])
    found = np.searchsorted(values, truth) + 1
    return np.where(truth > 0, found, 0), {k + 1: name(int(value)) for k, value in enumerate(values)}


def simple_ones(dataset: Dataset) -> Iterator[Simple]:
    """Those of a data set."""
    is_mini = dataset.key == "mini"
    commonest = _commonest_scene() if is_mini else COMMONEST_OF_VOC
    yield Simple("baseline-whole-image", f"whole image, “{GENERIC}”", f"One segment an image, called “{GENERIC}”.", "baseline", whole_image)  # fmt: skip
    yield Simple("baseline-grid", f"grid {GRID} × {GRID}, “{GENERIC}”", f"{GRID * GRID} equal cells, each called “{GENERIC}”.", "baseline", grid)  # fmt: skip
    if not is_mini:
        yield Simple(
            "baseline-whole-image-commonest", f"whole image, “{commonest}”",
            "One segment an image, called by the class that training images show most often.",
            "baseline", lambda truth: whole_image(truth, commonest),
        )  # fmt: skip
    yield Simple(
        "baseline-commonest", f"truth's masks, all “{commonest}”",
        f"The truth's own masks (which no method has), called by the class that training {'scenes' if is_mini else 'images'} show most often.",
        "baseline", lambda truth: of_truth(truth, lambda _: commonest), holds_truth=True,
    )  # fmt: skip
    if is_mini:
        return
    yield Simple(
        "ceiling-names", "truth's masks, class names", "The truth's own masks, each called by the name of its class.",
        "ceiling", lambda truth: of_truth(truth, dataset.vocabulary.name), holds_truth=True,
    )  # fmt: skip
    taken: Counter[str] = Counter()

    def word(class_id: int) -> str:
        name = dataset.vocabulary.name(class_id)
        taken[name] += 1
        return WORDS[name][(taken[name] - 1) % len(WORDS[name])]

    yield Simple(
        "ceiling-words", "truth's masks, everyday words",
        "The truth's own masks, called by everyday words for their class: three words for each class, taken in turn.",
        "ceiling", lambda truth: of_truth(truth, word), holds_truth=True,
    )  # fmt: skip


def _commonest_scene() -> str:
    """The class that most of mini's training scenes show."""
    names = {c.id: c.name for c in mini.CLASSES}
    seen: Counter[int] = Counter()
    for index in range(TRAINING_SCENES):
        seen.update(np.unique(mini.scene("train", index).truth).tolist())
    return names[min(names, key=lambda c: (-seen[c], c))]


def file_of(simple: Simple, key: str, folder: Path = HERE) -> Path:
    """Where its submission lies. What git must not keep is JSON, whose bytes depend on no library's version."""
    if key == "mini":
        return folder / f"{simple.stem}.parquet"
    return folder / f"{key}-{simple.stem}{'.json' if simple.holds_truth else '.parquet'}"


def make(simple: Simple, dataset: Dataset, folder: Path = HERE) -> Path:
    """Write a submission."""
    target = file_of(simple, dataset.key, folder)
    about = {"description": f"{simple.description} Made by submissions/make_baselines.py."}
    with zgbench.SubmissionWriter(target, name=simple.title, dataset=dataset.key, method=about) as submission:
        for image_id in dataset.ids:
            submission.add(image_id, *simple.segments(dataset.source.truth(image_id).classes()))
    return target


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", help="folder that holds VOCdevkit/; without it, only mini's are made")
    options = parser.parse_args()
    for key in ("mini", "pas20") if options.data else ("mini",):
        dataset = zgbench.open_dataset(key, options.data)
        if not dataset.official:
            raise SystemExit(f"{key}: {' '.join(dataset.notes)} The whole split is needed.")
        for simple in simple_ones(dataset):
            print(make(simple, dataset))


if __name__ == "__main__":
    main()
