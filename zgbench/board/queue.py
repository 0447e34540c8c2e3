"""The queue of a self-hosted board: a folder, so that it survives a restart and needs no service beside it.

    FOLDER/tokens.txt                 name and SHA-256 of each token, one a line
    FOLDER/<sha256>/submission.json   the upload (or .json.gz, .parquet), under the hash of its content
    FOLDER/<sha256>/entry.json        its state, written atomically
    FOLDER/<sha256>/board/            its result while its owner keeps it private

Content names the folder, so the same upload never counts twice while it waits or stands on the board. States:

    received ─► checking ─► queued ─► running ─► done
        ▲         ├─► refused, which is the file's fault
        │         └───────────────────┴─► failed, which is the server's
        └── sent again, or tried again            (and withdrawn, from every state)
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

from zgbench.board.queued import ID, Entry, State, read
from zgbench.board.upload import Upload
from zgbench.errors import InputError, UsageError
from zgbench.storage.files import write_bytes
from zgbench.submission.schema import MAX_LABEL, text_problem

_AGAIN: tuple[State, ...] = ("refused", "failed", "withdrawn")
"""States from which the same content may be sent again."""
_TOKEN_NAME = re.compile(r"[\w .-]{1,40}")
_DAY = 86_400.0


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
        return {digest: name.strip() for digest, _, name in pairs if ID.fullmatch(digest)}

    # ---- entries

    def submit(self, token: str, upload: Upload, *, private: bool = False, now: float | None = None) -> Entry:
        """Put an upload into the queue. Content that was refused, failed or was withdrawn may be sent again.

        Args:
            private: whether only its owner will see the result.

        Raises:
            Refused: the token is unknown or has sent too many, the queue is full, or the content waits or is done.
        """
        who = self._known(token)
        now = time.time() if now is None else now
        with self._locked():
            before = self.find(upload.sha256)
            if before is not None and before.state not in _AGAIN:
                raise Refused(_already(before, who))
            sent = self._one_more(before, who, now)
            entry = Entry(
                upload.sha256, "received", who, upload.shown_name, upload.suffix, len(upload.content), now, now, sent,
                private=private,
            )  # fmt: skip
            if before is not None:
                self._clear(before)
            write_bytes(self.file_of(entry), upload.content)
            self._write(entry)
        return entry

    def try_again(self, token: str, entry: Entry, now: float | None = None) -> Entry:
        """Put what failed into the queue once more; it counts as a file that was sent.

        Raises:
            Refused: it is not its owner's token, it did not fail, or see :meth:`submit`.
        """
        now = time.time() if now is None else now
        with self._locked():
            found = self._own(token, entry)
            if found.state != "failed" or not self.file_of(found).is_file():
                raise Refused("only what failed can be tried again. Send the file once more.")
            sent = self._one_more(found, found.who, now)
            again = replace(found, state="received", received=now, changed=now, sent=sent, attempts=0, report="", reason="")  # fmt: skip
            self._write(again)
        return again

    def describe(self, token: str, entry: Entry, *, name: str | None = None, private: bool | None = None) -> Entry:
        """Give an upload another name on the board, or say who sees its result; the board itself is not touched.

        Raises:
            Refused: it is not its owner's token, the name is not 1 to 200 visible characters, or it is being evaluated
                for everybody's eyes.
        """
        values: dict[str, object] = {}
        if name is not None:
            if (wrong := text_problem(name, MAX_LABEL)) is not None:
                raise Refused(f"name: expected 1 to {MAX_LABEL} visible characters, found {wrong}.")
            values["name"] = name
        if private is not None:
            values["private"] = private
        with self._locked():
            found = self._own(token, entry)
            if private and found.state == "running" and not found.private:
                raise Refused("it is being evaluated for the board right now. Wait for its end, or withdraw it.")
            return self._changed(found, values)

    def withdraw(self, token: str, entry: Entry) -> Entry:
        """Take an upload back: its content and its private result are deleted, and it is worked on no more.

        Raises:
            Refused: it is not its owner's token.
        """
        with self._locked():
            found = self._own(token, entry)
            self._clear(found)
            return self._changed(found, {"state": "withdrawn", "report": "", "reason": ""})

    def mine(self, token: str) -> list[Entry]:
        """The uploads of whoever has this token, the latest first. Raises Refused for an unknown token."""
        who = self._known(token)
        return [entry for entry in self.entries() if entry.who == who][::-1]

    def entries(self) -> list[Entry]:
        """Every upload, the one that was sent first before the others."""
        places = self.folder.glob("*/entry.json") if self.folder.is_dir() else iter(())
        found = (read(place) for place in places if ID.fullmatch(place.parent.name))
        return sorted((e for e in found if e is not None), key=lambda e: (e.received, e.id))

    def find(self, identity: str) -> Entry | None:
        """An upload by its hash, or by the first 12 or more characters of it."""
        if not re.fullmatch(r"[0-9a-f]{12,64}", identity) or not self.folder.is_dir():
            return None
        places = sorted(self.folder.glob(f"{identity}*/entry.json"))
        return read(places[0]) if len(places) == 1 else None

    def place_in_line(self, entry: Entry) -> int:
        """1 for the upload that is next or in work, 0 for one that has ended."""
        waiting = [e.id for e in self.entries() if not e.ended]
        return waiting.index(entry.id) + 1 if entry.id in waiting else 0

    def change(self, entry: Entry, **values: object) -> Entry:
        """Write new values of an entry; one that was withdrawn meanwhile, or also sent again, stays as it is.

        The upload itself is deleted once it is refused.
        """
        with self._locked():
            now = self.find(entry.id)
            if now is None or now.state == "withdrawn" or now.received != entry.received:
                return replace(now or entry, state="withdrawn")
            changed = self._changed(now, values)
            if changed.state == "refused":
                self.file_of(changed).unlink(missing_ok=True)
            return changed

    # ---- parts of the above, under the lock

    def _known(self, token: str) -> str:
        who = self.owner_of(token)
        if who is None:
            raise Refused("this token is not known to the board. Ask whoever runs it for one.")
        return who

    def _own(self, token: str, entry: Entry) -> Entry:
        """An upload as it is now. Somebody else's and none at all are told alike."""
        who, found = self._known(token), self.find(entry.id)
        if found is None or found.who != who:
            raise Refused("there is no such upload of yours.")
        return found

    def _one_more(self, before: Entry | None, who: str, now: float) -> tuple[tuple[str, float], ...]:
        """The times at which a content was sent, with one more. Raises Refused where there were too many."""
        everything = self.entries()
        times = sorted(t for e in everything for name, t in e.sent if name == who and t > now - _DAY)
        if len(times) >= self.per_day:
            hours = (times[-self.per_day] + _DAY - now) / 3600
            raise Refused(
                f"{len(times)} uploads with this token in the last 24 hours; {self.per_day} are allowed. Come back in {max(1, round(hours))} h."
            )
        if sum(not e.ended for e in everything) >= self.longest:
            raise Refused(f"{self.longest} uploads are waiting already. Come back later.")
        earlier = () if before is None else tuple(one for one in before.sent if one[1] > now - _DAY)
        return (*earlier, (who, now))

    def _changed(self, entry: Entry, values: dict[str, object]) -> Entry:
        changed = replace(entry, changed=time.time(), **values)  # type: ignore[arg-type]
        self._write(changed)
        return changed

    def _clear(self, entry: Entry) -> None:
        """Delete the content of an upload and what was made of it; its state stays."""
        self.file_of(entry).unlink(missing_ok=True)
        shutil.rmtree(self.board_of(entry), ignore_errors=True)

    def folder_of(self, entry: Entry) -> Path:
        """Folder of an upload."""
        assert ID.fullmatch(entry.id)
        return self.folder / entry.id

    def file_of(self, entry: Entry) -> Path:
        """Where its content lies."""
        return self.folder_of(entry) / f"submission{entry.suffix}"

    def board_of(self, entry: Entry) -> Path:
        """Folder of its result while it is private."""
        return self.folder_of(entry) / "board"

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


def _already(known: Entry, who: str) -> str:
    """What is told of an upload that is there; of somebody else's only that it is."""
    if known.who != who:
        return "the same content was sent by somebody else. It counts once."
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(known.received))
    return f"the same content was uploaded before ({known.id[:12]}, {when}); its state is: {known.state}."
