"""What an evaluation found, and the files that keep it."""

from __future__ import annotations

import contextlib
import json
import math
import platform
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

import numpy as np

from zgbench.datasets import Dataset
from zgbench.errors import DataError, InputError
from zgbench.pixels import counts_file
from zgbench.pixels.counts import Counts
from zgbench.protocol import VERSION, Protocol, Reassignment
from zgbench.scores import by_label
from zgbench.scores.by_label import ByLabel
from zgbench.scores.reassignment import Decision
from zgbench.scores.registry import DEFAULT
from zgbench.scores.result_names import RESULT as RESULT
from zgbench.scores.result_names import Names, names
from zgbench.scores.result_tables import flat, per_class_csv, per_class_rows
from zgbench.scores.result_types import Result, Score, ScoreRow, Tgq
from zgbench.scores.shown import html_of_evaluation, text_of_evaluation
from zgbench.scores.verification import WITH_TEXT, Reassigned
from zgbench.statistics.resampling import Estimate
from zgbench.storage.arrow_arrays import numbers, texts
from zgbench.storage.files import replacing, replacing_all, sha256_file
from zgbench.storage.plain_arrow import plain
from zgbench.version import __version__

if TYPE_CHECKING:
    import pandas as pd

FORMAT = "zgbench-result/1"


def number(estimate: Estimate) -> Score:
    """A score as it stands in a result file; null where it is undefined."""

    def plain(value: float) -> float | None:
        return None if math.isnan(value) else value

    return {"value": plain(estimate.value), "ci95": [plain(estimate.low), plain(estimate.high)]}


