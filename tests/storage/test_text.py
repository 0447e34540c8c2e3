"""Text files as people have them: marks, line endings, separators; and files that come along unasked."""

from __future__ import annotations

from pathlib import Path

import pytest

from zgbench.errors import InputError
from zgbench.storage.csv_table import read_csv
from zgbench.storage.text import bare_id, decode, is_companion, read_json


def test_a_mark_is_left_out() -> None:
    assert decode(b"\xef\xbb\xbfa", "f") == decode(b"a", "f") == "a"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("a".encode("utf-16"), "f: the text is UTF-16"),
        ("a".encode("utf-32"), "f: the text is UTF-32"),
        ("a".encode("utf-16-be"), "begins with a zero byte"),
        ("a".encode("utf-16-le"), "begins with a zero byte"),
        (b"a\r\nb\xe9", r"line 2 is not UTF-8 \(byte 0xe9"),
    ],
)
def test_another_encoding_is_told_by_name(content: bytes, says: str) -> None:
    with pytest.raises(InputError, match=says):
        decode(content, "f")


@pytest.mark.parametrize(
    "content",
    [
        b"a,b\n1.5,x y\n", b"a;b\n1,5;x y\n", b"a\tb\n1.5\tx y\n", b"\xef\xbb\xbfa;b\r\n1,5;x y\r\n", b"a,b\r1.5,x y\r",
        b"sep=;\r\na;b\r\n1,5;x y\r\n", b'"a";"b"\n"1,5";"x y"\n', b"a, b\n1.5, x y\n",
    ],
)  # fmt: skip
def test_tables_of_many_spreadsheets_are_one(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    assert read_csv(tmp_path / "t.csv").to_dict("records") == [{"a": "1.5", "b": "x y"}]


def test_a_comma_in_a_cell_stays(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b'a,b\n"1,5","x, y"\n" z",\n')
    assert read_csv(tmp_path / "t.csv").to_dict("records") == [{"a": "1,5", "b": "x, y"}, {"a": " z", "b": ""}]


def test_companions() -> None:
    names = ["._a.png", ".DS_Store", "Thumbs.db", "desktop.ini", ".hidden", "__MACOSX"]
    assert all(map(is_companion, names)) and not any(map(is_companion, ["a.png", "thumbs.png", "_a.png"]))


def test_ids_of_file_names() -> None:
    for text in ("2007_000033.jpg", "JPEGImages/2007_000033.JPG", "C:\\a\\2007_000033.png", "2007_000033"):
        assert bare_id(text) == "2007_000033"
    assert bare_id("a.b") == "a.b"


def test_a_key_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text('{"a": {"b": 1, "b": 2}}')
    with pytest.raises(InputError, match="the key 'b' stands there twice"):
        read_json(tmp_path / "t.json")
