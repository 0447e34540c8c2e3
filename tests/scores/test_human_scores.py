"""Ratings by people: how several become one, which rows follow, and which tables are refused."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import zgbench
from tests.conftest import VOC_IDS
from tests.submission.sample import write
from tests.test_evaluate import RIGHT, named, run


def rated(path: Path, scores: dict[tuple[str, int], list[int]], label: str = "") -> Path:
    """A ratings table; the label shown is the right class's name unless another is given."""
    rows = ["image_id,segment,label,rater,score"]
    for (image_id, segment), given in scores.items():
        shown = label or ("aeroplane", "bicycle")[segment]
        rows += [f"{image_id},{segment},{shown},r{n},{score}" for n, score in enumerate(given)]
    path.write_text("\n".join(rows) + "\n")
    return path


ALL = {(image_id, segment): [3] for image_id in VOC_IDS[:2] for segment in (0, 1)}


@pytest.mark.parametrize(("how", "expected"), [("median", 1), ("mean", 8 / 6), ("min", 0), ("majority", 0)])
def test_ratings_become_one_score(how: str, expected: float, tiny_voc: Path, tmp_path: Path) -> None:
    table = rated(tmp_path / "r.csv", ALL | {(VOC_IDS[0], 0): [0, 0, 1, 1, 3, 3]})
    found = run(write(named(*RIGHT), tmp_path / "s.json"), tiny_voc, ratings=table, protocol="offline", human=how)
    rows = {row["verify"]: row for row in found.scores}
    assert found.reassigned[0].rated is not None
    assert found.reassigned[0].rated.tolist() == [expected, 3, 3, 3]
    for level in (1, 2, 3):
        assert rows[f"h>={level}"]["segments_kept"] == 3 + (expected >= level)
        assert f"{how},whole-images" in rows[f"h>={level}"]["signature"]


def test_rows_by_people_are_over_wholly_rated_images(tiny_voc: Path, tmp_path: Path) -> None:
    scores = dict(ALL)
    del scores[(VOC_IDS[1], 1)]
    found = run(write(named(*RIGHT), tmp_path / "s.json"), tiny_voc, ratings=rated(tmp_path / "r.csv", scores))
    rows = {row["verify"]: row for row in found.scores}
    assert rows["cos>=0.5"]["images"] == 3
    assert rows["h>=1"]["images"] == 2  # the first, and the last, which has no segment
    assert "n:2|" in rows["h>=1"]["signature"]


def test_ratings_of_another_label_are_about_another_question(tiny_voc: Path, tmp_path: Path) -> None:
    document = named(*RIGHT)
    document["images"].pop()
    table = rated(tmp_path / "r.csv", ALL, label="a plane")
    found = run(write(document, tmp_path / "s.json"), tiny_voc, ratings=table, partial=True)
    assert [row["verify"] for row in found.scores if row["reassign"] == "TT"] == ["cos>=0.5"]
    assert "0 of 4 segments are rated" in found.unavailable["TT h>=1"]


@pytest.mark.parametrize("times", [("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"), ("20", "3")])
def test_a_raters_latest_score_counts(times: tuple[str, str], tiny_voc: Path, tmp_path: Path) -> None:
    from zgbench.scores.human_scores import read_ratings

    path = tmp_path / "r.csv"
    path.write_text(
        f"time,image_id,segment,label,rater,score\n{times[0]},a,0,cat,r,2\n{times[1]},a,0,cat,r,0\n{times[1]},a,0,cat,q,1\n"
    )
    assert dict(read_ratings(path).items) == {("a", 0, "cat"): {"r": 2, "q": 1}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n1,2\n", "no column image_id, segment, label, rater, score"),
        ("image_id,segment,label,rater,score\na,-1,cat,r,2\n", "row 0, segment: expected a whole number"),
        ("image_id,segment,label,rater,score\na,0,cat,r,2\na,0,cat,q,4\n", 'row 1, score: expected 0, 1, 2 or 3; found \'4\''),
        ("image_id,segment,label,rater,score\na,0,cat,r,1.5\n", "row 0, score: expected 0, 1, 2 or 3"),
        ("image_id,segment,label,rater,score\na,0,cat,,1\n", "row 0, rater: expected a name"),
        ("time,image_id,segment,label,rater,score\nnoon,a,0,cat,r,1\n", "column time: expected seconds or ISO 8601"),
        ("", "cannot be read as a table"),
        ("image_id,segment,label,rater,score\na,0,cat,r,3,\n", "a row has more cells than the header has names"),
        ("image_id,segment,label,rater,score\nx,a,0,cat,r,3\n", "a row has more cells than the header has names"),
        ("image_id,segment,label,rater,score\na,0,cat,r,3\na,0,cat,q,3,3\n", "cannot be read as a table"),
        ("image_id,segment,label,rater,score\na,nan,cat,r,1\na,0,cat,r,inf\n", "2 bad rows"),
    ],
)  # fmt: skip
def test_bad_ratings_are_refused(content: str, message: str, tmp_path: Path) -> None:
    from zgbench.scores.human_scores import read_ratings

    path = tmp_path / "r.csv"
    path.write_text(content)
    with pytest.raises(zgbench.InputError) as error:
        read_ratings(path)
    assert message in str(error.value)
    assert str(path) in str(error.value)


def test_ratings_in_parquet_are_the_same(tmp_path: Path) -> None:
    from zgbench.scores.human_scores import read_ratings

    table = rated(tmp_path / "r.csv", ALL)
    pd.read_csv(table).to_parquet(tmp_path / "r.parquet")
    assert read_ratings(tmp_path / "r.parquet").items == read_ratings(table).items
    with pytest.raises(zgbench.InputError, match=r"expected a \.csv or \.parquet"):
        read_ratings(write({}, tmp_path / "r.json"))


def test_a_parquet_table_that_names_its_rows(tmp_path: Path) -> None:
    """pandas stores them in the file; they are a stranger's text, and not the place of a row."""
    from zgbench.scores.human_scores import read_ratings

    columns = {"image_id": ["a"], "segment": [0], "label": ["cat"], "rater": ["r"], "score": [9]}
    pd.DataFrame(columns, index=["\u202e name"]).to_parquet(tmp_path / "r.parquet")
    with pytest.raises(zgbench.InputError, match=r"row 0, score: expected 0, 1, 2 or 3"):
        read_ratings(tmp_path / "r.parquet")
