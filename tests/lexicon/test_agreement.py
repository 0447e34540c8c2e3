"""LT against people: pairs of labels and classes that were written before the mapping was run on them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.lexicon.test_mapper import mapper
from zgbench import lexicon
from zgbench.datasets import mini
from zgbench.datasets.vocabulary import pas20, pc59, pc459
from zgbench.lexicon import KIN, ClassList, Mapper

HERE = Path(__file__).parent
VOCABULARIES = {"pas20": pas20, "pc59": pc59, "pc459": pc459}


def read(file: Path) -> list[tuple[str, str]]:
    with file.open(encoding="utf-8", newline="") as stream:
        return [(row["label"], row["class"]) for row in csv.DictReader(stream)]


def agreement(pairs: list[tuple[str, str]], found: Mapper, names: Sequence[str], level: int = KIN) -> float:
    """Share of labels that get the class that people gave; ``none`` is no class."""
    ids = found.classes.ids
    right = 0
    for (_, expected), decision in zip(pairs, found.decide([label for label, _ in pairs]), strict=True):
        kept = decision.class_id is not None and decision.level is not None and decision.level <= level
        right += (names[ids.index(decision.class_id)] if kept and decision.class_id else "none") == expected
    return right / len(pairs)


@pytest.mark.parametrize(("key", "least"), [("pc59", 0.96), ("pc459", 0.94)])
def test_everyday_words(key: str, least: float) -> None:
    """Our own pairs; 97.8 % and 96.8 % when they were written."""
    pairs = read(HERE / f"pairs_{key}.csv")
    assert len(pairs) > 250
    by_level = [agreement(pairs, mapper(key), VOCABULARIES[key]().names, level) for level in range(5)]
    assert by_level[3] >= least
    assert by_level[0] < by_level[2]  # names alone do not do it


def test_mini_with_its_synonyms_and_finer_names() -> None:
    pairs = [(phrase, c.name) for c in mini.CLASSES for phrase in (c.name, *c.synonyms)]
    pairs += [(f"a {colour} {c.name}", c.name) for c in mini.CLASSES for colour in c.colours]
    assert agreement(pairs, mapper("mini"), [c.name for c in mini.CLASSES]) >= 0.98


@pytest.mark.parametrize(("key", "least"), [("pas20", 0.95), ("pc59", 0.90)])
def test_practice_words(shared_data: Path, key: str, least: float) -> None:
    pairs = read(shared_data / "mapping" / f"words_practice_{key}.csv")
    assert agreement(pairs, mapper(key), VOCABULARIES[key]().names) >= least


def test_street_labels(shared_data: Path) -> None:
    """632 labels that people mapped, to a plain list of class names: synsets are found from the names."""
    pairs = read(shared_data / "mapping" / "cityscapes19_people.csv")
    names = (shared_data / "mapping" / "cityscapes19_classes.txt").read_text(encoding="utf-8").split("\n")[:19]
    found = lexicon.load().mapper(ClassList.of(names))
    assert agreement(pairs, found, names) >= 0.80
