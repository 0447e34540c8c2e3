"""``dataset.toml``: every field, and every kind of bad one with its message."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import numpy as np
import pytest

from tests.datasets.drawn import IDS, OWN, own, panoptic, save, stripes
from zgbench import DataError, UsageError, open_dataset
from zgbench.cli import main
from zgbench.datasets.definition import read_definition
from zgbench.datasets.truth import INVALID, VOID

CLASSES = OWN[OWN.index("classes = [") : OWN.index("[truth]")]


def test_every_field(tmp_path: Path) -> None:
    found = read_definition(own(tmp_path) / "dataset.toml")
    assert (found.key, found.title, found.split, found.images) == ("mine", "Three drawn pictures", "val", 3)
    assert (found.citation, found.licence) == ("nobody, nowhere", "CC0")
    classes = found.vocabulary
    assert classes.names == ("cat", "dog", "grass-other")
    assert (classes.readable, classes.kinds) == (("cat", "dog", "grass"), ("thing", "", "stuff"))
    assert (classes.also, classes.synsets) == ((("kitty",), (), ()), (("cat.n.01",), (), ()))
    assert [classes.id(text) for text in ("cat", "kitty", "grass", "grass-other", "cow")] == [1, 1, 5, 5, None]
    assert found.record()["classes"][2] == {"id": 5, "name": "grass-other", "readable": "grass", "kind": "stuff"}


def test_it_opens_by_its_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = own(tmp_path / "data" / "mine")
    for data in (folder, folder.parent):  # its own folder, or the one above that has a folder of its name
        dataset = open_dataset("mine", data)
        assert (dataset.ids, dataset.official, dataset.notes) == (IDS, True, ())
        assert dataset.known_ids == frozenset(IDS)
    source = pickle.loads(pickle.dumps(dataset.source))  # as worker processes get it
    assert source.truth("b").classes().tolist() == stripes(1, 2, 5, 0, VOID).tolist()
    assert source.photo("b").size == (8, 6)
    monkeypatch.setenv("ZGBENCH_DATA", str(folder))
    assert open_dataset("mine", subset="first:2").ids == IDS[:2]
    assert dataset.signed == f"mine@{dataset.definition.sha256[:8]}"  # type: ignore[union-attr]


@pytest.mark.parametrize(("change", "moves"), [
    (('title = "Three drawn pictures"', 'title = "Other"'), False),
    (('licence = "CC0"', 'licence = "CC BY"'), False),
    (('photos = "photos/{id}.jpg"', 'photos = "photos/*{id}.jpg"'), False),
    (("images = 3", "images = 4"), False),
    (('name = "dog"', 'name = "wolf"'), True),
    (('aliases = ["kitty"]', 'aliases = ["puss"]'), True),
    (("void = [255]", "void = [0, 255]"), True),
    (('key = "mine"', 'key = "ours"'), True),
])  # fmt: skip
def test_the_hash_is_of_what_can_move_a_score(change: tuple[str, str], moves: bool, tmp_path: Path) -> None:
    assert change[0] in OWN
    text = OWN.replace(*change).replace(
        "background = [0]", "background = []" if "void = [0" in change[1] else "background = [0]"
    )
    before, after = (read_definition(own(tmp_path / str(k), t) / "dataset.toml") for k, t in enumerate((OWN, text)))
    assert (before.sha256 != after.sha256) == moves


def test_offset_rest_and_arrays(tmp_path: Path) -> None:
    """Stored 0, 1, 4 are the classes 1, 2, 5; everything else is void."""
    text = OWN.replace("masks/{id}.png", "maps/{id}_label.npy").replace(
        "background = [0]\nvoid = [255]", 'offset = 1\nvoid = "rest"'
    )
    folder = own(tmp_path, text)
    for image_id in IDS:
        save(folder / f"maps/{image_id}_label.npy", stripes(0, 1, 4, 300).astype(np.int32))
    dataset = open_dataset("mine", folder)
    assert dataset.ids == IDS
    assert dataset.source.truth("a").classes().tolist() == stripes(1, 2, 5, VOID).tolist()
    save(folder / "maps/a_label.npy", stripes(1, -1))
    with pytest.raises(DataError, match=r"expected values 0–65535, found -1 to 1"):
        dataset.source.truth("a")
    save(folder / "maps/a_label.npy", stripes(1, 2) / 2)
    with pytest.raises(DataError, match=r"expected whole numbers, \[height, width\], found float64 \[6, 8\]"):
        dataset.source.truth("a")
    whole = (folder / "maps/b_label.npy").read_bytes()
    for content in (b"", whole[:90], whole[:-5], whole.replace(b"(6, 8)", b"(9, 9)")):
        (folder / "maps/a_label.npy").write_bytes(content)
        with pytest.raises(DataError, match=r"not a readable \.npy file"):
            dataset.source.truth("a")


def test_panoptic(tmp_path: Path) -> None:
    """Categories counted from 0 and offset 1; black is void, or background where that is said."""
    for background, black in (("[]", VOID), ("[0]", 0)):
        text = OWN.replace(
            "background = [0]\nvoid = [255]",
            f'panoptic = "val.json"\noffset = 1\nbackground = {background}\nvoid = [9]',
        )
        text = text.replace("masks/{id}.png", "val/{id}.png").replace(
            "background = [0]", "background = []" if black else "background = [7]"
        )
        folder = own(tmp_path / str(black), text)
        panoptic(folder, "val", {i: [(1, 0), (2, 1), (300, 4), (4, 9)] for i in IDS})
        found = open_dataset("mine", folder)
        assert found.ids == IDS
        assert found.source.truth("a").classes().tolist() == stripes(1, 2, 5, VOID, VOID).tolist()


def test_a_palette_of_ones_own(tmp_path: Path) -> None:
    from PIL import Image

    text = OWN.replace("[truth]", '[truth]\npalette = "index"')
    folder = own(tmp_path, text)
    picture = Image.fromarray(stripes(1, 2, 0).astype(np.uint8))
    picture.putpalette([10, 200, 30, 1, 2, 3, 99, 98, 97])
    picture.save(folder / "masks/a.png")
    assert open_dataset("mine", folder).source.truth("a").classes().tolist() == stripes(1, 2, 0).tolist()
    (folder / "dataset.toml").write_text(OWN)
    with pytest.raises(DataError, match="the palette is neither"):
        open_dataset("mine", folder).source.truth("a")


def test_split_list(tmp_path: Path) -> None:
    folder = own(tmp_path, OWN.replace("images = 3", 'images = 3\nids = "lists/val.txt"'))
    listed = folder / "lists/val.txt"
    listed.parent.mkdir()
    listed.write_bytes(b"\xef\xbb\xbfc\r\na\r\n\r\n")  # a byte order mark, line ends of Windows
    dataset = open_dataset("mine", folder)
    assert (dataset.ids, dataset.official) == (("c", "a"), False)
    assert "says that the split has 3 images, and 2 are listed" in dataset.notes[0]
    for content, message in (
        (b"a\nb\na\n", "lists 'a' twice"),
        (b"", "lists no image"),
        (b"../../etc/passwd\n", r"'\.\./\.\./etc/passwd' is no image id"),
        (
            b"a.png\nb.png\n",
            r"none of its ids has a file .*masks/\*\.png; the files' ids are such as 'a', the list's such as 'a\.png'",
        ),
        (b"\xff\xfe", "the text is UTF-16"),
        (b"a\x1b[31m\n", "is no image id"),
    ):
        listed.write_bytes(content)
        with pytest.raises(DataError, match=message):
            open_dataset("mine", folder)
    listed.unlink()
    with pytest.raises(DataError, match=r"lists/val\.txt: cannot be read"):
        open_dataset("mine", folder)


def test_values_of_no_class_are_told(tmp_path: Path) -> None:
    folder = own(tmp_path)
    save(folder / "masks/a.png", stripes(1, 77).astype(np.uint8))
    assert INVALID in open_dataset("mine", folder).source.truth("a").classes()


def test_links_and_wildcards(tmp_path: Path) -> None:
    real = own(tmp_path / "real")
    (tmp_path / "data").mkdir()
    for place in ("north", "south"):
        (real / place).mkdir()
    (real / "masks/a.png").rename(real / "north/a_mask.png")
    (real / "masks/b.png").rename(real / "south/b_mask.png")
    (real / "north/._a_mask.png").write_text("a companion")
    (tmp_path / "data/places").symlink_to(real, target_is_directory=True)
    for pattern in ("places/*/{id}_mask.png", "places/**/{id}_mask.png", "**/{id}_mask.png"):
        (tmp_path / "data/dataset.toml").write_text(OWN.replace("masks/{id}.png", pattern))
        dataset = open_dataset("mine", tmp_path / "data")
        assert dataset.ids == ("a", "b")
        assert dataset.source.truth("b").size == (6, 8)
    (real / "south/a_mask.png").write_bytes((real / "north/a_mask.png").read_bytes())
    with pytest.raises(DataError, match="both are files of the image a"):
        open_dataset("mine", tmp_path / "data")


def replaced(old: str, new: str) -> str:
    assert old in OWN, old
    return OWN.replace(old, new)


def one(entry: str) -> str:
    """The file with this as its only class."""
    return OWN.replace(CLASSES, f"classes = [{entry}]\n\n")


BAD: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", r'format: expected "zgbench-dataset/1", found no such field'),
    "no TOML": ("key = mine", r"not valid TOML \(Invalid value \(at line 1"),
    "a list": ("[[[", "not valid TOML"),
    "key twice": (OWN + '\nfiles = "x"', "not valid TOML .*Cannot overwrite"),
    "not UTF-8": (b"key = '\xff'", r"not UTF-8 text \(byte 7\)"),
    "deep": ("a = " + "[" * 9000, "not valid TOML"),
    "long line": ("a" + ".a" * 15_000 + " = 1", "a line has more than 20000 characters"),
    "huge": (b"#" + b"\n" * (4 << 20), "more than 4 MiB"),
    "other format": (replaced("dataset/1", "dataset/9"), r"format: expected .*found 'zgbench-dataset/9'"),
    "unknown field": (replaced('title = "', 'titel = "'), r"titel: .*Did you mean title\?"),
    "control characters in a field": ('"\\u001b[31m" = 1\n' + OWN, r"\\x1b\[31m: expected only"),
    "no key": (replaced('key = "mine"\n', ""), r'key: expected a text, found no such field\. Add key = "…"'),
    "key of other letters": (replaced('"mine"', '"My Data"'), "key: expected 1–40 lower-case letters, digits, - and _, found 'My Data'"),
    "key as a path": (replaced('"mine"', '"../up"'), r"key: expected 1–40 lower-case letters.*found '\.\./up'"),
    "key of a built-in": (replaced('"mine"', '"pas20"'), "key: expected a key of your own, found 'pas20'. pas20 is built in"),
    "key is a number": (replaced('"mine"', "7"), "key: expected a text in quotes, found 7"),
    "split with signs": (OWN.replace("images = 3", 'split = "val[0]"'), r"split: expected a name without \[ \] \| :"),
    "images is a text": (replaced("images = 3", 'images = "3"'), "images: expected a whole number 1–10000000, found '3'"),
    "images is true": (replaced("images = 3", "images = true"), "images: expected a whole number .*found True"),
    "no images": (replaced("images = 3", "images = 0"), "images: expected a whole number .*found 0"),
    "list outside": (replaced("images = 3", 'ids = "../val.txt"'), r"ids: expected the path .*found '\.\./val\.txt', which has an empty part, \. or \.\."),
    "list absolute": (replaced("images = 3", 'ids = "/etc/passwd"'), "ids: .*which does not begin in the data set's folder"),
    "photos outside": (replaced("photos/{id}", "../photos/{id}"), "photos: expected a pattern such as"),
    "photos absolute": (replaced("photos/{id}", "/photos/{id}"), "photos: .*which does not begin in the data set's folder"),
    "photos of Windows": (replaced('"photos/{id}.jpg"', "'C:\\photos\\{id}.jpg'"), "photos: .*which does not begin in the data set's folder"),
    "photos at home": (replaced("photos/{id}", "~/{id}"), "photos: .*which does not begin"),
    "photos without id": (replaced("photos/{id}.jpg", "photos/*.jpg"), r"photos: .*which has \{id\}, the image's id, 0 times"),
    "id twice": (replaced("photos/{id}.jpg", "photos/{id}/{id}.jpg"), r"photos: .*2 times and not once"),
    "id in a folder": (replaced("photos/{id}.jpg", "{id}/photo.jpg"), "photos: .*in a folder's name and not in the file's"),
    "pattern signs": (replaced("photos/{id}.jpg", "photos/[ab]{id}?.jpg"), "photos: .*with signs that have no meaning here"),
    "released is a text": (replaced("images = 3", 'released_drops_background = "no"'), "released_drops_background: expected true or false"),
    "licence is a list": (replaced('"CC0"', '["CC0"]'), r"licence: expected a text in quotes, found \['CC0'\]"),
    "title with escapes": (replaced("Three drawn", "Three\\u202edrawn"), "title: expected a text without control characters"),
    "no truth": (OWN[: OWN.index("[truth]")], r"truth: expected a table \[truth\] with files, found no such field"),
    "truth is a text": (OWN[: OWN.index("[truth]")] + 'truth = "masks"', r"truth: expected a table \[truth\] with files, found 'masks'"),
    "no files": (replaced('files = "masks/{id}.png"\n', ""), r"truth\.files: expected a text, found no such field"),
    "files outside": (replaced("masks/{id}", "masks/../../{id}"), r"truth\.files: .*could leave the data set's folder"),
    "masks as JPEG": (replaced("masks/{id}.png", "masks/{id}.jpg"), r"truth\.files: expected \.png or \.npy, found 'masks/\{id\}\.jpg'"),
    "panoptic arrays": (OWN.replace("masks/{id}.png", "m/{id}.npy") + 'panoptic = "p.json"', r"truth\.files: expected \.png, found"),
    "panoptic outside": (OWN + 'panoptic = "../p.json"', r"truth\.panoptic: .*could leave"),
    "below truth": (OWN + 'licence = "CC0"', r"truth\.licence: .*What stands below \[truth\] belongs to it"),
    "unknown below truth": (OWN + "viod = [1]", r"truth\.viod: .*Did you mean void\?"),
    "palette": (OWN + 'palette = "voc"', r"""truth\.palette: expected "auto" or "index", found 'voc'"""),
    "void is a number": (replaced("void = [255]", "void = 255"), r"truth\.void: expected a list of stored values 0–65535 such as \[0\], or \"rest\", found 255"),
    "void too large": (replaced("void = [255]", "void = [70000]"), r"truth\.void: expected a list"),
    "void is a class": (replaced("void = [255]", "void = [2]"), r"truth\.void: expected values that are no class, found 2, which is the class 'dog'"),
    "background is a class": (replaced("background = [0]", "background = [1]"), r"truth\.background: .*found 1, which is the class 'cat'"),
    "void and background": (replaced("void = [255]", "void = [0]"), r"truth\.void: expected values that are not background, found 0"),
    "two rests": (OWN.replace("[255]", '"rest"').replace("[0]", '"rest"'), r"truth\.void: expected a list, as background is the rest already"),
    "offset too large": (OWN + "offset = 2", r"truth\.offset: expected class ids less offset in 0–65535, found 'cat': 1 − 2"),
    "offset is no number": (OWN + "offset = 0.5", r"truth\.offset: expected a whole number .*found 0\.5"),
    "no classes": (OWN.replace(CLASSES, ""), "classes: expected a list of classes, found no such field. Write classes ="),
    "empty classes": (one(""), r"classes: expected a list of classes, found \[\]"),
    "classes are names": (one('"cat", "dog"'), r"classes\[0\]: expected a table with id and name, found 'cat'"),
    "too many classes": (one(", ".join(["{}"] * 10_001)).replace(", {}", ",\n{}"), "classes: expected at most 10000, found 10001"),
    "class without id": (one('{ name = "cat" }'), r"classes\[0\]\.id: expected a whole number 1–65534, found no such field"),
    "class id 0": (one('{ id = 0, name = "cat" }'), r"classes\[0\]\.id: expected a whole number 1–65534, found 0"),
    "class id huge": (one('{ id = 99999, name = "cat" }'), r"classes\[0\]\.id: .*found 99999"),
    "class without name": (one("{ id = 1 }"), r"classes\[0\]\.name: expected a text, found no such field"),
    "class of blanks": (one('{ id = 1, name = " " }'), r"classes\[0\]\.name: expected a text without blanks at its ends"),
    "long name": (one('{ id = 1, name = "' + "x" * 300 + '" }'), r"classes\[0\]\.name: expected at most 200 characters, found 300"),
    "class with more": (one('{ id = 1, name = "cat", alias = "kitty" }'), r"classes\[0\]\.alias: .*Did you mean aliases\?"),
    "kind": (one('{ id = 1, name = "cat", kind = "animal" }'), r"""classes\[0\]\.kind: expected "thing" or "stuff", found 'animal'"""),
    "synset": (one('{ id = 1, name = "cat", synsets = ["cat"] }'), r"classes\[0\]\.synsets: expected names of WordNet 3\.1 such as dog\.n\.01, found 'cat'"),
    "aliases is a text": (one('{ id = 1, name = "cat", aliases = "kitty" }'), r"classes\[0\]\.aliases: expected a list of texts, found 'kitty'"),
    "alias is a number": (one('{ id = 1, name = "cat", aliases = [3] }'), r"classes\[0\]\.aliases\.0: expected a text in quotes, found 3"),
    "id twice in classes": (replaced("id = 2", "id = 1"), "classes: expected each id once, found 1, of 'cat' and 'dog'"),
    "name twice": (replaced('"dog"', '"cat"'), "classes: expected each name once, found 'cat', of two classes"),
    "alias of two": (replaced('"dog"', '"dog", aliases = ["kitty"]'), "classes: expected an alias that means one class, found 'kitty', of 'cat' and 'dog'"),
    "alias is a name": (replaced('["kitty"]', '["dog"]'), "classes: expected an alias that means one class, found 'dog', of 'dog' and 'cat'"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_files(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content, message = BAD[name]
    folder = own(tmp_path)
    (folder / "dataset.toml").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert main(["datasets", "prepare", "mine", "--data", str(folder)]) == 2
    report = capsys.readouterr().err
    assert re.search(message, report), report
    assert "dataset.toml" in report
    assert len(report) < 6000
    assert report.replace("\n", "").isprintable()
    assert not (folder / "zgbench-store").exists()


def test_all_problems_in_one_report(tmp_path: Path) -> None:
    text = OWN.replace('key = "mine"', 'key = "A"').replace("images = 3", "images = -1").replace("[255]", "255")
    with pytest.raises(DataError, match="rejected, 3 problems") as caught:
        read_definition(own(tmp_path, text) / "dataset.toml")
    assert len(str(caught.value).splitlines()) == 4


def test_options_that_do_not_go_with_it(tmp_path: Path) -> None:
    folder = own(tmp_path)
    with pytest.raises(UsageError, match=r"there is no data set 'mien'.*give --data the folder with its dataset\.toml"):
        open_dataset("mien", folder)
    with pytest.raises(UsageError, match=r"there is no data set 'cityscapes' \(did you mean cityscapes19\?\)"):
        open_dataset("cityscapes", folder)
    with pytest.raises(UsageError, match="--truth-dir is for built-in data sets"):
        open_dataset("mine", folder, truth_dir=folder)
    with pytest.raises(UsageError, match="--png-order is about PC-59"):
        open_dataset("mine", folder, png_order="official")
    (folder / "dataset.toml").write_text(OWN.replace("masks/", "nowhere/"))
    with pytest.raises(DataError, match=r"\[truth\] files = 'nowhere/\{id\}\.png': there is no such file"):
        open_dataset("mine", folder)
