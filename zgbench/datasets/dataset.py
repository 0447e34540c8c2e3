"""A data set that is ready to be scored on: its images, its classes and where its truth is read from."""

from __future__ import annotations

from dataclasses import dataclass, replace

from zgbench.datasets.definition import Definition, DefinitionFacts
from zgbench.datasets.truth import TruthSource
from zgbench.datasets.vocabulary import Vocabulary
from zgbench.storage.files import sha256_lines


@dataclass(frozen=True, repr=False)
class Dataset:
    """Images with ground truth.

    Attributes:
        key: as in submissions and on the command line.
        split: name of the split, with the subset if one was taken (``val``, ``val[first:1000]``).
        ids: the images to be scored, in the split's order.
        known_ids: every image of the official split; a submission may hold these and no others.
        vocabulary: the classes.
        source: where truth and photos are read from.
        official: whether ``ids`` is exactly the official split; of a data set that is not built in, whether it has as many
            images as its ``dataset.toml`` says.
        notes: what a user should know about this data set as found, one sentence each.
        released_drops_background, unlabelled: see :class:`zgbench.datasets.catalogue.Spec`.
        definition: what ``dataset.toml`` says; None of a built-in data set.
    """

    key: str
    split: str
    ids: tuple[str, ...]
    known_ids: frozenset[str]
    vocabulary: Vocabulary
    source: TruthSource
    official: bool
    notes: tuple[str, ...] = ()
    released_drops_background: bool = False
    unlabelled: bool = True
    definition: Definition | None = None

    def __repr__(self) -> str:
        official = "" if self.official else ", not official"
        return f"<Dataset {self.key} {self.split}: {len(self.ids):,} images, {len(self.vocabulary)} classes{official}>"

    @property
    def signed(self) -> str:
        """Its name in signatures: the key, of one that is not built in with the hash of what ``dataset.toml`` says."""
        return self.key if self.definition is None else f"{self.key}@{self.definition.sha256[:8]}"

    def facts(self) -> DefinitionFacts:
        """What a result keeps of a data set that is not built in; nothing of one that is."""
        return {} if self.definition is None else self.definition.record()

    def ids_sha256(self) -> str:
        """SHA-256 of the ids, a line each, in order."""
        return sha256_lines(self.ids)

    def only(self, ids: tuple[str, ...]) -> Dataset:
        """The same data set reduced to some of its images (keeps the split's order)."""
        wanted = set(ids)
        kept = tuple(i for i in self.ids if i in wanted)
        return replace(self, ids=kept, official=self.official and kept == self.ids)
