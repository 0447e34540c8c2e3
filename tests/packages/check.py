"""Builds sdist and wheel, and uses them as a stranger would: installed outside of the repository, with one extra at a time.

    python tests/packages/check.py                          # this Python; bare and [apps]: what .ci/run does
    python tests/packages/check.py --full                   # bare, [apps], [offline], [reference] on every Python at hand
    python tests/packages/check.py --lowest --extra ...     # with the lowest versions that the bounds allow

Needs ``build`` and ``uv`` (``pip install 'zgbench[dev]'``) and the package index.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHONS = ("3.11", "3.12", "3.13")
EXTRAS = ("", "apps", "offline", "reference")
CORE_MB = 450  # of a bare environment, as installed
PORT = 18_631


class Wrong(Exception):
    """Something did not go as it should."""


def run(*command: str | Path, cwd: Path, expect: int = 0, says: str = "", limit: float = 900) -> str:
    """Run a command with a clean environment; its output.

    Raises:
        Wrong: another exit status than expected, or it does not say what it should.
    """
    keep = {
        name: value for name, value in os.environ.items() if not name.startswith(("ZGBENCH_", "PYTHON", "VIRTUAL_ENV"))
    }
    keep |= {"ZGBENCH_CACHE": str(cwd / "cache"), "HF_HOME": str(cwd / "hub"), "HF_HUB_OFFLINE": "1"}  # a new user's
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=keep, capture_output=True, text=True, timeout=limit, check=False
    )
    told = done.stdout + done.stderr
    if done.returncode != expect or says not in told:
        raise Wrong(
            f"{' '.join(map(str, command))}: status {done.returncode}, expected {expect} {says!r}\n{told[-3000:]}"
        )
    return told


def build(work: Path) -> tuple[Path, Path]:
    """The sdist of this checkout, with stray files about, and the wheel that is built from it.

    Raises:
        Wrong: they hold anything that git does not track, or lack what it does.
    """
    source = work / "checkout"
    run("git", "clone", "--quiet", ROOT, source, cwd=work)
    # what is changed here and not committed is built too, so that the check can be run before a commit
    for name in run("git", "ls-files", "--modified", "-z", cwd=ROOT).split("\0"):
        if name and (ROOT / name).is_file():
            shutil.copy2(ROOT / name, source / name)
    strays = ["zgbench/stray.py", "zgbench/datasets/data/stray.txt", "leaderboard/results/stray.json", "stray.md"]
    strays.append("build/lib/zgbench/_pages/leaderboard/results/stray.json")
    for name in strays:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text("stray")
    run(sys.executable, "-m", "build", "--outdir", work / "dist", source, cwd=work)
    (sdist,), (wheel,) = (list((work / "dist").glob(pattern)) for pattern in ("*.tar.gz", "*.whl"))
    tracked = set(run("git", "ls-files", cwd=source).splitlines())
    with tarfile.open(sdist) as archive:
        held = {member.name.partition("/")[2] for member in archive if member.isfile()}
    _same("sdist", {name for name in held if ".egg-info/" not in name} - {"PKG-INFO", "setup.cfg"}, tracked)
    with zipfile.ZipFile(wheel) as archive:
        held = {name.removeprefix("zgbench/_pages/") for name in archive.namelist() if ".dist-info/" not in name}
        held = {name for name in held if Path(name).suffix not in (".so", ".pyd")}  # the compiled kernel
    rooms = ("zgbench/", "reference_method/", "human_eval/", "leaderboard/")
    _same("wheel", held, {name for name in tracked if name.startswith(rooms)})
    return sdist, wheel


def _same(what: str, held: set[str], tracked: set[str]) -> None:
    if strangers := held - tracked:
        raise Wrong(f"{what}: holds what git does not track: {sorted(strangers)[:5]}")
    if lost := tracked - held:
        raise Wrong(f"{what}: lacks {sorted(lost)[:5]}")


def interpreter(version: str) -> str | None:
    """A Python of this machine, such as ``3.12``; None where there is none. None is downloaded."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for found in (shutil.which(f"python{version}"), *sorted(map(str, root.glob(f"{version}.*/bin/python")))):
        if found is not None:
            about = subprocess.run([found, "--version"], capture_output=True, text=True, check=False)
            if about.returncode == 0 and about.stdout.startswith(f"Python {version}."):
                return found
    return None


def install(wheel: Path, python: str, extra: str, place: Path, *, lowest: bool) -> float:
    """A fresh environment with the wheel; its size in MB."""
    uv = [sys.executable, "-m", "uv"]
    run(*uv, "venv", "--quiet", "--python", python, place, cwd=place.parent)
    wanted = f"{wheel}[{extra}]" if extra else str(wheel)
    how = ["--resolution", "lowest-direct"] if lowest else ["--constraint", ROOT / "constraints.txt"]
    run(*uv, "pip", "install", "--quiet", "--python", place / "bin/python", *how, wanted, cwd=place.parent, limit=1800)
    return sum(file.lstat().st_size for file in place.rglob("*") if file.is_file()) / 1e6


