"""``convert``: between the formats of a submission, and into one from what methods commonly write."""

from zgbench.submission.convert.label_files import CLASS_LABELS
from zgbench.submission.convert.run import Converted, convert

__all__ = ["CLASS_LABELS", "Converted", "convert"]
