"""Wheel and sdist hold what git tracks and nothing else; the wheel carries the page folders as ``zgbench/_pages``.

Two kernels are compiled. They are optional: where there is no C compiler, zgbench is installed without them and does the
same in numpy.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

ROOT = Path(__file__).resolve().parent
PACKAGES, PAGES = ("zgbench", "reference_method"), ("human_eval", "leaderboard")


def tracked() -> list[str]:
    """Files of this checkout that git tracks; of an unpacked sdist, which has no git, all that it holds."""
    if not (ROOT / ".git").exists():
        return sorted(file.relative_to(ROOT).as_posix() for file in _walk(ROOT))
    told = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return [name for name in told.split("\0") if name and (ROOT / name).is_file()]


def _walk(folder: Path) -> Iterator[Path]:
    for entry in os.scandir(folder):
        if entry.is_file():
            yield Path(entry)
        elif entry.name not in ("build", "dist", "__pycache__") and not entry.name.endswith(".egg-info"):
            yield from _walk(Path(entry))


class TrackedOnly(build_py):
    def run(self) -> None:
        if self.editable_mode:
            super().run()
            return
        shutil.rmtree(self.build_lib, ignore_errors=True)  # of an older build: what was deleted since would come along
        super().run()
        files = tracked()
        packaged = {Path(self.build_lib, name) for name in files if name.startswith(PACKAGES)}
        for file in _walk(Path(self.build_lib)):
            if file not in packaged:
                file.unlink()
        for name in files:
            if name.split("/")[0] in PAGES:
                target = Path(self.build_lib, "zgbench/_pages", name)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, target)


class TrackedSources(sdist):
    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        made = [name for name in files if ".egg-info/" in name.replace(os.sep, "/")]
        super().make_release_tree(base_dir, [*tracked(), *made])


KERNELS = [
    Extension(f"zgbench.{name.replace('/', '.')}", [f"zgbench/{name}.c"], py_limited_api=True, optional=True)
    for name in ("submission/_runs", "pixels/_tally")
]

setup(
    cmdclass={"build_py": TrackedOnly, "sdist": TrackedSources},
    ext_modules=KERNELS,
    options={"bdist_wheel": {"py_limited_api": "cp311"}},  # one wheel a platform for every Python from 3.11 on
)
