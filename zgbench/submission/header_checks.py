"""Checks the header of a submission: everything but its images."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable
from typing import Any

from zgbench.datasets import KEYS, is_known
from zgbench.datasets.definition import FILE, KEY, KEY_RULE
from zgbench.submission.method_keys import CARD_KEYS, wrong_value
from zgbench.submission.problems import Problem, Report, quote
from zgbench.submission.schema import (
    FORMAT,
    HEADER_KEYS,
    MAX_DESCRIPTION,
    MAX_LABEL,
    METHOD_KEYS,
    TRACKS,
    Header,
    text_problem,
)


def check_header(raw: dict[str, Any], report: Report, path: Callable[[str], str] = "$.{}".format) -> Header | None:
    """Check everything but the images; None when the images cannot be checked either (no data set, no track)."""

    def bad(kind: str, key: str, expected: str, found: str, mend: str) -> None:
        report.add(Problem(kind, path(key), expected, found, mend))

    for key in raw:
        if key not in (*HEADER_KEYS, "images"):
            close = difflib.get_close_matches(key, HEADER_KEYS, 1) if len(key) <= MAX_LABEL else []
            bad(
                "unknown-key",
                key,
                f"one of {', '.join(HEADER_KEYS)}, images",
                quote(key),
                f"Did you mean {close[0]}?" if close else "Remove it.",
            )
    for key in ("format", "name", "dataset"):
        if key not in raw:
            bad("missing-key", key, f"the key {key}", "no such key", f'Add "{key}".')
    if raw.get("format", FORMAT) != FORMAT:
        bad(
            "format",
            "format",
            f'"{FORMAT}"',
            quote(raw["format"]),
            "Write the format of this version, or update zgbench.",
        )
    dataset = raw.get("dataset")
    has_dataset = isinstance(dataset, str) and KEY.fullmatch(dataset) is not None
    if "dataset" in raw and not has_dataset:
        bad(
            "dataset",
            "dataset",
            f"one of {', '.join(KEYS)}, or the key of your own ({KEY_RULE})",
            quote(dataset),
            "Name the data set by its key.",
        )
    track = raw.get("track", "free")
    if track not in TRACKS:
        bad(
            "track",
            "track",
            "free or oracle",
            quote(track),
            "Use free for your own segments, oracle for labels of the truth's segments.",
        )
    name = raw.get("name", "-")
    if not isinstance(name, str):
        bad("type", "name", "a text", quote(name), "Put the method's name in quotes.")
    elif (wrong := text_problem(name, MAX_LABEL)) is not None:
        bad("name", "name", f"a name of 1–{MAX_LABEL} visible characters", wrong, "Give the method a plain name.")
    method = raw.get("method", {})
    _check_method(method, bad)
    embeddings = raw.get("embeddings")
    if "embeddings" in raw and not _is_plain_file_name(embeddings):
        bad(
            "embeddings",
            "embeddings",
            "the name of a .safetensors file beside the submission",
            quote(embeddings),
            "Put the file beside the submission and give its bare name.",
        )
    if not has_dataset or track not in TRACKS:
        return None
    return Header(
        str(name),
        str(dataset),
        "oracle" if track == "oracle" else "free",
        dict(method) if isinstance(method, dict) else {},
        embeddings if isinstance(embeddings, str) else None,
    )


def check_known(header: Header, data: str | os.PathLike[str] | None, report: Report, path: str = "$.dataset") -> bool:
    """Whether the submission's data set is built in or at hand; a problem is noted where it is not.

    Raises:
        DataError: its ``dataset.toml`` is at hand and wrong.
    """
    if is_known(header.dataset, data):
        return True
    close = difflib.get_close_matches(header.dataset, KEYS, 1, 0.7)
    mend = f"Did you mean {close[0]}? " if close else ""
    report.add(
        Problem(
            "dataset", path, f"one of {', '.join(KEYS)}", quote(header.dataset),
            f"{mend}It is not built in: for a data set of your own, give --data the folder with its {FILE}.",
        )
    )  # fmt: skip
    return False


def _check_method(method: object, bad: Callable[[str, str, str, str, str], None]) -> None:
    known = (*METHOD_KEYS, *CARD_KEYS)
    if not isinstance(method, dict):
        bad("type", "method", "an object", quote(method), f"Write an object with {', '.join(known)}.")
        return
    for key, value in method.items():
        kind = METHOD_KEYS.get(key)
        if key in CARD_KEYS:
            if (expected := wrong_value(key, value)) is not None:
                bad("card", f"method.{key}", expected, quote(value), "Mend the value, or leave the key out.")
        elif kind is None:
            bad(
                "unknown-key",
                f"method.{key}",
                f"one of {', '.join(known)}",
                quote(key),
                "Remove it, or say it in the description.",
            )
        elif type(value) is not kind:
            bad("type", f"method.{key}", "true or false" if kind is bool else "a text", quote(value), "Mend the value.")
        elif (
            isinstance(value, str)
            and value
            and (wrong := text_problem(value, MAX_DESCRIPTION, newlines=True)) is not None
        ):
            bad("text", f"method.{key}", f"at most {MAX_DESCRIPTION} visible characters", wrong, "Use plain text.")
        elif key == "url" and isinstance(value, str) and value and not value.startswith(("https://", "http://")):
            bad(
                "url",
                "method.url",
                "an address that starts with https:// or http://",
                quote(value),
                "Mend the address or leave it empty.",
            )


def _is_plain_file_name(value: object) -> bool:
    return (
        isinstance(value, str)
        and value.endswith(".safetensors")
        and len(value) <= MAX_LABEL
        and not any(c in value for c in "/\\:\0")
        and not value.startswith(".")
        and text_problem(value, MAX_LABEL) is None
    )
