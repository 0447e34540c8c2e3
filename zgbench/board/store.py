"""The results that a board holds, grouped by signature: unlike signatures are never in one group."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from zgbench import pages
from zgbench.datasets import KEYS
from zgbench.errors import UsageError, ZgbenchError
from zgbench.protocol import meaning
from zgbench.scores.result import FORMAT, RESULT, Stored, load_result

SCORES = {
    "iou_image": "IoU image",
    "iou_dataset": "IoU dataset",
    "recall.0.25": "Recall .25",
    "recall.0.5": "Recall .5",
    "recall.0.75": "Recall .75",
    "recall.auc": "Recall area",
    "tgq": "TGQ",
}
"""Score → its title."""
_TRACKS = {"free": "own segments", "oracle": "the truth's segments"}


@dataclass(frozen=True)
class Score:
    """A score 0–1 with its 95 % interval; None where it is undefined."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class ScoreRow:
    """One row of a result.

    Attributes:
        reassign: ``TT`` or ``ST``; ``TGQ`` for Text Generation Quality.
        verify: such as ``cos>=0.5`` or ``h>=2``.
        segments, kept: numbers of segments; of TGQ, of truth segments and of those that have a label.
        scores: keys as in ``SCORES``.
    """

    reassign: str
    verify: str
    signature: str
    images: int
    segments: int
    kept: int
    scores: Mapping[str, Score]

    @property
    def group(self) -> str:
        """Key of the group that it belongs to."""
        return hashlib.sha256(meaning(self.signature).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Entry:
    """A stored result. Its texts come from a stranger: show them as plain text only.

    Attributes:
        id: file name without ``.result.json``.
        sha256: of the result file, which holds the hashes of the files beside it.
        text_guidance, segmentation_labels: as the submission says; None where it does not.
        rated: whether it has human ratings.
    """

    id: str
    path: Path
    sha256: str
    name: str
    dataset: str
    track: str
    description: str
    url: str
    text_guidance: bool | None
    segmentation_labels: bool | None
    images: int
    official: bool
    submission_sha256: str
    protocol: str
    rows: tuple[ScoreRow, ...]
    unavailable: Mapping[str, str]
    rated: bool

    def row(self, group: str) -> ScoreRow:
        """The row of a group. Raises UsageError where it has none."""
        for row in self.rows:
            if row.group == group:
                return row
        raise UsageError(f"{self.id} has no row of the protocol {group}.")

    def stored(self) -> Stored:
        """The result with the statistics beside it. Raises InputError or DataError where they are damaged."""
        return _stored(self.path, self.sha256)


@lru_cache(maxsize=4)
def _stored(path: Path, _sha256: str) -> Stored:
    return load_result(path)


@dataclass(frozen=True)
class Group:
    """Rows of one signature, which alone may be ranked and compared.

    Attributes:
        key: short hash of the signature.
        scores: keys of ``SCORES`` that its rows have.
        ids: the entries.
    """

    key: str
    dataset: str
    signature: str
    reassign: str
    verify: str
    track: str
    images: int
    official: bool
    scores: tuple[str, ...]
    ids: tuple[str, ...]

    @property
    def title(self) -> str:
        """What the signature is about, in a few words."""
        facts = facts_of(self.signature)
        verify = self.verify.replace(">=", " ≥ ").replace("cos>", "cos > ")
        background = "" if facts.get("bg", "count") == "count" else f", background {facts['bg']}"
        scoring = "" if facts.get("scoring") == "v1" else f", scoring {facts.get('scoring', '?')}"
        official = "" if self.official else ", not official"
        model = facts.get("encoder", "").split(",")[0].split("@")[0].split("/")[-1]
        return f"{self.reassign}, {verify}, {_TRACKS.get(self.track, self.track)}, {model}{background}{scoring}, {self.images} images{official}"


def facts_of(signature: str) -> dict[str, str]:
    """The pairs of a signature."""
    return dict(pair.split(":", 1) for pair in signature.split("|") if ":" in pair)


@dataclass(frozen=True)
class Board:
    """All results of a folder.

    Attributes:
        entries: in the order of their ids.
        problems: result files that are left out, each with the reason.
        version: changes whenever a result file does.
    """

    folder: Path
    entries: tuple[Entry, ...]
    problems: tuple[str, ...]
    version: str

    def datasets(self) -> list[str]:
        """Data sets that have entries."""
        return [key for key in KEYS if any(e.dataset == key for e in self.entries)]

    @cached_property
    def _groups(self) -> dict[str, Group]:
        members: dict[str, list[tuple[Entry, ScoreRow]]] = {}
        for entry in self.entries:
            for row in entry.rows:
                members.setdefault(row.group, []).append((entry, row))
        return {key: _group(key, found) for key, found in members.items()}

    def groups(self, dataset: str) -> list[Group]:
        """Groups of a data set, those of most entries first; TT before ST before TGQ."""
        order = {"TT": 0, "ST": 1, "TGQ": 2}
        found = [group for group in self._groups.values() if group.dataset == dataset]
        return sorted(found, key=lambda g: (-len(g.ids), order[g.reassign], g.verify, g.key))

    def group(self, key: str) -> Group:
        """A group by its key. Raises UsageError."""
        if key not in self._groups:
            raise UsageError(f"the board has no protocol {key!r}. It may have been removed since the link was made.")
        return self._groups[key]

    @cached_property
    def _by_id(self) -> dict[str, Entry]:
        return {entry.id: entry for entry in self.entries}

    def entry(self, entry_id: str) -> Entry:
        """An entry by its id. Raises UsageError."""
        if entry_id not in self._by_id:
            raise UsageError(f"the board has no entry {entry_id!r}. It may have been removed since the link was made.")
        return self._by_id[entry_id]


def _group(key: str, members: list[tuple[Entry, ScoreRow]]) -> Group:
    entry, row = members[0]
    scores = tuple(name for name in SCORES if any(name in r.scores for _, r in members))
    return Group(
        key, entry.dataset, row.signature, row.reassign, row.verify, entry.track, row.images,
        entry.official and row.images == entry.images, scores, tuple(e.id for e, _ in members),
    )  # fmt: skip


def default_folder() -> Path:
    """The results that ship with this copy of zgbench."""
    return pages.folder("leaderboard") / "results"


_kept: dict[Path, tuple[tuple[int, int], Entry | str]] = {}


def load_board(folder: Path | None = None) -> Board:
    """Read a board; files that did not change since the last call are not read again.

    A file that is not a sound result is left out and told in ``problems``.
    """
    place = (folder or default_folder()).resolve()
    entries: list[Entry] = []
    problems: list[str] = []
    digest = hashlib.sha256()
    for path in sorted(place.glob(f"*{RESULT}")):
        try:
            status = path.stat()
        except OSError:  # taken away a moment ago
            continue
        stamp = (status.st_mtime_ns, status.st_size)
        if _kept.get(path, (None, ""))[0] != stamp:
            _kept[path] = (stamp, _read(path))
        found = _kept[path][1]
        digest.update(f"{path.name} {stamp}\n".encode())
        if isinstance(found, str):
            problems.append(found)
        else:
            entries.append(found)
    return Board(place, tuple(entries), tuple(problems), digest.hexdigest()[:16])


def _read(path: Path) -> Entry | str:
    try:
        content = path.read_bytes()
        return entry_of(path, json.loads(content), hashlib.sha256(content).hexdigest())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ZgbenchError) as error:
        return f"{path.name}: not a readable result file ({type(error).__name__}: {error})"


