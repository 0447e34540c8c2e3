"""Mutation testing of the files that scores follow from: each mutant is one small fault, and a test must see it.

    python tests/mutation/run.py                     # all of TARGETS
    python tests/mutation/run.py zgbench/pixels/counts.py --most 40

Each mutant runs in a forked process, with numpy and its like loaded before, on the tests that are named for its file. What
survives is listed; docs/mutation.md explains what may.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import importlib.abc
import importlib.util
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PIXELS = ["tests/pixels/test_joint_histograms.py", "tests/pixels/test_counts.py", "tests/test_evaluate.py"]
FIELD = [
    "tests/scores/test_class_scores.py",
    "tests/scores/test_label_scores.py",
    "tests/scores/test_field_scores_on_mini.py",
]
SCORES = [
    "tests/scores/test_metrics.py",
    "tests/scores/test_reassignment.py",
    "tests/pixels/test_counts.py",
    "tests/test_evaluate.py",
]
TARGETS = {
    "zgbench/pixels/counts.py": PIXELS,
    "zgbench/pixels/joint_histograms.py": PIXELS,
    "zgbench/scores/metrics.py": [*SCORES, "tests/scores/test_class_scores.py"],
    "zgbench/scores/reassignment.py": SCORES,
    "zgbench/scores/verification.py": [*SCORES, "tests/scores/test_lexical.py"],
    "zgbench/scores/text_generation.py": SCORES,
    "zgbench/statistics/resampling.py": ["tests/statistics/test_resampling.py", "tests/scores/test_comparison.py"],
    **{
        f"zgbench/scores/families/{name}.py": FIELD
        for name in ("presence", "panoptic", "open_iou", "united", "cased", "oracle_track")
    },
    "zgbench/pixels/pixel_pass.py": ["tests/pixels/test_refusals.py", "tests/pixels/test_pixel_pass.py"],
}
SECONDS = 240
COMPARE = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq}
ARITHMETIC = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd}  # fmt: skip


def mutants(tree: ast.Module) -> Iterator[tuple[int, str, ast.Module]]:
    """Line, what was changed, and the changed tree."""
    for number, node in enumerate(ast.walk(tree)):
        for what, change in _changes(node):
            mutated = copy.deepcopy(tree)
            change(next(n for k, n in enumerate(ast.walk(mutated)) if k == number))
            yield getattr(node, "lineno", 0), what, ast.fix_missing_locations(mutated)


def _changes(node: ast.AST) -> Iterator[tuple[str, Callable[[Any], None]]]:
    if isinstance(node, ast.Compare) and (other := COMPARE.get(type(node.ops[0]))) is not None:
        yield f"{type(node.ops[0]).__name__} → {other.__name__}", lambda n: n.ops.__setitem__(0, other())
    elif isinstance(node, ast.BinOp) and (other := ARITHMETIC.get(type(node.op))) is not None and not _annotation(node):
        yield f"{type(node.op).__name__} → {other.__name__}", lambda n: setattr(n, "op", other())
    elif isinstance(node, ast.BoolOp):
        swapped = ast.Or if isinstance(node.op, ast.And) else ast.And
        yield f"{type(node.op).__name__} → {swapped.__name__}", lambda n: setattr(n, "op", swapped())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.Invert | ast.USub):
        yield f"{type(node.op).__name__} removed", lambda n: setattr(n, "op", ast.UAdd()) if isinstance(n.op, ast.USub) else _twice(n)  # fmt: skip
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield f"{node.value} → {not node.value}", lambda n: setattr(n, "value", not n.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield f"{node.value} → {node.value + 1}", lambda n: setattr(n, "value", n.value + 1)


def _twice(node: ast.UnaryOp) -> None:
    node.operand = ast.UnaryOp(op=type(node.op)(), operand=node.operand)


def _annotation(node: ast.BinOp) -> bool:
    """``int | None`` and the like, which no test can see."""
    parts = (node.left, node.right)
    return isinstance(node.op, ast.BitOr) and any(isinstance(p, ast.Constant) and p.value is None for p in parts)


class _Mutated(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives the changed module in place of the file."""

    def __init__(self, name: str, path: Path, tree: ast.Module) -> None:
        self.name, self.path, self.code = name, path, compile(tree, str(path), "exec")

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        return importlib.util.spec_from_file_location(name, self.path, loader=self) if name == self.name else None

    def exec_module(self, module: Any) -> None:
        exec(self.code, module.__dict__)


def killed(file: str, tree: ast.Module, tests: list[str]) -> bool:
    """Whether any test fails, or the tests do not end."""
    child = os.fork()
    if child == 0:
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        signal.alarm(SECONDS)
        sys.meta_path.insert(0, _Mutated(file.removesuffix(".py").replace("/", "."), ROOT / file, tree))
        import pytest

        status = pytest.main(
            ["-x", "-q", "--assert=plain", "-p", "no:cacheprovider", "-m", "not slow", "--rootdir", str(ROOT), *tests]
        )
        os._exit(int(status))
    return os.waitpid(child, 0)[1] != 0


def main() -> int:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("files", nargs="*", default=list(TARGETS))
    p.add_argument("--most", type=int, default=10_000, help="mutants of a file, drawn at random")
    p.add_argument(
        "--first", type=int, default=99, help="of the tests' files the first ones alone: quick, and more survive"
    )
    p.add_argument("--seconds", type=float, default=float("inf"), help="no new mutant after so long")
    options = p.parse_args()
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    for module in ("numpy", "scipy.sparse", "pandas", "pyarrow.parquet", "PIL.Image", "torch"):
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    from zgbench.pixels import joint_histograms
    from zgbench.submission import rle

    if (
        joint_histograms._kernel is None or rle._kernel is None
    ):  # tests of the kernels would be skipped, and faults survive
        print("the compiled kernels are not there: python setup.py build_ext --inplace")
        return 1
    for module in [name for name in sys.modules if name.partition(".")[0] == "zgbench"]:
        del sys.modules[module]  # a mutant is found when its module is imported anew
    started, survivors = time.monotonic(), 0
    for file in options.files:
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        if killed(file, tree, TARGETS[file][: options.first]):
            print(f"{file}: its tests fail without a fault")
            return 1
        found = list(mutants(tree))
        chosen = found if len(found) <= options.most else random.Random(0).sample(found, options.most)
        tried = dead = 0
        for line, what, mutated in sorted(chosen, key=lambda m: m[0]):
            if time.monotonic() - started > options.seconds:
                break
            tried += 1
            if killed(file, mutated, TARGETS[file][: options.first]):
                dead += 1
            else:
                survivors += 1
                print(f"survived  {file}:{line}  {what}", flush=True)
        print(f"{file}: {dead} of {tried} mutants killed ({len(found)} possible)", flush=True)
    print(f"{survivors} survived, {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
