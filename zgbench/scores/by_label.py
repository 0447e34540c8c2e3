"""Scores of labels without a reassignment: CaSED's, and those of track ``oracle``; each a mean over truth segments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from zgbench import lexicon
from zgbench.datasets import Vocabulary
from zgbench.encoders import TextEncoder
from zgbench.errors import DataError, ModelUnavailable
from zgbench.pixels.counts import Counts
from zgbench.protocol import Pixels
from zgbench.scores.families import cased, oracle_track
from zgbench.scores.families.definition import Scope
from zgbench.scores.lexical import Lexical
from zgbench.scores.reassignment import class_vectors, cosines, distinct_labels, true_similarity
from zgbench.scores.registry import SCORES
from zgbench.scores.text_generation import truth_segments
from zgbench.storage.plain_arrow import plain

Float = NDArray[np.float64]
_Text = tuple[TextEncoder, str]
SCOPES: tuple[Scope, ...] = ("labels", "oracle")
ENDING = ".labels.parquet"
"""Of the file that keeps the per-image numbers, so that results are compared without a model."""


@dataclass(frozen=True)
class ByLabel:
    """Statistics of some scores, see :class:`zgbench.statistics.resampling.Statistics`.

    Attributes:
        per_image: sparse float64 [images, 1 + scores]: the number of truth segments, and the sum of each score over them.
        names: of the scores.
    """

    per_image: sparse.csr_matrix
    names: tuple[str, ...]

    def scores(self, sums: Float) -> dict[str, Float]:
        """Score name → float64 [...] of summed statistics, float64 [..., 1 + scores]; NaN without a truth segment."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return {name: np.asarray(sums[..., 1 + k] / sums[..., 0]) for k, name in enumerate(self.names)}

    def only(self, names: Sequence[str]) -> ByLabel:
        """Of some of the scores."""
        chosen = [0, *(1 + self.names.index(name) for name in names)]
        return ByLabel(self.per_image[:, chosen].tocsr(), tuple(names))


def by_label(
    counts: Counts,
    names: Sequence[str],
    vocabulary: Vocabulary,
    text: TextEncoder,
    prompt: str,
    background: Pixels,
) -> tuple[ByLabel, dict[str, str]]:
    """Statistics of the scores that can be had.

    Args:
        counts: of the scored images; of track ``oracle`` where a score asks for it.
        names: of scores whose scope is ``labels`` or ``oracle``, one or more.
        text, prompt: Sentence-BERT and the template around labels and names, as for TT.

    Returns:
        The statistics, and what cannot be had → why.
    """
    unavailable: dict[str, str] = {}
    if asked := [name for name in names if "label vectors" in SCORES[name].needs]:
        try:
            class_vectors(text, prompt, vocabulary)
            if counts.labels:
                text.encode([prompt.format(label) for label in distinct_labels(counts.labels)[0]])
        except ModelUnavailable as error:
            unavailable[", ".join(asked)] = str(error)
            names = [name for name in names if name not in asked]
    return _statistics(counts, names, vocabulary, (text, prompt), background), unavailable


def from_counts(counts: Counts, names: Sequence[str], vocabulary: Vocabulary, background: Pixels) -> ByLabel:
    """Statistics of scores that need no label vectors."""
    return _statistics(counts, names, vocabulary, None, background)


def _statistics(
    counts: Counts, names: Sequence[str], vocabulary: Vocabulary, text: _Text | None, background: Pixels
) -> ByLabel:
    found = _oracle(counts, names, vocabulary, text) | _cased(counts, names, vocabulary, text, background)
    columns = [truth_segments_of(counts), *(found[name] for name in names)]
    return ByLabel(sparse.csr_matrix(np.stack(columns, axis=1)), tuple(names))


