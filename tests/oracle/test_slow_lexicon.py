"""LT on single nouns against the slow lexicon, on thousands of words."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import zgbench.lexicon
from tests.oracle.slow_lexicon import SlowLexicon
from zgbench import lexicon
from zgbench.datasets.vocabulary import Vocabulary, pas20, pc59, pc459

FILE = Path(zgbench.lexicon.__file__).parent / "data" / "wordnet31.npz"


@pytest.fixture(scope="module")
def slow() -> SlowLexicon:
    return SlowLexicon(FILE)


def test_worked_example(slow: SlowLexicon) -> None:
    dog = slow.key("dog.n.01")
    assert slow.below(dog)[slow.key("golden_retriever.n.01")] == 4  # retriever, sporting dog, hunting dog, dog
    assert slow.reached(slow.key("puppy.n.01"), {7: [dog], 3: [slow.key("puppy.n.01")]}) == (1, 3)
    assert slow.reached(slow.key("cat.n.01"), {7: [dog]}) is None
    assert slow.visible("oak")[0][0] == slow.key("oak.n.02")  # the tree before its wood


@pytest.mark.parametrize("vocabulary", [pas20(), pc59(), pc459()], ids=["pas20", "pc59", "pc459"])
def test_levels_1_and_2_of_nouns(slow: SlowLexicon, vocabulary: Vocabulary) -> None:
    classes = lexicon.ClassList.of(vocabulary.readable, vocabulary.ids, vocabulary.also, vocabulary.synsets)
    own = {
        i: [slow.key(k) for k in keys if k != "-"] for i, keys in zip(vocabulary.ids, vocabulary.synsets, strict=True)
    }
    mapper = lexicon.load().mapper(classes)
    single = [lemma for lemma in slow.lemmas if "_" not in lemma and lemma.isalpha()]
    reached = 0
    for lemma in random.Random(0).sample(single, 1200):
        if mapper.compiled.named(lemma) is not None:
            continue
        found = mapper.word(lemma)
        order, common = slow.visible(lemma)
        expected = {s: hit for s in order if (hit := slow.reached(s, own)) and (s in common or hit[0] == 1)}
        if not expected:
            assert found.level != 1
            assert found.level != 2 or found.synset == order[0]  # by members or by definition, of the first sense alone
            continue
        reached += 1
        assert found.synset in expected, (lemma, found)
        assert (found.level, found.class_id) == expected[found.synset], (lemma, found)
        best = min((s not in common, expected[s][0]) for s in expected)
        assert (found.synset not in common, found.level) == best, (lemma, found)
        if max(slow.tags[lemma]) >= 3:  # sense order decides where it means something
            assert found.synset == next(s for s in order if s in expected and (s not in common, expected[s][0]) == best)
    assert reached > 100
