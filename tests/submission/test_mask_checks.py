"""Masks of several images are checked at once: what is found wrong with one does not depend on its company."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from zgbench.datasets.truth import Truth, table
from zgbench.datasets.vocabulary import Vocabulary
from zgbench.pixels.joint_histograms import joint_counts
from zgbench.pixels.pixel_pass import BATCH, Item, Rejected, count_batch
from zgbench.submission import rle
from zgbench.submission.mask_checks import Strip, check_masks
from zgbench.submission.schema import Image

SIZE = (6, 5)
VOCABULARY = Vocabulary((1, 2), ("a", "b"))


class Source:
    """Truths drawn from the image's id."""

    def truth(self, image_id: str) -> Truth:
        pixels = np.random.RandomState(int(image_id.split()[0])).choice([0, 1, 2, 255], SIZE).astype(np.uint8)
        return Truth(pixels, table({1: 1, 2: 2}, background=0, void=(255,)))


def texts(label_map: np.ndarray, n: int) -> list[bytes]:
    return [rle.encode(rle.runs_of(label_map == k)).encode() for k in range(n)]


def drawn(random: np.random.RandomState, number: int, fault: str) -> Image:
    """An image with 2 segments and a fault of a kind, or none."""
    size = (5, 6) if fault == "wrong-size" else SIZE
    label_map = random.randint(-1, 2, size)
    label_map.flat[:2] = 0, 1
    found = texts(label_map, 2)
    if fault == "bad-rle":
        found[1] = random.choice([b"~~", b"", b"o", b"11", found[1] + b"1"])
    elif fault == "empty-segment":
        found[0] = rle.encode(np.array([label_map.size])).encode()
    elif fault == "overlap":
        found[1] = rle.encode(np.array([0, label_map.size])).encode()
    return Image("$", f"{number} {fault}", size, ["x", "y"], found, None, 2 * number)


KINDS = ("none", "none", "none", "wrong-size", "bad-rle", "empty-segment", "overlap")


@pytest.mark.parametrize("seed", range(12))
def test_the_company_changes_nothing(seed: int) -> None:
    random = np.random.RandomState(seed)
    kinds = random.choice(KINDS if seed else ["none"], BATCH)
    items: list[Item] = [drawn(random, k, str(kind)) for k, kind in enumerate(kinds)]
    source: Any = Source()
    together = count_batch(items, source, VOCABULARY)
    for item, outcome, kind in zip(items, together, kinds, strict=True):
        (alone,) = count_batch([item], source, VOCABULARY)
        if kind == "none":
            assert not isinstance(outcome, Rejected) and not isinstance(alone, Rejected)
            for name in ("id", "size", "labels", "first"):
                assert getattr(outcome, name) == getattr(alone, name)
            for name in ("segments", "classes", "pixels"):
                assert np.array_equal(getattr(outcome, name), getattr(alone, name))
        else:
            assert isinstance(outcome, Rejected) and outcome == alone
            assert {problem.kind for problem in outcome.problems} == {str(kind)}


def test_places_that_32_bits_cannot_hold_with_their_owner() -> None:
    """Pictures of the largest size and many segments: by a claim alone, as nothing of the size is allocated."""
    size, n = (1 << 13, 1 << 13), 70
    area = size[0] * size[1]
    columns = [[k * size[0], size[0], area - (k + 1) * size[0]] for k in range(n)]
    text = [rle.encode(np.array(column)).encode() for column in columns]
    image = Image("$", "x", size, ["a"] * n, text, None, 0)
    problems, strip = check_masks([image] * 3, [None] * 3)
    assert problems == [[], [], []]
    assert strip.starts.dtype == np.uint64
    ours = strip.owners != np.repeat(strip.nobody[:-1], n + 1).astype(np.uint64)
    expected = np.concatenate([i * area + size[0] * np.arange(n) for i in range(3)])
    assert strip.starts[ours].tolist() == expected.tolist()
    assert strip.ends[ours].tolist() == (expected + size[0]).tolist()
    text[1] = rle.encode(np.array([size[0] - 1, size[0] + 1, area - 2 * size[0]])).encode()
    problems, _ = check_masks([image] * 2 + [Image("$", "y", size, ["a"] * n, text[:1] * n, None, 0)], [None] * 3)
    assert [{problem.kind for problem in found} for found in problems] == [{"overlap"}] * 3


def test_overlaps_are_seen_wherever_they_lie() -> None:
    """The quick look for overlaps (sorted starts against sorted ends) against the mask of every pixel."""
    random = np.random.RandomState(3)
    seen = 0
    for _ in range(400):
        masks = random.random_sample((random.randint(1, 4), *SIZE)) < random.choice([0.05, 0.3])
        masks[np.arange(len(masks)), random.randint(0, 6, len(masks)), random.randint(0, 5, len(masks))] = True
        text = [rle.encode(rle.runs_of(mask)).encode() for mask in masks]
        ((found,), strip) = check_masks([Image("$", "x", SIZE, ["a"] * len(masks), text, None, 0)], [SIZE])
        overlapping = bool((masks.sum(axis=0) > 1).any())
        seen += overlapping
        assert bool(found) == overlapping
        shared = int((masks.sum(axis=0) > 1).sum())
        assert [problem.found.startswith(f"{shared} pixels in more than one") for problem in found] == [
            True
        ] * overlapping
        assert isinstance(strip, Strip) and len(strip.bases) == 2 - overlapping
        if not overlapping:
            (entries,) = joint_counts([Source().truth("1")], strip)
            assert entries[2].sum() == (Source().truth("1").classes() >= 0).sum()
    assert 50 < seen < 350
