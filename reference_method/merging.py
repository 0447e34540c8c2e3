"""Stage 4, merging: neighbours in the tree that look and read alike become one segment.

Source: "Zero-guidance Segmentation Using Zero Segment Labels", ICCV 2023, section 3.4: only siblings of stage 1's tree;
similarity = ½ cosine of their CLIP embeddings + ½ cosine of their labels' CLIP embeddings; upwards, and a merged
segment is embedded and named anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Tree = tuple[tuple[int, int], ...]
Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Segment:
    """A named segment.

    Attributes:
        mask: bool [h, w].
        embedding: float32 [d], length 1.
        label: free text.
    """

    mask: NDArray[np.bool_]
    embedding: Vectors
    label: str


@dataclass
class Forest:
    """Segments of one photo on the tree that their candidates came with.

    Attributes:
        tree: row k joins two nodes to node n + k.
        nodes: node → segment; at first 0 … n − 1.
    """

    tree: Tree
    nodes: dict[int, Segment]
    _refused: set[int] = field(default_factory=set)

    def siblings(self) -> list[tuple[int, Segment, Segment]]:
        """Pairs whose merging has not been decided, with the node that they would become."""
        first = len(self.tree) + 1
        return [
            (first + k, self.nodes[a], self.nodes[b])
            for k, (a, b) in enumerate(self.tree)
            if a in self.nodes and b in self.nodes and first + k not in self._refused
        ]

    def refuse(self, node: int) -> None:
        """Leave a node's two children as they are, and so everything above it."""
        self._refused.add(node)

    def join(self, node: int, segment: Segment) -> None:
        """Put a segment in place of its two children."""
        for child in self.tree[node - len(self.tree) - 1]:
            del self.nodes[child]
        self.nodes[node] = segment

    def segments(self) -> list[Segment]:
        """What is left, by node."""
        return [self.nodes[node] for node in sorted(self.nodes)]


def merge(
    forests: Sequence[Forest],
    threshold: float,
    *,
    embed: Callable[[int, NDArray[np.bool_]], Vectors],
    name: Callable[[Vectors], list[str]],
    read: Callable[[Sequence[str]], Vectors],
) -> None:
    """Merge alike siblings in place, level by level, the unions of all photos embedded and named together.

    Args:
        forests: one a photo.
        threshold: τ_merge, −1 … 1.
        embed: number of a photo and masks, bool [n, h, w] → unit embeddings [n, d].
        name: unit embeddings [n, d] → labels.
        read: labels → unit embeddings [n, d] of CLIP's text tower.
    """
    while True:
        unions: list[tuple[int, int, NDArray[np.bool_]]] = []
        for photo, forest in enumerate(forests):
            pairs = forest.siblings()
            if not pairs:
                continue
            words = read([label for _, a, b in pairs for label in (a.label, b.label)])
            for k, (node, a, b) in enumerate(pairs):
                alike = (float(a.embedding @ b.embedding) + float(words[2 * k] @ words[2 * k + 1])) / 2
                if alike >= threshold:
                    unions.append((photo, node, a.mask | b.mask))
                else:
                    forest.refuse(node)
        if not unions:
            return
        vectors = []
        for photo in dict.fromkeys(photo for photo, _, _ in unions):
            vectors.append(embed(photo, np.stack([mask for p, _, mask in unions if p == photo])))
        embeddings = np.concatenate(vectors)
        for (photo, node, mask), embedding, label in zip(unions, embeddings, name(embeddings), strict=True):
            forests[photo].join(node, Segment(mask, embedding, label))
