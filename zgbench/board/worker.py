"""Works a queue off: checks every upload at once, evaluates one at a time, each in a process with limits.

Two threads, so that a check never waits for an evaluation. A file lock each makes sure that only one of all server
processes works; when it ends, another takes over and begins anew what was left half-done.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from zgbench.board import placing
from zgbench.board.limited import Ended, Limits, run_limited
from zgbench.board.queue import Queue
from zgbench.board.queued import Entry, State
from zgbench.board.store import load_board
from zgbench.errors import UsageError, ZgbenchError
from zgbench.protocol import PRESETS
from zgbench.scores.result import RESULT

GIB = 1 << 30
CHECK = Limits(memory=2 * GIB, seconds=120)
_ATTEMPTS = 2
"""Evaluations of an upload that may be cut off by the end of the server."""
_PAUSE = 0.5
_REPORT = 20_000
_NO_EMBEDDINGS = 'The submission names an embeddings file. This board takes none: it makes segment embeddings itself. Remove "embeddings".'
_NO_DATA = "This board does not have the data set's files, so it cannot score it. Tell whoever runs it; then try again."
_NUMBERS = {
    "ZGBENCH_SUBMIT_MEMORY_GB": 8.0,
    "ZGBENCH_SUBMIT_MINUTES": 120.0,
    "ZGBENCH_SUBMIT_PER_DAY": 10.0,
}


@dataclass(frozen=True)
class Worker:
    """Does the work of one queue.

    Attributes:
        board: folder of results that evaluations are added to.
        data: folder of the data sets, None where there is only mini.
        protocol: preset that uploads are evaluated under; None for each data set's default.
        check, evaluation: limits of the two processes.
    """

    queue: Queue
    board: Path
    data: Path | None = None
    protocol: str | None = None
    check: Limits = CHECK
    evaluation: Limits = field(default_factory=lambda: Limits(int(8 * GIB), 7200))

    # ---- one step each

    def check_next(self) -> bool:
        """Check the upload that has waited longest; False when there is none."""
        entry = self._first("received")
        if entry is None:
            return False
        entry = self.queue.change(entry, state="checking")
        ended = self._run(entry, ["validate", f"submission{entry.suffix}", "--workers", "1"], self.check)
        if ended.broken.startswith("it took longer"):
            self._close(entry, "failed", f"The check was stopped: {ended.broken}. The server may have been busy.", "")
        elif ended.broken:
            self._close(
                entry, "refused", f"The check was stopped: {ended.broken}. No honest submission needs that.", ""
            )
        elif ended.status == 2 and ".safetensors: there is no such file" in ended.error:
            self._close(entry, "refused", _NO_EMBEDDINGS, ended.error)
        elif ended.status == 2:
            self._close(entry, "refused", _headline(ended.error), ended.error)
        elif ended.status != 0:
            self._close(entry, "failed", "The check itself went wrong. Tell whoever runs this board.", ended.error)
        elif "Not compared with the data set" in ended.out:
            self._close(entry, "failed", _NO_DATA, ended.out)
        elif there := [e.id for e in load_board(self.board).entries if e.submission_sha256 == entry.id and not e.id.startswith(f"{entry.stem}.")]:  # fmt: skip
            self._close(entry, "refused", f"The board has this very submission already, as {there[0]}. It counts once.", "")  # fmt: skip
        else:
            self.queue.change(entry, state="queued", report=self._told(ended.out))
        return True

    def evaluate_next(self) -> bool:
        """Evaluate the checked upload that has waited longest and add its result to the board; False if there is none."""
        entry = self._first("queued")
        if entry is None:
            return False
        entry = self.queue.change(entry, state="running", attempts=entry.attempts + 1)
        arguments = ["leaderboard", "add", f"submission{entry.suffix}", "--stem", entry.stem, "--workers", "1"]
        board = (
            ["--board", str(self.queue.board_of(entry)), "--no-copy"] if entry.private else ["--board", str(self.board)]
        )
        arguments += board + (["--protocol", self.protocol] if self.protocol else [])
        ended = self._run(entry, arguments, self.evaluation)
        if ended.broken:
            entry = self._close(entry, "failed", f"The evaluation was stopped: {ended.broken}.", entry.report)
        elif ended.status != 0:
            entry = self._close(entry, "failed", _headline(ended.error), ended.error)
        else:
            entry = self._close(entry, "done", "", ended.out)
        self.place(entry)
        return True

    # ---- what an owner may do

    def describe(self, token: str, entry: Entry, *, name: str | None = None, private: bool | None = None) -> Entry:
        """Rename an upload, keep its result private or publish it. Raises Refused: see :meth:`Queue.describe`."""
        changed = self.queue.describe(token, entry, name=name, private=private)
        self.place(changed)
        return changed

    def withdraw(self, token: str, entry: Entry) -> Entry:
        """Take an upload back, its result as well. Raises Refused: see :meth:`Queue.withdraw`."""
        changed = self.queue.withdraw(token, entry)
        self.place(changed)
        return changed

    def private_results(self, entry: Entry) -> list[tuple[str, bytes]]:
        """Name and content of each result file of an upload that is kept private."""
        folder = self.queue.board_of(entry)
        places = [folder / f"{base}{RESULT}" for base in placing.bases(folder, entry.stem)]
        return [(place.name, place.read_bytes()) for place in places]

    def place(self, entry: Entry) -> None:
        """Let the files of a result lie where its owner wants them: on the board, apart, or nowhere."""
        with self._placing():
            now = self.queue.find(entry.id)
            apart = self.queue.board_of(entry)
            if now is None or now.state == "withdrawn":
                placing.remove(entry, self.board)
            elif now.state == "done" and now.private:
                placing.hide(now, apart, self.board)
            elif now.state == "done":
                placing.publish(now, apart, self.queue.file_of(now), self.board)

    @contextmanager
    def _placing(self) -> Iterator[None]:
        import fcntl

        self.queue.folder.mkdir(parents=True, exist_ok=True)
        with (self.queue.folder / "placing.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def recover(self, state: State) -> None:
        """Begin anew what the end of an earlier server left in ``checking`` or ``running``."""
        for entry in self.queue.entries():
            if entry.state != state:
                continue
            if state == "checking":
                self.queue.change(entry, state="received")
            elif entry.attempts < _ATTEMPTS:
                self.queue.change(entry, state="queued")
            else:
                self._close(entry, "failed", f"The server ended {entry.attempts} times while this was evaluated.", "")

    def _first(self, state: State) -> Entry | None:
        return next((entry for entry in self.queue.entries() if entry.state == state), None)

    def _run(self, entry: Entry, arguments: list[str], limits: Limits) -> Ended:
        if self.data is not None:
            arguments = [*arguments, "--data", str(self.data)]
        environment = {k: v for k, v in os.environ.items() if k not in ("ZGBENCH_DATA", "ZGBENCH_DEBUG")}
        if not self._waits(entry):  # withdrawn a moment ago
            return Ended(None, "", "", "it was withdrawn")
        folder = self.queue.folder_of(entry)
        return run_limited(arguments, folder, limits, environment, wanted=lambda: self._waits(entry))

    def _waits(self, entry: Entry) -> bool:
        now = self.queue.find(entry.id)
        return now is not None and now.received == entry.received and not now.ended

    def _close(self, entry: Entry, state: State, reason: str, report: str) -> Entry:
        return self.queue.change(entry, state=state, reason=self._told(reason), report=self._told(report))

    def _told(self, text: str) -> str:
        """A text without the folders of this machine."""
        for place, name in ((self.data, "DATA"), (self.board, "BOARD"), (self.queue.folder, "QUEUE")):
            if place is not None:
                text = text.replace(str(place), name)
        return text.removeprefix("zgbench: ")[:_REPORT]

    # ---- going on

    def start(self) -> None:
        """Work in two threads for as long as this process lives."""
        for name, state, step in (
            ("checker", "checking", self.check_next),
            ("evaluator", "running", self.evaluate_next),
        ):
            threading.Thread(target=self._go_on, args=(name, state, step), name=f"zgbench-{name}", daemon=True).start()

    def _go_on(self, name: str, state: State, step: Callable[[], bool]) -> None:
        import fcntl

        self.queue.folder.mkdir(parents=True, exist_ok=True)
        with (self.queue.folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # until whoever worked before has ended
            self.recover(state)
            while True:
                try:
                    worked = step()
                except (OSError, ZgbenchError) as error:  # a full disk, a folder taken away: the queue is as it was
                    print(f"zgbench: {name}: {error}", flush=True)
                    worked = False
                if not worked:
                    time.sleep(_PAUSE)


def from_environment(environment: Mapping[str, str], board: Path, data: Path | None) -> Worker | None:
    """The worker that the variables ``ZGBENCH_SUBMIT…`` ask for; None where uploads are not wanted.

    Raises:
        UsageError: a variable is not a number above zero, the folder not an absolute path, or there is no such protocol.
    """
    folder = environment.get("ZGBENCH_SUBMIT")
    if not folder:
        return None
    if not Path(folder).is_absolute():  # the pages run in a folder of their own
        raise UsageError(f"ZGBENCH_SUBMIT={folder}: expected an absolute path.")
    values = {}
    for name, default in _NUMBERS.items():
        text = environment.get(name) or str(default)
        if not re.fullmatch(r"\d+(\.\d+)?", text) or float(text) <= 0:
            raise UsageError(f"{name}={text}: expected a number above zero.")
        values[name] = float(text)
    memory, minutes, per_day = values.values()
    protocol = environment.get("ZGBENCH_SUBMIT_PROTOCOL") or None
    if protocol is not None and protocol not in PRESETS:
        raise UsageError(f"ZGBENCH_SUBMIT_PROTOCOL={protocol}: expected one of {', '.join(PRESETS)}.")
    queue = Queue(Path(folder), per_day=max(1, int(per_day)))
    return Worker(queue, board.resolve(), data, protocol, evaluation=Limits(int(memory * GIB), 60 * minutes))


def _headline(report: str) -> str:
    """The first line of a report; of a list of problems, with the first of them."""
    lines = [line.strip() for line in report.splitlines() if line.strip()]
    if not lines:
        return "No reason was given."
    text = " – ".join(lines[:2]) if re.search(r"rejected, \d+\+? problems?$", lines[0]) else lines[0]
    return text if len(text) <= 400 else f"{text[:400]}…"
