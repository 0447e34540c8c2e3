"""One frozen object decides everything, and is changed by name."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from reference_method.config import PRESETS, ReferenceConfig, preset
from zgbench.errors import UsageError


def test_the_papers_constants():
    c = ReferenceConfig()
    assert (c.dino, c.image_size, c.stride, c.segments, c.criterion, c.cosine, c.merge) == ("vit_small_patch8_224.dino", 224, 2, 20, "variance", 0.9, 0.8)  # fmt: skip
    assert c.clip == "ViT-L-14-336-quickgelu/openai" and c.language == "gpt2-medium"
    assert (c.encoder.mode, c.encoder.first_masked_layer, c.encoder.sigma) == ("globsub", -4, 2.5**0.5)
    z = c.naming
    assert (z.prompt, z.steps, z.step_size, z.norm_exponent) == ("Image of a", 5, 0.3, 0.9)
    assert (z.clip_temperature, z.clip_weight, z.lm_weight, z.fusion) == (0.01, 1.0, 0.2, 0.99)
    assert (z.candidates, z.beams, z.max_tokens, z.end_token, z.end_factor, z.forbidden_factor) == (
        512,
        5,
        15,
        ".",
        1.1,
        20.0,
    )


def test_frozen_and_plain():
    config = PRESETS["paper"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.merge = 0.5
    assert json.loads(json.dumps(config.to_dict()))["naming"]["prompt"] == "Image of a"


@pytest.mark.parametrize(
    ("change", "found"),
    [("merge=none", lambda c: c.merge is None), ("merge=0.7", lambda c: c.merge == 0.7), ("encoder.mode=crop", lambda c: c.encoder.mode == "crop"),
     ("encoder.mode=masked", lambda c: c.encoder.mode == "masked"), ("encoder.saliency=probabilities", lambda c: c.encoder.saliency == "probabilities"),
     ("encoder.sigma=1", lambda c: c.encoder.sigma == 1.0), ("encoder.first_masked_layer=-2", lambda c: c.encoder.first_masked_layer == -2),
     ("criterion=ward", lambda c: c.criterion == "ward"), ("naming.beams=3", lambda c: c.naming.beams == 3), ("language=smollm2-135m", lambda c: c.language == "smollm2-135m")],
)  # fmt: skip
def test_ablations_by_name(change, found):
    name, value = change.split("=")
    before = ReferenceConfig()
    after = before.with_({name: value})
    assert found(after) and after != before and not found(before)


@pytest.mark.parametrize(
    ("name", "value"),
    [("colour", "1"), ("encoder", "{}"), ("encoder.size", "1"), ("merge", "high"), ("segments", "2.5"), ("segments", "true"),
     ("naming.beams", "many"), ("criterion", "single"), ("encoder.mode", "whole"), ("naming.prompt", "3"), ("joining", "all"),
     ("assignment", "some"), ("resize_filter", "sharp"), ("keep_aspect", "1"), ("merge_prompt", "bare"), ("merge_prompt", "{} {}"),
     ("merge_prompt", "{0} {}"), ("encoder.crop_fill", "white"), ("encoder.crop_side", "-1"), ("naming.normalise", "rows")],
)  # fmt: skip
def test_what_cannot_be_set(name, value):
    with pytest.raises(UsageError):
        ReferenceConfig().with_({name: value})


def test_the_released_codes_points():
    """Each as docs/reference-method.md says; what is not named there is the paper's."""
    before, c = PRESETS["paper"].to_dict(), PRESETS["released"].to_dict()
    encoder, naming = c.pop("encoder"), c.pop("naming")
    changed = {name: value for name, value in c.items() if value != before[name]}
    assert changed == {
        "keep_aspect": True, "resize_filter": "lanczos", "normalise_keys": True, "segments": 11, "criterion": "ward",
        "cosine": 0.95, "joining": "siblings", "assignment": "crf",
    }  # fmt: skip
    changed = {name: value for name, value in encoder.items() if value != before["encoder"][name]}
    assert changed == {"saliency": "probabilities", "crop_fill": "black", "crop_side": 224}
    assert encoder["sigma"] ** 2 * 2 == pytest.approx(5)
    assert {name for name, value in naming.items() if value != before["naming"][name]} == {"normalise"}
    assert c["merge_prompt"] == "Image of a {}." and c["merge"] == 0.8


def test_every_setting_is_in_the_table():
    """docs/reference-method.md names every setting, so that none is a departure that no page tells."""
    page = (Path(__file__).parents[2] / "docs/reference-method.md").read_text()
    config = ReferenceConfig().to_dict()
    names = [
        *config,
        *(f"encoder.{name}" for name in config["encoder"]),
        *(f"naming.{name}" for name in config["naming"]),
    ]
    missing = [name for name in names if name not in ("encoder", "naming") and f"`{name}" not in page]
    assert missing == []


def test_presets():
    assert preset(None, "mini") is PRESETS["mini"] and preset(None, "pas20") is preset(None, None) is PRESETS["paper"]
    with pytest.raises(UsageError, match="Known: paper, released, mini"):
        preset("big", None)
