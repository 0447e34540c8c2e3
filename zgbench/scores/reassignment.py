"""Reassignment: from a segment's free label, or its picture, to the nearest class of the test set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zgbench.datasets import Vocabulary
from zgbench.encoders.base import TextEncoder, Vectors, unit
from zgbench.errors import InputError
from zgbench.pixels.counts import Counts
from zgbench.submission.problems import quote

_CHUNK = 4096


@dataclass(frozen=True)
class Decision:
    """What every segment was reassigned to.

    Attributes:
        class_id: int64 [segments], T*, the class of the highest cosine (ties: the lowest id).
        similarity: float32 [segments], that cosine, −1 to 1.
    """

    class_id: NDArray[np.int64]
    similarity: NDArray[np.float32]

    def kept(self, tau: float) -> NDArray[np.int64]:
        """T* where the similarity reaches τ (compared in float32), 0 elsewhere; int64 [segments]."""
        return np.where(self.similarity >= np.float32(tau), self.class_id, 0)


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


def read_embeddings(path: Path, segments: int) -> NDArray[Any]:
    """A submission's own segment embeddings.

    Args:
        path: safetensors file with one tensor [segments, d], float16, float32 or float64.
        segments: how many the submission has.

    Returns:
        float32 [segments, d].

    Raises:
        InputError: no such file, another shape or type, or a value that is not finite.
    """
    from safetensors import SafetensorError, safe_open

    def bad(expected: str, found: str) -> InputError:
        return InputError(
            f"{path}: expected {expected}, found {found}. Write embeddings with SubmissionWriter.add(..., embeddings=...)."
        )

    if not path.is_file():
        raise InputError(
            f'{path}: there is no such file, though the submission names it under "embeddings". Put it beside the submission.'
        )
    try:
        with safe_open(str(path), framework="numpy") as file:
            keys = list(file.keys())
            if len(keys) != 1:
                raise bad("one tensor", f"{len(keys)}: {quote(str(keys))}")
            view = file.get_slice(keys[0])
            shape, kind = tuple(view.get_shape()), str(view.get_dtype())
            if kind not in ("F16", "F32", "F64"):
                raise bad("float16, float32 or float64", kind)
            if len(shape) != 2 or shape[0] != segments or shape[1] < 1:
                raise bad(f"shape [{segments}, d] (a row a segment, in file order)", str(list(shape)))
        # read and not mapped: a file that is cut short meanwhile is then an error and not the end of the process
        with path.open("rb") as raw:
            start = 8 + int.from_bytes(raw.read(8), "little")
            raw.seek(start)
            read = np.fromfile(raw, dtype=f"<f{int(kind[1:]) // 8}", count=shape[0] * shape[1])
        if read.size != shape[0] * shape[1]:
            raise bad(f"{shape[0]} × {shape[1]} numbers", f"{read.size}; the file was changed while it was being read")
        tensor = read.reshape(shape).astype(np.float32)
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise InputError(f"{path}: not a readable safetensors file ({quote(str(error), 120)[1:-1]}).") from error
    wrong = np.flatnonzero(~np.isfinite(tensor).all(axis=1))
    if len(wrong):
        raise bad("finite numbers", f"NaN or infinity in row {int(wrong[0])} ({len(wrong)} rows in all)")
    zero = np.flatnonzero(~tensor.any(axis=1))
    if len(zero):
        raise bad("vectors with a direction", f"all zeros in row {int(zero[0])} ({len(zero)} rows in all)")
    return tensor
