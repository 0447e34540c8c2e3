"""Sentence-BERT: the library's own vectors, whatever the company; a cache that may vanish but never lie; clear errors."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import zgbench
from tests.conftest import HashedText
from zgbench.encoders import CachedTextEncoder, EmbeddingCache
from zgbench.encoders import text as text_module
from zgbench.encoders.text import SentenceBert
from zgbench.models import CATALOGUE, File

TEXTS = [
    "cat",
    "a cat",
    "passenger plane",
    "x" * 180,
    "an old red double-decker bus in front of a house " * 4,
    "猫",
    "🙂",
]


@pytest.fixture(scope="module")
def minilm() -> SentenceBert:
    return SentenceBert("all-MiniLM-L6-v2")


def test_the_same_vectors_as_the_library(minilm: SentenceBert) -> None:
    found = minilm.encode(TEXTS)
    assert found.dtype == np.float32
    assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-6)
    theirs = minilm._model.encode(TEXTS, normalize_embeddings=True, show_progress_bar=False)
    assert np.abs(found - theirs).max() < 1e-6


def test_vectors_do_not_depend_on_their_company(minilm: SentenceBert) -> None:
    together = minilm.encode(TEXTS * 3)
    for k, text in enumerate(TEXTS):
        assert (minilm.encode([text])[0] == together[k]).all()
        assert (together[k] == together[k + len(TEXTS)]).all()
    assert (minilm.encode(TEXTS[::-1])[::-1] == together[: len(TEXTS)]).all()


def test_the_weights_are_the_published_ones(minilm: SentenceBert, monkeypatch: pytest.MonkeyPatch) -> None:
    assert minilm.weights == "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    assert minilm.name == "all-MiniLM-L6-v2@53aa5117"
    model = CATALOGUE["all-MiniLM-L6-v2"]
    assert model.package is not None
    elsewhere = replace(model.package, name="no_such_package")
    for changed, message in (
        (replace(model, files=(File("model.safetensors", "0" * 64), *model.files[1:])), r"sha256 53aa51172d14…, expected 000000000000….*pip install --force-reinstall 'zgbench\[offline\]'"),
        (replace(model, package=elsewhere), r"(?s)all-MiniLM-L6-v2 was not found: it is not installed.*zgbench\[offline\]"),
    ):  # fmt: skip
        monkeypatch.setitem(CATALOGUE, "all-MiniLM-L6-v2", changed)
        with pytest.raises(zgbench.ModelUnavailable, match=message):
            SentenceBert("all-MiniLM-L6-v2").encode(["cat"])


class Counting(HashedText):
    weights = "a hash"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        self.asked += texts
        return super().encode(texts)


def test_the_cache_asks_once(tmp_path: Path) -> None:
    model = Counting()
    first = CachedTextEncoder(model, EmbeddingCache(tmp_path)).encode(["a", "b", "a"])
    assert model.asked == ["a", "b"]
    second = CachedTextEncoder(model, EmbeddingCache(tmp_path)).encode(["b", "c", "a"])
    assert model.asked == ["a", "b", "c"]
    assert (second[[2, 0]] == first[[0, 1]]).all()
    model.name = "another name"
    CachedTextEncoder(model, EmbeddingCache(tmp_path)).encode(["a"])
    assert model.asked == ["a", "b", "c"]
    model.weights = "other weights"
    CachedTextEncoder(model, EmbeddingCache(tmp_path)).encode(["a"])
    assert model.asked == ["a", "b", "c", "a"]


def test_a_name_alone_is_kept_in_memory_only(tmp_path: Path) -> None:
    model = Counting()
    model.weights = ""
    cache = EmbeddingCache(tmp_path)
    first = CachedTextEncoder(model, cache).encode(["a", "b", "a"])
    assert (CachedTextEncoder(model, cache).encode(["b", "a"]) == first[[1, 0]]).all() and model.asked == ["a", "b"]
    assert not list(tmp_path.iterdir())
    other = Counting()
    other.weights = ""
    CachedTextEncoder(other, cache).encode(["a"])
    assert other.asked == ["a"]
    assert CachedTextEncoder(other, cache).name == "own:hashed-text"


@pytest.mark.parametrize("damage", ["vector", "file", "folder"])
def test_a_damaged_cache_costs_time_only(damage: str, tmp_path: Path) -> None:
    model = Counting()
    place = tmp_path / "cache"
    expected = CachedTextEncoder(model, EmbeddingCache(place)).encode(["a", "b"])
    file = place / "embeddings.sqlite"
    if damage == "vector":
        with sqlite3.connect(file) as db:
            db.execute("UPDATE vectors SET vector = zeroblob(1024)")
    elif damage == "file":
        for part in place.iterdir():
            part.unlink()
        file.write_bytes(b"no database" * 100)
    else:
        for part in place.iterdir():
            part.unlink()
        place.rmdir()
        place.write_text("a file where the folder should be")
    model.asked.clear()
    assert (CachedTextEncoder(model, EmbeddingCache(place)).encode(["a", "b"]) == expected).all()
    assert model.asked == ["a", "b"]
    again = CachedTextEncoder(model, EmbeddingCache(place)).encode(["a", "b"])
    assert (again == expected).all()
    assert model.asked == (["a", "b"] * 2 if damage == "folder" else ["a", "b"])


def test_libraries_are_quiet_only_while_loading() -> None:
    import logging

    level = logging.getLogger("transformers").level
    with text_module.quiet():
        assert logging.getLogger("transformers").level == logging.ERROR
    assert logging.getLogger("transformers").level == level
