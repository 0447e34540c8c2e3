"""``zgbench ratings …`` and ``zgbench rate`` as people run them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.ratings.test_store import rate_all
from zgbench import cli, pages
from zgbench.ratings import open_store

DEMO = Path(__file__).resolve().parents[2] / "submissions/demo.json"


def call(capsys: pytest.CaptureFixture[str], *arguments: object, status: int = 0) -> str:
    """Run a command in this process; gives what it printed."""
    assert cli.main([str(argument) for argument in arguments]) == status
    out, err = capsys.readouterr()
    assert bool(err) == bool(status)
    return err if status else out


def test_a_study_from_the_command_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    url = tmp_path / "study.db"
    out = call(
        capsys,
        "ratings",
        "sample",
        DEMO,
        "--ratings",
        url,
        "--n",
        12,
        "--k",
        2,
        "--min-seconds",
        0,
        "--control-every",
        5,
    )
    assert "12 items from 4 images (12 of them new), 2 raters each; 19 new control and 24 new training items" in out
    tokens = [call(capsys, "ratings", "token", "make", name, "--ratings", url).strip() for name in ("anna", "ben")]
    with open_store(url) as store:
        for token in tokens:
            rater = store.sign_in(token)
            assert rater is not None
            rate_all(store, rater, 2)
    out = call(capsys, "ratings", "status", "--ratings", url)
    assert "answers: 24 of 24 (100%); 12 items are done" in out
    assert "Krippendorff's α, ordinal: undefined (no variance: all ratings are equal)" in out
    assert "rated 2: 1.000 [1.000, 1.000]" in out
    assert "anna" in out
    found = json.loads(call(capsys, "ratings", "status", "--ratings", url, "--json"))
    assert found["items_done"] == 12 and len(found["quality"]) == 2
    listed = call(capsys, "ratings", "token", "list", "--ratings", url).splitlines()
    assert len(listed) == 2 and tokens[0] not in listed[0]
    assert call(capsys, "ratings", "token", "revoke", listed[0].split()[0], "--ratings", url) == "revoked.\n"
    assert "no valid invitation" in call(capsys, "ratings", "token", "revoke", tokens[0], "--ratings", url, status=2)
    assert "no rules" in call(capsys, "ratings", "exclude", "--ratings", url)
    assert "seconds<3 min=5" in call(capsys, "ratings", "exclude", "seconds<3", "--ratings", url)
    assert "anna, ben" in call(capsys, "ratings", "exclude", "--ratings", url)
    assert "revoked" in call(capsys, "ratings", "exclude", "--revoke", 1, "--ratings", url)
    for name in ("r.csv", "r.parquet"):
        call(capsys, "ratings", "export", tmp_path / name, "--ratings", url)
        total = len(_rows(url))
        other = tmp_path / f"{name}.db"
        assert f"{total} rows, {total} of them new" in call(
            capsys, "ratings", "import", tmp_path / name, "--ratings", other
        )
        assert f"{total} rows, 0 of them new" in call(capsys, "ratings", "import", tmp_path / name, "--ratings", other)


def _rows(url: Path) -> list[object]:
    from zgbench.ratings.exporting import rows

    with open_store(url) as store:
        return list(rows(store))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["status"], "where are the ratings?"),
        (["status", "--ratings", "none.db"], "none.db: there is no such file"),
        (["export", "x.xls", "--ratings", "none.db"], "expected a file that ends in .csv or .parquet"),
        (["import", "none.csv", "--ratings", "none.db"], "none.csv: there is no such file"),
        (["sample", "none.json", "--ratings", "s.db"], "none.json: there is no such file"),
        (["sample", str(DEMO), "--ratings", "s.db", "--k", "0"], "--k 0: expected at least 1"),
        (["token", "make", "a", "--ratings", "mysql://x/y"], "expected a SQLite file or postgresql"),
    ],
)
def test_what_cannot_be_is_told(
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ZGBENCH_RATINGS", raising=False)
    assert message in call(capsys, "ratings", *arguments, status=2)


def test_the_page_is_started_with_the_store_in_its_environment(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[tuple[object, ...]] = []

    def serve(*arguments: object, address: str) -> int:
        assert address == "127.0.0.1"
        started.append(arguments)
        return 0

    monkeypatch.setattr(pages, "serve", serve)
    monkeypatch.chdir(tmp_path)
    assert "there is no such file" in call(capsys, "rate", "--ratings", "study.db", status=2)
    open_store("study.db").close()
    call(capsys, "rate", "--ratings", "study.db", "--port", 8600, "--data", "photos")
    ((name, port, environment),) = started
    assert (name, port) == ("human_eval", 8600)
    assert isinstance(environment, dict)
    assert environment["ZGBENCH_DATA"] == str(tmp_path / "photos")
    with open_store(environment["ZGBENCH_RATINGS"], create=False) as store:
        assert store.database.name == str(tmp_path / "study.db")
