"""Run lengths against a loop and against another library's decoder; the compiled kernel against numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle.rle import compress, decompress
from zgbench.submission import rle

ALPHABET = bytes(range(48, 112))
needs_kernel = pytest.mark.skipif(
    rle._kernel is None, reason="the kernel was not built: python setup.py build_ext --inplace"
)


@pytest.fixture(params=["numpy", pytest.param("kernel", marks=needs_kernel)])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of reading."""
    if request.param == "numpy":
        monkeypatch.setattr(rle, "_kernel", None)
    return str(request.param)


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


def test_many_at_once_are_each_on_their_own(way: str) -> None:
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


def test_the_same_as_another_decoder(way: str) -> None:
    from faster_coco_eval import mask as coco

    for k in range(40):
        mask = blobs(k)
        theirs = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
        assert rle.encode(rle.runs_of(mask)) == theirs["counts"].decode()
        mine = {"size": list(mask.shape), "counts": rle.encode(rle.runs_of(mask)).encode()}
        assert (coco.decode(mine).astype(bool) == mask).all()


@pytest.mark.parametrize(("text", "error"), [(b"ooooooooooo0", "too large"), (b"P" * 6 + b"o", "middle of a number")])
def test_errors(way: str, text: bytes, error: str) -> None:
    assert error in rle.parse([text]).errors[0]


def test_differences_that_add_up_past_any_picture_are_refused(way: str) -> None:
    """Each number is small enough to be written, but their sum would wrap round and could pass for the picture's area."""
    growing = np.array([(k // 2) << 33 for k in range(100_000)])
    assert sum(growing.tolist()) > 2**64
    sound = rle.encode(np.array([3, 4, 5])).encode()
    runs = rle.parse([sound, rle.encode(growing).encode(), sound])
    assert runs.errors == {1: f"run 2 is too long for any picture ({1 << 33})"}
    assert runs.sums().tolist() == [12, 0, 12]


def mutated(seed: int) -> list[bytes]:
    """Sound texts, some with a character changed, left out, doubled or put in; and texts of the alphabet alone."""
    rng = np.random.RandomState(seed)
    texts = []
    for _ in range(rng.randint(0, 5)):
        text = bytearray(rle.encode(rle.runs_of(blobs(rng.randint(2**31)))).encode())
        if rng.rand() < 0.3:
            text = bytearray(rng.choice(list(ALPHABET), rng.randint(0, 30)).astype(np.uint8).tobytes())
        for _ in range(rng.randint(0, 3) if rng.rand() < 0.3 and text else 0):
            at = rng.randint(len(text) + 1)
            new = int(rng.choice([rng.randint(256), rng.choice(list(ALPHABET)), 47, 111, 112]))
            text[at : at + rng.randint(2)] = bytes([new] * rng.randint(3))
        texts.append(bytes(text))
    return texts


@needs_kernel
@settings(max_examples=1500, derandomize=True, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_kernel_reads_and_refuses_as_numpy_does(seed: int) -> None:
    texts = mutated(seed)
    ours, slow = rle.parse(texts), rle.parse_by_numpy(texts)
    assert ours.errors == slow.errors
    assert ours.counts.dtype == ours.offsets.dtype == np.int64
    assert ours.counts.tolist() == slow.counts.tolist()
    assert ours.offsets.tolist() == slow.offsets.tolist()
    assert (rle._kernel(texts) is None) == bool(slow.errors)  # what is sound never takes the longer way


@needs_kernel
def test_the_kernel_takes_a_list_of_bytes_alone() -> None:
    for other in (("0",), b"0", [1], None):
        with pytest.raises(TypeError):
            rle._kernel(other)


@needs_kernel
@pytest.mark.parametrize("length", [1 << 31, (1 << 31) + 1])
def test_both_ways_stop_at_the_same_run(length: int) -> None:
    text = rle.encode(np.array([length, 1])).encode()
    assert (rle._kernel([text]) is None) == (length > 1 << 31) == bool(rle.parse_by_numpy([text]).errors)
