"""What a board can score, told before anybody uploads: data sets at hand, and the rows that the models at hand give."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from zgbench.datasets import KEYS, open_dataset
from zgbench.datasets.own import definitions
from zgbench.errors import UsageError, ZgbenchError
from zgbench.models.catalogue import CATALOGUE
from zgbench.models.resolve import place_of
from zgbench.protocol import Protocol, preset

NO_FILES = "the server does not have its files"


@dataclass(frozen=True)
class Offer:
    """What an upload of one data set gets.

    Attributes:
        dataset: its key.
        images: of the official split.
        protocol: name of the preset.
        rows: reassignments that are scored.
        lacking: reassignment → why it is not.
        why: why nothing of this data set is scored; empty where something is.
    """

    dataset: str
    images: int
    protocol: str
    rows: tuple[str, ...]
    lacking: dict[str, str]
    why: str = ""


def offers(data: Path | None, protocol: str | None) -> list[Offer]:
    """One for each built-in data set, and for each of one's own in the folder; no model is loaded or fetched.

    Args:
        data: folder of the data sets, None where there is only mini.
        protocol: preset, None for each data set's default.
    """
    keys: list[tuple[str, str | os.PathLike[str] | None]] = [(key, data) for key in KEYS]
    for path in definitions(data) if data is not None else ():
        keys.append((path.parent.name, path.parent))
    return [_offer(key, place, protocol) for key, place in keys]


def _offer(key: str, data: str | os.PathLike[str] | None, protocol: str | None) -> Offer:
    try:
        chosen = preset(protocol, key)
    except UsageError as error:
        return Offer(key, 0, str(protocol), (), {}, str(error))
    try:
        found = open_dataset(key, data)
        photos = found.source.photo_bytes(found.ids[0]) is not None
    except ZgbenchError:
        return Offer(key, 0, chosen.name, (), {}, NO_FILES)
    if not found.official:
        return Offer(key, len(found.ids), chosen.name, (), {}, f"the server has {len(found.ids)} of {len(found.known_ids)} images")  # fmt: skip
    lacking = _lacking(chosen, photos=photos)
    rows = tuple(how for how in ("TT", "LT", "ST") if how not in lacking)
    nothing = {"TT", "ST"} <= set(lacking)
    why = f"the server lacks {chosen.text_model} and CLIP" if nothing else ""
    return Offer(found.key, len(found.ids), chosen.name, () if nothing else rows, lacking, why)


def _lacking(protocol: Protocol, *, photos: bool) -> dict[str, str]:
    """Reassignment → why it is not scored. A model that is not here might be fetched at its first use: nobody can promise it."""
    found = {}
    if protocol.text_model in CATALOGUE and place_of(protocol.text_model) is None:
        found["TT"] = f"the server lacks {protocol.text_model}"
    if protocol.scoring == "iccv2023":
        found["LT"] = f"protocol {protocol.name} has none"
    if protocol.segment_embeddings == "submitted":
        found["ST"] = f"protocol {protocol.name} needs embeddings files, which a board does not take"
    elif protocol.clip_model in CATALOGUE and place_of(protocol.clip_model) is None:
        found["ST"] = f"the server lacks {protocol.clip_model}"
    elif not photos:
        found["ST"] = "the server lacks the photos"
    return found
