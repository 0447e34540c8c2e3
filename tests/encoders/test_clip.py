"""CLIP behind the encoder interface: real loading code on a small architecture with random weights saved to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image

import zgbench
from zgbench.encoders import clip as clip_module
from zgbench.encoders.clip import MODELS, Clip, OpenClipModel

SEGMENTS = {"mode": "globsub", "saliency": "outputs", "sigma": 2.5**0.5, "first_masked_layer": -2}


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Any]:
    """A key of MODELS for a small CLIP whose weights lie in a file, and the model itself."""
    settings = open_clip.get_model_config("ViT-B-32-quickgelu")
    settings["vision_cfg"] |= {"width": 64, "layers": 3, "patch_size": 32, "head_width": 16}
    settings["text_cfg"] |= {"width": 32, "heads": 2, "layers": 2}
    settings["embed_dim"] = 24
    import json

    (tmp_path / "zg-small.json").write_text(json.dumps(settings))
    open_clip.add_model_config(tmp_path)
    torch.manual_seed(0)
    model = open_clip.create_model("zg-small").eval()
    torch.save(model.state_dict(), tmp_path / "weights.pt")
    monkeypatch.setitem(MODELS, "small", OpenClipModel("zg-small", str(tmp_path / "weights.pt"), ""))
    monkeypatch.setattr(OpenClipModel, "_knock", lambda *_: None)
    monkeypatch.setenv("ZGBENCH_DEVICE", "cpu")
    return "small", model


def test_texts_are_open_clips_own(small: tuple[str, Any]) -> None:
    key, model = small
    texts = ["Image of a cat.", "a dog", "x " * 200]
    found = Clip(key, SEGMENTS).encode(texts)
    with torch.inference_mode():
        theirs = model.encode_text(open_clip.get_tokenizer("zg-small")(texts), normalize=True).numpy()
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
    (chosen,) = [m for key, m in MODELS.items() if key == zgbench.PRESETS["v1"].clip_model]
    assert (chosen.architecture, chosen.pretrained) == ("ViT-L-14-336-quickgelu", "openai")
    assert open_clip.get_model_config(chosen.architecture)["quick_gelu"] is True
    assert open_clip.get_pretrained_cfg(chosen.architecture, chosen.pretrained)["hf_hub"].startswith(chosen.repository)


def test_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: Any) -> None:
        raise ConnectionError("no route to the hub")

    monkeypatch.setattr(clip_module.OpenClipModel, "_knock", unreachable)
    with pytest.raises(zgbench.ModelUnavailable) as caught:
        Clip(zgbench.PRESETS["v1"].clip_model, SEGMENTS).encode(["cat"])
    for part in ("ViT-L-14-336-quickgelu/openai", "no route to the hub", "--reassign tt"):
        assert part in str(caught.value)
    with pytest.raises(zgbench.ModelUnavailable, match=r"'no-such-clip' is not part.*--reassign tt"):
        Clip("no-such-clip", SEGMENTS).encode(["cat"])
