"""The results that a board holds, grouped by signature: unlike signatures are never in one group."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from zgbench import pages
from zgbench.board.card import FILE as CARDS_FILE
from zgbench.board.card import over, read_cards
from zgbench.board.entry import SCORES, WITHOUT_CLASSES, Entry, ScoreRow, entry_of
from zgbench.board.kinds import FILE as KINDS_FILE
from zgbench.board.kinds import read_kinds
from zgbench.board.names import FILE as NAMES_FILE
from zgbench.board.names import read_names
from zgbench.board.verdicts import beside, verdict
from zgbench.datasets import KEYS
from zgbench.errors import UsageError, ZgbenchError
from zgbench.protocol import VERSION, facts_of
from zgbench.scores.result import RESULT
from zgbench.storage.files import stamp
from zgbench.storage.text import without_companions

_ORDER = ("TT", "LT", "ST", "MAP", *WITHOUT_CLASSES)
_TRACKS = {"free": "own segments", "oracle": "ground-truth segments"}


@dataclass(frozen=True)
class Group:
    """Rows of one signature, which alone may be ranked and compared.

    Attributes:
        key: short hash of the signature.
        scores: keys of ``SCORES`` that its rows have.
        further: those that can be worked out from the counts of its rows where they are asked for.
        ids: the entries.
        ranked: how many of them are methods; the others are baselines and ceilings.
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
    ranked: int
    further: tuple[str, ...] = ()

    @property
    def has_classes(self) -> bool:
        """Whether its rows can be looked into class by class."""
        return self.reassign not in WITHOUT_CLASSES

    @property
    def title(self) -> str:
        """What the signature is about, in a few words."""
        return f"{self.rule}, {self.images} images{'' if self.official else ', not official'}"

    @property
    def rule(self) -> str:
        """How its segments were mapped and verified, whatever the data set."""
        facts = facts_of(self.signature)
        verify = self.verify.replace(">=", " ≥ ").replace("<=", " ≤ ").replace("+", " + ").replace("cos>", "cos > ")
        background = "" if facts.get("bg", "count") == "count" else f", background {facts['bg']}"
        scoring = "" if facts.get("scoring") == "v1" else f", scoring {facts.get('scoring', '?')}"
        encoder = facts.get("encoder", "").split(",")
        models = [encoder[0], *(part.removeprefix("text=") for part in encoder if part.startswith("text="))]
        model = " and ".join(one.split("@")[0].split("/")[-1] for one in models)
        start = ", ".join(filter(None, (self.reassign, verify)))
        return f"{start}, {_TRACKS.get(self.track, self.track)}, {model}{background}{scoring}"


@dataclass(frozen=True)
class Board:
    """All results of a folder.

    Attributes:
        entries: in the order of their ids; each has passed the cross-checks.
        hidden: entries that did not pass them and are shown nowhere.
        problems: what is left out, each with the reason.
        version: changes whenever a file of the board does.
    """

    folder: Path
    entries: tuple[Entry, ...]
    hidden: tuple[Entry, ...]
    problems: tuple[str, ...]
    version: str

    def datasets(self) -> list[str]:
        """Data sets that have entries."""
        there = {entry.dataset for entry in self.entries}
        return [key for key in (*KEYS, *sorted(there.difference(KEYS))) if key in there]

    def start(self) -> str | None:
        """Data set to begin with: the first that has ranked methods, else the first; None on an empty board."""
        keys = self.datasets()
        return next((key for key in keys if any(group.ranked for group in self.groups(key))), next(iter(keys), None))

    def best_first(self, group: Group) -> list[str]:
        """Ids of a group by its first score, undefined ones last; baselines and ceilings after all methods."""

        def place(entry: Entry) -> tuple[bool, bool, float, str, str]:
            score = entry.row(group.key).scores.get(group.scores[0])
            value = score.value if score is not None else None
            return entry.kind != "method", value is None, -(value or 0.0), entry.name.casefold(), entry.id

        return [entry.id for entry in sorted(map(self.entry, group.ids), key=place)]

    @cached_property
    def _groups(self) -> dict[str, Group]:
        members: dict[str, list[tuple[Entry, ScoreRow]]] = {}
        for entry in self.entries:
            for row in entry.rows:
                members.setdefault(row.group, []).append((entry, row))
        return {key: _group(key, found) for key, found in members.items()}

    def groups(self, dataset: str) -> list[Group]:
        """Groups of a data set, those of most methods first; TT before LT before ST, TGQ last."""
        found = [group for group in self._groups.values() if group.dataset == dataset]
        return sorted(found, key=lambda g: (-g.ranked, -len(g.ids), place_of(g.reassign), g.verify, g.key))

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
        sum(e.kind == "method" for e, _ in members), () if row.reassign in WITHOUT_CLASSES else entry.further,
    )  # fmt: skip


