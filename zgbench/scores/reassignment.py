"""Reassignment: from a segment's free label, or its picture, to the nearest class of the test set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zgbench.datasets import Vocabulary
from zgbench.encoders.base import TextEncoder, Vectors, unit
from zgbench.errors import InputError
from zgbench.pixels.counts import Counts

_CHUNK = 4096


@dataclass(frozen=True)
class Decision:
    """What every segment was reassigned to.

    Attributes:
        class_id: int64 [segments], T*, the class of the highest cosine (ties: the lowest id).
        similarity: float32 [segments], that cosine, −1 to 1.
        level: int8 [segments], where a lexicon or a table decided: how near T* lies to the label, 0 its name to 3 a part
            of it, 4 its kin, 5 the nearest text, −1 no class (``class_id`` 0). None where a cosine decides.
    """

    class_id: NDArray[np.int64]
    similarity: NDArray[np.float32]
    level: NDArray[np.int8] | None = None

    def kept(self, tau: float) -> NDArray[np.int64]:
        """T* where the similarity reaches τ (compared in float32), 0 elsewhere; int64 [segments]."""
        return np.where(self.similarity >= np.float32(tau), self.class_id, 0)

    def up_to(self, level: int) -> NDArray[np.int64]:
        """T* where it was reached at this level or below, 0 elsewhere; int64 [segments]."""
        assert self.level is not None
        return np.where((self.level >= 0) & (self.level <= level), self.class_id, 0)


def cosines(a: Vectors, b: Vectors) -> NDArray[np.float32]:
    """Cosines of unit rows, float32 [len(a), len(b)].

    Summed in float64 and rounded once, so that the value does not depend on how a BLAS orders its sums.
    """
    return (a.astype(np.float64) @ b.astype(np.float64).T).astype(np.float32)


def nearest(vectors: Vectors, class_vectors: Vectors, ids: tuple[int, ...]) -> Decision:
    """argmax over classes of the cosine (protocol, section 1).

    Args:
        vectors: float32 [segments, d], unit rows.
        class_vectors: float32 [classes, d], unit rows, in the order of ``ids``, ascending.
    """
    best = np.zeros(len(vectors), dtype=np.int64)
    similarity = np.zeros(len(vectors), dtype=np.float32)
    for at in range(0, len(vectors), _CHUNK):
        found = cosines(vectors[at : at + _CHUNK], class_vectors)
        place = found.argmax(axis=1)
        best[at : at + _CHUNK] = np.asarray(ids, dtype=np.int64)[place]
        similarity[at : at + _CHUNK] = found[np.arange(len(found)), place]
    return Decision(best, similarity)


def class_vectors(encoder: TextEncoder, prompt: str, vocabulary: Vocabulary) -> Vectors:
    """Vectors of the class names under a prompt, float32 [classes, d]."""
    return encoder.encode([prompt.format(name) for name in vocabulary.names])


def distinct_labels(labels: tuple[str, ...]) -> tuple[list[str], NDArray[np.int32]]:
    """Each label once, in order, and which of them every segment has, int32 [segments]."""
    distinct = sorted(set(labels))
    place = {label: index for index, label in enumerate(distinct)}
    return distinct, np.fromiter((place[label] for label in labels), dtype=np.int32, count=len(labels))


def text_to_text(labels: tuple[str, ...], encoder: TextEncoder, prompt: str, vocabulary: Vocabulary) -> Decision:
    """TT: T*_i = argmax_t cos(SBERT(T_i), SBERT(t))."""
    if not labels:
        return Decision(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32))
    distinct, inverse = distinct_labels(labels)
    vectors = encoder.encode([prompt.format(label) for label in distinct])
    found = nearest(vectors, class_vectors(encoder, prompt, vocabulary), vocabulary.ids)
    return Decision(found.class_id[inverse], found.similarity[inverse])


def true_similarity(counts: Counts, encoder: TextEncoder, prompt: str, vocabulary: Vocabulary) -> NDArray[np.float32]:
    """Cosine of each label with the true class name of its segment, float32 [segments] (track ``oracle``)."""
    assert counts.truth is not None
    if not counts.labels:
        return np.zeros(0, dtype=np.float32)
    distinct, inverse = distinct_labels(counts.labels)
    labels = encoder.encode([prompt.format(label) for label in distinct])
    names = class_vectors(encoder, prompt, vocabulary)
    place = np.searchsorted(np.asarray(vocabulary.ids), counts.truth)
    result = np.empty(len(place), dtype=np.float32)
    for at in range(0, len(place), _CHUNK):
        span = slice(at, at + _CHUNK)
        result[span] = np.einsum(
            "nd,nd->n", labels[inverse[span]].astype(np.float64), names[place[span]].astype(np.float64)
        )
    return result


def segment_to_text(
    vectors: Vectors, encoder: TextEncoder, prompt: str, vocabulary: Vocabulary, where: str
) -> Decision:
    """ST: T*_i = argmax_t cos(CLIP_image(S_i), CLIP_text(t)).

    Raises:
        InputError: the vectors' width is not CLIP's.
    """
    names = class_vectors(encoder, prompt, vocabulary)
    if vectors.shape[1] != names.shape[1]:
        raise InputError(
            f"{where}: vectors of width {vectors.shape[1]}, but {encoder.name} has {names.shape[1]}. Embed the segments with the same CLIP."
        )
    return nearest(unit(vectors), names, vocabulary.ids)
