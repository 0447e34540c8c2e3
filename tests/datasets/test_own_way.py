"""The whole way with a data set of one's own: validate, evaluate, compare, board, ratings, store; and PAS-20 written as one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zgbench
from tests.conftest import HashedText
from tests.datasets.drawn import IDS, OWN, own, save, stripes
from zgbench.board.checks import violations
from zgbench.board.inside import segment_table
from zgbench.board.pictures import pictures
from zgbench.board.store import load_board
from zgbench.cli import main
from zgbench.datasets import store, vocabulary
from zgbench.scores.comparison import rule_of, vocabulary_of
from zgbench.scores.result import load_result

OFFLINE = zgbench.PRESETS["offline"]


def submission(path: Path, *labels: str, dataset: str = "mine") -> Path:
    """Each picture in two halves."""
    with zgbench.SubmissionWriter(path, name=path.stem, dataset=dataset) as writer:
        for image_id in IDS:
            writer.add(image_id, np.stack((stripes(1, 0) > 0, stripes(0, 1) > 0)), list(labels))
    return path


def evaluated(path: Path, data: Path, out: Path | None = None, **options: Any) -> Any:
    options = {"protocol": OFFLINE, "text_encoder": HashedText(), "reassign": ["tt"]} | options
    return zgbench.evaluate(path, data=data, out=out, **options)


def test_validate_and_evaluate(tmp_path: Path) -> None:
    """Picture a, columns: cat ×4 (two stripes), grass ×2, background ×2, the rest cut off; b and c: cat, dog, grass, background."""
    data = own(tmp_path / "data")
    path = submission(tmp_path / "halves.json", "cat", "grass-other")
    assert zgbench.validate(path, data=data).images == 3
    found = evaluated(path, data)
    # stripes of 2 columns: a = cat cat grass background, b = c = cat dog grass background (void has no room)
    # left half "cat": in a 4 of 4 columns right, in b and c 2 of 4; right half "grass": 2 of 4 in each
    # per class over the set: cat I = 4+2+2 = 8, U = 4+4+4 = 12; grass I = 6, U = 12; dog I = 0, U = 4 (predicted as cat)
    assert {c: v["iou"] for c, v in found.scores[0]["per_class"].items()} == pytest.approx(
        {"cat": 8 / 12, "dog": 0, "grass-other": 6 / 12}
    )
    facts = found.result["dataset"]
    assert (facts["key"], facts["official"], facts["title"]) == ("mine", True, "Three drawn pictures")
    assert facts["classes"][0] == {
        "id": 1, "name": "cat", "aliases": ["kitty"], "synsets": ["cat.n.01"], "kind": "thing"
    }  # fmt: skip
    assert f"data:mine@{facts['definition_sha256'][:8]}|" in found.scores[0]["signature"]


@pytest.mark.parametrize(("released", "expected"), [("true", 1 / 2), ("false", 1 / 3)])
def test_the_released_codes_background_rule(released: str, expected: float, tmp_path: Path) -> None:
    """Picture a: cat is right, grass is missed; "dog" on background only counts 0, or not where background is left out."""
    data = own(tmp_path / "data", OWN.replace("images = 3", f"images = 3\nreleased_drops_background = {released}"))
    path = tmp_path / "s.json"
    with zgbench.SubmissionWriter(path, name="s", dataset="mine") as writer:
        writer.add("a", stripes(1, 1, 0, 2), {1: "cat", 2: "dog"})
    found = evaluated(path, data, protocol=zgbench.PRESETS["iccv2023"], partial=True)
    assert found.scores[0]["iou_image"]["value"] == pytest.approx(expected)


def test_another_void_is_another_truth(tmp_path: Path) -> None:
    """Counts of an earlier run are not taken when dataset.toml changed what a value means."""
    data, out = own(tmp_path / "data"), tmp_path / "out"
    path = submission(tmp_path / "halves.json", "cat", "grass-other")
    evaluated(path, data, out)
    assert evaluated(path, data, out).timing.get("reused")
    (data / "dataset.toml").write_text(OWN.replace("background = [0]\nvoid = [255]", "void = [0, 255]"))
    again = evaluated(path, data, out)
    assert not again.timing.get("reused")
    assert again.scores[0]["per_class"]["grass-other"]["iou"] == 1


def test_not_built_in_and_not_at_hand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = submission(tmp_path / "halves.json", "cat", "dog")
    data = own(tmp_path / "data", OWN.replace('"mine"', '"other"'))
    for options in ([], ["--data", str(data)]):
        assert main(["validate", str(path), *options]) == 2
        report = capsys.readouterr().err
        assert "[dataset] $.dataset: expected one of pas20" in report
        assert "found 'mine'" in report
        assert "for a data set of your own, give --data the folder with its dataset.toml" in report
    assert main(["evaluate", str(path), "--data", str(data), "--out", str(tmp_path / "out")]) == 2
    assert main(["reference", "run", "--dataset", "mine", "--out", str(tmp_path / "r.json"), "--data", str(data)]) == 2
    assert "there is no data set 'mine'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_unknown_images_of_ones_own(tmp_path: Path) -> None:
    data = own(tmp_path / "data")
    path = submission(tmp_path / "halves.json", "cat", "dog")
    document = json.loads(path.read_text())
    document["images"][0]["id"] = "zebra"
    path.write_text(json.dumps(document))
    with pytest.raises(zgbench.SubmissionError, match=r"expected an image of mine val; found 'zebra'"):
        zgbench.validate(path, data=data)


def test_compare_needs_no_data(tmp_path: Path) -> None:
    data = own(tmp_path / "data")
    for name, label in (("one", "cat"), ("two", "dog")):
        evaluated(submission(tmp_path / f"{name}.json", label, "grass-other"), data, tmp_path / "out")
    (data / "dataset.toml").rename(tmp_path / "gone.toml")
    a, b = (tmp_path / f"out/{name}.mine.result.json" for name in ("one", "two"))
    found = zgbench.compare(a, b)
    assert len(found.rows) == 1
    stored = load_result(a)
    assert vocabulary_of(stored).names == ("cat", "dog", "grass-other")
    assert violations(stored) == []
    assert rule_of(stored) == "count"


def test_another_definition_is_not_compared(tmp_path: Path) -> None:
    """One more class to choose from is another task, though no image shows it."""
    places = []
    more = OWN.replace('{ id = 2, name = "dog" },', '{ id = 2, name = "dog" },\n    { id = 7, name = "cow" },')
    for k, text in enumerate((OWN, more)):
        data = own(tmp_path / f"data{k}", text)
        evaluated(submission(tmp_path / f"s{k}.json", "cat", "dog"), data, tmp_path / "out")
        places.append(tmp_path / f"out/s{k}.mine.result.json")
    with pytest.raises(zgbench.UsageError, match=r"data is mine@[0-9a-f]{8} in A, mine@[0-9a-f]{8} in B"):
        zgbench.compare(*places)


@pytest.mark.parametrize("classes", [None, [], "cat", [{"id": 1}], [{"id": 1, "name": "\x1b[31m"}]])
def test_results_with_unsound_classes(classes: Any, tmp_path: Path) -> None:
    data = own(tmp_path / "data")
    evaluated(submission(tmp_path / "s.json", "cat", "dog"), data, tmp_path / "out")
    place = tmp_path / "out/s.mine.result.json"
    content = json.loads(place.read_text())
    content["dataset"]["classes"] = classes
    place.write_text(json.dumps(content))
    with pytest.raises(zgbench.InputError, match=r"dataset\.classes of the result: classes"):
        vocabulary_of(load_result(place))


def test_a_board(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, place = own(tmp_path / "data"), tmp_path / "board"
    for name, label in (("one", "cat"), ("two", "dog")):
        path = submission(tmp_path / f"{name}.json", label, "grass-other")
        options = ["--protocol", "offline", "--reassign", "tt", "--board", str(place), "--data", str(data)]
        assert main(["leaderboard", "add", str(path), *options]) == 0
    assert main(["leaderboard", "check", "--rescore", "--data", str(data), "--board", str(place)]) == 0
    board = load_board(place)
    assert (board.datasets(), board.problems) == (["mine"], ())
    (group,) = board.groups("mine")
    assert group.official
    entry_id = next(entry.id for entry in board.entries if entry.name == "one")
    table = segment_table(board, entry_id, group.key)
    assert set(table["class"]) == {"cat", "grass-other"}
    shown = pictures(board, entry_id, "a", data, group.key)
    assert shown.missing == ()
    assert None not in (shown.photo, shown.truth, shown.prediction)
    assert main(["leaderboard", "export", str(tmp_path / "html"), "--board", str(place)]) == 0
    assert "## mine: TT" in (tmp_path / "html/leaderboard.md").read_text()
    assert capsys.readouterr().err == ""
    (data / "dataset.toml").write_text(OWN.replace('"dog"', '"wolf"'))
    assert "another dataset.toml" in pictures(board, entry_id, "a", data, group.key).missing[0]


def test_ratings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = own(tmp_path / "data")
    path = submission(tmp_path / "s.json", "cat", "dog")
    address = f"sqlite:///{tmp_path / 'ratings.db'}"
    assert main(["ratings", "sample", str(path), "--data", str(data), "--ratings", address, "--n", "4", "--controls", "2"]) == 0, capsys.readouterr().err  # fmt: skip
    assert "4" in capsys.readouterr().out


def test_a_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, out = own(tmp_path / "data"), tmp_path / "prepared"
    assert main(["datasets", "prepare", "mine", "--data", str(data), "--out", str(out)]) == 0
    path = submission(tmp_path / "s.json", "cat", "grass-other")
    raw, stored = (evaluated(path, place).result for place in (data, out))
    assert raw == stored
    assert zgbench.open_dataset("mine", out).source.photo("a").size == (8, 6)
    assert main(["datasets", "list", "--data", str(out)]) == 0
    assert "Three drawn pictures" in capsys.readouterr().out
    store.prepare(zgbench.open_dataset("mine", data), data)  # beside the raw files
    assert isinstance(zgbench.open_dataset("mine", data).source, store.StoreSource)
    (data / "dataset.toml").write_text(OWN.replace('"dog"', '"wolf"'))
    with pytest.raises(
        zgbench.DataError, match=r"was prepared with another dataset\.toml\. Run zgbench datasets prepare again"
    ):
        zgbench.open_dataset("mine", data)
    assert main(["datasets", "prepare", "mine", "--data", str(data)]) == 0
    assert zgbench.open_dataset("mine", data).vocabulary.id("wolf") == 2


def test_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = own(tmp_path / "data")

    def checked(status: int, *more: str) -> str:
        assert main(["datasets", "check", *more, "--data", str(data)]) == status
        return capsys.readouterr().out

    assert checked(0).startswith("mine: complete\n")
    assert "in signatures mine@" in checked(0, "mine")
    (data / "photos/a.jpg").unlink()
    assert "PARTLY MISSING 2 of 3 in" in checked(0)
    save(data / "masks/a.png", stripes(1, 77, 78).astype(np.uint8))
    out = checked(1)
    assert out.startswith("mine: incomplete")
    assert "a: the truth holds values that mine does not define (another class list?): 77, 78" in out
    assert "classes that no image shows" not in out
    (data / "masks/a.png").unlink()
    assert "mine: usable, not official" in checked(1)
    (data / "dataset.toml").write_text(OWN.replace("images = 3\n", ""))
    assert "mine: complete" in checked(0)
    (data / "dataset.toml").write_text(OWN.replace('name = "dog"', 'name = "cat"'))
    out = checked(1)
    assert "data: not usable" in out
    assert "classes: expected each name once" in out


def test_pas20_written_as_a_data_set_of_ones_own(shared_data: Path, tmp_path: Path) -> None:
    """The same result to the byte, but for the name, the hash in it and what the result keeps of dataset.toml."""
    classes = vocabulary.pas20()
    entries = "\n".join(f'    {{ id = {i}, name = "{n}" }},' for i, n in zip(classes.ids, classes.names, strict=True))
    data = tmp_path / "data"
    data.mkdir()
    (data / "VOCdevkit").symlink_to(shared_data / "VOCdevkit", target_is_directory=True)
    (data / "dataset.toml").write_text(f"""format = "zgbench-dataset/1"
