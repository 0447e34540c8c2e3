"""Puts the page folders, which are no packages of their own, into the wheel as ``zgbench/_pages``."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent


class WithPages(build_py):
    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            for name in ("human_eval", "leaderboard"):
                target = Path(self.build_lib) / "zgbench/_pages" / name
                shutil.copytree(ROOT / name, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))


setup(cmdclass={"build_py": WithPages})
