"""The class names and ids of the test sets, and how their ids map to each other."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Literal

from zgbench.errors import UsageError

PngOrder = Literal["alphabetical", "official"]


@dataclass(frozen=True, repr=False)
class Vocabulary:
    """Classes that a segment can be reassigned to; never background, void or ``unknown``.

    Attributes:
        ids: class ids, ascending, each ≥ 1 (PC-459 has a gap at 431, ``unknown``).
        names: one name a class, as shown to the text encoder.
        aliases: other published names of the same classes, accepted where a *truth* segment is named.
        readable: one readable name a class (``potted plant``), for lexical reassignment (LT); () means the names.
        also: more names of each class in everyday English, for LT.
        synsets: the synsets of each class in WordNet 3.1 as ``dog.n.01``, for LT; empty where they follow from the name.
        kinds: ``thing``, ``stuff`` or, where the data set does not tell, an empty text for each class; () where it tells none.
    """

    ids: tuple[int, ...]
    names: tuple[str, ...]
    aliases: dict[str, int] = field(default_factory=dict)
    readable: tuple[str, ...] = ()
    also: tuple[tuple[str, ...], ...] = ()
    synsets: tuple[tuple[str, ...], ...] = ()
    kinds: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        more = f", … {len(self) - 3} more" if len(self) > 3 else ""
        return f"<Vocabulary of {len(self)} classes: {', '.join(self.names[:3])}{more}>"

    def name(self, class_id: int) -> str:
        """Name of a class id. Raises UsageError when there is no such class."""
        if class_id not in self.ids:
            raise UsageError(
                f"there is no class {class_id}: expected one of the {len(self)} ids from {self.ids[0]} to {self.ids[-1]}."
            )
        return self.names[self.ids.index(class_id)]

    def id(self, name: str) -> int | None:
        """Id of a class by its name or alias, None when there is no such class."""
        return self._by_name().get(name)

    def _by_name(self) -> dict[str, int]:
        return self.aliases | dict(zip(self.names, self.ids, strict=True))


def _rows(file: str) -> list[dict[str, str]]:
    text = (resources.files("zgbench.datasets") / "data" / file).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def _of(rows: list[dict[str, str]], aliases: dict[str, int] | None = None) -> Vocabulary:
    return Vocabulary(
        tuple(int(r["id"]) for r in rows),
        tuple(r["name"] for r in rows),
        aliases or {},
        tuple(r["readable"] or r["name"] for r in rows),
        tuple(_list(r["also"]) for r in rows),
        tuple(_list(r["synsets"]) for r in rows),
        tuple(r["kind"] for r in rows) if "kind" in rows[0] else (),
    )


def _list(cell: str) -> tuple[str, ...]:
    return tuple(text.strip() for text in cell.split(";") if text.strip())


def official_ids(file: str) -> tuple[str, ...]:
    """Image ids of an official split list that ships with zgbench."""
    return tuple((resources.files("zgbench.datasets") / "data" / file).read_text(encoding="utf-8").split())


@cache
def pas20() -> Vocabulary:
    """The 20 classes of PASCAL VOC; ids as in the palette PNGs."""
    return _of(_rows("pas20.csv"))


@cache
def pc59() -> Vocabulary:
    """The 59 frequent classes of PASCAL Context; ids in alphabetical order, names as in the 459 list.

    The 59-label list calls three of them diningtable, clothes and bedcloth; these are aliases.
    """
    rows = _rows("pc59.csv")
    aliases = {r["official_name"]: int(r["id"]) for r in rows if r["official_name"] != r["name"]}
    return _of(rows, aliases)


@cache
def pc459() -> Vocabulary:
    """The 458 classes of full PASCAL Context: the 459 list without id 431, ``unknown``."""
    return _of([r for r in _rows("pc459.csv") if r["name"] != "unknown"])


@cache
def pc59_of_png(order: PngOrder) -> dict[int, int]:
    """Pixel value (1–59) of a PC-59 PNG → class id, for either of the two class orders that circulate."""
    column = "id" if order == "alphabetical" else "official_id"
    return {int(r[column]): int(r["id"]) for r in _rows("pc59.csv")}


@cache
def pc59_of_459() -> dict[int, int]:
    """Id in the 459 list → id among the 59 frequent classes."""
    return {int(r["id_in_459"]): int(r["id"]) for r in _rows("pc59.csv")}


def _with_aliases(file: str) -> Vocabulary:
    """A vocabulary whose readable names and synonyms name truth segments as well."""
    rows = _rows(file)
    names = {r["name"] for r in rows}
    other = {text: int(r["id"]) for r in rows for text in (r["readable"], *_list(r["also"])) if text}
    return _of(rows, {text: class_id for text, class_id in other.items() if text not in names})


@cache
def ade150() -> Vocabulary:
    """The 150 classes of SceneParse150, ids as in the PNGs; of several published synonyms, the first is the name."""
    return _with_aliases("ade150.csv")


@cache
def ade847() -> Vocabulary:
    """The 847 frequent classes of full ADE20K, in the order of the published list, from 1.

    Of several published synonyms the first is the name, but where another class has it: there the next free one is.
    """
    return _with_aliases("ade847.csv")


@cache
def ade847_of_objects() -> dict[int, int]:
    """Object index of full ADE20K (1–3688), as its PNGs hold it → class id among the 847."""
    return {int(r["ade20k_index"]): int(r["id"]) for r in _rows("ade847.csv")}


@cache
def coco133() -> Vocabulary:
    """The 133 categories of COCO panoptic, with their ids (1–200, with gaps)."""
    return _with_aliases("coco133.csv")


@cache
def cocostuff171() -> Vocabulary:
    """The 171 classes of COCO-Stuff, with the ids of its list (1–182, with gaps)."""
    return _with_aliases("cocostuff171.csv")


@cache
def cityscapes19() -> Vocabulary:
    """The 19 classes of Cityscapes that are scored, with their label ids (7–33, with gaps)."""
    return _with_aliases("cityscapes19.csv")
