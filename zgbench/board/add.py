"""Puts a submission on a board by scoring it: a number that somebody reports of himself is never taken.

The stored files hold no time, version or path, so the same submission gives the same bytes.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from zgbench.board.checks import violations
from zgbench.board.kinds import Kind, mark
from zgbench.board.pairs import pairs
from zgbench.board.places import base_of, refuse_taken, remove, settled
from zgbench.board.store import Board, load_board
from zgbench.board.summary import summary
from zgbench.board.verdicts import keep as keep_verdict
from zgbench.datasets import open_dataset
from zgbench.encoders import CachedTextEncoder, EmbeddingCache
from zgbench.encoders.text import SentenceBert
from zgbench.errors import InternalError, UsageError
from zgbench.evaluation import evaluate
from zgbench.pixels import counts_file
from zgbench.protocol import VERSION, Protocol
from zgbench.scores import by_label
from zgbench.scores.reassignment import true_similarity
from zgbench.scores.result import RESULT, Evaluation, load_result, save_segments
from zgbench.scores.subject import ProgressFactory
from zgbench.storage.files import replacing, sha256_file, write_bytes
from zgbench.storage.plain_arrow import plain
from zgbench.submission.problems import Report
from zgbench.submission.reader import open_submission, suffix_of

SUBMISSIONS = "submissions"
_STEM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


def _silent(_title: str, _total: int) -> Callable[[int], None]:
    return lambda _: None


def add(
    submission: str | os.PathLike[str],
    board: Path,
    *,
    data: str | os.PathLike[str] | None = None,
    protocol: str | Protocol | None = None,
    ratings: str | os.PathLike[str] | None = None,
    stem: str | None = None,
    kind: Kind | None = None,
    replace: bool = False,
    unofficial: bool = False,
    keep: bool = True,
    workers: int = 1,
    progress: ProgressFactory = _silent,
    **options: Any,
) -> Path:
    """Score a submission and store result, statistics and segments on a board.

    A board has one row for each submission and signature: results of the same submission under other protocols stay as
    they are, and rows that they have are left out of the new one.

    Args:
        submission: see :func:`zgbench.evaluate`. The whole official split must be there.
        board: folder of results.
        stem: begins the files' names; default: that of the submission. It stands for one submission.
        kind: ``method`` (default), or ``baseline`` or ``ceiling``, which are not ranked.
        replace: whether all results of another submission of the same stem may go, and one of the same name.
        unofficial: take a part of the official split as well; it is marked.
        keep: whether a copy of the submission goes to ``BOARD/submissions/``, for people to look inside; a submission
            that already lies where the board finds it is not copied.
        options: further ones of :func:`zgbench.evaluate`.

    Returns:
        Path of the result file; where the board has all of its rows already, of the one that has them.

    Raises:
        UsageError: the stem cannot be a file name, or is taken; the data at hand is a part of the split; the board has
            other numbers under a signature.
        SubmissionError and others: see :func:`zgbench.evaluate`.
    """
    file = Path(submission)
    suffix = suffix_of(file)
    name = stem if stem is not None else file.name.removesuffix(suffix)
    if not _STEM.fullmatch(name):
        raise UsageError(
            f"--stem {name[:80]!r}: expected at most 80 letters, digits, dots, hyphens and underscores. It becomes part of file names."
        )
    if file.is_file():
        refuse_taken(load_board(board), name, sha256_file(file), replace=replace)
        if not unofficial:
            _refuse_part(file, data, options)
    found = evaluate(file, data=data, protocol=protocol, ratings=ratings, workers=workers, progress=progress, **options)
    there = load_board(board)
    place = settled(there, name, found, replace=replace)
    about, gone = found.result["submission"], place.gone
    base = base_of(place.new, name, {e.id for e in (*there.entries, *there.hidden)} - {e.id for e in gone})
    target = board / f"{base}{RESULT}"
    if target.exists() and base not in {entry.id for entry in gone} and not replace:
        raise UsageError(f"{target}: is there already and no readable result. Take it away, or --replace it.")
    if (marked := kind or next((entry.kind for entry in gone), None)) is not None:
        mark(board, about["sha256"], marked, about["name"])
    if place.known and not place.new.scores and place.new.tgq is None and not place.new.result.get("by_label"):
        return place.known[0].path
    store(place.new, board, base)
    for entry in gone:
        if entry.path != target.resolve():
            remove(entry)
        if entry.submission_sha256 != about["sha256"]:
            mark(board, entry.submission_sha256, "method", entry.name)
    if keep:
        _keep(file, board, f"{name}{suffix}", about["sha256"])
    _prepare(load_board(board), target.name.removesuffix(RESULT))
    return target


def _prepare(board: Board, entry_id: str) -> None:
    """Work out what the pages keep in the cache now, so that the first visitor need not wait."""
    entry = board.entry(entry_id)
    for row in entry.rows:
        group = board.group(row.group)
        if len(group.ids) < 2:
            summary(entry, row)
            continue
        for score in group.scores:
            pairs(board, group, score)


def _refuse_part(file: Path, data: str | os.PathLike[str] | None, options: dict[str, Any]) -> None:
    """Find out before the work whether the whole official split will be scored."""
    header = open_submission(file).header(Report())
    if header is None:  # the evaluation says why
        return
    where = {key: options[key] for key in ("subset", "truth_dir", "png_order") if key in options}
    dataset = open_dataset(header.dataset, data, **where)
    if dataset.official and not options.get("partial"):
        return
    part = "a part" if dataset.official else f"{len(dataset.ids)} of {len(dataset.known_ids)} images"
    told = (
        f"{file}: a board takes the whole official split of {header.dataset}, not {part}: the scores could not be compared with those of others.",
        *dataset.notes,
        "What is at hand: zgbench datasets check. To take it all the same, marked as not official: --unofficial.",
    )
    raise UsageError(" ".join(told))


def store(found: Evaluation, board: Path, base: str) -> Path:
    """Write the three files of an evaluation; the result last, after it passed the cross-checks.

    Args:
        base: first part of the files' names.

    Raises:
        InternalError: a cross-check failed, which is a bug; nothing stays behind.
    """
    board.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".adding-", dir=board) as folder:
        made = _write(found, Path(folder), base)
        if wrong := violations(load_result(made)):
            raise InternalError(f"the result of {base} contradicts itself: {'; '.join(wrong)}. Nothing was stored.")
        keep_verdict(sha256_file(made), ())
        for kind in (".stats.parquet", ".segments.parquet", by_label.ENDING, RESULT):
            if (written := Path(f"{folder}/{base}{kind}")).exists():
                written.replace(board / f"{base}{kind}")
    return board / f"{base}{RESULT}"


def _write(found: Evaluation, folder: Path, base: str) -> Path:
    stats, segments = folder / f"{base}.stats.parquet", folder / f"{base}.segments.parquet"
    made_from = {key: found.made_from[key] for key in ("submission_sha256", "ids_sha256")}
    counts_file.save(found.counts, stats, made_from)
    save_segments(found, segments)
    if found.tgq is not None:
        _add_true_similarity(found, segments)
    places = {"stats": stats, "segments": segments}
    if found.labels is not None:
        places["labels"] = folder / f"{base}{by_label.ENDING}"
        by_label.write(found.counts.ids, found.labels, places["labels"])
    content = found.result | {
        "timing_s": {},
        "versions": {"protocol": VERSION},
        "files": {kind: {"name": place.name, "sha256": sha256_file(place)} for kind, place in places.items()},
    }
    target = folder / f"{base}{RESULT}"
    write_bytes(target, (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode())
    return target


def _add_true_similarity(found: Evaluation, place: Path) -> None:
    """Track ``oracle``: the cosine of each label with the true name, without which TGQ could not be tested in pairs."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    protocol = Protocol(**found.result["protocol"])
    text = CachedTextEncoder(SentenceBert(protocol.text_model), EmbeddingCache())
    similarity = true_similarity(found.counts, text, protocol.text_prompt, found.dataset.vocabulary)
    table = pq.read_table(plain(place)).append_column("true_similarity", pa.array(similarity.astype(np.float32)))
    with replacing(place) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def _keep(file: Path, board: Path, name: str, sha256: str) -> None:
    from zgbench.board.submissions import find

    if find(board, sha256) is None:
        with replacing(board / SUBMISSIONS / name) as temporary:
            shutil.copyfile(file, temporary)
