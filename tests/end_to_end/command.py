"""The command line in tests: as a process of its own, or, where that shows nothing more, in this one."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import warnings
from pathlib import Path
from unittest import mock


def call(*arguments: object, status: int = 0, cwd: Path | None = None, **environment: str) -> tuple[str, str]:
    """Run a command as a process; gives what it wrote to standard output and to standard error."""
    env = {k: v for k, v in os.environ.items() if k != "ZGBENCH_DEBUG"}
    # no test may depend on a network: a hub that would answer is out of reach too
    env |= {"HF_HUB_OFFLINE": "1", "PYTHONWARNINGS": "ignore", **environment}
    done = subprocess.run(
        [sys.executable, "-m", "zgbench", *map(str, arguments)],
        capture_output=True, text=True, env=env, cwd=cwd, timeout=600, check=False,
    )  # fmt: skip
    return _checked(done.returncode, status, done.stdout, done.stderr)


def here(*arguments: object, status: int = 0, cwd: Path | None = None, **environment: str) -> tuple[str, str]:
    """As ``call``, in this process: importing torch and the model libraries for each command would take minutes."""
    from zgbench.cli import main

    out, err = io.StringIO(), io.StringIO()
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ, environment))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        if cwd is not None:
            stack.enter_context(contextlib.chdir(cwd))
        try:
            found = main([str(argument) for argument in arguments])
        except SystemExit as left:  # argparse's --help and wrong usage
            found = int(left.code or 0)
    return _checked(found, status, out.getvalue(), err.getvalue())


def _checked(found: int, status: int, out: str, err: str) -> tuple[str, str]:
    assert found == status, out + err
    assert "Traceback" not in err
    return out, err