def entry_of(path: Path, result: dict[str, Any], sha256: str) -> Entry:
    """What a result file says. Raises ValueError, KeyError or TypeError where it is not one."""
    if result["format"] != FORMAT:
        raise ValueError(f"expected format {FORMAT}")
    about, data = result["submission"], result["dataset"]
    method = about["method"]
    rows = [
        ScoreRow(
            r["reassign"], r["verify"], r["signature"], r["images"], r["segments"], r["segments_kept"],
            {"iou_image": _score(r["iou_image"]), "iou_dataset": _score(r["iou_dataset"])}
            | {f"recall.{k}": _score(v) for k, v in r["recall"].items()},
        )
        for r in result["scores"]
    ]  # fmt: skip
    if (tgq := result["tgq"]) is not None:
        verify = facts_of(tgq["signature"])["verify"]
        rows.append(
            ScoreRow("TGQ", verify, tgq["signature"], data["images"], tgq["segments"], tgq["labelled"], {"tgq": _score(tgq)})
        )  # fmt: skip
    return Entry(
        path.name.removesuffix(RESULT), path, sha256, about["name"], data["key"], about["track"],
        method.get("description", ""), method.get("url", ""),
        method.get("text_guidance"), method.get("segmentation_labels"),
        data["images"], data["official"], about["sha256"], result["protocol"]["name"], tuple(rows),
        result["unavailable"], "ratings" in result,
    )  # fmt: skip


def _score(found: dict[str, Any]) -> Score:
    values = (found["value"], *found["ci95"])
    if not all(v is None or (isinstance(v, int | float) and math.isfinite(v)) for v in values):
        raise ValueError("a score is not a number")
    return Score(*values)
