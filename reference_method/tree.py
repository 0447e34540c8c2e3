"""Clusters of features as parts that can be joined, and the binary trees above them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Tree = tuple[tuple[int, int], ...]
"""Of n − 1 merges: row k joins two nodes to node n + k; the nodes 0 … n − 1 are the leaves."""


@dataclass(frozen=True)
class Part:
    """A cluster: the first clusters that it is made of, its size, mean and summed squares about the mean."""

    values: tuple[int, ...]
    size: int
    mean: NDArray[np.float64]
    squares: float

    @classmethod
    def of(cls, features: NDArray[np.float32], value: int) -> Part:
        mean = features.mean(axis=0, dtype=np.float64)
        return cls((int(value),), len(features), mean, float(((features - mean) ** 2).sum()))

    def direction(self) -> NDArray[np.float64]:
        """The mean at length 1."""
        return self.mean / max(float(np.linalg.norm(self.mean)), 1e-30)

    def with_(self, other: Part) -> Part:
        size = self.size + other.size
        gap = self.mean - other.mean
        return Part(
            self.values + other.values,
            size,
            (self.size * self.mean + other.size * other.mean) / size,
            self.squares + other.squares + self.size * other.size / size * float(gap @ gap),
        )


def tree_of(parts: list[Part], criterion: str) -> Tree:
    """The tree that joins parts to one root: by the smallest ``variance`` of a union, or by ``ward``."""
    nodes = dict(enumerate(parts))
    tree = []
    for new in range(len(parts), 2 * len(parts) - 1):
        best = None
        numbers = sorted(nodes)
        for at, i in enumerate(numbers):
            for j in numbers[at + 1 :]:
                union = nodes[i].with_(nodes[j])
                cost = union.squares / union.size
                if criterion == "ward":
                    cost = union.squares - nodes[i].squares - nodes[j].squares
                if best is None or cost < best[0]:
                    best = cost, i, j, union
        assert best is not None
        _, i, j, union = best
        tree.append((i, j))
        del nodes[i], nodes[j]
        nodes[new] = union
    return tuple(tree)


def joined(parts: list[Part], cosine: float) -> list[Part]:
    """The two parts with the greatest cosine of means become one while that reaches ``cosine``."""
    parts = list(parts)
    while len(parts) > 1:
        means = np.stack([part.direction() for part in parts])
        alike = np.triu(means @ means.T, 1) + np.tril(np.full((len(parts),) * 2, -2.0))
        i, j = np.unravel_index(alike.argmax(), alike.shape)
        if alike[i, j] < cosine:
            break
        parts[i] = parts[i].with_(parts.pop(j))
    return parts


def taken_apart(
    parts: list[Part], tree: Tree, cosine: float
) -> tuple[list[Part], Tree]:  # fmt: skip
    """From the root down: halves that are unlike become segments of their own; segments and the tree above them."""
    nodes = list(parts)
    for a, b in tree:
        nodes.append(nodes[a].with_(nodes[b]))
    split: set[int] = set()
    open_ = [len(nodes) - 1]
    while open_:
        node = open_.pop()
        if node < len(parts):
            continue
        a, b = tree[node - len(parts)]
        if node == len(nodes) - 1 or float(nodes[a].direction() @ nodes[b].direction()) < cosine:
            split.add(node)
            open_ += [a, b]
    above = [child for node in split for child in tree[node - len(parts)]] or [len(nodes) - 1]
    leaves = sorted(node for node in above if node not in split)
    number = {node: k for k, node in enumerate([*leaves, *sorted(split)])}
    kept = tuple((number[a], number[b]) for a, b in (tree[node - len(parts)] for node in sorted(split)))
    return [nodes[leaf] for leaf in leaves], kept


def without_others(tree: Tree, left: list[int]) -> Tree:
    """A tree over the leaves that are left, numbered anew: where a leaf is gone its sibling takes its parent's place."""
    place: dict[int, int | None] = dict.fromkeys(range(len(tree) + 1))
    place |= {leaf: k for k, leaf in enumerate(left)}
    found: list[tuple[int, int]] = []
    for node, (a, b) in enumerate(tree, start=len(tree) + 1):
        first, second = place[a], place[b]
        if first is None or second is None:
            place[node] = second if first is None else first
        else:
            found.append((first, second))
            place[node] = len(left) + len(found) - 1
    return tuple(found)