@dataclass(frozen=True, repr=False)
class Evaluation:
    """Scores of one submission.

    Attributes:
        result: as in the result file, without files, versions and timing.
        counts: N[s, c] of the scored images.
        reassigned: what every segment was mapped to.
        dataset: the scored images.
        stem: submission file name without its ending.
        made_from: content hashes that decide whether the counts may be used again.
        timing: seconds a step.
        chosen: names of the scores that were asked for, which tables show.
        labels: per-image numbers of the scores of labels, None where none was asked for.
        path: the result file, None where none was written.
    """

    result: Result
    counts: Counts
    reassigned: list[Reassigned]
    dataset: Dataset
    stem: str
    made_from: dict[str, Any]
    timing: dict[str, float]
    chosen: tuple[str, ...] = DEFAULT
    labels: ByLabel | None = None
    path: Path | None = None

    def __repr__(self) -> str:
        return text_of_evaluation(self)

    def _repr_html_(self) -> str:
        return html_of_evaluation(self)

    @property
    def scores(self) -> list[ScoreRow]:
        """Rows of the result, as in the result file."""
        return self.result["scores"]

    @property
    def tgq(self) -> Tgq | None:
        """Text Generation Quality, None on track ``free``."""
        return self.result["tgq"]

    @property
    def unavailable(self) -> dict[str, str]:
        """What could not be scored → why, and what to do."""
        return self.result["unavailable"]

    @property
    def table(self) -> pd.DataFrame:
        """One row a (reassignment, verification); scores as fractions 0–1, with the ends of their 95 % intervals."""
        import pandas as pd

        return pd.DataFrame([flat(row) for row in self.scores])

    @property
    def per_class(self) -> pd.DataFrame:
        """One row a (reassignment, verification, class)."""
        import pandas as pd

        return pd.DataFrame(per_class_rows(self.result))

    def to_dict(self) -> Result:
        """The result file's content; equal input gives equal content but for ``timing_s``."""
        rounded = {step: round(seconds, 3) for step, seconds in self.timing.items()}
        return {
            **self.result,
            "timing_s": rounded,
            "versions": {
                "zgbench": __version__,
                "protocol": VERSION,
                "numpy": np.__version__,
                "python": platform.python_version(),
            },
        }

    def save(self, out: Path, *, replace: bool = False) -> Path:
        """Write statistics, segments, per-class and result file, all or none; the result last, so that it never stands alone.

        Args:
            replace: take the name ``STEM.DATASET`` though a result of another submission or signature has it.

        Returns:
            Path of the result file; for its name see :mod:`zgbench.scores.result_names`.
        """
        while True:
            chosen = self._names(out, replace)
            with contextlib.suppress(_Taken):
                return self._write(out, chosen, replace)

    def _names(self, out: Path, replace: bool) -> Names:
        made_from = self.made_from | {"void": self.counts.void is not None}
        return names(out, f"{self.stem}.{self.dataset.key}", self.result, made_from, replace=replace)

    def _write(self, out: Path, chosen: Names, replace: bool) -> Path:
        def check() -> None:
            if self._names(out, replace) != chosen:
                raise _Taken

        others = [f"{chosen.base}{ending}" for ending in (".segments.parquet", ".per_class.csv", RESULT)]
        new = [] if chosen.counted else [chosen.stats]
        labels = [f"{chosen.base}{by_label.ENDING}"] if self.labels is not None else []
        with replacing_all(*(out / name for name in (*labels, *new, *others)), check=check) as made:
            temporaries = list(made)
            if self.labels is not None:
                of_labels, *temporaries = temporaries
                by_label.write(self.counts.ids, self.labels, of_labels)
            decided, per_class, target = temporaries[-3:]
            stats = temporaries[0] if new else out / chosen.stats
            if new:
                counts_file.write(self.counts, stats, self.made_from)
            write_segments(self, decided)
            per_class.write_bytes(per_class_csv(self.result).encode())
            content = self.to_dict()
            content["files"] = {
                "stats": {"name": chosen.stats, "sha256": sha256_file(stats)},
                "segments": {"name": others[0], "sha256": sha256_file(decided)},
            }
            if self.labels is not None:
                content["files"]["labels"] = {"name": labels[0], "sha256": sha256_file(of_labels)}
            target.write_bytes((json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode())
        return out / others[-1]


class _Taken(Exception):
    """Another process has written a result of this name meanwhile."""


def save_segments(found: Evaluation, path: Path) -> None:
    """:func:`write_segments`, whole or not at all."""
    with replacing(path) as temporary:
        write_segments(found, temporary)


def write_segments(found: Evaluation, path: Path) -> None:
    """Write ``*.segments.parquet``: a row a segment, with what each reassignment made of it."""
    import pyarrow.parquet as pq

    tables = (_segments_table(part, segments, found.reassigned) for part, _, segments in found.counts.parts())
    first = next(tables)
    with pq.ParquetWriter(path, first.schema, compression="zstd") as writer:
        for table in chain([first], tables):
            writer.write_table(table)


def _segments_table(counts: Counts, segments: slice, reassignments: list[Reassigned]) -> Any:
    """Rows of some images, whose segments lie at ``segments`` among all."""
    import pyarrow as pa

    columns: dict[str, Any] = {
        "image_id": texts(counts.ids, counts.owner),
        "segment": numbers((np.arange(len(counts.labels)) - counts.offsets[counts.owner]).astype(np.int32)),
        "label": texts(counts.labels),
    }
    for reassigned in reassignments:
        how = reassigned.how.lower()
        decision = reassigned.decision
        columns[f"{how}_class"] = numbers(decision.class_id[segments].astype(np.int32))
        if how in ("tt", "st"):
            columns[f"{how}_similarity"] = numbers(decision.similarity[segments])
        if decision.level is not None:
            columns[f"{how}_level"] = numbers(decision.level[segments])
        if reassigned.rated is not None:
            columns[f"{how}_rated"] = pa.array(reassigned.rated[segments], from_pandas=True)
    return pa.table(columns)


@dataclass(frozen=True)
class Stored:
    """A result file with the statistics beside it."""

    path: Path
    result: Result
    counts: Counts
    reassigned: list[Reassigned]
    labels: ByLabel | None = None

    @property
    def protocol(self) -> Protocol:
        """The protocol that the result was made under."""
        return Protocol(**self.result["protocol"])


def load_result(path: Path) -> Stored:
    """Read a result file and the two files beside it, checked against the hashes in it.

    Raises:
        InputError: not a result file.
        DataError: a file beside it is missing or was changed.
    """
    import pyarrow as pa

    try:
        result = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(result, dict) or result.get("format") != FORMAT:
            raise InputError(
                f"{path}: expected a result file of format {FORMAT}, as zgbench evaluate --out writes them."
            )
        places = {key: path.with_name(Path(entry["name"]).name) for key, entry in result["files"].items()}
        for key, place in places.items():
            if not place.is_file() or sha256_file(place) != result["files"][key]["sha256"]:
                raise DataError(
                    f"{place}: missing, or not the file that {path.name} was made with. Run zgbench evaluate again."
                )
        counts = counts_file.load(places["stats"])
        segments = _read_segments(places["segments"], len(counts.labels), result["scores"])
        labels = by_label.load(places["labels"], counts) if "labels" in places else None
        found = Stored(path, cast(Result, result), counts, segments, labels)
        _ = found.protocol
        return found
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError, pa.ArrowException) as error:
        shown = ascii(str(error)[:120])[1:-1]
        raise InputError(f"{path}: not a readable result file ({shown}).") from error


def _read_segments(path: Path, segments: int, rows: list[ScoreRow]) -> list[Reassigned]:
    import pyarrow.parquet as pq

    table = pq.read_table(plain(path))
    if len(table) != segments:
        raise ValueError(f"{path.name} has {len(table)} rows, the statistics {segments} segments")

    def column(how: str, name: str) -> Any:
        found = f"{how.lower()}_{name}"
        return table[found].to_numpy() if found in table.column_names else None

    reassigned = []
    for how in get_args(Reassignment):
        if (class_id := column(how, "class")) is None:
            continue
        similarity = column(how, "similarity")
        decision = Decision(
            class_id.astype(np.int64),
            np.ones(segments, dtype=np.float32) if similarity is None else similarity,
            column(how, "level"),
        )
        with_text = any(row["reassign"] == how and row["verify"] == WITH_TEXT for row in rows)
        reassigned.append(Reassigned(how, decision, "", column(how, "rated"), "stored" if with_text else ""))
    return reassigned
