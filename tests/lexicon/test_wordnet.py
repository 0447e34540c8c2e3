"""The file of WordNet: what is in it, how it is made, and the morphology."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from zgbench import lexicon
from zgbench.errors import InputError
from zgbench.lexicon import build, morphology

CONTENT = "89f83df66e3f58154d2e1c789054f7c72f9697253766ef9865f60c48b9f882f5"  # a change of it changes scores under LT

DATA = """\
  1 a licence
00000100 03 n 01 entity 0 001 ~ 00000200 n 0000 | that which exists; "an example"
00000200 05 n 02 dog 0 Domestic_dog 0 003 @ 00000100 n 0000 #m 00000300 n 0000 + 00000900 v 0101 | a pet
00000300 14 n 01 pack 0 001 @i 00000100 n 0000 | dogs together
"""
FILES = {
    "data.noun": DATA,
    "index.noun": "  1 a licence\n"
    "dog n 1 2 @ #m 1 1 00000200\ndomestic_dog n 1 1 @ 1 0 00000200\nentity n 1 1 ~ 1 0 00000100\npack n 1 1 @ 1 1 00000300\n",
    "index.verb": "bark v 1 0 1 0 00000900\n",
    "index.adj": "big a 1 0 1 0 00000901\n",
    "index.adv": "now r 1 0 1 0 00000902\n",
    "index.sense": "dog%1:05:00:: 00000200 1 42\nbark%2:00:00:: 00000900 1 7\n",
    "noun.exc": "dice die\n",
    "verb.exc": "sat sit\n",
}


def test_content() -> None:
    assert lexicon.load().sha256 == CONTENT
    wordnet = lexicon.load().wordnet
    assert len(wordnet) == 82192
    assert wordnet.key(wordnet.synset("airplane.n.01")) == "airplane.n.01"
    assert wordnet.definition(wordnet.synset("tire.n.01")) == "hoop that covers a wheel"
    with pytest.raises(KeyError, match=r"no noun synset 'dog\.n\.99'"):
        wordnet.synset("dog.n.99")


def test_inverse_relations() -> None:
    wordnet = lexicon.load().wordnet
    dog = wordnet.synset("dog.n.01")
    assert all(dog in wordnet.hypernyms(kind) for kind in wordnet.kinds(dog))
    assert wordnet.synset("puppy.n.01") in wordnet.kinds(dog)
    assert wordnet.synset("tree.n.01") in wordnet.members(wordnet.synset("forest.n.01"))


def test_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two builds give the same bytes; a file that is not the published one is refused, and nothing is written."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="ascii")
    out = [tmp_path / "a.npz", tmp_path / "b.npz"]
    with pytest.raises(InputError, match=r"data\.noun is not the file of WordNet 3\.1"):
        build.main([str(tmp_path), str(tmp_path), "--out", str(out[0])])
    assert not out[0].exists()
    monkeypatch.setattr(build, "SHA256", {name: build.sha256_file(tmp_path / name) for name in FILES})
    for file in out:
        build.main([str(tmp_path), str(tmp_path), "--out", str(file)])
    assert out[0].read_bytes() == out[1].read_bytes()
    with np.load(out[0]) as arrays:
        assert arrays["hypernym_of"].tolist() == [0, 0]  # dog, pack: entity
        assert arrays["instance"].tolist() == [False, False, True]
        assert (arrays["member_of"].tolist(), arrays["member_n"].tolist()) == ([2], [0, 1, 0])
        assert arrays["sense_tags"].tolist() == [42, 0, 0, 0]
        assert bytes(arrays["verbs"]) == b"bark" and arrays["verb_tags"].tolist() == [7]


@pytest.mark.parametrize(
    ("word", "bases"),
    [
        ("dogs", ("dog",)),
        ("leaves", ("leaf", "leave")),
        ("buses", ("bus",)),
        ("traffic_lights", ("traffic_light",)),
        ("men", ("man", "men")),
        ("glasses", ("glasses", "glass")),
        ("grass", ("grass",)),
        ("dog's", ("dog",)),
        ("xqzz", ()),
    ],
)
def test_nouns(word: str, bases: tuple[str, ...]) -> None:
    assert morphology.noun(word, lexicon.load().wordnet) == bases


@pytest.mark.parametrize(
    ("word", "base"), [("sitting", "sit"), ("worn", "wear"), ("parked", "park"), ("flies", "fly"), ("red", None)]
)
def test_verbs(word: str, base: str | None) -> None:
    assert morphology.verb(word, lexicon.load().wordnet) == base
