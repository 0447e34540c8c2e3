"""A mapping given as a table: read, refused, scored, made new."""

from __future__ import annotations

from pathlib import Path

import pytest

import zgbench
from tests.submission.sample import write
from tests.test_evaluate import NoModel, named, run
from zgbench.cli import main
from zgbench.datasets.vocabulary import pas20
from zgbench.scores.given_mapping import read_mapping, read_pairs


def table(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "judge.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_segments_are_reassigned_by_the_table_and_what_it_lacks_is_told(tiny_voc: Path, tmp_path: Path) -> None:
    submission = write(named("flying thing", "velo", "cloud", "no idea"), tmp_path / "s.json")
    given = table(tmp_path, "label,class\nflying thing,aeroplane\nvelo,bicycle\ncloud,none\n")
    found = run(submission, tiny_voc, mapping=given, text_encoder=NoModel())  # needs no model
    [row] = found.scores
    assert (row["reassign"], row["verify"], row["segments_kept"]) == ("MAP", "given", 2)
    assert f"encoder:judge@{read_mapping(given, pas20()).sha256[:8]}" in row["signature"]
    assert found.result["notes"] == [
        "the mapping decides 3 of 4 distinct labels; 1 of 4 segments have no class for want of: 'no idea'"
    ]


def test_levels_give_nested_rows(tiny_voc: Path, tmp_path: Path) -> None:
    submission = write(named("plane", "velo", "wheel", "cloud"), tmp_path / "s.json")
    given = table(tmp_path, "label,class,level\nplane,aeroplane,1\nvelo,bicycle,2\nwheel,bicycle,3\ncloud,none,\n")
    found = run(submission, tiny_voc, mapping=given, reassign=["tt"])
    kept = {row["verify"]: row["segments_kept"] for row in found.scores if row["reassign"] == "MAP"}
    assert kept == {"level<=0": 0, "level<=1": 1, "level<=2": 2, "level<=3": 3, "level<=4": 3, "given": 3}
    assert found.scores[0]["reassign"] == "TT"


def test_a_class_may_be_named_by_its_readable_name_or_an_alias(tmp_path: Path) -> None:
    rows = read_pairs(table(tmp_path, "label,class\na,potted plant\nb,pottedplant\nc,none\n"), pas20(), undecided=False)
    assert [class_id for _, class_id, _ in rows] == [16, 16, 0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "not a readable CSV table"),
        ("label\na\n", "no column class"),
        ("name,klass\na,cat\n", "no column label, class"),
        ("label,class\na,unicorn\n", r"row 2: 'unicorn' is no class of the list, no alias and not 'none'"),
        ("label,class\na,cat\na,dog\n", r"row 3: the label 'a' stands in row 2 already"),
        ("label,class,level\na,cat,7\n", r"row 2: level '7': expected 0, 1, 2, 3 or nothing"),
        ("label,class,level\na,cat,1\nb,dog,\n", r"1 labels of a class have no level \('b' is the first\)"),
        ("label,class\na,\nb,\n", "holds no decided label"),
        ("label,class\na,cat,dog\n", "a row has more cells"),
    ],
)
def test_bad_tables(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(zgbench.InputError, match=told):
        read_mapping(table(tmp_path, text), pas20())


def test_a_table_as_spreadsheets_of_many_countries_write_it(tmp_path: Path) -> None:
    rows = read_pairs(table(tmp_path, "\ufefflabel;class\r\na;cat\r\n"), pas20(), undecided=False)
    assert rows == [("a", 8, None)]


def test_a_table_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(zgbench.InputError, match="there is no such file"):
        read_mapping(tmp_path / "none.csv", pas20())


def test_new_filled_in_and_used(tiny_voc: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    submission = write(named("velo", "velo", "=cmd()", "plane, big"), tmp_path / "s.json")
    target = tmp_path / "new.csv"
    assert main(["mapping", "new", str(submission), str(target)]) == 0
    assert "3 distinct labels" in capsys.readouterr().out
    # commonest first, then by the alphabet; a formula is disarmed
    assert target.read_text() == 'label,class,level,segments\nvelo,,,2\n\'=cmd(),,,1\n"plane, big",,,1\n'
    assert main(["mapping", "new", str(submission), str(target)]) == 2  # never over people's work
    assert "is there already" in capsys.readouterr().err
    filled = (
        target.read_text()
        .replace("velo,,", "velo,bicycle,")
        .replace("'=cmd(),,", "'=cmd(),none,")
        .replace('big",,', 'big",aeroplane,')
    )
    target.write_text(filled)
    found = run(submission, tiny_voc, mapping=target)
    assert found.scores[0]["segments_kept"] == 3 and "notes" not in found.result
