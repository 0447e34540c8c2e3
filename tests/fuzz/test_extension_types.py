"""A Parquet file cannot reach the classes that other packages have registered with Arrow: these may run what it says."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import zgbench
from tests.conftest import HashedText
from tests.submission.sample import sound, write
from zgbench.datasets.store import place, prepare
from zgbench.pixels import counts_file
from zgbench.ratings import open_store
from zgbench.ratings.importing import import_table
from zgbench.scores.human_scores import read_ratings
from zgbench.scores.result import load_result
from zgbench.storage.plain_arrow import plain

NAME = "zgbench.tests.hostile"
REFUSED = r"(?s)extension type|not the file that"
ran: list[bytes] = []


class Hostile(pa.ExtensionType):
    """Stands for a registered class that unpickles, as Ray Data's did: remembers that it was asked."""

    def __init__(self, storage: pa.DataType) -> None:
        super().__init__(storage, NAME)

    def __arrow_ext_serialize__(self) -> bytes:
        return b"what the file says"

    @classmethod
    def __arrow_ext_deserialize__(cls, storage: pa.DataType, serialized: bytes) -> Hostile:
        ran.append(serialized)
        return cls(storage)


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    pa.register_extension_type(Hostile(pa.string()))
    ran.clear()
    yield
    pa.unregister_extension_type(NAME)


def spoilt(path: Path, column: str) -> Path:
    """The same file with a column of the registered type."""
    table = pq.read_table(path)
    at = table.column_names.index(column)
    storage = table[column].combine_chunks()
    kind = Hostile(storage.type)
    changed = table.set_column(at, pa.field(column, kind), pa.ExtensionArray.from_storage(kind, storage))
    pq.write_table(changed.replace_schema_metadata(table.schema.metadata), path)
    ran.clear()
    return path


@pytest.fixture
def submission(tiny_voc: Path, tmp_path: Path) -> Path:
    return zgbench.convert(write(sound(), tmp_path / "mine.json"), tmp_path / "mine.parquet").path


def test_arrow_alone_would_ask_the_class(submission: Path) -> None:
    pq.read_table(spoilt(submission, "label"))
    assert ran


@pytest.mark.parametrize("column", ["image_id", "height", "label", "counts"])
def test_a_submission(column: str, submission: Path, tiny_voc: Path) -> None:
    spoilt(submission, column)
    with pytest.raises(zgbench.InputError, match=REFUSED):
        zgbench.validate(submission)
    with pytest.raises(zgbench.InputError, match=REFUSED):
        zgbench.evaluate(submission, data=tiny_voc, reassign=["tt"], text_encoder=HashedText())
    assert not ran


def test_counts_and_a_result(submission: Path, tiny_voc: Path, tmp_path: Path) -> None:
    protocol = zgbench.PRESETS["offline"]
    options: dict[str, Any] = {"data": tiny_voc, "protocol": protocol, "reassign": ["tt"], "text_encoder": HashedText()}
    found = zgbench.evaluate(submission, out=tmp_path / "out", **options)
    stats = spoilt(tmp_path / "out/mine.pas20.stats.parquet", "id")
    with pytest.raises(zgbench.DataError, match=REFUSED):
        counts_file.load(stats)
    with pytest.raises(zgbench.DataError, match=REFUSED):
        load_result(tmp_path / "out/mine.pas20.result.json")
    again = zgbench.evaluate(submission, out=tmp_path / "out", **options)  # counted again, as if it were not there
    assert again.scores == found.scores
    assert not ran


@pytest.mark.parametrize("column", ["rater", "label"])
def test_ratings(column: str, tmp_path: Path) -> None:
    path = tmp_path / "ratings.parquet"
    rows = {"image_id": ["a"], "segment": [0], "label": ["cat"], "rater": ["r"], "score": [3]}
    pq.write_table(pa.table(rows), path)
    assert read_ratings(path).items
    spoilt(path, column)
    with pytest.raises(zgbench.InputError, match=REFUSED):
        read_ratings(path)
    with open_store(tmp_path / "study.db") as store, pytest.raises(zgbench.InputError, match=REFUSED):
        import_table(store, path)
    assert not ran


def test_a_second_schema_is_no_way_around(submission: Path) -> None:
    """Only one of two entries of a name can be looked at; which one a reader takes is its own affair."""
    honest = pq.read_table(submission)
    spoilt(submission, "label")
    about = pq.read_metadata(submission).metadata
    hostile = about[b"ARROW:schema"]
    assert NAME.encode() in base64.b64decode(hostile)
    pq.write_table(honest.replace_schema_metadata({**about, b"ARROW:schema": hostile}), submission)
    ran.clear()
    with pytest.raises(ValueError, match="extension type"):
        plain(submission)
    assert not ran


def test_a_prepared_data_set(tiny_voc: Path, tmp_path: Path) -> None:
    prepare(zgbench.open_dataset("pas20", tiny_voc), tmp_path)
    ids = zgbench.open_dataset("pas20", tmp_path).ids
    (file,) = place(tmp_path, "pas20").rglob("*.arrow")
    table = pa.ipc.open_stream(file.read_bytes()).read_all()
    kind = Hostile(table["id"].type)
    changed = pa.ExtensionArray.from_storage(kind, table["id"].combine_chunks())
    spoilt_table = table.set_column(table.column_names.index("id"), pa.field("id", kind), changed)
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_stream(sink, spoilt_table.schema) as writer:
        writer.write_table(spoilt_table)
    ran.clear()
    with pytest.raises(zgbench.DataError, match="extension type"):
        zgbench.open_dataset("pas20", tmp_path)
    assert not ran
    file.write_bytes(b"\xff\xff\xff\xff\xff\xff\xff\x7f")
    with pytest.raises(zgbench.DataError, match="does not begin with an Arrow schema"):
        zgbench.open_dataset("pas20", tmp_path)
    assert len(ids) == 3


def test_what_zgbench_writes_is_plain(submission: Path) -> None:
    assert plain(submission) == submission
