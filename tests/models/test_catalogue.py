"""The catalogue: everything that a preset names is in it, pinned, and what comes along is what it says."""

from __future__ import annotations

import os
import re
import time
from dataclasses import replace
from pathlib import Path

import pytest

import zgbench
from reference_method.config import PRESETS as SETTINGS
from zgbench.encoders.clip import MODELS as CLIPS
from zgbench.encoders.text import MODELS as TEXTS
from zgbench.models import CATALOGUE, find, verify

UNPUBLISHED = {"groupvit-gcc-yfcc"}


def test_every_model_of_a_preset_is_pinned() -> None:
    for protocol in zgbench.PRESETS.values():
        assert protocol.text_model in TEXTS and protocol.clip_model in CLIPS
    named = {*TEXTS, *CLIPS, *(s.dino for s in SETTINGS.values()), *(s.language for s in SETTINGS.values())}
    assert named <= set(CATALOGUE)
    for model in CATALOGUE.values():
        assert (model.repository is None) == (model.revision is None) == (model.package is not None)
        assert model.revision is None or re.fullmatch("[0-9a-f]{40}", model.revision)
        assert (model.weights.sha256 is None) == (model.name in UNPUBLISHED)
        for file in model.files:
            assert file.sha256 is None or re.fullmatch("[0-9a-f]{64}", file.sha256)
    mpnet = CATALOGUE["all-mpnet-base-v2"]
    assert mpnet.revision == "e8c3b32edf5434bc2275fc9bab85f82640a19130"
    assert mpnet.weights.sha256 == "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"


@pytest.mark.parametrize("name", [model.name for model in CATALOGUE.values() if model.package is not None])
def test_what_comes_along_is_what_the_catalogue_says(name: str) -> None:
    found = find(name)
    if found is None:
        pytest.skip(f"needs {name}, which is not installed")
    assert found.folder.is_absolute() and found.sha256 == CATALOGUE[name].weights.sha256


def test_a_hash_is_worked_out_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And again when the file is another one, whichever way it became that."""
    monkeypatch.setenv("ZGBENCH_CACHE", str(tmp_path / "cache"))
    asked = []
    real = verify.sha256_file
    monkeypatch.setattr(verify, "sha256_file", lambda path: (asked.append(path), real(path))[1])
    file = tmp_path / "weights"
    file.write_bytes(b"one")
    first = verify.sha256(file)
    verify._here.clear()  # as in the next process
    assert verify.sha256(file) == first and len(asked) == 1
    verify._here.clear()
    os.utime(file, ns=(0, file.stat().st_mtime_ns))
    stamp = file.stat().st_mtime_ns
    time.sleep(0.01)
    file.write_bytes(b"two")
    os.utime(file, ns=(stamp, stamp))  # same size, and its date set back
    assert verify.sha256(file) != first
    link = tmp_path / "link"
    link.symlink_to(file)
    assert verify.sha256(link) == verify.sha256(file)
    (tmp_path / "other").write_bytes(b"six")
    link.unlink()
    link.symlink_to(tmp_path / "other")
    assert verify.sha256(link) == verify.sha256(tmp_path / "other") != verify.sha256(file)
    monkeypatch.setenv("ZGBENCH_CACHE", str(file))  # no folder: works without a memory
    verify._here.clear()
    assert verify.sha256(file) == real(file)


def test_a_folders_hash_is_of_all_that_is_loaded_from_it(tmp_path: Path) -> None:
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "1_Pooling/config.json").write_text("{}")
    first = verify.sha256_folder(tmp_path)
    (tmp_path / "README.md").write_text("about it")
    assert verify.sha256_folder(tmp_path) == first
    (tmp_path / "1_Pooling/config.json").write_text("{ }")
    assert verify.sha256_folder(tmp_path) != first


def test_folder_names() -> None:
    assert CATALOGUE["ViT-L-14-336-quickgelu/openai"].folder == "ViT-L-14-336-quickgelu-openai"
    assert replace(CATALOGUE["gpt2-medium"], name="a").folder == "a"
