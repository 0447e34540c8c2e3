"""``mini``: the same bytes everywhere, and scenes that are worth scoring on."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

from zgbench import open_dataset
from zgbench.datasets import mini

DIGEST = """
import hashlib
from zgbench.datasets import mini
digest = hashlib.sha256()
for split, n in (("val", mini.N_VAL), ("train", 20)):
    for k in range(n):
        s = mini.scene(split, k)
        digest.update(s.id.encode() + s.image.tobytes() + s.truth.tobytes() + repr((s.captions, s.phrases)).encode())
print(digest.hexdigest())
"""
# a change of it changes every score on mini: then the protocol's version must change as well
GOLDEN = "c57bc2688a91739f3568aa8a4c9cdaf05f784a0d1141922c22c949f0e579ccd1"


def test_the_scenes_are_the_published_ones() -> None:
    """Drawn in a process of its own with other hash seeds: nothing depends on the order of sets or dicts."""
    for seed in ("0", "4242"):
        command = [sys.executable, "-c", DIGEST]
        printed = subprocess.run(
            command, check=True, capture_output=True, text=True, env=os.environ | {"PYTHONHASHSEED": seed}
        )
        assert printed.stdout.strip() == GOLDEN


def test_classes() -> None:
    assert len(mini.CLASSES) >= 20
    assert {c.kind for c in mini.CLASSES} == {"thing", "stuff"}
    assert [c.id for c in mini.CLASSES] == list(range(1, len(mini.CLASSES) + 1))
    words = [w for c in mini.CLASSES for w in (c.name, *c.synonyms)]
    assert len(set(words)) == len(words)
    assert all(c.synonyms for c in mini.CLASSES)


def test_scenes() -> None:
    dataset = open_dataset("mini")
    assert len(dataset.ids) == 200
    assert dataset.official
    shown: dict[int, int] = {}
    pictures = set()
    for image_id in dataset.ids:
        truth, photo = dataset.source.truth(image_id).classes(), np.asarray(dataset.source.photo(image_id))
        assert truth.shape == photo.shape[:2] == (96, 96)
        classes, pixels = np.unique(truth, return_counts=True)
        assert classes[0] >= 1  # every pixel has a class
        assert pixels.min() >= 60
        assert len(classes) >= 4
        pictures.add(hashlib.sha256(photo.tobytes()).digest())
        for c in classes.tolist():
            shown[c] = shown.get(c, 0) + 1
    assert len(pictures) == 200
    assert set(shown) == set(dataset.vocabulary.ids)
    assert min(shown.values()) >= 20


def test_words_say_what_is_shown() -> None:
    by_id = {c.id: c for c in mini.CLASSES}
    for k in range(30):
        scene = mini.scene("train", k)
        assert set(scene.phrases) == set(np.unique(scene.truth).tolist())
        for class_id, phrases in scene.phrases.items():
            assert phrases[0] == by_id[class_id].name
            known = (by_id[class_id].name, *by_id[class_id].synonyms)
            assert all(any(word in phrase for word in known) for phrase in phrases)
        assert len(scene.captions) == 3


def test_train_and_val_are_different() -> None:
    val = {mini.scene("val", k).image.tobytes() for k in range(100)}
    assert not val & {mini.scene("train", k).image.tobytes() for k in range(100)}
    for split, index in (("val", 200), ("val", -1), ("train", -1), ("test", 0)):
        with pytest.raises(ValueError, match="there is no scene"):
            mini.scene(split, index)  # type: ignore[arg-type]


@pytest.mark.slow
def test_the_bundled_text_model_understands_the_synonyms() -> None:
    from zgbench.encoders.text import SentenceBert

    encoder = SentenceBert("all-MiniLM-L6-v2")
    names = encoder.encode([c.name for c in mini.CLASSES])
    for c in mini.CLASSES:
        cosines = encoder.encode(c.synonyms) @ names.T
        assert (cosines.argmax(axis=1) == c.id - 1).all(), (c.name, c.synonyms)
        assert cosines.max() >= 0.5
