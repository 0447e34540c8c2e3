"""A user's machine of one's own: home, caches and environment in a folder; nothing of this machine's is seen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.hub.server import Repository
from zgbench.models import Model

ROOT = Path(__file__).parents[2]


@dataclass
class Machine:
    """A user's machine.

    Attributes:
        home: its folder.
        environment: of every command.
        models: catalogue entries in place of the real ones.
    """

    home: Path
    environment: dict[str, str]
    models: list[Model] = field(default_factory=list)

    def run(
        self, *arguments: str | Path, cwd: Path | None = None, stderr: Any = subprocess.PIPE, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """``zgbench arguments``; says in ``seconds`` how long it took."""
        catalogue = self.home / "catalogue.json"
        catalogue.write_text(json.dumps([asdict(model) for model in self.models]))
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "tests.hub.as_user", str(catalogue), *map(str, arguments)],
            cwd=cwd or self.home, env=self.environment | environment, stdout=subprocess.PIPE, stderr=stderr, text=True,
            timeout=300,
        )  # fmt: skip
        done.seconds = time.monotonic() - started  # type: ignore[attr-defined]
        return done

    @property
    def hub(self) -> Path:
        return self.home / "hf/hub"

    def snapshot(self, model: Model) -> Path:
        """Where the hub's cache keeps a model."""
        return self.hub / f"models--{str(model.repository).replace('/', '--')}/snapshots/{model.revision}"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    home = tmp_path / "home"
    home.mkdir()
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "ZGBENCH_", "HUGGING", "TRANSFORMERS_"))}
    return Machine(
        home,
        kept | {
            "HOME": str(home), "PYTHONPATH": str(ROOT), "ZGBENCH_CACHE": str(home / "cache"), "HF_HOME": str(home / "hf"),
            "HF_ENDPOINT": "http://127.0.0.1:9", "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "",
            "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PYTHONWARNINGS": "",
        },
    )  # fmt: skip


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A small Sentence-BERT under the name of the one of v1."""
    from tests.hub.repositories import sentence_bert

    return Repository.of(
        "sentence-transformers/all-mpnet-base-v2", sentence_bert(tmp_path_factory.mktemp("tiny") / "a")
    )


@pytest.fixture(scope="session")
def other(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Another one of the same shape."""
    from tests.hub.repositories import sentence_bert

    return Repository.of("somebody/else", sentence_bert(tmp_path_factory.mktemp("other") / "b", seed=1))


def unpack(repository: Repository, folder: Path) -> Path:
    """A repository's files into a folder."""
    for name, content in repository.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder
