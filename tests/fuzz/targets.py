"""What is fuzzed: bytes in, one reader each. A target returns on sound and on rejected input, and raises on anything else.

What holds for every input: only the ZgbenchError family comes out, its message is short and shows no control or bidi
character, the time and the memory are bounded, and what a reader accepts is consistent.
"""

from __future__ import annotations

import gzip
import resource
import time
import warnings
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas  # noqa: F401  what a reader imports is not what a file costs

from tests.fuzz.scratch import scratch
from tests.oracle.png import png
from tests.submission.kinds import RGB
from zgbench.datasets import Dataset
from zgbench.datasets import vocabulary as vocabularies
from zgbench.datasets.catalogue import SPECS
from zgbench.datasets.definition import read_definition
from zgbench.datasets.label_png import read_label_png
from zgbench.datasets.mat_file import read_label_map
from zgbench.datasets.opening import split_ids
from zgbench.datasets.truth import Truth
from zgbench.datasets.truth_files import Codes, TruthFiles, manifest
from zgbench.errors import InputError, ZgbenchError
from zgbench.pixels.collect import check_alone, collect
from zgbench.pixels.counts import Counts
from zgbench.scores.human_scores import read_ratings
from zgbench.scores.segment_embeddings import read_embeddings
from zgbench.submission import rle
from zgbench.submission.convert import convert
from zgbench.submission.convert.label_files import read_labels
from zgbench.submission.convert.legend import read_legend
from zgbench.submission.convert.map_files import read_map, read_rgb
from zgbench.submission.problems import COLLECTED, Report, SubmissionError
from zgbench.submission.reader import open_submission

MAX_SECONDS = 10.0
MAX_GROWTH = 512 << 20
MAX_MESSAGE = 40_000
IDS = ("2007_000033", "2007_000042", "2007_000061")
PANOPTIC_PNG = png(RGB, 2, 8)


class Broken(AssertionError):
    """An input for which something that should always hold does not."""


def bounded(target: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """The target, with what holds for all of them."""

    def run(data: bytes) -> None:
        held, started = peak(), time.process_time()
        try:
            target(data)
        except ZgbenchError as error:
            _readable(str(error))
            if isinstance(error, SubmissionError) and len(error.report.problems) > COLLECTED:
                raise Broken("more problems kept than the cap") from error
        if time.process_time() - started > MAX_SECONDS:
            raise Broken(f"took {time.process_time() - started:.1f} s")
        if peak() - held > MAX_GROWTH:
            raise Broken(f"took {(peak() - held) >> 20} MiB")

    run.__name__ = target.__name__
    return run


def peak() -> int:
    """Most bytes that this process has held; ru_maxrss would begin with what its parent held."""
    try:
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) << 10
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _readable(message: str) -> None:
    if not message or len(message) > MAX_MESSAGE:
        raise Broken(f"a message of {len(message)} characters")
    unseen = [c for c in message if c != "\n" and (not c.isprintable() and c != " ")]
    if unseen:
        raise Broken(f"the message shows {unseen[0]!r}")


@bounded
def rle_text(data: bytes) -> None:
    """Texts of masks, split at newlines: parsed together as apart, by numpy as by the kernel, and what is accepted is
    written and read the same."""
    texts = data.split(b"\n")[:64]
    runs = rle.parse(texts)
    if len(runs.offsets) != len(texts) + 1 or (np.diff(runs.offsets) < 0).any() or (runs.counts < 0).any():
        raise Broken("counts or offsets do not fit")
    starts, lengths, owners = runs.foreground()
    if (lengths <= 0).any() or (starts < 0).any() or (np.diff(owners) < 0).any():
        raise Broken("foreground runs do not fit")
    sums = runs.sums()
    for index, text in enumerate(texts):
        counts = runs.counts[runs.offsets[index] : runs.offsets[index + 1]]
        alone = rle.parse([text])
        if (index in runs.errors) != (0 in alone.errors) or not np.array_equal(counts, alone.counts):
            raise Broken(f"mask {index} is read in company otherwise than alone")
        if index in runs.errors:
            _readable(runs.errors[index])
            if len(counts):
                raise Broken("a refused mask owns runs")
        else:
            again = rle.parse([rle.encode(counts).encode()])
            if again.errors or not np.array_equal(again.counts, counts) or sums[index] != counts.sum():
                raise Broken(f"decode(encode(counts)) differs for {text!r}")
    slow = rle.parse_by_numpy(texts)
    if runs.errors != slow.errors or not all(
        map(np.array_equal, (runs.counts, runs.offsets), (slow.counts, slow.offsets))
    ):
        raise Broken("the kernel reads otherwise than numpy")


