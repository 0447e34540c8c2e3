"""2,000 mutated submissions: scored or rejected with a report, never a crash, never half a result."""

from __future__ import annotations

import contextlib
import copy
import gzip
import json
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import zgbench
from tests.conftest import VOC_IDS, HashedText
from tests.submission.sample import oracle, sound, write

pytestmark = pytest.mark.slow
PROTOCOL = replace(zgbench.PRESETS["offline"], resamples=5)


def fuzz(examples: int) -> settings:
    """The same examples in every run."""
    return settings(
        max_examples=examples, derandomize=True, deadline=None, database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
    )  # fmt: skip


texts = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["", " ", "plane", "a" * 201, "\u202e", "\x00", "\ud800", "pas20", "mini", "oracle", "dog", "bicycle", *VOC_IDS]
    ),
    st.text(alphabet=[chr(c) for c in range(48, 112)], max_size=12),  # the alphabet of the run lengths
)
numbers = st.one_of(st.integers(-(2**70), 2**70), st.floats(), st.sampled_from([0, 1, 4, 6, 65536, -1, 1e308]))
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=6,
)


def places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of everything inside a JSON value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inside:
        yield (*way, key)
        yield from places(item, (*way, key))


@st.composite
def documents(draw: st.DrawFn) -> Any:
    """A sound submission with one to three things replaced, removed, doubled or added."""
    document = copy.deepcopy(draw(st.sampled_from([sound(), oracle()])))
    for _ in range(draw(st.integers(1, 3))):
        everywhere = list(places(document))
        if not everywhere:
            break
        *way, last = draw(st.sampled_from(everywhere))
        place = document
        for step in way:
            place = place[step]
        how = draw(st.sampled_from(["replace", "replace", "remove", "double", "add"]))
        if how == "remove":
            del place[last]
        elif how == "double" and isinstance(place, list):
            place.append(copy.deepcopy(place[last]))
        elif how == "add" and isinstance(place, dict):
            place[draw(texts)] = draw(values)
        elif how == "add":
            place.insert(last, draw(values))
        else:
            place[last] = draw(values)
    return document


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """Bytes flipped, cut out, put in or cut off."""
    content = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(content) - 1, 0)))
        how = draw(st.sampled_from(["flip", "flip", "cut", "insert", "end"]))
        if how == "flip" and content:
            content[at] = draw(st.integers(0, 255))
        elif how == "cut":
            del content[at : at + draw(st.integers(1, 9))]
        elif how == "insert":
            content[at:at] = draw(st.binary(max_size=9))
        else:
            del content[at:]
    return bytes(content)


def scored_or_rejected(name: str, content: bytes, data: Path) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        path = folder / name
        path.write_bytes(content)
        out = folder / "out"
        try:
            found = zgbench.evaluate(
                path, data=data, protocol=PROTOCOL, reassign=["tt"], text_encoder=HashedText(), out=out
            )
        except zgbench.InputError as error:  # anything else is a crash
            assert str(error)
            assert len(str(error)) < 40_000
            assert "\x1b" not in str(error)
            assert not any(c in str(error) for c in "\u202e\x00\r")
            assert not out.exists() or not list(out.iterdir())
            with contextlib.suppress(zgbench.UsageError), pytest.raises(zgbench.InputError):
                zgbench.validate(path, data=data)
            return
        assert len(found.counts.ids) == 3
        assert zgbench.validate(path, data=data).images == 3
        result = json.loads((out / "mine.pas20.result.json").read_text())
        assert result["scores"][0]["images"] == 3
        assert not list(out.glob(".*"))


@fuzz(1000)
@given(document=documents())
def test_changed_values(document: Any, tiny_voc: Path) -> None:
    scored_or_rejected("mine.json", json.dumps(document).encode(), tiny_voc)


SOUND = json.dumps(sound()).encode()


@fuzz(400)
@given(content=damaged(SOUND))
def test_changed_bytes(content: bytes, tiny_voc: Path) -> None:
    scored_or_rejected("mine.json", content, tiny_voc)


@fuzz(200)
@given(content=damaged(gzip.compress(SOUND, mtime=0)))
def test_changed_gzip(content: bytes, tiny_voc: Path) -> None:
    scored_or_rejected("mine.json.gz", content, tiny_voc)


def parquet(document: dict[str, Any]) -> bytes:
    with tempfile.TemporaryDirectory() as temporary:
        path = write(document, Path(temporary) / "mine.json")
        return zgbench.convert(path, path.with_name("mine.parquet")).path.read_bytes()


@fuzz(400)
@given(content=st.sampled_from([sound(), oracle()]).map(parquet).flatmap(damaged))
def test_changed_parquet(content: bytes, tiny_voc: Path) -> None:
    scored_or_rejected("mine.parquet", content, tiny_voc)
