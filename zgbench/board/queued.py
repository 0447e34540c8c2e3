"""One upload of a self-hosted board: what is known of it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

State = Literal["received", "checking", "queued", "running", "done", "refused", "failed", "withdrawn"]
WAITING: tuple[State, ...] = ("received", "checking", "queued", "running")
_STATES = get_args(State)
ID = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Entry:
    """One upload.

    Attributes:
        id: SHA-256 of its content.
        state: see the module.
        who: name that its token stands for.
        shown_name: the file's name, safe to show.
        suffix: ending of the file.
        size: bytes.
        received, changed: seconds since 1970.
        sent: who sent this content, or tried it again, and when, in the last 24 hours or later.
        attempts: how often its evaluation was begun.
        report: what the check, or the evaluation, said. A stranger's text stands in it: show it as plain text only.
        reason: why it was refused or failed, one sentence; empty otherwise.
        name: what its owner calls the method on the board; empty for the name in the file.
        private: whether only its owner sees the result.
    """

    id: str
    state: State
    who: str
    shown_name: str
    suffix: str
    size: int
    received: float
    changed: float
    sent: tuple[tuple[str, float], ...] = ()
    attempts: int = 0
    report: str = ""
    reason: str = ""
    name: str = ""
    private: bool = False

    @property
    def stem(self) -> str:
        """Begins the names of its result's files."""
        return self.id[:12]

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state not in WAITING


def read(place: Path) -> Entry | None:
    """An entry, None while it is not there or is not one."""
    try:
        values = json.loads(place.read_text(encoding="utf-8"))
        # an older zgbench wrote no "sent"
        sent = values.get("sent", [[values["who"], values["received"]]])
        entry = Entry(**values | {"sent": tuple((str(who), float(when)) for who, when in sent)})
    except (OSError, ValueError, TypeError, LookupError, AttributeError):
        return None
    return entry if entry.state in _STATES and entry.id == place.parent.name else None
