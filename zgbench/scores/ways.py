"""The ways from a segment to a class, each with the model that it needs: what ``--reassign`` chooses from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from zgbench.encoders import CachedTextEncoder, EmbeddingCache, ImageTextEncoder, TextEncoder
from zgbench.encoders.clip import Clip
from zgbench.encoders.text import SentenceBert
from zgbench.errors import ModelUnavailable
from zgbench.pixels.counts import Counts
from zgbench.protocol import Protocol as Rules
from zgbench.protocol import Reassignment
from zgbench.scores import segment_embeddings
from zgbench.scores.reassignment import Decision, class_vectors, segment_to_text, text_to_text
from zgbench.scores.subject import ProgressFactory, Subject


@dataclass(frozen=True)
class Encoders:
    """The models of one evaluation; nothing is loaded before it is used.

    Attributes:
        text: Sentence-BERT, for TT and TGQ.
        clip: for ST.
        cache: keeps the vectors of both on disk.
    """

    text: TextEncoder
    clip: ImageTextEncoder
    cache: EmbeddingCache

    @classmethod
    def of(cls, protocol: Rules, text: TextEncoder | None = None, clip: ImageTextEncoder | None = None) -> Encoders:
        """The protocol's models, or those that are given in their place."""
        cache = EmbeddingCache()
        options = {name: getattr(protocol, name) for name in ("saliency", "sigma", "first_masked_layer")}
        pictures = clip or Clip(protocol.clip_model, options | {"mode": protocol.segment_mode})
        return cls(CachedTextEncoder(text or SentenceBert(protocol.text_model), cache), pictures, cache)


class Way(Protocol):
    """One reassignment.

    Attributes:
        how: its name in a result.
    """

    @property
    def how(self) -> Reassignment: ...

    @property
    def encoder(self) -> str:
        """The model that decides, with revision and prompt: part of the signature."""
        ...

    def check(self) -> None:
        """Find out whether the model can be had, before an hour is spent on pixels.

        Raises:
            ModelUnavailable: it cannot; says what to do.
        """
        ...

    def decide(self, counts: Counts, progress: ProgressFactory) -> Decision:
        """T* of every counted segment.

        Raises:
            ModelUnavailable: the model cannot be had.
            InputError, DataError: an embedding or a photo is missing or damaged.
        """
        ...


@dataclass(frozen=True)
class TextToText:
    """TT: the nearest class name by Sentence-BERT."""

    subject: Subject
    encoders: Encoders
    how: Reassignment = "TT"

    @property
    def encoder(self) -> str:
        return text_name(self.encoders.text, self.subject.protocol)

    def check(self) -> None:
        class_vectors(self.encoders.text, self.subject.protocol.text_prompt, self.subject.dataset.vocabulary)

    def decide(self, counts: Counts, progress: ProgressFactory) -> Decision:
        del progress
        return text_to_text(
            counts.labels, self.encoders.text, self.subject.protocol.text_prompt, self.subject.dataset.vocabulary
        )


@dataclass(frozen=True)
class SegmentToText:
    """ST: the nearest class name by CLIP, from the segment's embedding."""

    subject: Subject
    encoders: Encoders
    how: Reassignment = "ST"

    @property
    def encoder(self) -> str:
        protocol = self.subject.protocol
        return f"{self.encoders.clip.name},prompt={protocol.clip_prompt},segments={recipe(protocol)}"

    @property
    def _names(self) -> TextEncoder:
        return CachedTextEncoder(self.encoders.clip, self.encoders.cache)

    def check(self) -> None:
        protocol = self.subject.protocol
        if protocol.segment_embeddings == "submitted" and self.subject.header.embeddings is None:
            raise ModelUnavailable(
                f"protocol {protocol.name} takes the submission's own segment embeddings, and this one has none. "
                "Add them (SubmissionWriter.add(..., embeddings=...)), or choose --protocol v1, which makes its own."
            )
        class_vectors(self._names, protocol.clip_prompt, self.subject.dataset.vocabulary)

    def decide(self, counts: Counts, progress: ProgressFactory) -> Decision:
        subject, protocol = self.subject, self.subject.protocol
        if protocol.segment_embeddings == "submitted":
            place = subject.reader.path.with_name(str(subject.header.embeddings))
            vectors, where = segment_embeddings.submitted(place, counts), str(place)
        else:
            vectors = segment_embeddings.embedded(
                subject.reader, subject.header, counts, subject.dataset, self.encoders.clip, recipe(protocol),
                self.encoders.cache, progress("embedding segments", len(counts.ids)),
            )  # fmt: skip
            where = f"segments of {subject.reader.path}"
        if not len(vectors):
            return Decision(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32))
        return segment_to_text(vectors, self._names, protocol.clip_prompt, subject.dataset.vocabulary, where)


WAYS: dict[Reassignment, type[TextToText] | type[SegmentToText]] = {"TT": TextToText, "ST": SegmentToText}
"""Every reassignment, in the order of a result's rows."""


def text_name(encoder: TextEncoder, protocol: Rules) -> str:
    """Sentence-BERT and its prompt, in the signature."""
    return f"{encoder.name},prompt={protocol.text_prompt}"


def recipe(protocol: Rules) -> str:
    """How a segment is embedded, in the signature."""
    if protocol.segment_embeddings == "submitted":
        return "submitted"
    if protocol.segment_mode == "crop":
        return "crop"
    saliency = f",{protocol.saliency},sigma={protocol.sigma:.5g}" if protocol.segment_mode == "globsub" else ""
    return f"{protocol.segment_mode}{saliency},first={protocol.first_masked_layer}"
