"""Test sets: vocabularies, official splits, readers, the prepared store and the drawn set ``mini``."""

from zgbench.datasets.catalogue import KEYS
from zgbench.datasets.dataset import Dataset
from zgbench.datasets.opening import builtin_vocabulary, is_known, known_ids, open_dataset, vocabulary_of_names
from zgbench.datasets.truth import Truth, TruthSource
from zgbench.datasets.vocabulary import Vocabulary

__all__ = [
    "KEYS",
    "Dataset",
    "Truth",
    "TruthSource",
    "Vocabulary",
    "builtin_vocabulary",
    "is_known",
    "known_ids",
    "open_dataset",
    "vocabulary_of_names",
]
