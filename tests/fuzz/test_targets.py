"""Every input that fuzzing starts from or kept goes through its target; and what a target promises can be broken."""

from __future__ import annotations

import time

import pytest

from tests.fuzz import targets
from tests.fuzz.scratch import scratch
from tests.fuzz.seeds import CORPUS, kept, seeds
from tests.fuzz.targets import TARGETS, Broken, bounded
from zgbench.errors import InputError


@pytest.mark.parametrize("target", TARGETS)
def test_seeds_and_kept_inputs(target: str) -> None:
    inputs = {f"seed {k}": content for k, content in enumerate(seeds(target))} | kept(target)
    assert len(inputs) > len(seeds(target)), "an earlier run kept some"
    for name, content in inputs.items():
        try:
            TARGETS[target](content)
        except Exception as error:
            raise AssertionError(f"{target}, {name}: {error!r}") from error


def test_the_corpus_is_small() -> None:
    files = [path for path in CORPUS.rglob("*") if path.is_file()]
    assert {path.name for path in files} == {f"{target}.zip" for target in TARGETS}
    assert sum(path.stat().st_size for path in files) < 200_000


def test_seeds_are_accepted() -> None:
    """Else fuzzing would begin at the door. ``truth_mat`` and ``truth_png`` have one each that must be refused."""
    accepted = {
        "truth_mat": lambda content: targets.read_label_map(_written("truth.mat", content)),
        "truth_png": lambda content: targets.read_label_png(content, "a"),
        "embeddings": lambda content: targets.read_embeddings(_written("e.safetensors", content), 3),
        "ratings_table": lambda content: targets.read_ratings(_written("r.csv", content)),
        **{name: targets.TARGETS[name] for name in ("label_map_file", "labels_file", "panoptic_json", "coco_json")},
        "json_submission": lambda content: targets.collected(_written("a.json", content)),
        "gzip_submission": lambda content: targets.collected(_written("a.json.gz", content)),
        "parquet_submission": lambda content: targets.collected(_written("a.parquet", content)),
    }
    refused = dict.fromkeys(accepted, 0)
    for target, read in accepted.items():
        for content in seeds(target):
            try:
                read(content)
            except InputError:
                refused[target] += 1
    assert refused == dict.fromkeys(accepted, 0) | {"truth_mat": 1, "truth_png": 1}


def _written(name: str, content: bytes) -> targets.Path:
    path = scratch() / name
    path.write_bytes(content)
    return path


def test_a_broken_promise_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def bug(data: bytes) -> None:
        raise KeyError(data)

    def unreadable(_: bytes) -> None:
        raise InputError("a \u202e file")

    def chatty(_: bytes) -> None:
        raise InputError("x" * (targets.MAX_MESSAGE + 1))

    def slow(_: bytes) -> None:
        end = time.process_time() + 0.05
        while time.process_time() < end:
            pass

    def greedy(_: bytes) -> None:
        held[0] += 2 << 20

    held = [targets.peak()]
    assert held[0] > 1 << 20
    monkeypatch.setattr(targets, "peak", lambda: held[0])  # to raise the real one could take gigabytes
    monkeypatch.setattr(targets, "MAX_GROWTH", 1 << 20)
    with pytest.raises(KeyError):
        bounded(bug)(b"")
    for broken, says in ((unreadable, "shows"), (chatty, "characters"), (greedy, "MiB")):
        with pytest.raises(Broken, match=says):
            bounded(broken)(b"")
    monkeypatch.setattr(targets, "MAX_SECONDS", 0.01)
    with pytest.raises(Broken, match=r"took 0\.\d s"):
        bounded(slow)(b"")
    with pytest.raises(Broken, match="planted"):
        targets.planted(b"zg")


def test_a_wrong_reader_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that takes a truncated number, and one that lets a pixel count twice."""
    parse = targets.rle.parse
    monkeypatch.setattr(targets.rle, "parse", lambda texts: parse([text[:3] for text in texts]) if len(texts) > 1 else parse(texts))  # fmt: skip
    with pytest.raises(Broken, match="otherwise than alone"):
        TARGETS["rle_text"](b"0000\n1")
    monkeypatch.undo()
    monkeypatch.setattr(targets.rle, "parse_by_numpy", lambda texts: parse([text[:3] for text in texts]))
    with pytest.raises(Broken, match="otherwise than numpy"):
        TARGETS["rle_text"](b"0000\n1")
    monkeypatch.undo()
    read = targets.collect

    def twice(*args: object, **options: object) -> object:
        counts = read(*args, **options)  # type: ignore[arg-type]
        counts.pixels[:] *= 2
        return counts

    monkeypatch.setattr(targets, "collect", twice)
    with pytest.raises(Broken, match="do not add up"):
        TARGETS["json_submission"](seeds("json_submission")[0])
