"""What a submission may contain (contract ``zgbench/1``), checked on plain Python values."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from zgbench.submission.problems import Problem, Report, quote

FORMAT = "zgbench/1"
JSON_SEGMENT = "{path}.segments[{i}]"
Track = Literal["free", "oracle"]
TRACKS: tuple[Track, ...] = ("free", "oracle")
MAX_LABEL = 200
MAX_DESCRIPTION = 10_000
MAX_SIDE = 65_535
MAX_PIXELS = 1 << 28
MAX_SEGMENTS = 10_000

HEADER_KEYS = ("format", "name", "dataset", "track", "method", "embeddings")
METHOD_KEYS = {"description": str, "url": str, "text_guidance": bool, "segmentation_labels": bool}
_BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_SURROGATES = "".join(map(chr, range(0xD800, 0xE000)))
_UNSEEN = re.compile(f"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff{_BIDI}]")


@dataclass(frozen=True)
class Header:
    """The part of a submission that is not images."""

    name: str
    dataset: str
    track: Track = "free"
    method: dict[str, Any] = field(default_factory=dict)
    embeddings: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """As it stands in a file."""
        head: dict[str, Any] = {
            "format": FORMAT,
            "name": self.name,
            "dataset": self.dataset,
            "track": self.track,
            "method": self.method,
        }
        if self.embeddings is not None:
            head["embeddings"] = self.embeddings
        return head


@dataclass
class Image:
    """One image of a submission, of sound structure; its masks are not yet checked.

    Attributes:
        path: JSON path or Parquet rows, for messages.
        size: (height, width) as the submission says.
        labels: one free-text label a segment.
        counts: compressed RLE texts (track ``free``), else None.
        classes: names of truth classes (track ``oracle``), else None.
        first: index of the first segment in the whole submission (the row in ``embeddings``).
    """

    path: str
    id: str
    size: tuple[int, int]
    labels: list[str]
    counts: list[bytes] | None
    classes: list[str] | None
    first: int
    segment_path: str = JSON_SEGMENT

    def where(self, segment: int) -> str:
        """Path of a segment, for messages."""
        return self.segment_path.format(path=self.path, i=segment)


def text_problem(value: str, limit: int, *, newlines: bool = False) -> str | None:
    """What is wrong with a text that people will see, or None."""
    if len(value) > limit:
        return f"{len(value)} characters"
    if not value.strip():
        return "an empty text" if not value else f"only blanks, {quote(value)}"
    for match in _UNSEEN.finditer(value):
        c = match.group()
        if not (newlines and c in "\n\t"):
            kind = "bidirectional control" if c in _BIDI else "unpaired surrogate" if c in _SURROGATES else "control"
            return f"the {kind} character U+{ord(c):04X} at position {match.start()} in {quote(value)}"
    return None


def check_image(
    raw: object, path: str, first: int, track: str, report: Report, segment_path: str = JSON_SEGMENT
) -> Image | None:
    """Check one element of ``images``; None when its masks cannot be looked at."""
    if not isinstance(raw, dict):
        report.add(
            Problem("type", path, "an object with id, size and segments", quote(raw), "See submissions/README.md.")
        )
        return None
    image_id = raw.get("id")
    name = image_id if isinstance(image_id, str) else None
    before = report.kinds.total()

    def bad(kind: str, where: str, expected: str, found: str, mend: str) -> None:
        report.add(Problem(kind, where, expected, found, mend, image=name))

    for key in raw:
        if key not in ("id", "size", "segments"):
            bad("unknown-key", f"{path}.{key}", "only id, size and segments", quote(key), "Remove it.")
    for key in ("id", "size", "segments"):
        if key not in raw:
            bad("missing-key", f"{path}.{key}", f"the key {key}", "no such key", f'Add "{key}".')
    if "id" in raw and (name is None or text_problem(name, MAX_LABEL) is not None):
        bad(
            "id",
            f"{path}.id",
            "an image id of the data set, a text",
            quote(image_id),
            "Use the file name without its ending.",
        )
    size = check_size(raw["size"], f"{path}.size", bad) if "size" in raw else None
    segments = raw.get("segments", [])
    if not isinstance(segments, list):
        bad("type", f"{path}.segments", "a list", quote(segments), "An image without segments has an empty list.")
        return None
    if len(segments) > MAX_SEGMENTS:
        bad(
            "too-many-segments",
            f"{path}.segments",
            f"at most {MAX_SEGMENTS}",
            str(len(segments)),
            "Merge small segments.",
        )
        return None
    image = Image(
        path, name or "", size or (0, 0), [], [] if track == "free" else None, [] if track == "oracle" else None, first,
        segment_path,
    )  # fmt: skip
    for index, segment in enumerate(segments):
        _check_segment(segment, image, index, track, report)
    characters = sum(map(len, image.counts or ()))
    if size is not None and characters > most_characters(size, len(segments)):
        bad(
            "bad-rle",
            f"{path}.segments",
            f"at most {most_characters(size, len(segments))} characters of run lengths for {len(segments)} masks of {size[0]} × {size[1]}",
            str(characters),
            "Leave out runs of length 0, and write masks that do not overlap.",
        )
    return image if report.kinds.total() == before else None


def most_characters(size: tuple[int, int], segments: int) -> int:
    """No honest masks of an image take more text: runs that do not overlap number at most twice its pixels, and a run
    of v pixels takes no more than 1 + log32(v) characters, the difference to another one twice that.
    """
    return 8 * (size[0] * size[1] + 2 * segments)


def check_size(raw: object, path: str, bad: Callable[[str, str, str, str, str], None]) -> tuple[int, int] | None:
    """(height, width) of an image, or None after a problem was noted."""
    if not (isinstance(raw, list) and len(raw) == 2 and all(type(side) is int for side in raw)):
        bad("size", path, "[height, width], two whole numbers", quote(raw), "Write the size of the truth in pixels.")
        return None
    height, width = raw
    if not (1 <= height <= MAX_SIDE and 1 <= width <= MAX_SIDE and height * width <= MAX_PIXELS):
        bad(
            "size",
            path,
            f"sides of 1–{MAX_SIDE} and at most {MAX_PIXELS} pixels",
            f"{height} × {width}"[:80],
            "Write the size of the truth in pixels.",
        )
        return None
    return height, width


def _check_segment(raw: object, image: Image, index: int, track: str, report: Report) -> None:
    where = image.where(index)
    mask_key = "counts" if track == "free" else "class"

    def bad(kind: str, key: str, expected: str, found: str, mend: str) -> None:
        report.add(Problem(kind, f"{where}{key}", expected, found, mend, image=image.id, segment=index))

    if not isinstance(raw, dict):
        bad("type", "", f"an object with label and {mask_key}", quote(raw), "See submissions/README.md.")
        return
    for key in raw:
        if key not in ("label", mask_key):
            mend = f"Track {track} wants {mask_key}." if key in ("counts", "class") else "Remove it."
            bad("unknown-key", f".{key}", f"only label and {mask_key}", quote(key), mend)
    for key in ("label", mask_key):
        if key not in raw:
            bad("missing-key", f".{key}", f"the key {key}", "no such key", f'Add "{key}".')
        elif not isinstance(raw[key], str):
            mend = (
                "Uncompressed RLE (a list) is not accepted; SubmissionWriter compresses for you."
                if key == "counts"
                else "Put it in quotes."
            )
            bad("type", f".{key}", "a text", quote(raw[key]), mend)
    label, mask = raw.get("label"), raw.get(mask_key)
    if isinstance(label, str):
        if (wrong := text_problem(label, MAX_LABEL)) is not None:
            bad("label", ".label", f"1–{MAX_LABEL} visible characters", wrong, "Clean the label, or drop the segment.")
        image.labels.append(label)
    if isinstance(mask, str):
        if image.counts is not None:
            image.counts.append(mask.encode("utf-8", "surrogatepass"))
        elif image.classes is not None:
            image.classes.append(mask)