def place_of(reassign: str) -> tuple[int, str]:
    """Where rows of a reassignment stand among others."""
    return (_ORDER.index(reassign) if reassign in _ORDER else len(_ORDER), reassign)


def default_folder() -> Path:
    """The results that ship with this copy of zgbench."""
    return pages.folder("leaderboard") / "results"


def folder_to_fill() -> Path:
    """The results of the checkout that one works in: nothing is ever written into an installed copy.

    Raises:
        UsageError: the current folder is not in zgbench's checkout.
    """
    checkout = pages.folder("leaderboard").parent
    if not (checkout / "pyproject.toml").is_file() or not Path.cwd().resolve().is_relative_to(checkout.resolve()):
        raise UsageError("which board? Give --board DIR, a folder of your own; it is made if it is not there. (Without it the board of a checkout of zgbench is filled, from inside that checkout.)")  # fmt: skip
    return checkout / "leaderboard" / "results"


@dataclass(frozen=True)
class _Read:
    """A result file as it was read last.

    Attributes:
        files: it and the files beside it, whose stamp tells whether it must be read again.
        entry: None where it is not a result file.
        wrong: why it is not shown; empty for a sound one.
    """

    files: tuple[Path, ...]
    stamp: str
    entry: Entry | None
    wrong: str


_SHOWN = 20
"""Broken rules of a result that are told."""
_known: dict[Path, _Read] = {}
_reading = threading.Lock()


def _silent(_title: str, _total: int) -> Callable[[int], None]:
    return lambda _: None


def load_board(
    folder: Path | None = None, *, anew: bool = False, progress: Callable[[str, int], Callable[[int], None]] = _silent
) -> Board:
    """Read a board; files that did not change since the last call are not read again.

    A file that is not a sound result, or whose numbers do not follow from the statistics beside it, is left out and told
    in ``problems``. Checks are kept in the cache by content (:mod:`zgbench.board.verdicts`).

    Args:
        anew: check everything again, whatever is known.
    """
    place = (folder or default_folder()).resolve()
    kinds, problems = read_kinds(place)
    names, wrong_names = read_names(place)
    cards, wrong_cards = read_cards(place)
    problems += [*wrong_names, *wrong_cards]
    entries: list[Entry] = []
    hidden: list[Entry] = []
    digest = hashlib.sha256(stamp([place / file for file in (KINDS_FILE, NAMES_FILE, CARDS_FILE)]).encode())
    paths = sorted(without_companions(place.glob(f"*{RESULT}")), key=lambda path: path.name.removesuffix(RESULT))
    tick = progress("checking results", len(paths))
    for path in paths:
        with _reading:  # of many visitors, one checks
            found = None if anew else _known.get(path)
            if found is None or stamp(found.files) != found.stamp:
                found = _known[path] = _read(path, anew=anew)
        tick(1)
        digest.update(f"{path.name} {found.stamp}\n".encode())
        if found.wrong and not path.exists():  # taken away a moment ago
            continue
        if found.wrong:
            problems.append(f"{path.name}: {found.wrong}")
        if found.entry is not None:
            about, sha256 = found.entry, found.entry.submission_sha256
            entry = replace(
                about,
                kind=kinds.get(sha256, "method"),
                name=names.get(sha256, about.name),
                card=over(about.card, cards.get(sha256)),
            )
            (hidden if found.wrong else entries).append(entry)
    return Board(place, tuple(entries), tuple(hidden), tuple(problems), digest.hexdigest()[:16])


def _read(path: Path, *, anew: bool) -> _Read:
    files: tuple[Path, ...] = (path,)
    before = stamp(files)
    entry = None
    try:
        content = path.read_bytes()
        result = json.loads(content)
        sha256 = hashlib.sha256(content).hexdigest()
        found = entry_of(path, result, sha256)
        files = (path, *beside(path, result))
        before = stamp(files) if stamp([path]) == before else ""  # changed meanwhile: the next call reads it again
        entry = found
        wrong = _told(verdict(path, result, sha256, anew=anew), result)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, StopIteration, RecursionError, ZgbenchError) as error:  # fmt: skip
        return _Read(files, before, entry, f"not a readable result file ({type(error).__name__}: {error})")
    return _Read(files, before, entry, wrong)


def _told(wrong: tuple[str, ...], result: dict[str, Any]) -> str:
    if not wrong:
        return ""
    more = f"; and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
    version = result.get("versions", {}).get("protocol", VERSION)
    old = (
        f" It was scored under version {version} of the protocol; this is version {VERSION}."
        if version != VERSION
        else ""
    )
    return f"not shown, as its cross-checks fail: {'; '.join(wrong[:_SHOWN])}{more}.{old} Add its submission again."
