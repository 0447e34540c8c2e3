"""The queue of a self-hosted board: a folder, so that it survives a restart and needs no service beside it.

    FOLDER/tokens.txt                 name and SHA-256 of each token, one a line
    FOLDER/<sha256>/submission.json   the upload (or .json.gz, .parquet), under the hash of its content
    FOLDER/<sha256>/entry.json        its state, written atomically

Content names the folder, so the same upload never counts twice. States:

    received ─► checking ─► queued ─► running ─► done
                   └─► refused           └─► failed
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from zgbench.board.upload import Upload
from zgbench.errors import InputError, UsageError
from zgbench.storage.files import write_bytes

State = Literal["received", "checking", "queued", "running", "done", "refused", "failed"]
WAITING: tuple[State, ...] = ("received", "checking", "queued", "running")
_STATES = get_args(State)
_ID = re.compile(r"[0-9a-f]{64}")
_TOKEN_NAME = re.compile(r"[\w .-]{1,40}")
_DAY = 86_400.0


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
        attempts: how often its evaluation was begun.
        report: what the check, or the evaluation, said. A stranger's text stands in it: show it as plain text only.
        reason: why it was refused or failed, one sentence; empty otherwise.
    """

    id: str
    state: State
    who: str
    shown_name: str
    suffix: str
    size: int
    received: float
    changed: float
    attempts: int = 0
    report: str = ""
    reason: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state not in WAITING


class Refused(InputError):
    """An upload that was not taken into the queue; the message says why."""


@dataclass(frozen=True)
class Queue:
    """A folder of uploads.

    Attributes:
        folder: made when it is first written to.
        per_day: uploads that one token may send in 24 hours; those that were refused count.
        longest: uploads that may wait at once.
    """

    folder: Path
    per_day: int = 10
    longest: int = 100

    # ---- tokens

    def make_token(self, name: str) -> str:
        """A new token for a person or group; only its hash is kept.

        Raises:
            UsageError: the name is not 1–40 letters, digits, blanks, dots, hyphens or underscores.
        """
        if not _TOKEN_NAME.fullmatch(name) or name != name.strip():
            raise UsageError(f"token name {name!r}: expected 1 to 40 letters, digits, blanks, dots or hyphens.")
        token = secrets.token_urlsafe(24)
        with self._locked():
            place = self.folder / "tokens.txt"
            before = place.read_text(encoding="utf-8") if place.is_file() else ""
            write_bytes(place, f"{before}{_hash(token)} {name}\n".encode())
            place.chmod(0o600)
        return token

    def enabled(self) -> bool:
        """Whether anybody has a token."""
        return bool(self._tokens())

    def owner_of(self, token: str) -> str | None:
        """Name that a token stands for, None for an unknown one. To revoke a token, delete its line."""
        return self._tokens().get(_hash(token.strip()))

    def _tokens(self) -> dict[str, str]:
        place = self.folder / "tokens.txt"
        lines = place.read_text(encoding="utf-8").splitlines() if place.is_file() else []
        pairs = (line.partition(" ") for line in lines if line.strip())
        return {digest: name.strip() for digest, _, name in pairs if _ID.fullmatch(digest)}

    # ---- entries

    def submit(self, token: str, upload: Upload, now: float | None = None) -> Entry:
        """Put an upload into the queue.

        Raises:
            Refused: the token is unknown or has sent too many, the queue is full, or the content is known already.
        """
        who = self.owner_of(token)
        if who is None:
            raise Refused("this token is not known to the board. Ask whoever runs it for one.")
        now = time.time() if now is None else now
        with self._locked():
            known = self.find(upload.sha256)
            if known is not None:
                raise Refused(_already(known))
            everything = self.entries()
            recent = sorted(e.received for e in everything if e.who == who and e.received > now - _DAY)
            if len(recent) >= self.per_day:
                hours = (recent[-self.per_day] + _DAY - now) / 3600
                raise Refused(
                    f"{len(recent)} uploads with this token in the last 24 hours; {self.per_day} are allowed. Come back in {max(1, round(hours))} h."
                )
            if sum(not e.ended for e in everything) >= self.longest:
                raise Refused(f"{self.longest} uploads are waiting already. Come back later.")
            entry = Entry(
                upload.sha256, "received", who, upload.shown_name, upload.suffix, len(upload.content), now, now
            )
            write_bytes(self.file_of(entry), upload.content)
            self._write(entry)
        return entry

    def entries(self) -> list[Entry]:
        """Every upload, the oldest first."""
        places = self.folder.glob("*/entry.json") if self.folder.is_dir() else iter(())
        found = (_read(place) for place in places if _ID.fullmatch(place.parent.name))
        return sorted((e for e in found if e is not None), key=lambda e: (e.received, e.id))

    def find(self, identity: str) -> Entry | None:
        """An upload by its hash, or by the first 12 or more characters of it."""
        if not re.fullmatch(r"[0-9a-f]{12,64}", identity) or not self.folder.is_dir():
            return None
        places = sorted(self.folder.glob(f"{identity}*/entry.json"))
        return _read(places[0]) if len(places) == 1 else None

    def place_in_line(self, entry: Entry) -> int:
        """1 for the upload that is next or in work, 0 for one that has ended."""
        waiting = [e.id for e in self.entries() if not e.ended]
        return waiting.index(entry.id) + 1 if entry.id in waiting else 0

    def change(self, entry: Entry, **values: object) -> Entry:
        """Write new values of an entry; the upload itself is deleted once it is refused."""
        changed = replace(entry, changed=time.time(), **values)  # type: ignore[arg-type]
        self._write(changed)
        if changed.state == "refused":
            self.file_of(changed).unlink(missing_ok=True)
        return changed

    def forget(self, entry: Entry) -> None:
        """Remove an upload with all that was made of it, so that the same content may be sent again."""
        with self._locked():
            shutil.rmtree(self.folder_of(entry))

    def folder_of(self, entry: Entry) -> Path:
        """Folder of an upload."""
        assert _ID.fullmatch(entry.id)
        return self.folder / entry.id

    def file_of(self, entry: Entry) -> Path:
        """Where its content lies."""
        return self.folder_of(entry) / f"submission{entry.suffix}"

    def _write(self, entry: Entry) -> None:
        write_bytes(self.folder_of(entry) / "entry.json", json.dumps(asdict(entry), ensure_ascii=True).encode())

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer at a time, over threads and processes."""
        import fcntl

        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "queue.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _read(place: Path) -> Entry | None:
    """An entry, None while it is not there or is not one."""
    try:
        entry = Entry(**json.loads(place.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return entry if entry.state in _STATES and entry.id == place.parent.name else None


def _already(known: Entry) -> str:
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(known.received))
    return f"the same content was uploaded before ({known.id[:12]}, {when}); its state is: {known.state}."
