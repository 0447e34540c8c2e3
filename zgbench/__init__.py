"""zgbench: the benchmark for zero-guidance segmentation.

Public names are loaded when they are first used, so that ``import zgbench`` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from zgbench.version import __version__

if TYPE_CHECKING:
    from zgbench.datasets import Dataset, open_dataset
    from zgbench.errors import DataError, InputError, ModelUnavailable, UsageError, ZgbenchError
    from zgbench.evaluation import evaluate
    from zgbench.protocol import PRESETS, Protocol
    from zgbench.scores.comparison import Comparison, compare
    from zgbench.scores.result import Evaluation
    from zgbench.submission.convert import convert
    from zgbench.submission.problems import Problem, Report, SubmissionError
    from zgbench.submission.writer import SubmissionWriter
    from zgbench.validation import validate

_PLACES = {
    "Comparison": "scores.comparison",
    "DataError": "errors",
    "Dataset": "datasets",
    "Evaluation": "scores.result",
    "InputError": "errors",
    "ModelUnavailable": "errors",
    "PRESETS": "protocol",
    "Problem": "submission.problems",
    "Protocol": "protocol",
    "Report": "submission.problems",
    "SubmissionError": "submission.problems",
    "SubmissionWriter": "submission.writer",
    "UsageError": "errors",
    "ZgbenchError": "errors",
    "compare": "scores.comparison",
    "convert": "submission.convert",
    "evaluate": "evaluation",
    "open_dataset": "datasets",
    "validate": "validation",
}

__all__ = [
    "PRESETS", "Comparison", "DataError", "Dataset", "Evaluation", "InputError", "ModelUnavailable", "Problem",
    "Protocol", "Report", "SubmissionError", "SubmissionWriter", "UsageError", "ZgbenchError", "__version__",
    "compare", "convert", "evaluate", "open_dataset", "validate",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'zgbench' has no attribute {name!r}")
    return getattr(import_module(f"zgbench.{_PLACES[name]}"), name)
