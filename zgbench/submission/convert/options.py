"""What can be said about a source that does not say it itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zgbench.datasets.label_png import Palette
from zgbench.errors import UsageError
from zgbench.submission.masks.labels import TAGS, Classes, Tags
from zgbench.submission.masks.objects import Background
from zgbench.submission.masks.segments import OVERLAPS, Overlap


@dataclass(frozen=True)
class Options:
    """Options of ``zgbench convert``; see its ``--help``.

    Attributes:
        labels: a file, or one of ``CLASS_LABELS``.
        first: number of the first class in label maps.
        background: values of label maps that lie in no segment, an empty tuple where every one lies in one; None where it was not said.
        legend: a file, or ``pas20``: what the colours of RGB maps mean.
        palette: ``index`` takes palette indices for values whatever their colours.
        annotations: COCO file with the images and categories that results leave out.
    """

    name: str | None = None
    dataset: str | None = None
    labels: str | None = None
    first: int | None = None
    background: tuple[int, ...] | None = None
    legend: str | None = None
    palette: Palette = "auto"
    annotations: Path | None = None
    data: Path | None = None
    overlap: Overlap = "error"
    resize: bool = False
    tags: Tags | None = None

    def __post_init__(self) -> None:
        if self.overlap not in OVERLAPS:
            raise UsageError(f"--overlap {self.overlap}: expected one of {', '.join(OVERLAPS)}.")
        if self.tags not in (None, *TAGS):
            raise UsageError(f"--tags {self.tags}: expected first or join.")
        if self.palette not in ("auto", "index"):
            raise UsageError(f"--palette {self.palette}: expected auto or index.")
        if self.legend is not None and self.labels is not None:
            raise UsageError("give --labels (what values mean) or --legend (what colours mean), not both.")

    def unused(self, kind: str, *names: str) -> None:
        """Refuse options that a source of this kind has no use for.

        Raises:
            UsageError: one was given.
        """
        flags = {
            "--labels": self.labels is not None, "--first": self.first is not None, "--background": self.background is not None,
            "--legend": self.legend is not None, "--palette": self.palette != "auto",
            "--annotations": self.annotations is not None, "--overlap": self.overlap != "error",
        }  # fmt: skip
        given = [name for name in names if flags[name]]
        if given:
            raise UsageError(f"{kind} has no use for {', '.join(given)}. Leave it out.")


@dataclass(frozen=True)
class Item:
    """One image on its way into a submission: arguments of ``SubmissionWriter.add``."""

    image_id: str
    segments: Any
    labels: Any = None
    classes: Classes | None = None
    scores: Any = None
    background: Background = "default"


@dataclass
class Notes:
    """What a user should know about what was converted; counted over all images, told once."""

    counts: dict[str, int] = field(default_factory=dict)
    firsts: dict[str, str] = field(default_factory=dict)
    plain: list[str] = field(default_factory=list)

    def count(self, what: str, n: int, first: str) -> None:
        """Note n cases of something, and where the first of them is."""
        if n:
            self.counts[what] = self.counts.get(what, 0) + n
            self.firsts.setdefault(what, first)

    def sentences(self) -> list[str]:
        """One sentence each."""
        return [*self.plain, *(f"{n} {what} (the first: {self.firsts[what]})." for what, n in self.counts.items())]
