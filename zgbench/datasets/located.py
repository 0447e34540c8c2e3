"""Which file belongs to which image: a pattern below a folder, read in both directions."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from zgbench.errors import DataError
from zgbench.storage.text import is_companion

ID = "{id}"
_SHOWN = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff/\\]{1,200}")


def is_image_id(text: str) -> bool:
    """Whether a text can be an image's id: a file name's part without a path, and nothing that cannot be seen."""
    return bool(_SHOWN.fullmatch(text)) and text.strip() == text and text not in (".", "..")


def path_problem(path: str) -> str | None:
    """What is wrong with a path below a data set's folder, or None."""
    if path.startswith(("/", "~")) or "\\" in path or re.match("[A-Za-z]:", path):
        return "which does not begin in the data set's folder (write it with / and relative to dataset.toml)"
    if any(part in ("", ".", "..") for part in path.split("/")):
        return "which has an empty part, . or .. and could leave the data set's folder"
    return None


def pattern_problem(pattern: str) -> str | None:
    """What is wrong with a pattern of file names, or None."""
    if wrong := path_problem(pattern):
        return wrong
    if pattern.count(ID) != 1:
        return f"which has {ID}, the image's id, {pattern.count(ID)} times and not once"
    if ID not in pattern.rpartition("/")[2]:
        return f"which has {ID} in a folder's name and not in the file's"
    if re.search(r"[\[\]?]|\*\*\*|[^/]\*\*|\*\*[^/]", pattern) or re.search(r"[{}]", pattern.replace(ID, "")):
        return "with signs that have no meaning here (* is any text without /, **/ any number of folders)"
    return None


@dataclass(frozen=True)
class Located:
    """Files of a folder, one an image.

    Attributes:
        folder: where the pattern begins.
        pattern: path below it; ``{id}`` stands for the image's id, ``*`` for any text without ``/``, ``**/`` for any
            number of folders.
    """

    folder: Path
    pattern: str
    _found: dict[str, Path] = field(default_factory=dict, compare=False, repr=False)

    def __str__(self) -> str:
        return str(self.folder / self.pattern.replace(ID, "*"))

    def __reduce__(self) -> tuple[type[Located], tuple[Path, str]]:
        return Located, (self.folder, self.pattern)  # what was found is found again in the other process

    def path(self, image_id: str) -> Path:
        """Where the file of an image lies, or would lie (then with the pattern's signs in it)."""
        if "*" in self.pattern and is_image_id(image_id) and (found := self.found().get(image_id)) is not None:
            return found
        return self.folder / self.pattern.replace(ID, image_id)

    def places(self, image_ids: Iterable[str]) -> Iterator[str]:
        """:meth:`path` of many images as texts: making a ``Path`` costs more than asking the system about a file."""
        if "*" in self.pattern:
            yield from (str(self.path(image_id)) for image_id in image_ids)
            return
        before, after = str(self.folder / self.pattern).split(ID)
        yield from (f"{before}{image_id}{after}" for image_id in image_ids)

    def has(self, image_id: str) -> bool:
        """Whether the image has a file."""
        return is_image_id(image_id) and self.path(image_id).is_file()

    def found(self) -> dict[str, Path]:
        """Every file that is there, by image id, ids ascending.

        Raises:
            DataError: two files have one id, or the folder cannot be read.
        """
        if not self._found:
            found: dict[str, Path] = {}
            for image_id, path in self._walk():
                if image_id in found:
                    raise DataError(
                        f"{path} and {found[image_id]} both are files of the image {image_id} by the pattern {self.pattern}. "
                        "Make the pattern narrower, or remove one."
                    )
                found[image_id] = path
            self._found.update(sorted(found.items()))
        return self._found

    def any(self) -> bool:
        """Whether there is a file at all."""
        return bool(self._found) or next(self._walk(), None) is not None

    def _walk(self) -> Iterator[tuple[str, Path]]:
        parts = self.pattern.split("/")
        fixed = 0
        while fixed < len(parts) - 1 and "*" not in parts[fixed]:
            fixed += 1
        start = self.folder.joinpath(*parts[:fixed])
        match = re.compile(_expression("/".join(parts[fixed:])), re.DOTALL)
        deep = any("*" in part for part in parts[fixed:-1])
        for place, folders, files in walk(start):
            if not deep:
                folders.clear()
            below = Path(place).relative_to(start).as_posix()
            for name in files:
                found = match.fullmatch(name if below == "." else f"{below}/{name}")
                if found is not None and not is_companion(name) and is_image_id(found["id"]):
                    yield found["id"], Path(place, name)


def walk(start: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """As ``os.walk``, folders in order; links to folders are followed, each folder once."""
    seen: set[str] = set()
    for place, folders, files in os.walk(start, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders.sort()
        yield place, folders, files


def _expression(pattern: str) -> str:
    signs = {"**/": "(?:[^/]+/)*", "*": "[^/]*", ID: "(?P<id>[^/]+)"}
    return "".join(signs.get(part) or re.escape(part) for part in re.split(r"(\*\*/|\*|\{id\})", pattern))
