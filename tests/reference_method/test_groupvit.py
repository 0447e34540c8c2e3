"""The open-vocabulary baseline: what it sees of a photo, its scores against the formulas."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from reference_method import groupvit as module
from reference_method.config import preset
from reference_method.groupvit import GroupViT
from reference_method.run import Job, run
from zgbench.datasets import mini, open_dataset

NAMES = ["cat", "dog", "tree", "sky", "sea", "car", "bus"]


@pytest.fixture(scope="module")
def groupvit():
    """The architecture, small, with random weights that tell things apart; input of 32 pixels, windows of 64."""
    from transformers import CLIPImageProcessor, CLIPProcessor, CLIPTokenizer, GroupViTConfig, GroupViTModel

    torch.manual_seed(0)
    config = GroupViTConfig(
        text_config={"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64, "vocab_size": 600, "eos_token_id": 599, "bos_token_id": 598},
        vision_config={"hidden_size": 48, "depths": [2, 1, 1], "num_group_tokens": [8, 4, 0], "num_output_groups": [8, 4, 0], "image_size": 32, "patch_size": 8, "num_attention_heads": 2, "intermediate_size": 96},
        projection_dim=24, projection_intermediate_dim=48,
    )  # fmt: skip
    model = GroupViTModel(config).eval()
    with torch.no_grad():
        for value in model.parameters():
            value.add_(0.2 * torch.randn_like(value))
        for name, value in model.named_parameters():
            if name.endswith("group_token"):  # far apart, so that more than one group wins pixels
                value.normal_(generator=torch.Generator().manual_seed(7))
    pieces = [*(chr(c) for c in range(97, 123)), *(f"{chr(c)}</w>" for c in range(97, 123)), ".</w>", "."]
    vocabulary = {piece: k for k, piece in enumerate(pieces)} | {"<|startoftext|>": 598, "<|endoftext|>": 599}
    tokenizer = CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77)
    # as published: short side 224, and the centre cut out of it
    images = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    return model, CLIPProcessor(image_processor=images, tokenizer=tokenizer)


def _noise(height: int, width: int) -> Image.Image:
    """Large blocks of colour."""
    blocks = Image.fromarray(np.random.default_rng(2).integers(0, 256, (6, 6, 3), dtype=np.uint8))
    return blocks.resize((width, height), Image.Resampling.NEAREST)


@pytest.mark.parametrize("turned", [False, True])
def test_it_sees_the_whole_photo(groupvit, turned: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """600 × 300 pixels, white in the left quarter alone: a centre crop would hold no white."""
    values = np.zeros((300, 600, 3), np.uint8)
    values[:, :150] = 255
    photo = Image.fromarray(values.swapaxes(0, 1).copy() if turned else values)
    method = GroupViT(NAMES, 0.0, model=groupvit[0], processor=groupvit[1])
    seen = []
    monkeypatch.setattr(
        method, "_scores", lambda pixels: seen.append(pixels) or torch.zeros(8, *pixels.shape[1:])
    )  # fmt: skip
    method(photo)
    # short side 64, long side 128: windows at 0, 32 and 64
    assert [tuple(window.shape) for window in seen] == [(3, 64, 64)] * 3
    white = [float((window > 1).float().mean()) for window in seen]
    assert white == pytest.approx([0.5, 0, 0], abs=0.02)


def test_scores_are_the_formulas(groupvit, monkeypatch: pytest.MonkeyPatch) -> None:
    """One window of the training size, pixel by pixel from what transformers' own forward pass gives."""
    monkeypatch.setattr(module, "_WINDOWS", 1)
    model, processor = groupvit
    method = GroupViT(NAMES, 0.0, model=model, processor=processor)
    photo = _noise(32, 32)
    pixels = method._pixels(photo)
    with torch.inference_mode():
        text = processor(text=[f"a photo of a {n}." for n in NAMES], padding=True, return_tensors="pt")
        out = model(**text, pixel_values=pixels[None], output_segmentation=True)
        found = method._scores(pixels)
        groups = F.normalize(model.visual_projection(out.vision_model_output.last_hidden_state[0]), dim=-1)
        logits = model.logit_scale.exp() * groups @ out.text_embeds.T
        nearest = (out.image_embeds @ out.text_embeds.T)[0].argsort(descending=True)[:5].tolist()
        a, b = (attention[0] for attention in out.vision_model_output.attentions)
        share = (b @ a).reshape(-1, 4, 4)  # groups of the last stage, on the patches
        large = F.interpolate(share[None], (32, 32), mode="bilinear", align_corners=False)[0]
    expected = torch.zeros(8, 32, 32)
    for y in range(32):
        for x in range(32):
            group = int(large[:, y, x].argmax())
            among = {k: float(logits[group, k].exp()) for k in nearest}
            for k in nearest:
                expected[1 + k, y, x] = among[k] / sum(among.values()) * float(logits[group].softmax(dim=0)[k])
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
    assert len(torch.unique(large.argmax(dim=0))) > 1 and float(expected.max()) > 0.01


@pytest.mark.parametrize("size", [(45, 61), (200, 1), (1, 300), (64, 64), (20, 900)])
def test_masks_are_disjoint_whole_and_named_by_class(groupvit, size: tuple[int, int]) -> None:
    found = GroupViT(NAMES, 0.0, model=groupvit[0], processor=groupvit[1])(_noise(*size))
    assert sum(mask.astype(int) for mask, _ in found).tolist() == np.ones(size, int).tolist()
    assert len({name for _, name in found}) == len(found) and {name for _, name in found} <= set(NAMES)


def test_it_leaves_out_what_is_unsure(groupvit) -> None:
    photo = _noise(64, 64)
    sure = GroupViT(NAMES, 0.0, model=groupvit[0], processor=groupvit[1])
    with torch.inference_mode():
        best = sure._scores(sure._pixels(photo))[1:].amax(dim=0)
    low, high = best.unique().tolist()
    method = GroupViT(NAMES, (low + high) / 2, model=groupvit[0], processor=groupvit[1])
    kept = sum(mask.astype(int) for mask, _ in method(photo))
    np.testing.assert_array_equal(kept, (best == high).int().numpy())
    assert 0 < kept.mean() < 1
    # where nothing reaches the threshold, the surest group stays, as in the authors' evaluation
    method = GroupViT(NAMES, 1.1, model=groupvit[0], processor=groupvit[1])
    np.testing.assert_array_equal(sum(mask.astype(int) for mask, _ in method(photo)), kept)


def test_a_submission_says_that_it_was_guided(groupvit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "load_groupvit", lambda device: groupvit)
    out = tmp_path / "groupvit.json"
    run(Job(open_dataset("mini", subset="first:2"), preset("mini", None), "groupvit"), out, name="GroupViT", devices=["cpu"])  # fmt: skip
    content = json.loads(out.read_text())
    assert content["method"]["text_guidance"] is True
    names = {c.name for c in mini.CLASSES}
    assert {segment["label"] for image in content["images"] for segment in image["segments"]} <= names
