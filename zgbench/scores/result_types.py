"""The shape of a result file, so that readers and type checkers know what stands where."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

from zgbench.datasets.definition import DefinitionFacts


class Score(TypedDict):
    """A score, a fraction 0–1, with the ends of its 95 % interval; None where undefined."""

    value: float | None
    ci95: list[float | None]


class ClassScores(TypedDict):
    """One class: data-set IoU, recall at τ_IoU = 0.5, and the number of images that show it."""

    iou: float | None
    recall: float | None
    images: int


class FurtherScore(Score):
    """A score that was asked for.

    ``definition`` is what it depends on beyond its row's signature (``pq.1``); ``per_class`` has the classes where it is
    defined, for scores that single classes have.
    """

    definition: str
    per_class: NotRequired[dict[str, float]]


class ScoreRow(TypedDict):
    """One (reassignment, verification) and its scores.

    ``recall`` has the keys ``0.25``, ``0.5``, ``0.75`` and ``auc``; ``per_class`` has a class name a key, ``more`` the name
    of a further score.
    """

    reassign: str
    verify: str
    signature: str
    images: int
    segments: int
    segments_kept: int
    iou_image: Score
    iou_dataset: Score
    recall: dict[str, Score]
    per_class: dict[str, ClassScores]
    more: NotRequired[dict[str, FurtherScore]]


class Tgq(Score):
    """Text Generation Quality over ``segments`` truth segments, of which ``labelled`` have a label."""

    segments: int
    labelled: int
    signature: str


class ByLabelScores(TypedDict):
    """Scores of labels without a reassignment, over ``segments`` truth segments; ``scores`` has a score's name a key."""

    signature: str
    images: int
    segments: int
    scores: dict[str, FurtherScore]


class SubmissionFacts(TypedDict):
    """Which submission was scored."""

    name: str
    sha256: str
    track: str
    method: dict[str, Any]


class DatasetFacts(DefinitionFacts):
    """On which images it was scored; of a data set that is not built in, also what its ``dataset.toml`` says."""

    key: str
    split: str
    images: int
    official: bool
    ids_sha256: str
    truth_sha256: str


class FileFacts(TypedDict):
    """A file beside the result."""

    name: str
    sha256: str


class Result(TypedDict):
    """Content of ``*.result.json``, format ``zgbench-result/1``."""

    format: str
    submission: SubmissionFacts
    dataset: DatasetFacts
    protocol: dict[str, Any]
    scores: list[ScoreRow]
    tgq: Tgq | None
    by_label: NotRequired[dict[str, ByLabelScores]]
    unavailable: dict[str, str]
    labels: NotRequired[dict[str, float]]
    notes: NotRequired[list[str]]
    ratings: NotRequired[dict[str, Any]]
    timing_s: NotRequired[dict[str, float]]
    versions: NotRequired[dict[str, Any]]
    files: NotRequired[dict[str, FileFacts]]
