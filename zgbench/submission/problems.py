"""All problems of a submission in one report."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from zgbench.errors import InputError, ZgbenchError

SHOWN = 50
COLLECTED = 1000
MAX_PATH = 300


def quote(value: object, limit: int = 60) -> str:
    """A value as it may be printed: control, bidi and other invisible characters escaped, cut to ``limit`` characters."""
    text = value if isinstance(value, str) else repr(value)
    safe = "".join(
        c if c == " " or unicodedata.category(c)[0] not in "CZ" else c.encode("unicode_escape").decode("ascii")
        for c in text[: limit + 1]
    )
    cut = f"{safe[:limit]}…" if len(text) > limit else safe
    return f"'{cut}'" if isinstance(value, str) else cut


def cut(path: str) -> str:
    """A path as it may be printed; keys in it are a stranger's text."""
    return quote(path, MAX_PATH)[1:-1]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a submission.

    Attributes:
        kind: short stable name of the kind of problem, for tests and counts.
        path: where: a JSON path (``$.images[3].segments[0].label``), or ``row 17, column label`` in Parquet.
        expected, found, mend: what should stand there, what does, and how to put it right.
        image, segment: image id and index of the segment in its image, where they apply.
    """

    kind: str
    path: str
    expected: str
    found: str
    mend: str
    image: str | None = None
    segment: int | None = None

    def __post_init__(self) -> None:
        for name in ("path", "image"):  # a report keeps many of them, and a stranger's key can be of any length
            value = getattr(self, name)
            if value is not None and len(value) > MAX_PATH + 1:
                object.__setattr__(self, name, value[: MAX_PATH + 1])

    def __str__(self) -> str:
        where = [f"image {quote(self.image)}"] if self.image is not None else []
        if self.segment is not None:
            where.append(f"segment {self.segment}")
        path = cut(self.path)
        place = f"{', '.join(where)} ({path})" if where else path
        return f"[{self.kind}] {place}: expected {self.expected}; found {self.found}. {self.mend}"


def rejection(error: ZgbenchError) -> dict[str, Any]:
    """An error as JSON: what ``--json`` prints where a result would stand; of a submission, with every problem."""
    content: dict[str, Any] = {
        "format": "zgbench-rejection/1", "error": type(error).__name__, "exit_status": error.exit_status,
        "message": str(error),
    }  # fmt: skip
    if isinstance(error, SubmissionError):
        content["kinds"] = dict(error.report.kinds)
        content["complete"] = error.report.kinds.total() == len(error.report.problems)
        content["problems"] = [asdict(problem) for problem in error.report.problems]
    return content


@dataclass
class Report:
    """Collects problems, the first ``COLLECTED`` of them; past that only counts."""

    problems: list[Problem] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)

    def add(self, problem: Problem) -> None:
        """Note a problem."""
        self.kinds[problem.kind] += 1
        if len(self.problems) < COLLECTED:
            self.problems.append(problem)

    def extend(self, problems: Iterable[Problem]) -> None:
        """Note several problems."""
        for problem in problems:
            self.add(problem)

    def taken(self) -> list[Problem]:
        """The problems kept so far, which are no longer kept here; they stay counted."""
        found, self.problems = self.problems, []
        return found

    @property
    def full(self) -> bool:
        """Whether so much is wrong that reading on has no use."""
        return self.kinds.total() >= COLLECTED

    def raise_if_any(self, name: str) -> None:
        """Raise SubmissionError when there is any problem."""
        if self.kinds:
            raise SubmissionError(name, self)


class SubmissionError(InputError):
    """A submission was rejected; ``report`` holds every problem."""

    def __init__(self, name: str, report: Report) -> None:
        self.report = report
        total = report.kinds.total()
        lines = [f"{name}: rejected, {total}{'+' if report.full else ''} problem{'s' if total != 1 else ''}"]
        lines += [f"  {problem}" for problem in report.problems[:SHOWN]]
        if total > SHOWN:
            lines.append(
                f"  … and {total - SHOWN} more; by kind: "
                + ", ".join(f"{k} × {n}" for k, n in report.kinds.most_common())
            )
        if report.full:
            lines.append(f"  Reading stopped after {COLLECTED} problems.")
        super().__init__("\n".join(lines))
