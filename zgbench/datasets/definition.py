"""A data set of one's own: what its ``dataset.toml`` says, checked. Every field is explained in docs/datasets.md."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from zgbench.datasets.catalogue import KEYS
from zgbench.datasets.class_list import Class, check_classes, records, vocabulary_of_classes
from zgbench.datasets.field_checks import MISSING, Fields, found
from zgbench.datasets.located import path_problem, pattern_problem
from zgbench.datasets.truth import INVALID, VOID
from zgbench.datasets.truth_files import VALUES, Codes, TruthFiles
from zgbench.datasets.vocabulary import Vocabulary
from zgbench.errors import DataError

FILE = "dataset.toml"
FORMAT = "zgbench-dataset/1"
MAX_BYTES = 4 << 20
"""A list of ten thousand classes takes a quarter of it."""
_MAX_LINE = 20_000
KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
"""A key becomes part of file names and signatures."""
KEY_RULE = "1–40 lower-case letters, digits, - and _"
_TOP = (
    "format", "key", "title", "split", "images", "ids", "photos", "truth", "classes", "citation", "licence",
    "released_drops_background",
)  # fmt: skip
_TRUTH = ("files", "panoptic", "offset", "background", "void", "palette")


class DefinitionFacts(TypedDict, total=False):
    """What a result keeps of a data set that is not built in."""

    definition_sha256: str
    title: str
    classes: list[dict[str, Any]]
    released_drops_background: bool


@dataclass(frozen=True)
class Definition:
    """What a ``dataset.toml`` says.

    Attributes:
        path: the file; all places are below its folder.
        text: as it stands in the file.
        images: how many images the whole split has, None where it is not said.
        ids: path of the split list below the folder, None where the files of truth make the split.
        photos: pattern of the photos, None where there are none.
        truth: where the truth lies and how it is written.
        facts: all of it that can move a score, as JSON would have it.
    """

    path: Path
    text: str
    key: str
    title: str
    split: str
    images: int | None
    ids: str | None
    photos: str | None
    truth: TruthFiles
    classes: tuple[Class, ...]
    citation: str
    licence: str
    released_drops_background: bool
    facts: dict[str, Any]

    @property
    def vocabulary(self) -> Vocabulary:
        """The classes."""
        return vocabulary_of_classes(self.classes)

    @property
    def sha256(self) -> str:
        """Of what can move a score: classes, the meaning of values, key and split; not of places and of texts for people."""
        return hashlib.sha256(json.dumps(self.facts, sort_keys=True, ensure_ascii=True).encode()).hexdigest()

    def record(self) -> DefinitionFacts:
        """What a result file keeps, so that it can be compared and shown where the data set is not at hand."""
        kept: DefinitionFacts = {
            "definition_sha256": self.sha256, "title": self.title, "classes": records(self.classes)
        }  # fmt: skip
        if self.released_drops_background:
            kept["released_drops_background"] = True
        return kept


def read_definition(path: Path) -> Definition:
    """Read and check a ``dataset.toml``.

    Raises:
        DataError: with every problem.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(f"{path}: more than {MAX_BYTES >> 20} MiB, which no list of classes takes.")
        text = path.read_bytes().decode("utf-8-sig")
        if any(len(line) > _MAX_LINE for line in text.splitlines()):
            raise DataError(f"{path}: a line has more than {_MAX_LINE} characters. Write one class a line.")
        content = tomllib.loads(text)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text (byte {error.start}). Save it as UTF-8.") from error
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        said = ascii(str(error)[:160])[1:-1] or "nested too deeply"
        raise DataError(f"{path}: not valid TOML ({said}). Texts stand in quotes, lists in [brackets].") from error
    return definition_of(content, path, text)


def definition_of(content: dict[str, Any], path: Path, text: str = "") -> Definition:
    """What a parsed ``dataset.toml`` says.

    Raises:
        DataError: with every problem.
    """
    fields = Fields(content, "")
    fields.known(_TOP)
    if content.get("format") != FORMAT:
        shown = found(content["format"]) if "format" in content else MISSING
        fields.problem("format", f'"{FORMAT}"', shown, "It is the first line of the file.")
    key = fields.text("key", 40)
    if key is not None and not KEY.fullmatch(key):
        fields.problem("key", KEY_RULE, found(key), 'It is what a submission names in "dataset".')
    if key in KEYS:
        fields.problem("key", "a key of your own", found(key), f"{key} is built in; choose another.")
    title = fields.text("title", 200, default=key or "")
    split = fields.text("split", 40, default="val")
    if split is not None and re.search(r"[\[\]|:]", split):
        fields.problem("split", "a name without [ ] | :", found(split), "It stands in every signature.")
    images = fields.number("images", 1, 10_000_000)
    ids = fields.text("ids", 500, default=None)
    if ids is not None and (wrong := path_problem(ids)):
        fields.problem("ids", "the path of a list of image ids, one a line", f"{found(ids)}, {wrong}")
    photos = fields.text("photos", 500, default=None)
    if photos is not None and (wrong := pattern_problem(photos)):
        fields.problem("photos", "a pattern such as photos/{id}.jpg", f"{found(photos)}, {wrong}")
    released = fields.flag("released_drops_background")
    citation, licence = (fields.text(name, 10_000, default="", lines=True) for name in ("citation", "licence"))
    classes = check_classes(fields, content.get("classes"))
    truth = _truth(fields, content.get("truth"), classes)
    if fields.problems or truth is None:
        raise DataError(fields.report(str(path)))
    files, said = truth
    facts = {
        "format": FORMAT, "key": key, "split": split, "truth": said, "classes": records(classes),
        "released_drops_background": released,
    }  # fmt: skip
    return Definition(
        path, text, str(key), str(title), str(split), images, ids, photos, files, classes, str(citation), str(licence),
        released, facts,
    )  # fmt: skip