class _SmallTruth:
    """Three images of 4 × 6 pixels."""

    def truth(self, image_id: str) -> Truth:
        pixels = np.zeros((4, 6), dtype=np.uint8)
        pixels[:, :2], pixels[:, 2], pixels[:2, 3:], pixels[2:, 3:] = 1, 255, 2, 12
        return Truth(pixels, SPECS["pas20"].truths()[0].codes.table())

    def photo(self, image_id: str) -> object:
        raise Broken(f"counting asked for the photo of {image_id}")

    def has(self, image_id: str) -> bool:
        return True

    def fingerprint(self, image_ids: tuple[str, ...]) -> str:
        return ""

    def stamp(self, image_ids: tuple[str, ...]) -> str:
        return ""

    def describe(self) -> str:
        return "three images"


@cache
def _dataset() -> Dataset:
    return Dataset("pas20", "val", IDS, frozenset(IDS), vocabularies.pas20(), _SmallTruth(), True)  # type: ignore[arg-type]


def _submission(data: bytes, name: str) -> None:
    path = scratch() / name
    path.write_bytes(data)
    counts = _collected(path)
    reader, report = open_submission(path), Report()
    header = reader.header(report)
    if header is None:
        report.raise_if_any(name)
        raise Broken("no header and no reason")
    if counts is not None:
        pixels = np.bincount(counts.image, weights=counts.pixels, minlength=len(counts.ids))
        if (pixels != 20).any() or not set(counts.ids) <= set(IDS):  # 24 less the stripe of void
            raise Broken("the counts do not add up to the truth's pixels")
    check_alone(reader, header, frozenset(IDS), report, partial=True)
    report.raise_if_any(name)


def collected(path: Path) -> Counts | None:
    """Counts of a submission to pas20; None for one to another data set.

    Raises:
        InputError: it is rejected.
    """
    reader, report = open_submission(path), Report()
    header = reader.header(report)
    if header is None or header.dataset != "pas20":
        return None
    return collect(reader, header, _dataset(), report, partial=True)


def _collected(path: Path) -> Counts | None:
    try:
        return collected(path)
    except InputError as error:
        _readable(str(error))
        return None


@bounded
def json_submission(data: bytes) -> None:
    """A JSON submission."""
    _submission(data, "mine.json")


@bounded
def gzip_submission(data: bytes) -> None:
    """A gzipped JSON submission; the bytes as they are, or packed when they do not look packed."""
    _submission(data if data[:2] == b"\x1f\x8b" else gzip.compress(data, 1, mtime=0), "mine.json.gz")


@bounded
def parquet_submission(data: bytes) -> None:
    """A Parquet submission."""
    _submission(data, "mine.parquet")


@bounded
def truth_png(data: bytes) -> None:
    """Ground truth as PNG."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values = read_label_png(data, "truth.png")
    if values.ndim != 2 or values.dtype not in (np.uint8, np.uint16):
        raise Broken(f"{values.dtype} {values.shape}")


@bounded
def truth_mat(data: bytes) -> None:
    """Ground truth as a MATLAB file."""
    path = scratch() / "truth.mat"
    path.write_bytes(data)
    values = read_label_map(path)
    if values.ndim != 2 or values.dtype != np.uint16 or not values.size:
        raise Broken(f"{values.dtype} {values.shape}")


@bounded
def ids_list(data: bytes) -> None:
    """The image list of a data folder."""
    path = scratch() / str(SPECS["pas20"].split_list)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    notes: list[str] = []
    ids = split_ids(SPECS["pas20"], scratch(), notes)
    official = SPECS["pas20"].official_ids()
    if not ids or not set(ids) <= set(official) or len(notes) > 2:
        raise Broken(f"{len(ids)} ids, {len(notes)} notes")
    for note in notes:
        _readable(note)


@bounded
def embeddings(data: bytes) -> None:
    """A submission's own segment embeddings."""
    path = scratch() / "mine.safetensors"
    path.write_bytes(data)
    vectors = read_embeddings(path, 3)
    if vectors.dtype != np.float32 or vectors.shape[0] != 3 or not np.isfinite(vectors).all():
        raise Broken(f"{vectors.dtype} {vectors.shape}")


@bounded
def ratings_table(data: bytes) -> None:
    """Ratings by people."""
    path = scratch() / "ratings.csv"
    path.write_bytes(data)
    for item, scores in read_ratings(path).items.items():
        if not scores or not set(scores.values()) <= {0, 1, 2, 3}:
            raise Broken(f"{item}: {scores}")


@bounded
def dataset_toml(data: bytes) -> None:
    """A data set of one's own."""
    path = scratch() / "dataset.toml"
    path.write_bytes(data)
    found = read_definition(path)
    classes, table = found.vocabulary, found.truth.codes.table()
    if set(np.unique(table).tolist()) - {0, -1, -2, *classes.ids}:
        raise Broken("a stored value means a class that there is not")
    if len(set(classes.names)) < len(classes) or any(not name.isprintable() for name in classes.names):
        raise Broken(f"names {classes.names}")
    for place in (found.truth.pattern, found.photos or "{id}", found.ids or "a", found.truth.manifest or "a"):
        if not Path(scratch() / place).resolve().is_relative_to(scratch().resolve()):
            raise Broken(f"{place} leaves the folder")


