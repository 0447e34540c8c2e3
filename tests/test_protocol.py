"""Protocols: names that say what was changed, values that are possible, signatures that mean one number."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

import zgbench
from zgbench.protocol import PRESETS, Protocol, facts_of, meaning, outdated, preset, sign


def test_a_changed_preset_says_so() -> None:
    assert {name: found.name for name, found in PRESETS.items()} == {name: name for name in PRESETS}
    assert preset("v1", "pas20", background="ignore", seed=5).name == "v1+background=ignore,seed=5"
    changed = replace(PRESETS["iccv2023"], background="count")
    assert changed.name == "iccv2023+background=count"
    assert replace(changed, background="released").name == "iccv2023"  # and back
    assert Protocol(tau_text=0.6).name == "v1+tau_text=0.6"
    assert Protocol(name="mine", tau_text=0.6).name == "mine"
    # as it is read from a result of before, which kept the preset's name
    assert Protocol(**(PRESETS["v1"].__dict__ | {"resamples": 500})).name == "v1+resamples=500"


@pytest.mark.parametrize(
    "values",
    [
        {"scoring": "foo"}, {"background": "none"}, {"human": "max"}, {"segment_embeddings": "mine"}, {"segment_mode": "x"},
        {"saliency": "x"}, {"resamples": 0}, {"resamples": -1}, {"resamples": 2.5}, {"resamples": True}, {"resamples": 10**9},
        {"seed": -1}, {"seed": 2**32}, {"seed": 1.0}, {"tau_text": 1.1}, {"tau_text": math.nan}, {"tau_clip": "0.1"},
        {"sigma": 0.0}, {"sigma": math.inf}, {"sigma": math.nan}, {"first_masked_layer": 0.5},
        {"text_prompt": "a photo"}, {"text_prompt": "{} and {}"}, {"clip_prompt": "{name}"}, {"clip_prompt": "{"},
        {"clip_prompt": "{}\n"}, {"text_prompt": None}, {"text_prompt": "{0.x}"},
    ],
    ids=str,
)  # fmt: skip
def test_impossible_values_are_refused(values: dict[str, Any]) -> None:
    (field,) = values
    with pytest.raises(zgbench.UsageError, match=field.replace("_", "[-_]")):
        Protocol(**values)


def signed(dataset: str, protocol: Protocol, **facts: str) -> str:
    return sign(protocol, {"data": dataset, **facts}, unlabelled=dataset != "pc459")


def test_signatures_of_before_are_the_same_to_the_byte() -> None:
    """Stored results of v1, offline and mini stay comparable; only iccv2023's definitions moved."""
    for name in ("v1", "offline", "mini"):
        assert signed("pas20", PRESETS[name]) == "data:pas20|bg:count|scoring:v1|boot:1000s0|zgbench:1"
    assert signed("pas20", PRESETS["iccv2023"]) == "data:pas20|bg:released|scoring:iccv2023.2|boot:1000s0|zgbench:1"


def test_where_a_background_rule_does_nothing_it_is_not_signed() -> None:
    by_rule = {
        rule: signed("pc459", replace(PRESETS["v1"], background=rule)) for rule in ("count", "ignore", "released")
    }
    assert by_rule["count"] == by_rule["ignore"] == "data:pc459|scoring:v1|boot:1000s0|zgbench:1"
    assert facts_of(by_rule["released"])["bg"] == "released+void"


def test_what_an_older_zgbench_wrote() -> None:
    new = "data:pc459|scoring:v1|boot:1000s0|zgbench:1"
    assert meaning("data:pc459|bg:count|scoring:v1|boot:1000s0|zgbench:1") == meaning(new) == new
    other = "data:pas20|bg:count|scoring:v1|boot:1000s0|zgbench:1"
    assert meaning(other) == other
    assert outdated(new) is outdated(other) is None
    assert "iccv2023.2" in str(outdated("data:pas20|bg:released|scoring:iccv2023|boot:1000s0|zgbench:1"))
    assert "no void pixels" in str(outdated("data:pc459|bg:released|scoring:v1|boot:1000s0|zgbench:1"))
    assert "version 2" in str(outdated("data:pas20|bg:count|scoring:v1|boot:1000s0|zgbench:2"))
