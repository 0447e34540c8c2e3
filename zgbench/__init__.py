"""zgbench: the benchmark for zero-guidance segmentation.

Public names are loaded when they are first used, so that ``import zgbench`` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from zgbench.version import __version__

if TYPE_CHECKING:
    from zgbench.datasets import Dataset, open_dataset
    from zgbench.datasets.vocabulary import Vocabulary
    from zgbench.errors import DataError, InputError, ModelUnavailable, UsageError, ZgbenchError
    from zgbench.evaluation import evaluate
    from zgbench.pixels.counts import Counts
    from zgbench.protocol import PRESETS, Protocol
    from zgbench.scores.comparison import Comparison, Pair, compare
    from zgbench.scores.result import Evaluation
    from zgbench.scores.result_types import Result, ScoreRow
    from zgbench.scores.ways import SharedModels
    from zgbench.statistics.resampling import Difference
    from zgbench.submission.convert import Converted, convert
    from zgbench.submission.problems import Problem, Report, SubmissionError
    from zgbench.submission.writer import SubmissionWriter
    from zgbench.validation import Validated, validate

_PLACES = {
    "Comparison": "scores.comparison",
    "Converted": "submission.convert",
    "Counts": "pixels.counts",
    "DataError": "errors",
    "Dataset": "datasets",
    "Difference": "statistics.resampling",
    "Evaluation": "scores.result",
    "InputError": "errors",
    "ModelUnavailable": "errors",
    "PRESETS": "protocol",
    "Pair": "scores.comparison",
    "Problem": "submission.problems",
    "Protocol": "protocol",
    "Report": "submission.problems",
    "Result": "scores.result_types",
    "ScoreRow": "scores.result_types",
    "SharedModels": "scores.ways",
    "SubmissionError": "submission.problems",
    "SubmissionWriter": "submission.writer",
    "UsageError": "errors",
    "Validated": "validation",
    "Vocabulary": "datasets.vocabulary",
    "ZgbenchError": "errors",
    "compare": "scores.comparison",
    "convert": "submission.convert",
    "evaluate": "evaluation",
    "open_dataset": "datasets",
    "validate": "validation",
}

__all__ = [
    "PRESETS", "Comparison", "Converted", "Counts", "DataError", "Dataset", "Difference", "Evaluation", "InputError",
    "ModelUnavailable", "Pair", "Problem", "Protocol", "Report", "Result", "ScoreRow", "SharedModels", "SubmissionError",
    "SubmissionWriter", "UsageError", "Validated", "Vocabulary", "ZgbenchError", "__version__", "compare", "convert", "evaluate", "open_dataset", "validate",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'zgbench' has no attribute {name!r}")
    return getattr(import_module(f"zgbench.{_PLACES[name]}"), name)
