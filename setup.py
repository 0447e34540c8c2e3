"""Puts the page folders, which are no packages of their own, into the wheel as ``zgbench/_pages``; builds one kernel.

The kernel is optional: where there is no C compiler, zgbench is installed without it and does the same in numpy.
"""

import shutil
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent


class WithPages(build_py):
    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            for name in ("human_eval", "leaderboard"):
                target = Path(self.build_lib) / "zgbench/_pages" / name
                shutil.copytree(ROOT / name, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))


KERNEL = Extension("zgbench.submission._runs", ["zgbench/submission/_runs.c"], py_limited_api=True, optional=True)

setup(
    cmdclass={"build_py": WithPages},
    ext_modules=[KERNEL],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},  # one wheel a platform for every Python from 3.11 on
)
