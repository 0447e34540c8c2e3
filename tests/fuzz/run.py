"""Coverage-guided fuzzing with atheris: ``python -m tests.fuzz.run TARGET… --seconds 600 --work DIR``, each in turn.

Runs from the seeds and from the inputs of ``tests/fuzz/corpus``, which earlier runs kept. An input that breaks something is written to
``DIR/<target>/findings`` and the run goes on; one that kills the process (a crash in C) is left there by libFuzzer.
Prints how many inputs were run, and how many kinds of findings there are. Exit status 1 when there are any.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path

import atheris

from tests.fuzz.scratch import VARIABLE, scratch

INSTRUMENTED = ["zgbench", "tests.fuzz.targets", "PIL.PngImagePlugin", "PIL.ImageFile", "ijson"]


def main() -> int:
    """Run targets for some seconds each, in processes that are started again when they crash."""
    parser = argparse.ArgumentParser()
    parser.add_argument("target", nargs="+")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", action="store_true", help="stop at the first finding of a target")
    options = parser.parse_args()
    os.environ[VARIABLE] = str(scratch())
    with atheris.instrument_imports(include=INSTRUMENTED, enable_loader_override=False):
        from tests.fuzz import targets
    known = targets.TARGETS | {"planted": targets.planted}
    broken = [
        target
        for target in options.target
        if _watched(target, known[target], options.work / target, options.seconds, options.seed, first=options.first)
    ]
    return 1 if broken else 0


def _watched(target: str, run: Callable[[bytes], None], folder: Path, seconds: int, seed: int, *, first: bool) -> bool:
    """Fuzz a target, again after each crash, until the time is over. Whether anything was found."""
    _plant(target, folder)
    end = time.monotonic() + seconds
    starts = 0
    while (left := round(end - time.monotonic())) > 0:
        work = partial(_fuzz, target, run, folder, left, seed + starts, first=first)
        status = _forked(work, folder / "log.txt")
        starts += 1
        if starts > 50 or (first and any((folder / "findings").iterdir())):
            break
        if status != 0:
            print(f"{target}: a process ended with status {status}", file=sys.stderr)
    found = sorted(p.name for p in (folder / "findings").iterdir() if p.suffix != ".txt")
    print(f"{target}: {_runs(folder)} inputs, {len(list((folder / 'corpus').iterdir()))} kept for coverage, "
          f"{len(found)} findings {found}, {starts} processes", flush=True)  # fmt: skip
    return bool(found)


def _forked(work: Callable[[], None], log: Path) -> int:
    """The exit status of a process that does the work: a copy of this one, as importing and instrumenting takes seconds."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = 1
    try:
        with log.open("ab") as out:
            os.dup2(out.fileno(), 1)
            os.dup2(out.fileno(), 2)
        work()
        status = 0
    finally:
        os._exit(status)


def _plant(target: str, folder: Path) -> None:
    from tests.fuzz.seeds import dictionary, kept, seeds

    (folder / "corpus").mkdir(parents=True, exist_ok=True)
    (folder / "findings").mkdir(exist_ok=True)
    for content in [*seeds(target), *kept(target).values()]:
        (folder / "corpus" / hashlib.sha256(content).hexdigest()[:16]).write_bytes(content)
    words = ['"' + "".join(f"\\x{b:02x}" for b in word) + '"' for word in dictionary(target)]
    (folder / "words.txt").write_text("\n".join(words) + "\n")


def _runs(folder: Path) -> int:
    """Inputs run, as the counters of the processes say."""
    return sum(int(path.read_text()) for path in folder.glob("count-*"))


def _fuzz(target: str, run: Callable[[bytes], None], folder: Path, seconds: int, seed: int, *, first: bool) -> None:
    limit = 6 << 30
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    counter, done = folder / f"count-{os.getpid()}", [0]

    def one(data: bytes) -> None:
        done[0] += 1
        if done[0] & 63 == 1:
            counter.write_text(str(done[0]))
        try:
            run(data)
        except Exception as error:
            _note(folder / "findings", data, error)
            if first:
                counter.write_text(str(done[0]))
                os._exit(0)

    options = [
        sys.argv[0], str(folder / "corpus"), f"-max_total_time={seconds}", f"-dict={folder / 'words.txt'}", "-timeout=60",
        f"-seed={seed}", "-rss_limit_mb=5000", f"-artifact_prefix={folder / 'findings'}/", "-max_len=8192", "-print_final_stats=1",
    ]  # fmt: skip
    if target in ("truth_png", "label_map_file"):
        from tests.fuzz.targets import mend_png

        def mutate(data: bytes, max_size: int, _seed: int) -> bytes:
            return mend_png(atheris.Mutate(data, max_size))[:max_size]

        atheris.Setup(options, one, custom_mutator=mutate)
    else:
        atheris.Setup(options, one)
    atheris.Fuzz()


def _note(folder: Path, data: bytes, error: Exception) -> None:
    """Keep the smallest input of each kind of finding."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "zgbench" in f.filename] or frames
    words = str(error).split()[:3] if type(error).__name__ == "Broken" else []
    kind = f"{type(error).__name__}-{Path(ours[-1].filename).stem}-{ours[-1].lineno}-{'-'.join(words)}"
    name = "".join(c if c.isalnum() or c in "-_" else "_" for c in kind)[:80]
    place = folder / name
    if not place.exists() or len(data) < place.stat().st_size:
        place.write_bytes(data)
        place.with_suffix(".txt").write_text("".join(traceback.format_exception(error)))


if __name__ == "__main__":
    sys.exit(main())