key = "mypas"
images = 1449
ids = "VOCdevkit/VOC2012/ImageSets/Segmentation/val.txt"
photos = "VOCdevkit/VOC2012/JPEGImages/{{id}}.jpg"
released_drops_background = true
classes = [
{entries}
]
[truth]
files = "VOCdevkit/VOC2012/SegmentationClass/{{id}}.png"
background = [0]
void = [255]
""")
    builtin, mine = zgbench.open_dataset("pas20", shared_data), zgbench.open_dataset("mypas", data)
    assert (mine.ids, mine.official) == (builtin.ids, builtin.official)
    assert mine.source.fingerprint(mine.ids[:50]) == builtin.source.fingerprint(builtin.ids[:50])
    assert np.array_equal(np.asarray(mine.source.photo(mine.ids[0])), np.asarray(builtin.source.photo(mine.ids[0])))
    released = zgbench.PRESETS["iccv2023"]
    results = []
    for key, place in (("pas20", shared_data), ("mypas", data)):
        path = tmp_path / f"{key}.json"
        with zgbench.SubmissionWriter(path, name="test", dataset=key) as writer:
            for image_id in builtin.ids[:40]:
                shifted = np.roll(builtin.source.truth(image_id).classes(), 9, axis=1)
                present = [int(c) for c in np.unique(shifted) if c > 0]
                labels = {c: classes.name(c if c % 3 else c % 20 + 1) for c in present}
                writer.add(image_id, np.where(shifted > 0, shifted, 0), labels)
        for name, protocol in (("v1", OFFLINE), ("released", released)):
            evaluated(path, place, tmp_path / name, protocol=protocol, partial=True)
            result = json.loads((tmp_path / name / f"{key}.{key}.result.json").read_text())
            results.append((key, name, result))
    for name in ("v1", "released"):
        a, b = (next(r for k, n, r in results if (k, n) == (key, name)) for key in ("pas20", "mypas"))
        for ending in ("segments.parquet", "per_class.csv"):
            left, right = (tmp_path / name / f"{k}.{k}.{ending}" for k in ("pas20", "mypas"))
            assert left.read_bytes() == right.read_bytes()
        for kept in ("definition_sha256", "title", "classes", "released_drops_background"):
            del b["dataset"][kept]
        for result in (a, b):
            del (
                result["timing_s"],
                result["submission"]["sha256"],
                result["files"]["stats"]["sha256"],
            )  # they name the data set
        assert json.dumps(a) == json.dumps(b).replace(mine.signed, "pas20").replace("mypas", "pas20")
    assert results[0][2]["scores"][0]["recall"] != results[1][2]["scores"][0]["recall"]  # two protocols
