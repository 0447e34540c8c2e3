"""The sample that the tests of the Ray engine count."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.submission.parquet_sample import SUBSET, made
from zgbench.datasets import Dataset, open_dataset


@pytest.fixture(scope="module")
def submission(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("submission"))


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return open_dataset("mini", subset=SUBSET)
