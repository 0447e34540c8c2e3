"""What is known of a method beside its scores: who made it, where it is described, what it was trained on.

A submission may say it in its ``method`` object; the board's keeper has the last word in ``BOARD/methods.toml``:

    [[method]]
    submissions = ["<SHA-256>", …]      # all of one method: other data sets, earlier versions
    authors = "…"
    year = 2023
    paper = "https://…"
    code = "https://…"
    licence = "Apache-2.0"
    models = ["CLIP ViT-L/14@336", …]   # everything pretrained that is in it
    training_data = ["COCO", …]         # all data with segmentation or class labels; [] for none
    parameters = 428000000              # of all models together
    needed = "one A100, 3 s an image"
    superseded_by = "<SHA-256 of a submission>"
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from zgbench.submission.method_keys import CARD_KEYS, wrong_value

FILE = "methods.toml"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_OWN = ("submissions", "superseded_by")
_SHARED_PHOTOS = {
    "pas20": "voc", "pc59": "voc", "pc459": "voc", "ade150": "ade", "ade847": "ade", "coco133": "coco",
    "cocostuff171": "coco", "cityscapes19": "cityscapes",
}  # fmt: skip
"""Data set → the collection that its photos come from."""
_WORDS = {
    "voc": ("voc", "pascal", "pas20", "pc59", "pc459", "sbd"), "ade": ("ade20k", "ade150", "ade847", "sceneparse150"),
    "coco": ("coco", "coco133", "cocostuff171", "coco-stuff", "refcoco", "lvis"), "cityscapes": ("cityscapes", "cityscapes19"),
}  # fmt: skip
"""Words that name a collection in what a method says of its training data."""


@dataclass(frozen=True)
class Card:
    """A method's card; None or empty where nothing is said. Its texts come from a stranger.

    Attributes:
        training_data: names of data sets; None where nothing is said, empty where it says that there were none.
        superseded_by: SHA-256 of the submission that took its place.
        submissions: SHA-256 of all submissions of the same method, as the keeper says.
    """

    authors: str = ""
    year: int | None = None
    paper: str = ""
    code: str = ""
    licence: str = ""
    models: tuple[str, ...] = ()
    training_data: tuple[str, ...] | None = None
    parameters: int | None = None
    needed: str = ""
    superseded_by: str = ""
    submissions: tuple[str, ...] = ()

    def trained_on(self, dataset: str) -> bool | None:
        """Whether its training data holds photos of the collection behind a data set; None where it does not say."""
        if self.training_data is None:
            return None
        names = [name.casefold() for name in self.training_data]
        collection = _SHARED_PHOTOS.get(dataset)
        if collection is None:
            return dataset.casefold() in names
        words = _WORDS[collection]
        return any(re.search(rf"(?<![a-z]){re.escape(word)}(?![a-z])", name) for name in names for word in words)

    def zero_shot(self) -> tuple[int, int] | None:
        """Of how many of the built-in data sets of photos it saw no photo in training, and how many there are."""
        if self.training_data is None:
            return None
        return sum(not self.trained_on(key) for key in _SHARED_PHOTOS), len(_SHARED_PHOTOS)


NO_CARD = Card()


def card_of(method: Mapping[str, Any]) -> Card:
    """The card that a submission's ``method`` object gives; what is not sound in it is left out."""
    found: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in method.items()
        if key in CARD_KEYS and wrong_value(key, value) is None
    }
    return Card(**found)


def over(card: Card, keeper: Card | None) -> Card:
    """A card with what the keeper says in place of what the submission says."""
    if keeper is None:
        return card
    said = {f.name: getattr(keeper, f.name) for f in fields(Card) if getattr(keeper, f.name) not in (None, "", ())}
    if keeper.training_data is not None:
        said["training_data"] = keeper.training_data
    return replace(card, **said)


def read_cards(board: Path) -> tuple[dict[str, Card], list[str]]:
    """SHA-256 of a submission → the keeper's card; and what is wrong with the file, a sentence each."""
    try:
        tables = tomllib.loads((board / FILE).read_text(encoding="utf-8-sig")).get("method", [])
    except FileNotFoundError:
        return {}, []
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return {}, [f"{FILE}: cannot be read ({error}); methods have the cards of their submissions only"]
    found: dict[str, Card] = {}
    wrong: list[str] = []
    if not isinstance(tables, list):
        return {}, [f"{FILE}: expected tables [[method]]"]
    for number, table in enumerate(tables, start=1):
        problems = list(_problems(table))
        wrong += [f"{FILE}, method {number}: {problem}" for problem in problems]
        if problems:
            continue
        card = replace(
            card_of(table), submissions=tuple(table["submissions"]), superseded_by=table.get("superseded_by", "")
        )
        for sha256 in card.submissions:
            if sha256 in found:
                wrong.append(f"{FILE}, method {number}: the submission {sha256[:12]}… has a card already")
            found.setdefault(sha256, card)
    return found, wrong


def _problems(table: Any) -> Iterator[str]:
    if not isinstance(table, dict):
        yield "expected a table"
        return
    submissions = table.get("submissions")
    if not isinstance(submissions, list) or not submissions or not all(map(_is_sha256, submissions)):
        yield "submissions: expected a list with the SHA-256 of each"
    if not _is_sha256(table.get("superseded_by", "0" * 64)):
        yield "superseded_by: expected the SHA-256 of a submission"
    for key, value in table.items():
        if key in _OWN:
            continue
        if key not in CARD_KEYS:
            yield f"{key[:40]!r}: expected one of {', '.join((*_OWN, *CARD_KEYS))}"
        elif (expected := wrong_value(key, value)) is not None:
            yield f"{key}: expected {expected}"


def _is_sha256(value: Any) -> bool:
    return isinstance(value, str) and _SHA256.fullmatch(value) is not None
