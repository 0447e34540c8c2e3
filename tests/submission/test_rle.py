"""Run lengths against a loop and against another library's decoder."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle.rle import compress, decompress
from zgbench.submission import rle


def blobs(seed: int) -> np.ndarray:
    rng = np.random.RandomState(seed)
    scale = rng.randint(1, 40)
    small = rng.rand(*rng.randint(1, 9, 2)) < rng.rand()
    return np.kron(small, np.ones((scale, rng.randint(1, 40)), bool))


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_there_and_back(seed: int) -> None:
    mask = blobs(seed)
    text = rle.encode(rle.runs_of(mask))
    assert text == compress(mask)
    runs = rle.parse([text.encode()])
    assert not runs.errors
    assert (rle.mask_of(runs.counts, mask.shape) == mask).all()
    assert (decompress(text, mask.shape) == mask).all()


def test_many_at_once_are_each_on_their_own() -> None:
    masks = [blobs(k) for k in range(50)]
    texts: list[bytes] = []
    for mask in masks:
        texts += [b"0~", rle.encode(rle.runs_of(mask)).encode(), b"", b"0O"]
    runs = rle.parse(texts)
    assert sorted(runs.errors) == sorted(i for i in range(len(texts)) if i % 4 != 1)
    for k, mask in enumerate(masks):
        span = slice(runs.offsets[4 * k + 1], runs.offsets[4 * k + 2])
        assert (rle.mask_of(runs.counts[span], mask.shape) == mask).all()
    starts, lengths, owners = runs.foreground()
    for k, mask in enumerate(masks):
        mine = owners == 4 * k + 1
        painted = np.zeros(mask.size, bool)
        for start, length in zip(starts[mine], lengths[mine], strict=True):
            assert not painted[start : start + length].any()
            painted[start : start + length] = True
        assert (painted.reshape(mask.shape, order="F") == mask).all()


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.lists(st.binary(max_size=12), max_size=6))
def test_any_bytes_are_parsed_or_refused(texts: list[bytes]) -> None:
    runs = rle.parse(texts)
    assert len(runs.offsets) == len(texts) + 1
    assert (runs.counts >= 0).all()
    assert (runs.sums()[sorted(runs.errors)] == 0).all()
    malformed: dict[int, str] = {}
    rle._drop_malformed(texts, malformed)
    assert rle._Numbers(texts).sound() == (
        bool(texts) and not malformed
    )  # the quick check asks for all of the slow one


def test_the_same_as_another_decoder() -> None:
    from faster_coco_eval import mask as coco

    for k in range(40):
        mask = blobs(k)
        theirs = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
        assert rle.encode(rle.runs_of(mask)) == theirs["counts"].decode()
        mine = {"size": list(mask.shape), "counts": rle.encode(rle.runs_of(mask)).encode()}
        assert (coco.decode(mine).astype(bool) == mask).all()


@pytest.mark.parametrize(("text", "error"), [(b"ooooooooooo0", "too large"), (b"P" * 6 + b"o", "middle of a number")])
def test_errors(text: bytes, error: str) -> None:
    assert error in rle.parse([text]).errors[0]


def test_differences_that_add_up_past_any_picture_are_refused() -> None:
    """Each number is small enough to be written, but their sum would wrap round and could pass for the picture's area."""
    growing = np.array([(k // 2) << 33 for k in range(100_000)])
    assert sum(growing.tolist()) > 2**64
    sound = rle.encode(np.array([3, 4, 5])).encode()
    runs = rle.parse([sound, rle.encode(growing).encode(), sound])
    assert runs.errors == {1: f"run 2 is too long for any picture ({1 << 33})"}
    assert runs.sums().tolist() == [12, 0, 12]
