"""LT: levels, ambiguity, parts, what gets no class; and its invariants."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zgbench import lexicon
from zgbench.datasets.mini_source import mini_vocabulary
from zgbench.datasets.vocabulary import Vocabulary, pas20, pc59, pc459
from zgbench.lexicon import KIN, KIND, NAME, PART, REASONS, SYNONYM, ClassList, Mapper

STREET = (
    "road",
    "sidewalk",
    "building",
    "fence",
    "sign",
    "street sign",
    "person",
    "rider",
    "car",
    "bus",
    "bicycle",
    "tree",
)


def class_list(vocabulary: Vocabulary) -> ClassList:
    readable = vocabulary.readable or vocabulary.names
    return ClassList.of(readable, vocabulary.ids, vocabulary.also or None, vocabulary.synsets or None)


@cache
def mapper(key: str) -> Mapper:
    if key == "street":
        return lexicon.load().mapper(ClassList.of(STREET))
    vocabulary = {"pas20": pas20, "pc59": pc59, "pc459": pc459, "mini": mini_vocabulary}[key]()
    return lexicon.load().mapper(class_list(vocabulary))


def decided(label: str, key: str = "street") -> tuple[str | None, int | None]:
    classes = mapper(key).classes
    (found,) = mapper(key).decide([label])
    return (None if found.class_id is None else classes.names[classes.ids.index(found.class_id)]), found.level


@pytest.mark.parametrize(
    ("label", "name", "level"),
    [
        ("a red car", "car", NAME),
        ("cars", "car", NAME),
        ("an automobile", "car", SYNONYM),
        ("parked taxi", "car", KIND),
        ("a billboard", "sign", KIND),
        ("blue street sign", "street sign", NAME),  # the most specific class, though it is a sign
        ("a cyclist", "rider", KIND),  # who is a person, too
        ("a person riding a bike", "rider", NAME),
        ("man on a motorcycle", "rider", NAME),
        ("a motorcyclist", "rider", NAME),  # by its definition: a traveler who rides a motorcycle
        ("a person on the bus", "person", NAME),
        ("bike", "bicycle", SYNONYM),  # WordNet lists motorcycle first, but has no counts for the word
        ("a group of people", "person", KIND),
        ("lane", "road", KIND),  # by its definition: a narrow way or road
        ("the wheel of a bus", "bus", PART),
        ("bike tire", "bicycle", PART),
        ("tree trunk", "tree", PART),
        ("a logo on a car", "car", PART),
        ("shadow of a tree on the road", "road", PART),
        ("railing", "fence", KIN),
        ("a row of barriers", "fence", KIN),
    ],
)
def test_level(label: str, name: str, level: int) -> None:
    assert decided(label) == (name, level)


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ("thing", "generic"),
        ("an object", "generic"),
        ("a street scene", "generic"),
        ("area", "generic"),
        ("artifact", "generic"),
        ("person tree car bus", "hedged"),
        ("car, tree, person", "hedged"),
        ("a car or a bus", "hedged"),
        ("car/bus", "hedged"),
        ("freedom", "not visible"),
        ("a fire hydrant", "outside"),
        ("no car", "negated"),
        ("", "empty"),
        ("💥💥", "empty"),
        ("дерево", "empty"),
        ("31415", "empty"),
        ("zzqx", "no noun"),
        ("red", "no noun"),
    ],
)
def test_no_class(label: str, reason: str) -> None:
    (found,) = mapper("street").decide([label])
    assert (found.class_id, found.level, found.reason) == (None, None, reason)
    assert reason in REASONS


def test_two_heads_of_one_class_are_no_hedge() -> None:
    assert decided("a man and a woman") == ("person", KIND)


def test_the_list_settles_ambiguous_words() -> None:
    assert decided("mouse", "pc59")[0] == "mouse"
    assert decided("crane", "pas20")[0] == "bird"
    assert decided("crane", "pc459")[0] == "crane"
    assert decided("coach", "pas20")[0] == "bus"
    assert decided("plant", "pas20")[0] == "potted plant"
    assert decided("plant", "pc459")[0] == "plant"


def test_a_name_of_its_own_beats_a_wider_class() -> None:
    """Every class name and alias of every list means its own class; an alias that WordNet has below it is a kind of it."""
    for key in ("pas20", "pc59", "pc459", "mini"):
        taken: set[str] = set()
        for text, class_id in mapper(key).classes.texts():
            if text in taken:
                continue  # an alias that stands at two classes is the first one's
            taken.add(text)
            (found,) = mapper(key).decide([text])
            own = text in mapper(key).classes.names
            assert found.class_id == class_id and found.level in ((NAME,) if own else (NAME, KIND)), (key, text)
    assert [mapper("pas20").decide([text])[0].level for text in ("horse", "pony", "sofa", "couch")] == [0, 2, 0, 0]


@pytest.mark.parametrize("key", ["pas20", "pc59", "pc459", "street"])
def test_synonyms_reach_their_class(key: str) -> None:
    """A word of a class's synset gets a class at level 0 or 1, unless a commoner sense of it is a kind of a class."""
    wordnet, compiled = lexicon.load().wordnet, mapper(key).compiled
    for synsets in compiled.synsets.values():
        for synset in synsets:
            for word in wordnet.words(synset):
                (found,) = mapper(key).decide([word.replace("_", " ")])
                if found.level not in (NAME, SYNONYM):
                    assert found.level == KIND and found.synset is not None, (key, word, found)
                    assert found.word == word and found.synset != synset