def truth_segments_of(counts: Counts) -> Float:
    """Number of truth segments (one class in one image) of each image, float64 [images]."""
    if counts.truth is not None:
        return truth_segments(counts).astype(np.float64)
    own = counts.cls > 0
    stride = int(counts.cls.max(initial=0)) + 1
    keys = np.unique(counts.image[own].astype(np.int64) * stride + counts.cls[own])
    return np.bincount(keys // stride, minlength=len(counts.ids)).astype(np.float64)


def _oracle(counts: Counts, names: Sequence[str], vocabulary: Vocabulary, text: _Text | None) -> dict[str, Float]:
    own = [name for name in names if SCORES[name].scope == "oracle"]
    if not own:
        return {}
    similarity = None
    if any("label vectors" in SCORES[name].needs for name in own):
        assert text is not None
        similarity = true_similarity(counts, *text, vocabulary)
    reached = None
    if any("lexicon" in SCORES[name].needs for name in own):
        decision, _ = Lexical(vocabulary).of_segments(counts.labels)
        assert decision.level is not None
        reached = (decision.class_id, decision.level)
    values = oracle_track.by_segment(counts, vocabulary, own, similarity, reached)
    n = len(counts.ids)
    return {name: np.bincount(counts.owner, weights=v, minlength=n).astype(np.float64) for name, v in values.items()}


def _cased(
    counts: Counts, names: Sequence[str], vocabulary: Vocabulary, text: _Text | None, background: Pixels
) -> dict[str, Float]:
    own = tuple(name for name in names if SCORES[name].scope == "labels")
    if not own:
        return {}
    distinct, label = distinct_labels(counts.labels)
    ids = np.asarray(vocabulary.ids, dtype=np.int64)
    alike = np.zeros((len(distinct), len(ids)), dtype=np.float32)
    if distinct and any("label vectors" in SCORES[name].needs for name in own):
        assert text is not None
        encoder, prompt = text
        vectors = encoder.encode([prompt.format(one) for one in distinct])
        alike = cosines(vectors, class_vectors(encoder, prompt, vocabulary))
    found = {name: np.zeros(len(counts.ids)) for name in own}
    for part, images, segments in counts.parts():
        about = cased.Labelled(part, ids, alike, label[segments], background)
        for name, values in cased.per_image(about, own).items():
            found[name][images] = values
    return found


def about(names: Sequence[str], encoder: str) -> dict[str, str]:
    """What the signature of these scores names beside data and protocol.

    Args:
        encoder: name of the text encoder with its prompt.
    """
    needs = {need for name in names for need in SCORES[name].needs}
    told = {"encoder": encoder} if "label vectors" in needs else {}
    if "lexicon" in needs:
        told["lexicon"] = f"{lexicon.load().name}@{lexicon.load().sha256[:8]}"
    return told


def write(ids: Sequence[str], statistics: ByLabel, path: Path) -> None:
    """Write ``*.labels.parquet``: one row an image."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    dense = statistics.per_image.toarray()
    columns: dict[str, Any] = {
        "image_id": pa.array(ids, pa.string()),
        "segments": pa.array(dense[:, 0].astype(np.int32)),
    }
    columns |= {name: pa.array(dense[:, 1 + k]) for k, name in enumerate(statistics.names)}
    pq.write_table(pa.table(columns), path, compression="zstd")


def load(path: Path, counts: Counts) -> ByLabel:
    """Read ``*.labels.parquet``.

    Raises:
        DataError: it is not about these images, or its numbers are impossible.
    """
    import pyarrow.parquet as pq

    table = pq.read_table(plain(path))
    names = tuple(name for name in table.column_names if name in SCORES)
    if table["image_id"].to_pylist() != list(counts.ids):
        raise DataError(f"{path}: is not about the images of its result. Run zgbench evaluate again.")
    columns = np.stack([table[name].to_numpy().astype(np.float64) for name in ("segments", *names)], axis=1)
    segments = columns[:, :1]
    if not (columns[:, 0] == truth_segments_of(counts)).all() or not (np.abs(columns[:, 1:]) <= segments + 1e-6).all():
        raise DataError(f"{path}: its numbers are not those of the truth's segments. Run zgbench evaluate again.")
    return ByLabel(sparse.csr_matrix(columns), names)
