"""The command line. Exit status: 0 done, 2 wrong usage or rejected input, 1 anything else.

Only argparse is imported here; each command imports what it needs when it runs.
"""

from __future__ import annotations

import argparse
import atexit
import contextlib
import json
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from zgbench.cli.console import level, set_up
from zgbench.cli.parser import build_parser
from zgbench.cli.stopping import Stopped, stopping
from zgbench.errors import ZgbenchError
from zgbench.extras import need


def command() -> NoReturn:
    """``zgbench`` in a terminal: :func:`main`, and the end of the process.

    What PyTorch and its like have loaded is not freed object by object, as the interpreter does in one to two seconds:
    the system frees it at once.
    """
    status = main()
    with contextlib.suppress(Exception):
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    parser = build_parser()
    try:
        with stopping():
            return _run(parser, arguments)
    except Stopped as stop:
        print(f"zgbench: ended by {stop.name}; nothing was left half-written.", file=sys.stderr)
        return 128 + stop.number


def _run(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> int:
    options = argparse.Namespace()
    try:
        options = parser.parse_args(arguments)
        set_up(options)
        if getattr(options, "models", None) is not None:  # for worker processes as well
            os.environ["ZGBENCH_MODELS"] = options.models
        if (needs := getattr(options, "needs", None)) is not None:  # before anything that would import its packages
            need(needs, str(options.command))
        status: int = options.run(options)
        sys.stdout.flush()
        return status
    except ZgbenchError as error:
        if options.__dict__.get("json") is True or options.__dict__.get("format") == "json":
            print(json.dumps(_rejection(error), indent=1, ensure_ascii=False))
        print(f"zgbench: {error}", file=sys.stderr)
        return error.exit_status
    except Stopped:
        raise
    except KeyboardInterrupt:
        print("zgbench: interrupted; nothing was left half-written.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output went away (… | head)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except argparse.ArgumentError as error:
        print(f"zgbench: {error}", file=sys.stderr)
        return 2
    except OSError as error:  # of the machine: a full disk behind our output, a disk that cannot be read
        place = f"{error.filename}: " if error.filename is not None else ""
        print(f"zgbench: {place}{error.strerror or error}. Free some space or look after the disk.", file=sys.stderr)
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:  # a bug of ours: one line for the user, the whole for us when asked for
        if os.environ.get("ZGBENCH_DEBUG") or level.verbose:
            raise
        print(
            f"zgbench: internal error: {type(error).__name__}: {error}\nThis is a bug of zgbench. Please report it with the output of the same command under ZGBENCH_DEBUG=1.",
            file=sys.stderr,
        )
        return 1


def _rejection(error: ZgbenchError) -> dict[str, Any]:
    from zgbench.submission.problems import rejection

    return rejection(error)
