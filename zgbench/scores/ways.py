"""The ways from a segment to a class, each with the model that it needs: what ``--reassign`` chooses from."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from zgbench.encoders import CachedTextEncoder, EmbeddingCache, ImageTextEncoder, TextEncoder
from zgbench.encoders.cache import name_of
from zgbench.encoders.clip import Clip
from zgbench.encoders.text import SentenceBert
from zgbench.errors import ModelUnavailable
from zgbench.pixels.counts import Counts
from zgbench.protocol import Protocol as Rules
from zgbench.protocol import Reassignment
from zgbench.scores import segment_embeddings
from zgbench.scores.given_mapping import GivenMapping, told
from zgbench.scores.lexical import Lexical, with_text
from zgbench.scores.reassignment import Decision, class_vectors, segment_to_text, text_to_text
from zgbench.scores.subject import ProgressFactory, Subject
from zgbench.scores.verification import WITH_TEXT, Reassigned


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
    def of(
        cls,
        protocol: Rules,
        text: TextEncoder | str | os.PathLike[str] | None = None,
        clip: ImageTextEncoder | str | os.PathLike[str] | None = None,
    ) -> Encoders:
        """The protocol's models, or those that are given in their place: encoders, names or paths."""
        cache = EmbeddingCache()
        if text is None or isinstance(text, str | os.PathLike):
            text = SentenceBert(text or protocol.text_model)
        if clip is None or isinstance(clip, str | os.PathLike):
            options = {name: getattr(protocol, name) for name in ("saliency", "sigma", "first_masked_layer")}
            clip = Clip(clip or protocol.clip_model, options | {"mode": protocol.segment_mode})
        return cls(CachedTextEncoder(text, cache), clip, cache)


class SharedModels:
    """The models of several evaluations: each is loaded once, and kept as long as this is."""

    def __init__(self) -> None:
        self._kept: dict[tuple[object, ...], Encoders] = {}

    def of(
        self,
        protocol: Rules,
        text: TextEncoder | str | os.PathLike[str] | None = None,
        clip: ImageTextEncoder | str | os.PathLike[str] | None = None,
    ) -> Encoders:
        """As :meth:`Encoders.of`; the same as before where all that the models depend on is the same."""
        recipe = (protocol.saliency, protocol.sigma, protocol.first_masked_layer, protocol.segment_mode)
        given = [one if isinstance(one, str | os.PathLike | None) else id(one) for one in (text, clip)]
        key = (*given, protocol.text_model, protocol.clip_model, *recipe)
        if key not in self._kept:
            self._kept[key] = Encoders.of(protocol, text, clip)
        return self._kept[key]


class Way(Protocol):
    """One reassignment.

    Attributes:
        how: its name in a result.
    """

    @property
    def how(self) -> Reassignment: ...

    def check(self) -> dict[str, str]:
        """Find out whether the model can be had, before an hour is spent on pixels.

        Returns:
            Single rows that cannot be had though the others can → why, and what to do.

        Raises:
            ModelUnavailable: none of it can; says what to do.
        """
        ...

    def decide(self, counts: Counts, progress: ProgressFactory) -> Reassigned:
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

    def check(self) -> dict[str, str]:
        class_vectors(self.encoders.text, self.subject.protocol.text_prompt, self.subject.dataset.vocabulary)
        return {}

    def decide(self, counts: Counts, progress: ProgressFactory) -> Reassigned:
        del progress
        text, protocol = self.encoders.text, self.subject.protocol
        decision = text_to_text(counts.labels, text, protocol.text_prompt, self.subject.dataset.vocabulary)
        return Reassigned(self.how, decision, text_name(text, protocol))


@dataclass(frozen=True)
class SegmentToText:
    """ST: the nearest class name by CLIP, from the segment's embedding."""

    subject: Subject
    encoders: Encoders
    how: Reassignment = "ST"

    @property
    def _names(self) -> TextEncoder:
        return CachedTextEncoder(self.encoders.clip, self.encoders.cache)

    def check(self) -> dict[str, str]:
        protocol = self.subject.protocol
        if protocol.segment_embeddings == "submitted" and self.subject.header.embeddings is None:
            raise ModelUnavailable(
                f"protocol {protocol.name} takes the submission's own segment embeddings, and this one has none. "
                "Add them (SubmissionWriter.add(..., embeddings=...)), or choose --protocol v1, which makes its own."
            )
        class_vectors(self._names, protocol.clip_prompt, self.subject.dataset.vocabulary)
        return {}

    def decide(self, counts: Counts, progress: ProgressFactory) -> Reassigned:
        decision, protocol = self._decision(counts, progress), self.subject.protocol
        encoder = f"{name_of(self.encoders.clip)},prompt={protocol.clip_prompt},segments={recipe(protocol)}"
        return Reassigned(self.how, decision, encoder)

    def _decision(self, counts: Counts, progress: ProgressFactory) -> Decision:
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


@dataclass(frozen=True)
class LabelToClass:
    """LT: by the lexicon, and the nearest text behind it where its model can be had."""

    subject: Subject
    encoders: Encoders
    how: Reassignment = "LT"

    def check(self) -> dict[str, str]:
        _, why = with_text(self.subject.dataset.vocabulary, self.encoders.text)
        return {f"{self.how} {WITH_TEXT}": why} if why else {}

    def decide(self, counts: Counts, progress: ProgressFactory) -> Reassigned:
        del progress
        lexical, _ = with_text(self.subject.dataset.vocabulary, self.encoders.text)
        note = ""
        try:
            decision, quality = lexical.of_segments(counts.labels)
        except ModelUnavailable as error:  # some vectors were cached, and the model is not there for the others
            note = f"not scored: {self.how} {WITH_TEXT}: {error}"
            lexical = Lexical(self.subject.dataset.vocabulary)
            decision, quality = lexical.of_segments(counts.labels)
        return Reassigned(self.how, decision, lexical.name, fallback=lexical.fallback, labels=quality, note=note)


@dataclass(frozen=True)
class ByTable:
    """By a table that people or a language model made once."""

    subject: Subject
    mapping: GivenMapping
    how: Reassignment = "MAP"

    def check(self) -> dict[str, str]:
        return {}

    def decide(self, counts: Counts, progress: ProgressFactory) -> Reassigned:
        del progress
        decision, missing = self.mapping.of_segments(counts.labels)
        return Reassigned(self.how, decision, self.mapping.signature, note=told(counts, missing))


WAYS: dict[Reassignment, Callable[[Subject, Encoders], Way]] = {
    "TT": TextToText, "ST": SegmentToText, "LT": LabelToClass,
}  # fmt: skip
"""What ``--reassign`` chooses from, in the order of a result's rows; a given mapping comes last."""


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
