"""What the files of a result are called, so that none takes the place of another's.

A result is called ``STEM.DATASET``, and more where that name is taken: the protocol where it is another, else eight digits
of a hash. A name is taken by a result of another submission, or by one with a signature that the new one lacks; the same
evaluation again, or one with further rows, goes into its old place. Counts have a name of their own, for all results of
one submission, data and truth.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zgbench.pixels import counts_file
from zgbench.protocol import meaning
from zgbench.scores.result_types import Result
from zgbench.storage.files import sha256_file

RESULT = ".result.json"
STATS = ".stats.parquet"
_MADE_FROM = ("submission_sha256", "truth_sha256", "ids_sha256", "partial", "void")


@dataclass(frozen=True)
class Names:
    """File names in one folder.

    Attributes:
        base: begins the names of result, segments and per-class file.
        stats: of the counts.
        counted: whether these counts lie there already, and are not to be written again.
    """

    base: str
    stats: str
    counted: bool


def signatures(result: Result) -> set[str]:
    """Every signature of a result, by its meaning; a further score's is its row's with its definition."""
    tgq = [result["tgq"]] if result["tgq"] is not None else []
    found = {meaning(row["signature"]) for row in (*result["scores"], *tgq)}
    found |= {
        f"{meaning(block['signature'])}|score:{score['definition']}"
        for block in result.get("by_label", {}).values()
        for score in block["scores"].values()
    }
    for row in result["scores"]:
        found |= {f"{meaning(row['signature'])}|score:{s['definition']}" for s in row.get("more", {}).values()}
    return found


def names(out: Path, short: str, result: Result, made_from: dict[str, Any], *, replace: bool = False) -> Names:
    """Names for a result that is to be written.

    Args:
        out: the folder, which need not be there.
        short: ``STEM.DATASET``.
        made_from: what the counts were made from, and whether they hold void pixels.
        replace: take the short name, whoever has it.
    """
    known = dict(_results(out, short))
    base = next(n for n in _bases(short, result, known) if replace or _fits(known.get(n + RESULT), result))
    for path in counts_of(out, short):
        if _same(path, made_from) and _needed(path, known.values()):
            return Names(base, path.name, True)
    others = [found for name, found in known.items() if name != base + RESULT]
    stats = short + STATS
    if _needed(out / stats, others):
        stats = f"{short}.{_short_hash(json.dumps([made_from[key] for key in _MADE_FROM]))}{STATS}"
    return Names(base, stats, False)


def counts_of(out: Path, short: str) -> Iterator[Path]:
    """Stats files that may be about the submission, the one with the short name first."""
    with suppress(OSError):
        found = [p for p in out.iterdir() if p.name.startswith(f"{short}.") and p.name.endswith(STATS)]
        yield from sorted(found, key=lambda p: (len(p.name), p.name))


def _bases(short: str, result: Result, known: dict[str, Result]) -> Iterator[str]:
    yield short
    protocol = result["protocol"]["name"]
    holder = known.get(short + RESULT)
    where = short
    if holder is not None and holder["protocol"]["name"] != protocol:
        where = f"{short}.{_part(protocol)}"
        yield where
    yield f"{where}.{_short_hash(json.dumps([result['submission']['sha256'], *sorted(signatures(result))]))}"


def _fits(there: Result | None, result: Result) -> bool:
    """Whether a result may be written where another lies: it says all that the other said of the same submission."""
    if there is None:
        return True
    same = there["submission"]["sha256"] == result["submission"]["sha256"]
    return bool(same and signatures(there) <= signatures(result))


def _same(stats: Path, made_from: dict[str, Any]) -> bool:
    """Whether a stats file says that it is about the same."""
    about = counts_file.about(stats)
    return about is not None and all(about.get(key) == made_from[key] for key in _MADE_FROM)


def _needed(stats: Path, results: Iterable[Result]) -> bool:
    """Whether a result was made with this very file; one that was damaged meanwhile is of no use to anybody."""
    hashes = [found["files"]["stats"]["sha256"] for found in results if found["files"]["stats"]["name"] == stats.name]
    return bool(hashes) and stats.is_file() and sha256_file(stats) in hashes


def _results(out: Path, short: str) -> Iterator[tuple[str, Result]]:
    """Results whose names begin alike; what cannot be read as one is nobody's result."""
    with suppress(OSError):
        for path in sorted(out.iterdir()):
            if path.name.startswith(f"{short}.") and path.name.endswith(RESULT):
                with suppress(OSError, ValueError, LookupError, TypeError):
                    found: Result = json.loads(path.read_text(encoding="utf-8"))
                    stats = found["files"]["stats"]
                    told = (signatures(found), stats["name"], stats["sha256"], found["protocol"]["name"])
                    if found["submission"]["sha256"] and all(told[1:]):
                        yield path.name, found


def _part(protocol: str) -> str:
    """A protocol's name as a part of a file name."""
    plain = re.sub(r"[^A-Za-z0-9._+=,-]", "_", protocol)
    return plain if plain == protocol and len(plain) <= 60 else f"{plain[:40]}-{_short_hash(protocol)}"


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
