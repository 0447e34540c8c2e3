"""Head phrases: what a free label is about."""

from __future__ import annotations

import pytest

from zgbench import lexicon

HEADS = {
    "a woman in a red coat": "woman",
    "tiles on the floor": "tile",
    "trees in the background": "tree",
    "the street is busy": "street",
    "group of people": "people",
    "a row of parked cars": "car",
    "two pairs of boots": "boot",
    "a flock of sheep on a hill": "sheep",
    "red traffic lights": "traffic_light",
    "a golden retriever": "golden_retriever",
    "flower pot": "flowerpot",
    "street light": "streetlight",
    "a black and white dog": "dog",
    "orange and white cone": "cone",
    "a man riding a bike": "man",
    "woman riding bicycle": "woman",
    "man wearing black shirt": "man",
    "a dog sits on a sofa": "dog",
    "car parked on the side of the road": "car",
    "a tall stone building": "building",
    "metal railing along the sidewalk": "railing",
    "an airliner landing": "airliner",
    "the back of a white van": "van",
    "this is a pole": "pole",
    "a picture of a cat": "cat",
    "a black box": "box",  # not the flight recorder
    "a red coat": "coat",  # not the soldier
    "a cup of coffee": "cup",
    "the leaves": "leaf",
    "a man's hat": "hat",
    "Café table": "table",
    "two-storey house": "house",
}


@pytest.mark.parametrize(("label", "head"), HEADS.items())
def test_head(label: str, head: str) -> None:
    (phrase,) = lexicon.load().read(label).heads
    assert phrase.nouns[0] == head


def test_coordination_has_a_head_each() -> None:
    assert [p.nouns[0] for p in lexicon.load().read("a man and two dogs on grass").heads] == ["man", "dog"]
    assert [p.nouns[0] for p in lexicon.load().read("cat, dog / horse").heads] == ["cat", "dog", "horse"]


def test_other_forms_of_a_noun() -> None:
    """A plural that is a word of its own, and a pronoun, bring a second noun."""
    assert [p.nouns for p in lexicon.load().read("men").heads] == [("man", "men")]
    assert [p.nouns for p in lexicon.load().read("someone").heads] == [("someone", "person")]


def test_context() -> None:
    (phrase,) = lexicon.load().read("tiles on the floor of a kitchen").heads
    assert [(lead, other.nouns[0]) for lead, other in phrase.context] == [("on", "floor"), ("of", "kitchen")]
    (phrase,) = lexicon.load().read("person riding a horse").heads
    assert phrase.verbs == ("ride",)


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("123 456", "empty"),
        ("😀", "empty"),
        ("猫", "empty"),
        ("no dog", "negated"),
        ("without people", "negated"),
        ("white", "no noun"),
        ("xqzzt wvvk", "no noun"),
    ],
)
def test_no_head(label: str, reason: str) -> None:
    reading = lexicon.load().read(label)
    assert (reading.heads, reading.reason) == ((), reason)
