"""CLIP behind the encoder interface: real loading code on a small architecture with random weights saved to a file."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image

import zgbench
from tests.hub import repositories
from zgbench.encoders import clip as clip_module
from zgbench.encoders.clip import MINI, MODELS, Clip, OpenClipModel, sha256_tensors
from zgbench.models import CATALOGUE, File
from zgbench.models.catalogue import Original
from zgbench.storage.files import sha256_file

SEGMENTS = {"mode": "globsub", "saliency": "outputs", "sigma": 2.5**0.5, "first_masked_layer": -2}


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Any]:
    """A key of MODELS for a small CLIP of the catalogue, in a models folder, and the model itself."""
    architecture, hub, original = repositories.clip(tmp_path / "made")
    models = tmp_path / "models"
    (models / "small").mkdir(parents=True)
    weights = models / "small/open_clip_model.safetensors"
    weights.write_bytes((hub / weights.name).read_bytes())
    archive = original / "ViT-L-14-336px.pt"
    entry = replace(
        CATALOGUE["ViT-L-14-336-quickgelu/openai"], name="small", repository="nobody/small",
        files=(File(weights.name, sha256_file(weights)),), original=Original(f"https://nobody.invalid/{archive.name}", sha256_file(archive)),
    )  # fmt: skip
    monkeypatch.setitem(CATALOGUE, "small", entry)
    monkeypatch.setitem(MODELS, "small", OpenClipModel("small", architecture))
    monkeypatch.setenv("ZGBENCH_MODELS", str(models))
    monkeypatch.setenv("ZGBENCH_DEVICE", "cpu")
    model = open_clip.create_model(architecture, pretrained=str(weights)).eval()
    return "small", model


def test_the_hubs_file_and_the_authors_own_are_one_model(
    small: tuple[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same tensors, the same hash in the signature; it is worked out once for each file, and printed."""
    key, model = small
    first = Clip(key, SEGMENTS)
    vectors = first.encode(["a cat"])
    expected = sha256_tensors(model)
    assert (first.weights, first.name) == (expected, f"small@{expected[:8]}")
    assert f"small: recorded the sha256 of its tensors, {expected}" in capsys.readouterr().err
    assert Clip(key, SEGMENTS).name == first.name  # remembered: nothing is loaded, nothing said
    assert capsys.readouterr().err == ""
    folder = tmp_path / "models/small"
    (folder / "open_clip_model.safetensors").unlink()
    for place in (folder, tmp_path / "models"):  # as open_clip keeps it, in a folder of its own or not
        shutil.copyfile(tmp_path / "made/original/ViT-L-14-336px.pt", place / "ViT-L-14-336px.pt")
        if place == tmp_path / "models":
            shutil.rmtree(folder)
        other = Clip(key, SEGMENTS)
        assert (other.encode(["a cat"]) == vectors).all()
        assert (other.weights, other.name) == (first.weights, first.name)
    (tmp_path / "models/ViT-L-14-336px.pt").write_bytes(b"something else")
    with pytest.raises(zgbench.ModelUnavailable, match=r"ViT-L-14-336px.pt is not the published file"):
        Clip(key, SEGMENTS).encode(["a cat"])


def test_a_folder_of_ones_own(tmp_path: Path) -> None:
    """A CLIP by its path: named by all that is in the folder."""
    folder = tmp_path / "mine"
    shutil.copytree(MINI, folder)
    mine, ours = Clip(str(folder), SEGMENTS), Clip("zgbench-mini", SEGMENTS)
    assert (mine.encode(["a cat"]) == ours.encode(["a cat"])).all()
    assert ours.name == "zgbench-mini@74b67f78" and mine.name.startswith("folder/mine@")
    before = mine.name
    (folder / "open_clip_config.json").write_text((folder / "open_clip_config.json").read_text() + "\n")
    assert Clip(folder, SEGMENTS).name != before


def test_texts_are_open_clips_own(small: tuple[str, Any]) -> None:
    key, model = small
    texts = ["Image of a cat.", "a dog", "x " * 200]
    found = Clip(key, SEGMENTS).encode(texts)
    with torch.inference_mode():
        theirs = model.encode_text(open_clip.get_tokenizer("zg-small-clip")(texts), normalize=True).numpy()
    assert np.abs(found - theirs).max() < 1e-6


def test_segments_of_a_photo(small: tuple[str, Any]) -> None:
    key, _ = small
    rng = np.random.RandomState(0)
    photo = Image.fromarray(rng.randint(0, 255, (60, 80, 3), dtype=np.uint8))
    masks = np.zeros((3, 60, 80), bool)
    masks[0, :30], masks[1, 30:, :40], masks[2, 5:9, 70:] = True, True, True
    found = Clip(key, SEGMENTS).encode_segments(photo, masks)
    assert found.shape == (3, 24)
    assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    assert np.abs(found[0] - found[1]).max() > 1e-4  # the mask matters


def test_the_real_model_is_quickgelu() -> None:
    chosen = MODELS[zgbench.PRESETS["v1"].clip_model]
    assert isinstance(chosen, OpenClipModel)
    assert chosen.architecture == "ViT-L-14-336-quickgelu"
    assert open_clip.get_model_config(chosen.architecture)["quick_gelu"] is True
    # open_clip's own tag leads to the pinned repository and to the pinned file of the authors
    theirs, model = open_clip.get_pretrained_cfg(chosen.architecture, "openai"), CATALOGUE[chosen.key]
    assert model.original is not None and theirs["url"] == model.original.url
    assert model.original.sha256 in theirs["url"] and theirs["hf_hub"] == f"{model.repository}/"


def test_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(zgbench.ModelUnavailable) as caught:
        Clip(zgbench.PRESETS["v1"].clip_model, SEGMENTS).encode(["cat"])
    for part in (
        "ViT-L-14-336-quickgelu/openai (revision 81e38efc, 1.7 GB)",
        "HF_HUB_OFFLINE",
        "--models DIR",
        "--reassign tt",
    ):
        assert part in str(caught.value)
    with pytest.raises(zgbench.ModelUnavailable) as caught:  # a run of the reference method has no such option
        clip_module.load(zgbench.PRESETS["v1"].clip_model, "cpu")
    assert "--reassign" not in str(caught.value)
    with pytest.raises(zgbench.UsageError, match=r"CLIP 'no-such-clip': expected one of ViT-L.*the path of a folder"):
        Clip("no-such-clip", SEGMENTS)
