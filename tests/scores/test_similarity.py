"""How alike classes are: WordNet's paths, and tables of one's own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import zgbench
from tests.end_to_end.command import here
from tests.submission.sample import sound, write
from tests.test_evaluate import RIGHT, named, run
from zgbench.datasets.vocabulary import Vocabulary
from zgbench.errors import InputError
from zgbench.scores.similarity import path_similarity, read_similarity

VOCABULARY = Vocabulary((1, 2, 3), ("dog", "cat", "no such thing xyz"))


def table(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_paths() -> None:
    found = path_similarity(VOCABULARY)
    assert not found.given and found.name.startswith("path,wordnet-3.1@")
    # dog, canine, carnivore, feline, cat: four steps. What WordNet does not have is like itself alone
    assert found.matrix.tolist() == [[1, 1 / 5, 0], [1 / 5, 1, 0], [0, 0, 1]]


def test_a_table_is_read_by_name(tmp_path: Path) -> None:
    place = table(
        tmp_path / "mine.csv",
        ",cat,no such thing xyz,dog,more\ndog,0.5,0,1,9\nno such thing xyz,0,1,0,x\ncat,1,0.25,0.75,\n",
    )
    found = read_similarity(place, VOCABULARY)
    assert found.given and found.name.startswith("mine.csv@")
    # rows are predicted, columns true, whatever their order
    assert found.matrix.tolist() == [[1, 0.5, 0], [0.75, 1, 0.25], [0, 0, 1]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "first row: no 'dog', 'cat'"),
        (",dog,cat\ndog,1,0\ncat,0,1\n", "first row: no 'no such thing xyz'"),
        (",dog,cat,no such thing xyz\ndog,1,0,0\ncat,0,1,0\n", "first column: no 'no such thing xyz'"),
        (",dog,cat,no such thing xyz,cat\ndog,1,0,0,0\ncat,0,1,0,0\nno such thing xyz,0,0,1,0\n", "a name stands twice"),
        (",dog,cat,no such thing xyz\ndog,1,2,0\ncat,0,1,0\nno such thing xyz,0,0,1\n", "found '2', expected a number from 0 to 1"),
        (",dog,cat,no such thing xyz\ndog,1,nan,0\ncat,0,1,0\nno such thing xyz,0,0,1\n", "row 'dog', column 'cat': found 'nan'"),
        (",dog,cat,no such thing xyz\ndog,0.9,0,0\ncat,0,1,0\nno such thing xyz,0,0,1\n", "found '0.9', expected 1"),
        (",dog,cat,no such thing xyz\ndog,1\ncat,0,1,0\nno such thing xyz,0,0,1\n", "column 'cat': found ''"),
    ],
)  # fmt: skip
def test_tables_that_are_refused(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        read_similarity(table(tmp_path / "mine.csv", text), VOCABULARY)


def test_what_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_similarity(tmp_path / "nowhere.csv", VOCABULARY)
    (tmp_path / "mine.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"not a \.csv in UTF-8"):
        read_similarity(tmp_path / "mine.csv", VOCABULARY)


def test_a_result_says_by_which_table(tiny_voc: Path, tmp_path: Path) -> None:
    names = zgbench.open_dataset("pas20", tiny_voc).vocabulary.names
    ones = "\n".join([",".join(["", *names]), *(",".join([name, *["1"] * 20]) for name in names)])
    place = table(tmp_path / "ones.csv", ones)
    path = write(named("aeroplane", "aeroplane", "dog", "dog"), tmp_path / "s.json")
    plain = run(path, tiny_voc, reassign=["tt"], scores="open_miou", out=tmp_path / "a")
    given = run(path, tiny_voc, reassign=["tt"], scores="open_miou", similarity=place, out=tmp_path / "b")
    by_path, by_table = (f.scores[0]["more"]["open_miou"] for f in (plain, given))
    assert by_table["definition"].startswith("open_miou.1,ones.csv@")
    assert by_path["definition"].startswith("open_miou.1,path,wordnet-3.1@")
    # where all classes are one, what counts is how much of the truth is covered at all: of 8 + 8 aeroplane, 4 + 6 + …
    assert by_table["value"] > by_path["value"]  # type: ignore[operator]
    assert plain.path is not None and given.path is not None
    assert "--similarity SIMILARITY.csv" in here("reproduce", given.path)[0]
    # compared under one table, whichever it was made with: the same submission is no better than itself
    for similarity in (None, place):
        ((_, row),) = zgbench.compare(plain.path, given.path, scores="open_miou", similarity=similarity).rows.items()
        assert row["open_miou"].difference == 0


@pytest.mark.parametrize("protocol", ["offline", "iccv2023"])
def test_all_scores_of_nothing_at_all(protocol: str, tiny_voc: Path, tmp_path: Path) -> None:
    document = sound()
    for image in document["images"]:
        image["segments"] = []
    found = run(
        write(document, tmp_path / "s.json"), tiny_voc, protocol=protocol, reassign=["tt"], scores="all", out=tmp_path
    )
    (row,) = found.scores
    assert {score["value"] for score in row["more"].values()} == {0.0}
    assert {score["value"] for score in found.result["by_label"]["labels"]["scores"].values()} == {0.0}
    assert found.path is not None
    assert json.loads(found.path.read_text())["by_label"]["labels"]["segments"] == 8


def test_a_good_submission_has_all_scores(tiny_voc: Path, tmp_path: Path) -> None:
    found = run(write(named(*RIGHT), tmp_path / "s.json"), tiny_voc, reassign=["tt", "lt"], scores="all")
    for row in found.scores:
        values = np.array([score["value"] for score in row["more"].values()], dtype=float)
        assert not np.isnan(values).any()