def test_decisions_stand_alone() -> None:
    """Neither the order of the labels, nor their company, nor what was asked before moves a decision."""
    labels = ["a red car", "bike tire", "thing", "", "wheel", "man on a horse", "oak", "car, bus", "street light"] * 2
    fresh = lexicon.load().mapper(ClassList.of(STREET))
    alone = [lexicon.load().mapper(ClassList.of(STREET)).decide([label])[0] for label in labels]
    assert fresh.decide(labels) == alone
    assert fresh.decide(labels[::-1]) == alone[::-1]


NOUNS = [
    "car",
    "oak",
    "wheel",
    "person",
    "crane",
    "hot dog",
    "traffic light",
    "leaf",
    "shadow",
    "barrier",
    "white",
    "xq",
]
PHRASES = st.builds(
    lambda *parts: " ".join(p for p in parts if p),
    st.sampled_from(["", "a", "two", "no", "the back of", "a row of"]),
    st.sampled_from(["", "red", "parked", "wooden"]),
    st.sampled_from(NOUNS),
    st.sampled_from(["", "on", "of a", "and", ",", "riding a", "is"]),
    st.sampled_from(["", *NOUNS]),
)


@given(st.lists(st.one_of(st.text(max_size=250), PHRASES), max_size=8))
@settings(max_examples=150, deadline=None)
def test_any_label_gets_a_decision(labels: list[str]) -> None:
    for found in mapper("pc59").decide(labels):
        if found.class_id is None:
            assert found.level is None and found.reason in REASONS
        else:
            assert found.level in range(5) and found.reason == "" and found.class_id in mapper("pc59").classes.ids


@pytest.mark.parametrize("label", ["a" * 200, "a b " * 50, "of of of", "'s", "- -", "\x00\x1b[31m", "and", "dog" * 66])
def test_hostile_labels(label: str) -> None:
    (found,) = mapper("pc59").decide([label])
    assert found.class_id is None and found.reason in REASONS
    list(mapper("pc59").explain(label).lines())


def test_explain() -> None:
    found = mapper("pc59").explain("an oak in the park")
    assert found.path == ("oak.n.02", "tree.n.01") and found.class_name == "tree" and found.level == KIND
    assert any("deciduous" in line for line in found.lines())
    assert found.as_json()["heads"] == ("oak",)


def test_class_lists_are_checked() -> None:
    with pytest.raises(ValueError, match="twice"):
        ClassList.of(["car", "car"])
    with pytest.raises(ValueError, match="got 1"):
        ClassList.of(["car", "bus"], [1])
    with pytest.raises(KeyError, match=r"cat\.n\.99"):
        lexicon.load().mapper(ClassList.of(["cat"], synsets=[["cat.n.99"]]))