def try_bare(zgbench: Path, work: Path) -> None:
    """What needs no extra works; what needs one says which, at once."""
    run(zgbench, "validate", "demo.json", cwd=work)
    run(zgbench, "evaluate", "demo.json", "--reassign", "lt", "--out", "lt", cwd=work)
    run(zgbench, "leaderboard", "export", "board", cwd=work)
    run(zgbench, "doctor", cwd=work, says="pip install 'zgbench[reference]'")
    for command, extra in (
        (["evaluate", "demo.json"], "offline"),
        (["evaluate", "demo.json", "--reassign", "st"], "models"),
        (["reference", "run", "--dataset", "mini", "--out", "r.json"], "reference"),
        (["leaderboard", "serve"], "apps"),
        (["rate", "--ratings", "study.db"], "apps"),
        (["ratings", "status", "--ratings", "study.db"], "ratings"),
        (["datasets", "prepare", "mini", "--out", "store"], "store"),
    ):
        run(zgbench, *command, cwd=work, expect=1, says=f"pip install 'zgbench[{extra}]'", limit=30)


def try_apps(zgbench: Path, work: Path) -> None:
    """Both pages answer."""
    run(zgbench, "ratings", "sample", "demo.json", "--n", "20", "--ratings", "study.db", cwd=work)
    run(zgbench, "leaderboard", "export", "board", cwd=work)
    for command in (["leaderboard", "serve"], ["rate", "--ratings", "study.db"]):
        with _served([str(zgbench), *command, "--port", str(PORT)], work):
            _answers(f"http://127.0.0.1:{PORT}/")


def try_offline(zgbench: Path, work: Path) -> None:
    """The demo has the scores that are stored in the repository."""
    run(zgbench, "evaluate", "demo.json", "--out", "results", cwd=work)
    found = json.loads((work / "results/demo.mini.result.json").read_text())
    stored = json.loads((ROOT / "leaderboard/results/demo.mini.result.json").read_text())
    scores = [
        {
            (row["reassign"], row["verify"]): (row["iou_image"]["value"], row["segments_kept"])
            for row in result["scores"]
        }
        for result in (found, stored)
    ]
    for key, (value, kept) in scores[1].items():
        if abs(scores[0][key][0] - value) > 1e-9 or scores[0][key][1] != kept:
            raise Wrong(f"{key}: {scores[0][key]}, stored is {value, kept}")


def try_reference(zgbench: Path, work: Path) -> None:
    """The reference method makes a sound submission."""
    run(zgbench, "reference", "run", "--dataset", "mini", "--subset", "first:2", "--out", "mine.json", cwd=work)
    run(zgbench, "validate", "mine.json", "--partial", cwd=work)


TRIES: dict[str, Callable[[Path, Path], None]] = {
    "": try_bare, "apps": try_apps, "offline": try_offline, "reference": try_reference,
}  # fmt: skip


@contextlib.contextmanager
def _served(command: list[str], work: Path) -> Iterator[None]:
    with (work / "server.log").open("w") as log:
        server = subprocess.Popen(command, cwd=work, stdout=log, stderr=log)
        try:
            yield
        finally:
            server.terminate()
            server.wait(30)


def _answers(address: str) -> None:
    for _ in range(120):
        with (
            contextlib.suppress(urllib.error.URLError, ConnectionError),
            urllib.request.urlopen(address, timeout=10) as page,
        ):
            if b"<title>" in page.read():
                return
        time.sleep(0.5)
    raise Wrong(f"{address} does not answer")


def main() -> int:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--full", action="store_true", help="every Python at hand, every extra")
    p.add_argument("--lowest", action="store_true", help="the lowest versions of what zgbench names itself")
    p.add_argument("--python", action="append", help="such as 3.12 (default: the one that runs this)")
    p.add_argument("--extra", action="append", choices=EXTRAS[1:], help="(default: apps)")
    options = p.parse_args()
    pythons = options.python or (PYTHONS if options.full else [f"{sys.version_info[0]}.{sys.version_info[1]}"])
    extras = ["", *(options.extra or ())] if options.extra or not options.full else EXTRAS
    extras = ["", "apps"] if not options.full and not options.extra else extras
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="zgbench-packages-") as name:
        work = Path(name)
        sdist, wheel = build(work)
        print(
            f"{sdist.name} {sdist.stat().st_size / 1e6:.1f} MB, {wheel.name} {wheel.stat().st_size / 1e6:.1f} MB: tracked files only"
        )
        for version in pythons:
            if (python := interpreter(version)) is None:
                print(f"absent Python {version}: not on this machine, so not tried")
                continue
            for extra in extras:
                started, title = time.perf_counter(), f"Python {version}, {f'[{extra}]' if extra else 'bare'}"
                place = work / "installed"
                try:
                    size = install(wheel, python, extra, place, lowest=options.lowest)
                    outside = work / "outside"
                    outside.mkdir()
                    shutil.copy2(ROOT / "submissions/demo.json", outside)
                    TRIES[extra](place / "bin/zgbench", outside)
                    if not extra and not options.lowest and size > CORE_MB:
                        raise Wrong(f"the bare environment has {size:.0f} MB, more than {CORE_MB}")
                    print(f"ok     {title}: {size:.0f} MB, {time.perf_counter() - started:.0f} s", flush=True)
                except (Wrong, subprocess.TimeoutExpired) as error:
                    wrong += 1
                    print(f"WRONG  {title}: {error}", flush=True)
                for folder in (place, work / "outside"):
                    shutil.rmtree(folder, ignore_errors=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
