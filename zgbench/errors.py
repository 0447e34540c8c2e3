"""Every error that zgbench raises on purpose.

    ZgbenchError              exit status 1
    ├── UsageError            exit status 2: an option, argument or combination that cannot work
    ├── InputError            exit status 2: a file that was rejected
    │   ├── SubmissionError   carries *all* problems of the submission (zgbench.submission.problems)
    │   └── DataError         the data set at hand: missing, incomplete or damaged
    ├── StoreUnavailable      exit status 2: a ratings store out of reach (zgbench.ratings.database)
    ├── ModelUnavailable      exit status 1: weights or an optional package (zgbench.extras) that could not be had
    └── InternalError         exit status 1: a worker died, or an invariant of zgbench broke

Messages say what was wrong, where, what was expected, what was found, and what to do next.
"""

from __future__ import annotations


class ZgbenchError(Exception):
    """Base of all errors that zgbench raises on purpose."""

    exit_status = 1


class UsageError(ZgbenchError):
    """An option, argument or combination of them that cannot work."""

    exit_status = 2


class InputError(ZgbenchError):
    """A file that was read and rejected."""

    exit_status = 2


class DataError(InputError):
    """The data set at hand is missing, incomplete or damaged."""


class ModelUnavailable(ZgbenchError):
    """A model's weights, or a package that it needs, could not be had.

    The message names the model, the cause, and the preset or command that would work.
    """


class InternalError(ZgbenchError):
    """A worker process died, or one of zgbench's own invariants did not hold."""
