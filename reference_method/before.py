"""``zgbench reference bench --before CHECKOUT``: the same work by another state of zgbench, in a process of its own.

The other state brings its own models' loading, ZeroCap and stages; the tokenizer and the number of tokens come from here. It
must be of commit e87225b or later. Its times are the processor's.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from zgbench.errors import UsageError, ZgbenchError

_PROGRAM = """
import contextlib, dataclasses, io, json, sys, time
time.perf_counter = time.process_time  # what stages are measured with
import torch, transformers
folder, size, segments, tokens, place = json.loads(sys.argv[1])
tokenizer = transformers.AutoTokenizer.from_pretrained(**place)
transformers.AutoTokenizer.from_pretrained = lambda *_, **__: tokenizer
import reference_method
assert reference_method.__file__.startswith(folder), reference_method.__file__
import reference_method.bench as bench
models = bench._Models(bench.SIZES[size], "cpu")
for line in sys.stdin:
    asked = json.loads(line)
    if asked is None:
        asked = {"naming": dataclasses.replace(models.size.naming, max_tokens=tokens)}
        if hasattr(models.size, "tokens"):  # not from the first
            asked["tokens"] = tokens
        models.size = dataclasses.replace(models.size, **asked)
        told = io.StringIO()
        with contextlib.redirect_stdout(told):
            bench._stages(models, segments, "fp32")
        found = told.getvalue()
    else:
        tokens_of_names, count = asked
        config = dataclasses.replace(models.size.naming, max_tokens=tokens_of_names)
        width = models.clip.text_projection.shape[1]
        targets = torch.randn(count, width, generator=torch.Generator().manual_seed(1))
        text = bench.ClipText(models.clip, models.clip_tokenizer)
        namer = bench.ZeroCap(bench.LanguageModel(models.language, models.tokenizer), text, config)
        begin = time.process_time()
        names = namer.name(targets)
        found = time.process_time() - begin, names
    print("answer", json.dumps(found), flush=True)
"""


class Before:
    """Another checkout, with its models loaded.

    Args:
        folder: the checkout.
        size: of the models, see :data:`reference_method.bench.SIZES`.
        segments: of the photo.
        tokens: of a name, where one photo goes through the method.
        place: of the tokenizer, as ``AutoTokenizer.from_pretrained`` takes it.

    Raises:
        UsageError: no checkout.
        ZgbenchError: one that cannot do this (when it is asked).
    """

    def __init__(self, folder: Path, size: str, segments: int, tokens: int, place: dict[str, str]) -> None:
        self._folder = folder.resolve()
        if not (self._folder / "reference_method" / "bench.py").is_file():
            raise UsageError(f"--before {folder}: expected a checkout of zgbench, such as `git worktree add` makes.")
        argument = json.dumps([str(self._folder), size, segments, tokens, place])
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, argument], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(self._folder)}, cwd=self._folder,
        )  # fmt: skip

    def __enter__(self) -> Before:
        return self

    def __exit__(self, *_: Any) -> None:
        self._process.kill()
        with contextlib.suppress(BrokenPipeError):  # what it was not there to read
            self._process.communicate()

    def names(self, tokens: int, count: int) -> tuple[float, list[str]]:
        """Seconds that naming as many drawn embeddings takes, and the names."""
        seconds, names = self._ask([tokens, count])
        return seconds, names

    def stages(self) -> str:
        """One photo through the whole method: what it prints."""
        return str(self._ask(None))

    def _ask(self, question: list[int] | None) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass
        for line in self._process.stdout:
            if line.startswith("answer "):
                return json.loads(line.removeprefix("answer "))
        raise ZgbenchError(f"--before {self._folder}: that state of zgbench ended with an error, see above.")