@bounded
def panoptic_manifest(data: bytes) -> None:
    """A COCO-panoptic JSON of ground truth."""
    path = scratch() / "panoptic.json"
    path.write_bytes(data)
    for segments in manifest(path).images.values():
        if any(not 0 <= s < 1 << 24 or not 0 <= c < 65_535 for s, c in segments.items()):
            raise Broken(f"{segments}")


@bounded
def truth_npy(data: bytes) -> None:
    """Ground truth as a numpy array."""
    path = scratch() / "truth.npy"
    path.write_bytes(data)
    values = TruthFiles("{id}.npy", Codes(()), "npy").read(path, "truth", scratch()).pixels
    if values.ndim != 2 or values.dtype not in (np.uint8, np.uint16) or not values.size:
        raise Broken(f"{values.dtype} {values.shape}")


@bounded
def label_map_file(data: bytes) -> None:
    """A label map as PNG, .npy, .npz or TIFF, by its first bytes; read as values, and as colours."""
    starts = {b"\x93NUMPY": ".npy", b"PK": ".npz", b"II": ".tif", b"MM": ".tif"}
    suffix = next((ending for start, ending in starts.items() if data.startswith(start)), ".png")
    path = scratch() / f"{IDS[0]}{suffix}"
    path.write_bytes(data)
    refused: list[ZgbenchError] = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for read in (lambda: read_map(path, "auto"), lambda: read_map(path, "index"), lambda: read_rgb(path)):
            try:
                values = read()
            except ZgbenchError as error:
                _readable(str(error))
                refused.append(error)
                continue
            if (values.ndim, values.dtype.kind) not in ((2, "u"), (2, "i"), (3, "u")):
                raise Broken(f"{values.dtype} {values.shape}")
    if len(refused) == 3:
        raise refused[0]


@bounded
def labels_file(data: bytes) -> None:
    """A file of labels, JSON, CSV or a class a line, by its first bytes; and the same as a legend."""
    suffix = ".json" if data.lstrip(b"\xef\xbb\xbf \n")[:1] in (b"{", b"[") else ".csv" if b"," in data[:40] else ".txt"
    path = scratch() / f"labels{suffix}"
    path.write_bytes(data)
    refused: list[ZgbenchError] = []
    for read in (lambda: read_labels(str(path), None), lambda: read_legend(str(path))):
        try:
            read()
        except ZgbenchError as error:
            _readable(str(error))
            refused.append(error)
    if len(refused) == 2:
        raise refused[0]


def _converted(source: Path, **options: Any) -> None:
    """Convert a source; what comes out must be a submission that is accepted."""
    target = scratch() / "converted.json"
    done = convert(source, target, name="m", dataset="pas20", **options)
    for note in done.notes:
        _readable(note)
    reader, report = open_submission(target), Report()
    header = reader.header(report)
    if (
        header is None
        or check_alone(reader, header, frozenset(IDS), report, partial=True) != done.images
        or report.kinds
    ):
        raise Broken(f"a submission that is refused: {report.problems[:1]}")


@bounded
def panoptic_json(data: bytes) -> None:
    """The JSON of a COCO-panoptic folder, beside PNGs that hold the ids 7 and 70000."""
    folder = scratch() / "panoptic"
    if not folder.is_dir():
        folder.mkdir()
        for image_id in IDS:
            (folder / f"{image_id}.png").write_bytes(PANOPTIC_PNG)
    (folder / "panoptic.json").write_bytes(data)
    _converted(folder)


@bounded
def coco_json(data: bytes) -> None:
    """COCO results or annotations, with categories beside."""
    (scratch() / "results.json").write_bytes(data)
    (scratch() / "categories.json").write_bytes(b'{"categories": [{"id": 1, "name": "a plane"}]}')
    _converted(scratch() / "results.json", annotations=scratch() / "categories.json", overlap="order", tags="first")


@bounded
def planted(data: bytes) -> None:
    """Not a reader: breaks on two bytes, to see that fuzzing finds what is there."""
    if data[:1] != b"z":  # one after the other: a branch each, that coverage shows
        return
    if data[1:2] == b"g":
        raise Broken("planted")


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (
        rle_text, json_submission, gzip_submission, parquet_submission, truth_png, truth_mat, ids_list, embeddings,
        ratings_table, label_map_file, labels_file, panoptic_json, coco_json, dataset_toml, panoptic_manifest, truth_npy,
    )
}  # fmt: skip


def mend_png(data: bytes) -> bytes:
    """The chunks of a PNG with right checksums, so that a mutation gets past them; anything else as it is."""
    if not data.startswith(b"\x89PNG"):
        return data
    found, at = bytearray(data[:8]), 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        body = data[at + 4 : at + 8 + length]
        found += data[at : at + 4] + body + zlib.crc32(body).to_bytes(4, "big")
        at += 12 + length
    return bytes(found + data[at:]) if at <= len(data) else bytes(found)
