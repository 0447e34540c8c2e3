"""Classes as somebody wrote them down: in a ``dataset.toml``, or in the result of a data set that is not built in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from zgbench.datasets.field_checks import MISSING, Fields, found
from zgbench.datasets.vocabulary import Vocabulary
from zgbench.errors import InputError

MOST_CLASSES = 10_000
MOST_ID = 65_534
"""Class ids are kept in 16 bits, of which the last value is void."""
_FIELDS = ("id", "name", "readable", "aliases", "synsets", "kind")
_SYNSET = re.compile(r"[a-z0-9'/._-]{1,80}\.[nvars]\.\d{2}", re.IGNORECASE)


@dataclass(frozen=True)
class Class:
    """A class of a data set of one's own.

    Attributes:
        name: as shown to the text encoder.
        readable: the name in plain words, empty where it is the name.
        aliases: other names.
        synsets: WordNet 3.1 keys such as ``dog.n.01``.
        kind: ``thing``, ``stuff`` or empty.
    """

    id: int
    name: str
    readable: str = ""
    aliases: tuple[str, ...] = ()
    synsets: tuple[str, ...] = ()
    kind: str = ""


def check_classes(above: Fields, value: object) -> tuple[Class, ...]:
    """The classes, ids ascending; problems are noted in ``above``."""
    if not isinstance(value, list) or not value:
        above.problem(
            "classes", "a list of classes", MISSING if value is None else found(value),
            'Write classes = [{ id = 1, name = "cat" }, …] above [truth], or [[classes]] tables at the end.',
        )  # fmt: skip
        return ()
    if len(value) > MOST_CLASSES:
        above.problem("classes", f"at most {MOST_CLASSES}", f"{len(value)}")
        return ()
    made = [_class(above, entry, index) for index, entry in enumerate(value)]
    classes = sorted((one for one in made if one is not None), key=lambda one: one.id)
    ids: dict[int, str] = {}
    owners: dict[str, str] = {}
    for one in classes:
        if one.id in ids:
            above.problem("classes", "each id once", f"{one.id}, of {ids[one.id]!r} and {one.name!r}")
        ids.setdefault(one.id, one.name)
    for one in classes:
        for text in dict.fromkeys((one.name, one.readable or one.name)):
            if text in owners:
                above.problem("classes", "each name once", f"{text!r}, of two classes", "A segment could be of either.")
            owners[text] = one.name
    for one in classes:
        for text in one.aliases:
            if owners.setdefault(text, one.name) != one.name:
                above.problem(
                    "classes", "an alias that means one class", f"{text!r}, of {owners[text]!r} and {one.name!r}",
                    "Take it from one of them.",
                )  # fmt: skip
    return tuple(classes)


def _class(above: Fields, entry: object, index: int) -> Class | None:
    where = f"classes[{index}]"
    if not isinstance(entry, dict):
        above.problem(where, "a table with id and name", found(entry), 'Write { id = 1, name = "cat" }.')
        return None
    fields = Fields(entry, f"{where}.", above.problems)
    before = len(above.problems)
    fields.known(_FIELDS)
    if "id" not in entry:
        fields.problem("id", f"a whole number 1–{MOST_ID}", MISSING)
    class_id = fields.number("id", 1, MOST_ID)
    name = fields.text("name", 200)
    readable = fields.text("readable", 200, default="")
    kind = fields.text("kind", 10, default="")
    if kind not in ("thing", "stuff", "", None):
        fields.problem("kind", '"thing" or "stuff"', found(kind))
    aliases, synsets = (_texts(fields, key) for key in ("aliases", "synsets"))
    if wrong := [key for key in synsets if not _SYNSET.fullmatch(key)]:
        fields.problem("synsets", "names of WordNet 3.1 such as dog.n.01", found(wrong[0]))
    if len(above.problems) > before or class_id is None or name is None:
        return None
    return Class(class_id, name, readable or "", tuple(dict.fromkeys(aliases)), tuple(synsets), kind or "")


def _texts(fields: Fields, name: str) -> list[str]:
    value = fields.content.get(name, [])
    if not isinstance(value, list) or len(value) > 1000:
        fields.problem(name, "a list of texts", found(value))
        return []
    inner = Fields({str(i): text for i, text in enumerate(value)}, f"{fields.where}{name}.", fields.problems)
    return [text for i in range(len(value)) if (text := inner.text(str(i), 200)) is not None]


def records(classes: tuple[Class, ...]) -> list[dict[str, Any]]:
    """As they stand in a result file; what is empty is left out."""
    return [
        {key: list(value) if isinstance(value, tuple) else value for key in _FIELDS if (value := getattr(one, key))}
        for one in classes
    ]


def vocabulary_of_records(value: object) -> Vocabulary:
    """The classes of a stored result. Raises InputError where they are none."""
    fields = Fields({}, "")
    classes = check_classes(fields, value)
    if fields.problems:
        raise InputError(f"dataset.classes of the result: {fields.problems[0]}")
    return vocabulary_of_classes(classes)


def vocabulary_of_classes(classes: tuple[Class, ...]) -> Vocabulary:
    """Classes as a vocabulary."""
    names = {one.name for one in classes}
    return Vocabulary(
        tuple(one.id for one in classes),
        tuple(one.name for one in classes),
        {text: one.id for one in classes for text in (one.readable, *one.aliases) if text and text not in names},
        tuple(one.readable or one.name for one in classes),
        tuple(one.aliases for one in classes),
        tuple(one.synsets for one in classes),
        tuple(one.kind for one in classes) if any(one.kind for one in classes) else (),
    )