def _truth(above: Fields, value: object, classes: tuple[Class, ...]) -> tuple[TruthFiles, dict[str, Any]] | None:
    if not isinstance(value, dict):
        above.problem("truth", "a table [truth] with files", MISSING if value is None else found(value))
        return None
    fields = Fields(value, "truth.", above.problems)
    if stray := [name for name in _TOP if name in value and name not in _TRUTH]:
        fields.problem(
            stray[0], f"only {', '.join(_TRUTH)}", found(stray[0]),
            "What stands below [truth] belongs to it; move this above the line [truth].",
        )  # fmt: skip
    fields.known((*_TRUTH, *stray))
    pattern = fields.text("files", 500)
    if pattern is not None and (wrong := pattern_problem(pattern)):
        fields.problem("files", "a pattern such as masks/{id}.png", f"{found(pattern)}, {wrong}")
    manifest = fields.text("panoptic", 500, default=None)
    if manifest is not None and (wrong := path_problem(manifest)):
        fields.problem("panoptic", "the path of a COCO-panoptic JSON", f"{found(manifest)}, {wrong}")
    ending = (pattern or ".png").rpartition(".")[2].lower()
    if ending not in (("png",) if manifest is not None else ("png", "npy")):
        fields.problem(
            "files", ".png" if manifest is not None else ".png or .npy", found(pattern), "Other kinds are not read."
        )
    palette = fields.text("palette", 10, default="auto")
    if palette not in ("auto", "index"):
        fields.problem("palette", '"auto" or "index"', found(palette))
    offset = fields.number("offset", -(VALUES - 1), VALUES - 1) or 0
    background, void = (_values(fields, name) for name in ("background", "void"))
    if background == void == "rest":
        fields.problem("void", "a list, as background is the rest already", found(void))
    codes = _codes(fields, classes, offset, background, void)
    if codes is None or pattern is None:
        return None
    kind: Any = "panoptic" if manifest is not None else ending
    index: Any = "index" if palette == "index" else "auto"
    said = {"kind": kind, "offset": offset, "background": background, "void": void, "palette": index}
    return TruthFiles(pattern, codes, kind, manifest, index), said


def _values(fields: Fields, name: str) -> list[int] | str:
    """Stored values: a list of numbers, or "rest"."""
    value = fields.content.get(name, [])
    if value == "rest":
        return "rest"
    if not isinstance(value, list) or not all(type(v) is int and 0 <= v < VALUES for v in value):
        fields.problem(name, f'a list of stored values 0–{VALUES - 1} such as [0], or "rest"', found(value))
        return []
    return sorted(set(value))


def _codes(
    fields: Fields, classes: tuple[Class, ...], offset: int, background: list[int] | str, void: list[int] | str
) -> Codes | None:
    stored = {one.id - offset: one for one in classes}
    if outside := [one for value, one in stored.items() if not 0 <= value < VALUES]:
        fields.problem(
            "offset", f"class ids less offset in 0–{VALUES - 1}", f"{outside[0].name!r}: {outside[0].id} − {offset}",
            "A class id is the stored value plus offset.",
        )  # fmt: skip
        return None
    lists = {name: value for name, value in (("background", background), ("void", void)) if isinstance(value, list)}
    for name, values in lists.items():
        for value in values:
            if value in stored:
                fields.problem(
                    name, "values that are no class", f"{value}, which is the class {stored[value].name!r}",
                    "A stored value means one thing: take it from the list, or mend the class's id or offset.",
                )  # fmt: skip
    if both := set(lists.get("background", [])) & set(lists.get("void", [])):
        fields.problem("void", "values that are not background", str(sorted(both)[0]), "Take it from one of the lists.")
    return Codes(
        tuple((value, one.id) for value, one in stored.items()),
        tuple(lists.get("background", [])),
        tuple(lists.get("void", [])),
        0 if background == "rest" else VOID if void == "rest" else INVALID,
    )
